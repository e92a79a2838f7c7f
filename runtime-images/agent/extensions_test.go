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
func extended(t *testing.T, head link.Specialize, modes map[string]string, extra ...string) (*pod, *testgateway.Gateway) {
	t.Helper()
	p := startPod(t, extra...)
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

// letGo lets an extension go on that waits for the test.
func (p *pod) letGo() {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.task), "tmp", "go"), nil, 0o644); err != nil {
		p.t.Fatal(err)
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
	p.letGo()
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
	result := call(t, gateway, `"x"`)
	if string(result.Payload) != `"x"` || result.Report.Status != "success" {
		t.Fatalf("%+v", result)
	}
	if tail := tailOf(t, result.Report); !strings.Contains(tail, "LOGS_DROPPED dropped ") || !strings.Contains(tail, "END RequestId: ") {
		t.Fatalf("tail %q", tail)
	}
	if log := p.output.String(); len(log) > 40<<20 {
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
	p, gateway := extended(t, function("index.echo", nil), map[string]string{"x": "memory"})
	// Short invocations are over before the first look; the next one tells of it.
	p.await("a report has the extension's 64 MiB", func() bool { return call(t, gateway, `"x"`).Report.MaxMemoryMiB >= 64 })
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
