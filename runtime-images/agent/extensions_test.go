package main

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testextension"
	"kappa.dev/agent/testgateway"
)

// extensionsLayer is the zip of a layer with extensions: their modes by name.
func extensionsLayer(t *testing.T, modes map[string]string) []byte {
	t.Helper()
	files := map[string]string{}
	for name, mode := range modes {
		files["extensions/"+name] = testextension.Script(os.Args[0], mode)
	}
	return programsZip(t, files)
}

// programsZip is a zip of files that may be executed.
func programsZip(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: name}
		header.SetMode(0o755)
		file, err := writer.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(file, files[name])
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// extended is claimed, for a function with extensions.
func extended(t *testing.T, head link.Specialize, modes map[string]string) (*pod, *testgateway.Gateway) {
	t.Helper()
	p := startPod(t)
	gateway := p.connect(1)
	code := zipOf(t, map[string]string{"index.mjs": "code"})
	if _, err := gateway.SpecializeWithLayers(head, code, extensionsLayer(t, modes)); err != nil {
		t.Fatal(err)
	}
	return p, gateway
}

// awaitLog waits until the log has a text, and gives the whole log.
func (p *pod) awaitLog(text string) string {
	p.t.Helper()
	p.await("in the log: "+text, func() bool { return strings.Contains(p.output.String(), text) })
	return p.output.String()
}

// inOrder fails unless all texts are in the log in this order.
func inOrder(t *testing.T, log string, texts ...string) {
	t.Helper()
	rest := log
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("not there, or not after the others: %q in\n%s", text, log)
		}
		rest = after
	}
}

func TestAnExtensionLivesFromInitToShutdown(t *testing.T) {
	p, gateway := extended(t, function("index.print", nil), map[string]string{"one": "", "two": "only-shutdown"})
	first := call(t, gateway, `{"n":1}`)
	second := call(t, gateway, `{"n":2}`)
	if string(first.Payload) != `{"n":1}` || string(second.Payload) != `{"n":2}` || !second.Report.Reusable {
		t.Fatalf("%+v %+v", first, second)
	}
	if err := gateway.Drain("test"); err != nil {
		t.Fatal(err)
	}
	p.awaitExit(0)
	log := p.output.String()
	const registered = `registered: 200 {"accountId":"000000000000","functionName":"my-function","functionVersion":"$LATEST","handler":"index.print"}`
	inOrder(t, log, "INIT_START", "<one> starts", "init index.print", "EXTENSION\tName: one\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
		"EXTENSION\tName: two\tState: Ready\tEvents: [SHUTDOWN]\n", "START RequestId: ", `<one> event: 200 {"eventType":"INVOKE","deadlineMs":`,
		`"requestId":"`+first.Report.RequestID+`","invokedFunctionArn":"arn:aws:lambda:eu-central-1:000000000000:function:my-function"}`,
		"<one> done", "REPORT RequestId: "+first.Report.RequestID, `"requestId":"`+second.Report.RequestID, "<one> done",
		"REPORT RequestId: "+second.Report.RequestID)
	inOrder(t, log, "<two> starts", "init index.print")
	inOrder(t, log, "<one> "+registered, "START RequestId: ")
	for _, name := range []string{"one", "two"} {
		inOrder(t, log, "REPORT RequestId: "+second.Report.RequestID, "<"+name+`> event: 200 {"eventType":"SHUTDOWN","deadlineMs":`,
			`"shutdownReason":"spindown"}`, "<"+name+"> ends")
	}
	if strings.Contains(log, `<two> event: 200 {"eventType":"INVOKE"`) {
		t.Error("one gets an event that it did not ask for")
	}
}

func TestTheAnswerDoesNotWaitForExtensionsButTheNextCallDoes(t *testing.T) {
	p, gateway := extended(t, function("index.echo", nil), map[string]string{"slow": "wait-in-invoke"})
	stream, err := gateway.Invoke(requestHead(), []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := gateway.Next()
		if err != nil || frame.Type == link.FrameReport {
			t.Fatalf("%v: the answer comes after the report", err)
		}
		if frame.Stream == stream && frame.Type == link.FrameResponse {
			break
		}
	}
	if refused := call(t, gateway, "2"); refused.Refusal == nil || refused.Refusal.Code != link.Busy {
		t.Fatalf("%+v", refused)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.task), "tmp", "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if result, err := gateway.Await(stream); err != nil || result.Report.Status != "success" || !result.Report.Reusable {
		t.Fatalf("%v %+v", err, result)
	}
}

func TestAnInternalExtensionTakesPart(t *testing.T) {
	p, gateway := claimed(t, function("internal.echo", nil))
	result := call(t, gateway, `"x"`)
	if string(result.Payload) != `"x"` || result.Report.Status != "success" {
		t.Fatalf("%+v", result)
	}
	if err := gateway.Drain("test"); err != nil {
		t.Fatal(err)
	}
	p.awaitExit(0)
	inOrder(t, p.output.String(), "internal registered: 200 ", "EXTENSION\tName: internal\tState: Ready\tEvents: [INVOKE]\n", "START RequestId: ",
		`internal event: 200 {"eventType":"INVOKE"`, "REPORT RequestId: ")
}

func TestExtensionsFailInLambdasWords(t *testing.T) {
	rows := []struct {
		reason, mode, handler string
		status, errorType     string
		// message follows "RequestId: ID Error: ".
		message string
		log     string
	}{
		{"crash in init", "crash", "index.echo", "failure", "Extension.Crash", "exit status 3", "EXTENSION\tName: x\tState: Started\tEvents: []\n"},
		{"init/error", "init-error", "index.echo", "failure", "Extension.InitError", "exit status 1", "EXTENSION\tName: x\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: My.InitError\n"},
		{"never registers", "never-register", "index.echo", "timeout", "Sandbox.Timedout", "Task timed out after 1.50 seconds", "EXTENSION\tName: x\tState: Started\tEvents: []\n"},
		{"never asks", "never-next", "index.echo", "timeout", "Sandbox.Timedout", "Task timed out after 1.50 seconds", "EXTENSION\tName: x\tState: Registered\tEvents: [INVOKE, SHUTDOWN]\n"},
		{"an internal one never asks", "", "internal.neverNext", "timeout", "Sandbox.Timedout", "Task timed out after 1.50 seconds", "EXTENSION\tName: internal\tState: Registered\tEvents: [INVOKE]\n"},
		{"crash in invoke", "crash-in-invoke", "index.hang", "failure", "Extension.Crash", "exit status 4", "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n"},
		{"exit/error", "exit-error-in-invoke", "index.hang", "failure", "Extension.ExitError", "exit code 0", `<x> exit/error: 202 {"status":"OK"}`},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			p, gateway := extended(t, function(row.handler, func(head *link.Specialize) {
				if row.status == "timeout" {
					head.TimeoutMs, head.InitTimeoutMs = 1500, 1000
				}
			}), map[string]string{"x": row.mode})
			result := call(t, gateway, "{}")
			errorType, message := errorBody(t, result.Payload)
			if want := "RequestId: " + result.Report.RequestID + " Error: " + row.message; errorType != row.errorType || message != want {
				t.Fatalf("%s", result.Payload)
			}
			if result.Report.Status != row.status {
				t.Fatalf("%+v", result.Report)
			}
			p.awaitLog(row.log)
		})
	}
}

func TestAFileThatCannotBeExecutedIsALaunchError(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	layer := programsZip(t, map[string]string{"extensions/broken": "neither a program nor a script"})
	if _, err := gateway.SpecializeWithLayers(function("index.echo", nil), zipOf(t, map[string]string{"index.mjs": "code"}), layer); err != nil {
		t.Fatal(err)
	}
	result := call(t, gateway, "{}")
	errorType, message := errorBody(t, result.Payload)
	want := " Error: fork/exec " + filepath.Join(p.optOf(), "extensions/broken") + ": exec format error"
	if errorType != "Extension.LaunchError" || !strings.HasSuffix(message, want) {
		t.Fatalf("%s", result.Payload)
	}
	p.awaitLog("EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: UnknownError\n")
}

func TestMoreThanTenExtensionsAreALaunchError(t *testing.T) {
	modes := map[string]string{}
	for _, name := range strings.Fields("a b c d e f g h i j k") {
		modes[name] = ""
	}
	p, gateway := extended(t, function("index.echo", nil), modes)
	result := call(t, gateway, "{}")
	if errorType, _ := errorBody(t, result.Payload); errorType != "Extension.LaunchError" {
		t.Fatalf("%s", result.Payload)
	}
	p.awaitLog("EXTENSION\tName: k\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions\n")
}

// An extension that does not come back from an invocation lets it time out; the answer has gone to the caller all the same.
func TestAnExtensionThatHangsTimesTheInvocationOut(t *testing.T) {
	p, gateway := extended(t, function("index.echo", func(head *link.Specialize) { head.TimeoutMs = 1500 }), map[string]string{
		"hangs": "hang-in-invoke", "good": "",
	})
	result := call(t, gateway, `"x"`)
	if string(result.Payload) != `"x"` || result.Response.Kind != "response" || result.Report.Status != "timeout" {
		t.Fatalf("%s %+v", result.Payload, result.Report)
	}
	inOrder(t, p.awaitLog("<good> ends"), `<good> event: 200 {"eventType":"SHUTDOWN"`, `"shutdownReason":"timeout"}`)
	if strings.Contains(p.output.String(), `<hangs> event: 200 {"eventType":"SHUTDOWN"`) {
		t.Error("it was told while it was busy")
	}
}

func TestAKilledExtensionEndsTheInvocation(t *testing.T) {
	p, gateway := extended(t, function("index.hang", nil), map[string]string{"x": "hang-in-invoke", "good": ""})
	stream, err := gateway.Invoke(requestHead(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	p.awaitLog(`<x> event: 200 {"eventType":"INVOKE"`)
	killed := false
	for _, pid := range p.children() {
		if command, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); bytes.Contains(command, []byte("hang-in-invoke")) {
			killed = syscall.Kill(pid, syscall.SIGKILL) == nil
		}
	}
	if !killed {
		t.Fatal("it is not there")
	}
	result, err := gateway.Await(stream)
	if err != nil {
		t.Fatal(err)
	}
	if errorType, message := errorBody(t, result.Payload); errorType != "Extension.Crash" || !strings.HasSuffix(message, " Error: signal: killed") {
		t.Fatalf("%s", result.Payload)
	}
	inOrder(t, p.awaitLog("<good> ends"), `<good> event: 200 {"eventType":"SHUTDOWN"`, `"shutdownReason":"failure"}`)
}

func TestAfterAFailureTheExtensionsStartAgain(t *testing.T) {
	p, gateway := extended(t, function("index.exit1", nil), map[string]string{"x": ""})
	for range 2 {
		result := call(t, gateway, "{}")
		if errorType, _ := errorBody(t, result.Payload); errorType != "Runtime.ExitError" || !result.Report.Reusable {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.await("two lives", func() bool { return strings.Count(p.output.String(), "<x> ends") == 2 })
	inOrder(t, p.output.String(), "<x> registered: 200", `"shutdownReason":"failure"}`, "<x> registered: 200", `"shutdownReason":"failure"}`)
}

// Who does not go in time is killed, and so is who has not asked to be told.
func TestTheEndDoesNotWaitForExtensionsForEver(t *testing.T) {
	for _, mode := range []string{"stay", "no-events"} {
		t.Run(mode, func(t *testing.T) {
			p, gateway := extended(t, function("index.echo", nil), map[string]string{"x": mode})
			call(t, gateway, "{}")
			p.signal(syscall.SIGTERM)
			p.awaitExit(0)
			if told := strings.Contains(p.output.String(), `<x> event: 200 {"eventType":"SHUTDOWN"`); told != (mode == "stay") {
				t.Fatalf("told: %v", told)
			}
		})
	}
}

func TestAFloodOfAnExtensionIsCut(t *testing.T) {
	p, gateway := extended(t, function("index.echo", func(head *link.Specialize) { head.TimeoutMs = 60000 }), map[string]string{"x": "flood-in-invoke"})
	if result := call(t, gateway, `"x"`); string(result.Payload) != `"x"` || result.Report.Status != "success" {
		t.Fatalf("%+v", result)
	}
	p.await("the log's end", func() bool { return strings.Contains(p.output.String(), "REPORT RequestId: ") })
	if log := p.output.String(); len(log) > 40<<20 || !strings.Contains(log, "LOGS_DROPPED dropped ") {
		t.Fatalf("%d bytes of log", len(log))
	}
}

func TestExtensionsRunBesideAFunctionsOwnBootstrap(t *testing.T) {
	p := provided(t)
	gateway := p.connect(1)
	if _, err := gateway.SpecializeWithLayers(providedFunction("index.count", nil), ownRuntime(t), extensionsLayer(t, map[string]string{"x": ""})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if result := call(t, gateway, "{}"); string(result.Payload) != want || result.Report.Status != "success" {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.drain(gateway)
	p.awaitExit(0)
	inOrder(t, p.output.String(), "<x> starts", "init index.count", "<x> done", "<x> done", `"shutdownReason":"spindown"}`, "<x> ends")
}

// An environment that stands still is woken to hear of its end.
func TestAFrozenExtensionHearsOfTheEnd(t *testing.T) {
	p, gateway := extended(t, function("index.echo", nil), map[string]string{"x": ""})
	call(t, gateway, "1")
	p.await("all stand still", func() bool {
		for _, pid := range p.children() {
			if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err != nil || !bytes.Contains(stat, []byte(") T ")) {
				return false
			}
		}
		return true
	})
	if result := call(t, gateway, "2"); string(result.Payload) != "2" {
		t.Fatalf("%+v", result)
	}
	p.drain(gateway)
	p.awaitExit(0)
	inOrder(t, p.output.String(), "<x> done", "<x> done", "<x> ends")
}

func TestTheMemoryOfExtensionsCounts(t *testing.T) {
	_, gateway := extended(t, function("index.echo", nil), map[string]string{"x": "memory"})
	if result := call(t, gateway, `"x"`); result.Report.MaxMemoryMiB < 64 {
		t.Fatalf("%+v", result.Report)
	}
}

func TestExtensionsDoNotSeeWhatIsTheRuntimes(t *testing.T) {
	p, gateway := extended(t, function("index.echo", func(head *link.Specialize) { head.Environment["MINE"] = "yes" }), map[string]string{"x": "env"})
	call(t, gateway, "{}")
	_, line, _ := strings.Cut(p.awaitLog("<x> env ["), "<x> env ")
	line, _, _ = strings.Cut(line, "\n")
	for _, name := range []string{"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "MINE", "PATH"} {
		if !strings.Contains(line, `"`+name+"=") {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER"} {
		if strings.Contains(line, `"`+name+"=") {
			t.Errorf("%s is there", name)
		}
	}
}
