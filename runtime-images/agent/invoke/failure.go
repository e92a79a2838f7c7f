package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
)

// Statuses of REPORT.
const (
	statusSuccess = "success"
	statusError   = "error"
	statusFailure = "failure"
	statusTimeout = "timeout"
)

// failure is why the platform, not the handler, ended an init phase or an invocation.
type failure struct {
	status    string
	errorType string
	// message is Lambda's text after "RequestId: ID Error: "; unused when the runtime has posted a body.
	message string
	body    []byte
}

// outOfMemory is the one failure after which the pod is not used again: who knows what else the kernel has ended.
const outOfMemory = "Runtime.OutOfMemory"

// exitFailure is a runtime that has ended.
func (e *Engine) exitFailure(r *running) *failure {
	f := &failure{status: statusFailure, errorType: "Runtime.ExitError", message: "Runtime exited without providing a reason"}
	if status := r.process.Status(); status != "" {
		f.message = "Runtime exited with error: " + status
	}
	if e.ranOutOfMemory(r) {
		f.errorType = outOfMemory
	}
	return f
}

func timeoutFailure(limit time.Duration) *failure {
	return &failure{
		status: statusTimeout, errorType: "Sandbox.Timedout",
		message: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds()),
	}
}

func initFailure(posted runtimeapi.InitError) *failure {
	return &failure{status: statusError, errorType: posted.ErrorType, body: posted.Body}
}

// startFailure is a runtime that could not be started: the wrapper script or the function's own bootstrap is missing or cannot be executed.
func startFailure(err error) *failure {
	errorType := "Runtime.Unknown"
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isExecFormat(err) {
		errorType = "Runtime.InvalidEntrypoint"
	}
	return &failure{status: statusFailure, errorType: errorType, message: err.Error()}
}

func isExecFormat(err error) bool {
	var path *os.PathError
	return errors.As(err, &path) && path.Err.Error() == "exec format error"
}

// log writes what has ended an invocation into the function's log. What the runtime itself has posted is there already.
func (f *failure) log(to *logs.Stream, requestID string) {
	switch {
	case f.status == statusTimeout:
		to.TimedOut(requestID, f.message)
	case f.body == nil:
		to.Failed(requestID, f.errorType, f.message)
	}
}

// payload is the body that the caller gets.
func (f *failure) payload(requestID string) []byte {
	if f.body != nil {
		return f.body
	}
	body, _ := json.Marshal(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{f.errorType, "RequestId: " + requestID + " Error: " + f.message})
	return body
}
