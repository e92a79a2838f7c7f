package runtimeapi

import (
	"net/http"

	"kappa.dev/agent/limits"
)

// handleInitError is POST /runtime/init/error: the handler could not be loaded. A second one gets 403.
func handleInitError(session *Session, w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, limits.InitErrorBytes)
	if err != nil {
		body = errorAnswer("Runtime.InitError", "the init error could not be read").Body
	}
	if err := session.initError(InitError{ErrorType: errorType(r.Header.Get(errorTypeHeader)), Body: body}); err != nil {
		writeError(w, err)
		return
	}
	writeAccepted(w)
}
