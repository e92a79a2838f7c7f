package runtimeapi

import (
	"net/http"
	"strconv"
)

// handleNext is GET /runtime/invocation/next: a long poll without a time limit.
func handleNext(session *Session, w http.ResponseWriter, r *http.Request) {
	exchange, err := session.next(r.Context())
	if err != nil {
		writeError(w, err)
		return
	}
	header := w.Header()
	header["Date"] = nil
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(exchange.Event))}
	header["Lambda-Runtime-Aws-Request-Id"] = []string{exchange.RequestID}
	header["Lambda-Runtime-Invocation-Id"] = []string{exchange.InvocationID}
	header["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(exchange.Deadline.UnixMilli(), 10)}
	header["Lambda-Runtime-Invoked-Function-Arn"] = []string{exchange.InvokedFunctionArn}
	setIfPresent(header, "Lambda-Runtime-Trace-Id", exchange.TraceID)
	setIfPresent(header, "Lambda-Runtime-Client-Context", exchange.ClientContext)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(exchange.Event)
}

func setIfPresent(header http.Header, name, value string) {
	if value != "" {
		header[name] = []string{value}
	}
}
