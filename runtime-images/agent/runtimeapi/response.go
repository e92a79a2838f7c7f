package runtimeapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"kappa.dev/agent/limits"
)

// Lambda's words for an answer that is too large.
const (
	tooLargeType    = "Function.ResponseSizeTooLarge"
	tooLargeMessage = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
	invalidModeType = "Runtime.InvalidResponseModeHeader"
)

var errTooLarge = errors.New("too large")

const (
	modeHeader       = "Lambda-Runtime-Function-Response-Mode"
	invocationHeader = "Lambda-Runtime-Invocation-Id"
	errorTypeHeader  = "Lambda-Runtime-Function-Error-Type"
	errorBodyTrailer = "Lambda-Runtime-Function-Error-Body"
)

// handleResponse is POST /runtime/invocation/ID/response. An answer in streaming mode whose caller wants it whole is collected.
func handleResponse(session *Session, w http.ResponseWriter, r *http.Request) {
	id, invocation := r.PathValue("id"), r.Header.Get(invocationHeader)
	if err := session.begin(responds, id, invocation); err != nil {
		writeError(w, err)
		return
	}
	switch r.Header.Get(modeHeader) {
	case "":
	case "streaming":
		exchange, err := session.beginStream(id, invocation)
		if err != nil {
			writeError(w, err)
			return
		}
		if exchange != nil {
			handleStream(session, w, r, exchange)
			return
		}
	default:
		refuseMode(session, w, id, invocation)
		return
	}
	body, err := readBody(r, limits.PayloadBytes)
	if errors.Is(err, errTooLarge) {
		refuseTooLarge(session, w, r, id, invocation)
		return
	}
	if err != nil {
		writeError(w, err) // the runtime broke off; it may try again until the deadline
		return
	}
	answer := Answer{ContentType: r.Header.Get("Content-Type"), Body: body}
	if failed := r.Trailer.Get(errorTypeHeader); failed != "" {
		answer = trailerError(failed, r.Trailer.Get(errorBodyTrailer))
	}
	finish(session, w, responds, id, invocation, answer)
}

func finish(session *Session, w http.ResponseWriter, e event, id, invocation string, answer Answer) {
	if err := session.answer(e, id, invocation, answer); err != nil {
		writeError(w, err)
		return
	}
	writeAccepted(w)
}

// readBody reads at most limit bytes, with one allocation when the length is known.
func readBody(r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return nil, errTooLarge
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err == nil && len(body) > limit {
		return nil, errTooLarge
	}
	return body, err
}

// refuseTooLarge answers the caller first, then swallows the rest of the body: a runtime that is still writing would see
// a broken connection instead of the 413. Bounded by the invocation's deadline, which ends the runtime.
func refuseTooLarge(session *Session, w http.ResponseWriter, r *http.Request, id, invocation string) {
	err := session.answer(responds, id, invocation, errorAnswer(tooLargeType, tooLargeMessage))
	if err != nil {
		writeError(w, err)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	writeTooLarge(w, limits.PayloadBytes)
}

func writeTooLarge(w http.ResponseWriter, limit int64) {
	writeJSON(w, http.StatusRequestEntityTooLarge, localError{
		"RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", limit),
	})
}

func refuseMode(session *Session, w http.ResponseWriter, id, invocation string) {
	const message = "Invalid function response mode"
	if err := session.answer(responds, id, invocation, errorAnswer(invalidModeType, message)); err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusBadRequest, localError{"InvalidFunctionResponseMode", message})
}

func errorAnswer(errorType, message string) Answer {
	body := fmt.Appendf(nil, `{"errorType":%q,"errorMessage":%q}`, errorType, message)
	return Answer{IsError: true, ContentType: "application/json", ErrorType: errorType, Body: body}
}

// trailerError is an error that came after the beginning of a streamed answer. Where the answer is wanted whole, what came before is dropped.
func trailerError(failed, bodyBase64 string) Answer {
	body, err := base64.StdEncoding.DecodeString(bodyBase64)
	if err != nil || len(body) == 0 {
		return errorAnswer(errorType(failed), "")
	}
	return Answer{IsError: true, ContentType: "application/json", ErrorType: errorType(failed), Body: body}
}
