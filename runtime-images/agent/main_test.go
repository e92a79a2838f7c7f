package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testextension"
	"kappa.dev/agent/testgateway"
	"kappa.dev/agent/testruntime"
)

// The test binary is also the agent and the runtime: the tests start it again with another role.
const roleName = "KAPPA_TEST_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "test-runtime" {
		testruntime.Main()
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "test-extension" {
		testextension.Main(os.Args[2], os.Args[3])
		return
	}
	if os.Getenv(roleName) == "agent" {
		main()
		return
	}
	os.Exit(m.Run())
}

// function is the head of SPECIALIZE for a handler; change alters it.
func function(handler string, change func(*link.Specialize)) link.Specialize {
	head := link.Specialize{
		VersionUID: "version-1", FunctionName: "my-function", FunctionNamespace: "default", Version: "$LATEST", Handler: handler,
		Runtime: "nodejs24.x", MemoryMiB: 128, TimeoutMs: 10000, InitTimeoutMs: 10000, PerInstance: 1,
		Environment: map[string]string{}, AccountID: "000000000000", Region: "eu-central-1", LogFormat: "Text",
	}
	if change != nil {
		change(&head)
	}
	return head
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for name, text := range files {
		file, err := writer.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(file, text)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func executableZip(t *testing.T, name, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	header := &zip.FileHeader{Name: name}
	header.SetMode(0o755)
	file, err := writer.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, text)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

var requests atomic.Uint32

func requestHead() link.Invoke {
	return link.Invoke{
		RequestID:          fmt.Sprintf("5b1f7c1e-0000-4000-8000-%012d", requests.Add(1)),
		InvokedFunctionArn: "arn:aws:lambda:eu-central-1:000000000000:function:my-function", Tail: true,
	}
}

// claimed starts a pod, claims it for head and gives the connection.
func claimed(t *testing.T, head link.Specialize, extra ...string) (*pod, *testgateway.Gateway) {
	t.Helper()
	p := startPod(t, extra...)
	gateway := p.connect(1)
	if _, err := gateway.Specialize(head, zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	return p, gateway
}

// call makes one call and waits for its end.
func call(t *testing.T, gateway *testgateway.Gateway, event string) testgateway.Result {
	t.Helper()
	return callWith(t, gateway, requestHead(), event)
}

func callWith(t *testing.T, gateway *testgateway.Gateway, head link.Invoke, event string) testgateway.Result {
	t.Helper()
	stream, err := gateway.Invoke(head, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	result, err := gateway.Await(stream)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func tailOf(t *testing.T, report link.Report) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(report.LogTail)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func errorBody(t *testing.T, payload []byte) (errorType, message string) {
	t.Helper()
	var body struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(payload, &body); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	return body.ErrorType, body.ErrorMessage
}

func TestAFunctionIsClaimedCalledAndCalledAgain(t *testing.T) {
	p, gateway := claimed(t, function("index.print", nil))
	first := call(t, gateway, `{"n":1}`)
	if first.Refusal != nil || string(first.Payload) != `{"n":1}` || first.Response.Kind != "response" {
		t.Fatalf("%+v %s", first, first.Payload)
	}
	if first.Report.Status != "success" || !first.Report.Reusable || first.Report.InitDurationMs == nil || first.Report.MaxMemoryMiB < 1 {
		t.Fatalf("%+v", first.Report)
	}
	tail := tailOf(t, first.Report)
	id := first.Report.RequestID
	want := "START RequestId: " + id + " Version: $LATEST\nhello from " + id + "\nEND RequestId: " + id + "\nREPORT RequestId: " + id + "\tDuration: "
	if !strings.HasPrefix(tail, want) || !strings.Contains(tail, " ms\tMemory Size: 128 MB\tMax Memory Used: ") || !strings.Contains(tail, "\tInit Duration: ") {
		t.Fatalf("tail: %q", tail)
	}
	second := call(t, gateway, `{"n":2}`)
	if string(second.Payload) != `{"n":2}` || second.Report.InitDurationMs != nil {
		t.Fatalf("%+v", second)
	}
	if !strings.Contains(p.output.String(), "INIT_START Runtime Version: nodejs:24.v1\tRuntime Version ARN: arn:aws:lambda:eu-central-1::runtime:") {
		t.Fatal("no INIT_START line")
	}
}
