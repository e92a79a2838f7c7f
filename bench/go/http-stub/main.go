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
		body, err := io.ReadAll(r.Body) // whole, before the first byte of the answer: HTTP/1 servers are not full duplex
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(echo)))
}
