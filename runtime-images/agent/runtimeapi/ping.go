package runtimeapi

import (
	"io"
	"net/http"
)

// handlePing is GET /ping, which Lambda keeps for old clients.
func handlePing(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "pong")
}
