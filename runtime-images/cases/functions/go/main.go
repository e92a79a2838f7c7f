// The cases in Go, on the official client.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// OwnError is what a case returns on purpose.
type OwnError struct{}

func (OwnError) Error() string { return "on purpose: ü" }

var count int

var does = map[string]func(context.Context, json.RawMessage) (any, error){
	"echo":    func(_ context.Context, event json.RawMessage) (any, error) { return event, nil },
	"context": about,
	"environment": func(context.Context, json.RawMessage) (any, error) {
		environment := map[string]string{}
		for _, entry := range os.Environ() {
			name, value, _ := strings.Cut(entry, "=")
			environment[name] = value
		}
		return environment, nil
	},
	"throw": func(context.Context, json.RawMessage) (any, error) { return nil, OwnError{} },
	"exit":  func(context.Context, json.RawMessage) (any, error) { os.Exit(3); return nil, nil },
	"sleep": func(context.Context, json.RawMessage) (any, error) { time.Sleep(time.Minute); return nil, nil },
	"log": func(context.Context, json.RawMessage) (any, error) {
		fmt.Println("printed ü")
		fmt.Fprintln(os.Stderr, "to standard error")
		return nil, nil
	},
	"large": func(_ context.Context, event json.RawMessage) (any, error) {
		var size struct{ Bytes int }
		err := json.Unmarshal(event, &size)
		return strings.Repeat("x", size.Bytes-2), err
	},
	"layer": func(context.Context, json.RawMessage) (any, error) {
		text, err := exec.Command("greet").Output()
		return strings.TrimSpace(string(text)), err
	},
	"tmp": func(context.Context, json.RawMessage) (any, error) {
		file, err := os.OpenFile(filepath.Join(os.TempDir(), "lines"), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if _, err := file.WriteString("line\n"); err != nil {
			return nil, err
		}
		info, err := file.Stat()
		return info.Size() / 5, err
	},
	"count": func(context.Context, json.RawMessage) (any, error) { count++; return count, nil },
}

func about(ctx context.Context, _ json.RawMessage) (any, error) {
	told, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	folder, err := os.Getwd()
	return map[string]any{
		"requestId": told.AwsRequestID, "functionName": lambdacontext.FunctionName, "functionVersion": lambdacontext.FunctionVersion,
		"memory": lambdacontext.MemoryLimitInMB, "arn": told.InvokedFunctionArn, "logGroup": lambdacontext.LogGroupName,
		"logStream": lambdacontext.LogStreamName, "remainingMs": time.Until(deadline).Milliseconds(),
		"caller": told.ClientContext.Custom["name"], "folder": folder,
	}, err
}

func main() {
	switch os.Getenv("INIT") {
	case "fail":
		panic("not today")
	case "exit":
		os.Exit(3)
	}
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var wanted struct{ Do string }
		if err := json.Unmarshal(event, &wanted); err != nil {
			return nil, err
		}
		return does[wanted.Do](ctx, event)
	})
}
