package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

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
	if log := p.awaitLog("EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: UnknownError\n"); strings.Contains(log, "init index.echo") {
		t.Error("the runtime has been started all the same")
	}
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

// The second start has no runtime yet: what the first one's subscriber was told of is over.
func TestASubscriberThatDoesNotComeBackEndsThePod(t *testing.T) {
	p, gateway := extended(t, function("index.exit1", awake), map[string]string{"x": "http crash-second"})
	if first := call(t, gateway, "{}"); !first.Report.Reusable {
		t.Fatalf("%+v", first.Report)
	}
	second := call(t, gateway, "{}")
	if errorType, _ := errorBody(t, second.Payload); errorType != "Extension.Crash" || second.Report.Reusable {
		t.Fatalf("%s %+v", second.Payload, second.Report)
	}
	p.awaitExit(0)
}

// How long extensions take for their end is nobody's time: the caller has the answer before.
func TestAnInitThatFailsInACallDoesNotPayForTheShutdown(t *testing.T) {
	_, gateway := extended(t, function("index.echo", func(head *link.Specialize) {
		head.TimeoutMs, head.InitTimeoutMs = 1500, 1000
	}), map[string]string{"x": "never-next", "stays": "stay"})
	result := call(t, gateway, "{}")
	tooLong := 1500 + float64(limits.ShutdownExternal.Milliseconds())
	if result.Report.Status != "timeout" || result.Report.DurationMs >= tooLong || result.Report.BilledDurationMs >= int64(tooLong) {
		t.Fatalf("%+v", result.Report)
	}
	_, line, _ := strings.Cut(tailOf(t, result.Report), "INIT_REPORT Init Duration: ")
	var duration float64
	if _, err := fmt.Sscanf(line, "%f ms\tPhase: invoke\tStatus: timeout\n", &duration); err != nil || duration >= tooLong {
		t.Fatalf("%v %q", err, line)
	}
}

// Both are killed, and the extension is gone first: it is small.
func TestAFunctionAboveItsMemoryIsNoCrashOfItsExtension(t *testing.T) {
	p, gateway := extended(t, function("index.memory", nil), map[string]string{"x": ""}, "KAPPA_ENFORCE_MEMORY=1")
	result := call(t, gateway, "{}")
	expectKilled(t, result)
	p.awaitExit(0)
}

func TestTheLastLineOfAnExtensionNeedsNoEnd(t *testing.T) {
	_, gateway := extended(t, function("index.echo", nil), map[string]string{"x": "half-line crash"})
	inOrder(t, tailOf(t, call(t, gateway, "{}").Report), "<x> starts\n", "<x> has no end\n", "END RequestId: ")
}

func TestAnIdleExtensionThatReportsItsFailureAndStaysEndsThePod(t *testing.T) {
	p, gateway := extended(t, function("index.echo", awake), map[string]string{"x": "exit-error-after-invoke"})
	call(t, gateway, "{}")
	p.letGo()
	p.awaitExit(0)
	p.awaitLog(`<x> exit/error: 202 {"status":"OK"}`)
}
