// Command http-stub answers every request with its own body: the upstream behind reverse-proxy. Usage: http-stub ADDRESS [-batch=false]
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"kappa.dev/bench/background"
)

func main() {
	if len(os.Args) < 3 || os.Args[2] != "-batch=false" {
		background.Enter()
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(echo)))
}
