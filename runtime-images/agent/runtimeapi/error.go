package runtimeapi

import (
	"errors"
	"net/http"

	"kappa.dev/agent/limits"
)

// handleError is POST /runtime/invocation/ID/error: the handler has thrown.
func handleError(session *Session, w http.ResponseWriter, r *http.Request) {
	id, invocation := r.PathValue("id"), r.Header.Get(invocationHeader)
	if err := session.begin(fails, id, invocation); err != nil {
		writeError(w, err)
		return
	}
	body, err := readBody(r, limits.PayloadBytes)
	if errors.Is(err, errTooLarge) {
		refuseTooLarge(session, w, r, id, invocation)
		return
	}
	if err != nil {
		writeError(w, err)
		return
	}
	finish(session, w, fails, id, invocation, Answer{
		IsError: true, ContentType: r.Header.Get("Content-Type"), ErrorType: errorType(r.Header.Get(errorTypeHeader)), Body: body,
	})
}
