// Package runtimeapi serves Lambda's Runtime API to the runtime process of one pod, and the two Kappa routes of pre-boot.
package runtimeapi

import (
	"strings"
	"time"
)

// Exchange is one invocation on its way through the runtime.
type Exchange struct {
	RequestID          string
	InvocationID       string
	InvokedFunctionArn string
	TraceID            string
	ClientContext      string
	Deadline           time.Time
	Event              []byte
	// Stream takes an answer in streaming mode; nil when the caller wants it whole.
	Stream Stream
	// MaxStreamBytes bounds what Stream takes.
	MaxStreamBytes int64
	// Timed asks for Began.
	Timed bool
	// Began is when the runtime began to answer; valid once Answered has the answer.
	Began time.Time

	// Answered receives exactly one answer, unless the runtime dies first.
	Answered chan Answer
	// Finished is closed when the runtime asks for the next invocation; of one of several with the answer.
	Finished chan struct{}

	// state is this invocation's own where there are several; guarded by Session.mu.
	state State
}

// NewExchange prepares the channels of an invocation.
func NewExchange() *Exchange {
	return &Exchange{Answered: make(chan Answer, 1), Finished: make(chan struct{})}
}

// Answer is what the runtime has posted for an invocation.
type Answer struct {
	// IsError tells an error object from a response.
	IsError     bool
	ContentType string
	// ErrorType is a Runtime.* or Function.* name when IsError.
	ErrorType string
	Body      []byte
	// Streamed says that the answer has gone through Stream, to its end.
	Streamed bool
	// StreamedBytes is how much that was.
	StreamedBytes int64
	// BrokeOff says that the runtime's connection ended in the middle of it: the process may have died.
	BrokeOff bool
}

// InitError is what the runtime has posted to init/error.
type InitError struct {
	ErrorType string
	Body      []byte
}

// Assignment answers the runtime's wait for its claim.
type Assignment struct {
	Environment map[string]string `json:"environment"`
	Handler     string            `json:"handler"`
	TaskRoot    string            `json:"taskRoot"`
}

// errorType keeps names of the forms Runtime.Xyz and Function.Xyz; everything else becomes unknown.
func errorType(header string) string {
	family, name, _ := strings.Cut(header, ".")
	if (family == "Runtime" || family == "Function") && isTypeName(name) {
		return header
	}
	if family == "Function" {
		return "Function.Unknown"
	}
	return "Runtime.Unknown"
}

func isTypeName(name string) bool {
	if len(name) < 2 || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for _, c := range name {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
