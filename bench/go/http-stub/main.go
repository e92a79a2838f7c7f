// Command http-stub answers every request with its own body: the upstream behind reverse-proxy.
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"kappa.dev/bench/background"
)

func main() {
	background.Enter()
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(echo)))
}
