package runtimeapi

import (
	"encoding/json"
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
	contentType := r.Header.Get("Content-Type")
	if contentType == errorCauseType {
		contentType, body = withoutCause(body)
	}
	finish(session, w, fails, id, invocation, Answer{
		IsError: true, ContentType: contentType, ErrorType: errorType(r.Header.Get(errorTypeHeader)), Body: body,
	})
}

// errorCauseType marks an error object that has the cause for X-Ray in it, which callers do not get.
const errorCauseType = "application/vnd.aws.lambda.error.cause+json"

// withoutCause is the error as its caller gets it, and its content type.
func withoutCause(body []byte) (contentType string, filtered []byte) {
	var kept struct {
		ErrorMessage string   `json:"errorMessage"`
		ErrorType    string   `json:"errorType"`
		StackTrace   []string `json:"stackTrace"`
	}
	if json.Unmarshal(body, &kept) != nil {
		return "application/octet-stream", []byte(`"Invalid error body"`)
	}
	filtered, _ = json.Marshal(kept) // always possible
	return "application/json", filtered
}
