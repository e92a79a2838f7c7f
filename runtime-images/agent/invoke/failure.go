package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
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

func exitFailure(process *supervise.Process) *failure {
	f := &failure{status: statusFailure, errorType: "Runtime.ExitError", message: "Runtime exited without providing a reason"}
	if status := process.Status(); status != "" {
		f.message = "Runtime exited with error: " + status
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
