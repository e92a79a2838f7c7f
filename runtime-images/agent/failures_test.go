package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kappa.dev/agent/link"
)

func TestFailuresAreAnsweredInLambdasWords(t *testing.T) {
	rows := []struct {
		reason, handler string
		status          string
		errorType       string
		// message follows "RequestId: ID Error: "; a body without a request id starts with "=".
		message  string
		reusable bool
	}{
		{"exit 1", "index.exit1", "failure", "Runtime.ExitError", "Runtime exited with error: exit status 1", true},
		{"exit 0", "index.exit0", "failure", "Runtime.ExitError", "Runtime exited without providing a reason", true},
		{"kill -9", "index.kill", "failure", "Runtime.ExitError", "Runtime exited with error: signal: killed", true},
		{"time-out", "index.hang", "timeout", "Sandbox.Timedout", "Task timed out after 1.00 seconds", true},
		{"exception", "index.throw", "error", "TypeError", "=boom", true},
		{"answer of 6 MB + 1", "index.large", "error", "Function.ResponseSizeTooLarge", "=Response payload size exceeded maximum allowed payload size (6291556 bytes).", true},
		{"init error", "init.error", "error", "Runtime.ImportModuleError", "=no module", false},
		{"init exits", "init.exit", "failure", "Runtime.ExitError", "Runtime exited with error: exit status 3", false},
		{"init exits 0", "init.exit0", "failure", "Runtime.ExitError", "Runtime exited without providing a reason", false},
		{"init hangs", "init.hang", "timeout", "Sandbox.Timedout", "Task timed out after 1.00 seconds", false},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			p, gateway := claimed(t, function(row.handler, func(head *link.Specialize) {
				if row.status == "timeout" {
					head.TimeoutMs, head.InitTimeoutMs = 1000, 500
				}
			}))
			result := call(t, gateway, "{}")
			errorType, message := errorBody(t, result.Payload)
			want := "RequestId: " + result.Report.RequestID + " Error: " + row.message
			if text, ok := strings.CutPrefix(row.message, "="); ok {
				want = text
			}
			if errorType != row.errorType || message != want || result.Response.Kind != "error" {
				t.Fatalf("%s %s", result.Response.Kind, result.Payload)
			}
			if result.Report.Status != row.status || result.Report.Reusable != row.reusable {
				t.Fatalf("%+v", result.Report)
			}
			if !row.reusable {
				p.awaitExit(0)
			}
		})
	}
}

func TestInitRunsAgainInTheFirstInvocation(t *testing.T) {
	p, gateway := claimed(t, function("init.once", nil))
	for _, want := range []string{"1", "2"} { // the runtime that has come through init stays
		result := call(t, gateway, "{}")
		if string(result.Payload) != want || result.Report.Status != "success" || result.Report.InitDurationMs != nil {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.await("the log's end", func() bool { return strings.Count(p.output.String(), "\nREPORT RequestId: ") == 2 })
	log := p.output.String()
	if !strings.Contains(log, "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError") || strings.Count(log, "init init.once") != 2 {
		t.Fatal("init did not run twice")
	}
	p.killRuntime()
	p.awaitExit(0) // also such a pod ends when its runtime dies while it is idle
}

func TestAGenericRuntimeThatDiesDuringAClaimEndsThePod(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	head := function("index.echo", func(head *link.Specialize) { head.CodeBytes, head.CodeSha256 = 300000, strings.Repeat("0", 64) })
	wire, err := link.AppendPayload(nil, link.FrameSpecialize, gateway.NextStream(), head, make([]byte, 300000))
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Send(wire[:len(wire)-5]); err != nil {
		t.Fatal(err)
	}
	other := p.connect(1)
	p.await("the claim", func() bool { return strings.Contains(p.metrics(), "kappa_agent_claimed 1\n") })
	p.killRuntime()
	p.await("the runtime's end", func() bool { return len(p.children()) == 0 })
	gateway.Close() // the claim is given back: nobody would look at the runtime any more
	other.Close()
	p.awaitExit(1)
}

func TestAnswersOutOfOrderAreRefused(t *testing.T) {
	rows := []struct{ reason, handler, payload, line string }{
		{"posted twice", "index.twice", `"first"`, "second answer: 403 {\"errorType\":\"InvalidStateTransition\""},
		{"foreign id", "index.foreign", `"own"`, "foreign id: 400 {\"errorType\":\"InvalidRequestID\""},
		{"next while running", "index.nexttwice", `{"n":1}`, "early next: 200 {\"n\":1}"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			_, gateway := claimed(t, function(row.handler, nil))
			result := call(t, gateway, `{"n":1}`)
			if string(result.Payload) != row.payload || !result.Report.Reusable {
				t.Fatalf("%s %+v", result.Payload, result.Report)
			}
			if tail := tailOf(t, result.Report); !strings.Contains(tail, row.line) {
				t.Fatalf("tail %q", tail)
			}
			if again := call(t, gateway, `{"n":1}`); string(again.Payload) != row.payload {
				t.Fatalf("the next call: %s", again.Payload)
			}
		})
	}
}

func TestAnAnswerStandsWhenTheRuntimeDiesOrHangsAfterIt(t *testing.T) {
	for handler, status := range map[string]string{"index.answerthendie": "failure", "index.answerthenhang": "timeout"} {
		t.Run(handler, func(t *testing.T) {
			p, gateway := claimed(t, function(handler, func(head *link.Specialize) { head.TimeoutMs = 700 }))
			result := call(t, gateway, "{}")
			if string(result.Payload) != `"answered"` || result.Response.Kind != "response" || result.Report.Status != status || !result.Report.Reusable {
				t.Fatalf("%s %+v", result.Payload, result.Report)
			}
			p.await("the runtime's end", func() bool { return len(p.children()) == 0 })
		})
	}
}

func TestARuntimeThatDiesWhileIdleEndsThePod(t *testing.T) {
	p, gateway := claimed(t, function("index.dielater", func(head *link.Specialize) { head.Idle = link.IdleRunning }))
	if result := call(t, gateway, "{}"); string(result.Payload) != `"soon"` {
		t.Fatalf("%s", result.Payload)
	}
	p.awaitExit(0)
}

func TestTheLargestPayloadsPass(t *testing.T) {
	_, gateway := claimed(t, function("index.echo", nil))
	event := `"` + strings.Repeat("x", 6291554) + `"`
	if result := call(t, gateway, event); string(result.Payload) != event {
		t.Fatalf("%d bytes, %+v", len(result.Payload), result.Refusal)
	}
	if result := call(t, gateway, event+"x"); result.Refusal == nil || result.Refusal.Code != link.PayloadTooLarge {
		t.Fatalf("%+v", result)
	}
	if result := call(t, gateway, "1"); string(result.Payload) != "1" {
		t.Fatalf("the next call: %s", result.Payload)
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestDaemonsLiveUntilThePodEnds(t *testing.T) {
	p, gateway := claimed(t, function("index.daemon", nil))
	result := call(t, gateway, "{}")
	pid, err := strconv.Atoi(string(result.Payload))
	if err != nil || !alive(pid) {
		t.Fatalf("no daemon: %s", result.Payload)
	}
	if err := gateway.Drain("test"); err != nil {
		t.Fatal(err)
	}
	p.awaitExit(0)
	if alive(pid) {
		t.Fatal("the daemon outlives the pod")
	}
}

func TestATimeOutKillsTheWholeTree(t *testing.T) {
	p, gateway := claimed(t, function("index.daemonhang", func(head *link.Specialize) { head.TimeoutMs = 1000 }))
	result := call(t, gateway, "{}")
	text, err := os.ReadFile(filepath.Join(p.task, "daemon.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || result.Report.Status != "timeout" || alive(pid) {
		t.Fatalf("%v, %+v, alive: %v", err, result.Report, alive(pid))
	}
}

func TestAFunctionAboveItsMemoryIsKilled(t *testing.T) {
	_, gateway := claimed(t, function("index.memory", func(head *link.Specialize) { head.MemoryMiB = 128 }), "KAPPA_ENFORCE_MEMORY=1")
	result := call(t, gateway, "{}")
	expectKilled(t, result)
	if tail := tailOf(t, result.Report); !strings.HasSuffix(tail, "\tStatus: error\tError Type: Runtime.OutOfMemory\n") {
		t.Fatal(tail)
	}
	if result.Report.MaxMemoryMiB < 128 || result.Report.MaxMemoryMiB > 400 {
		t.Fatalf("%+v", result.Report)
	}
}

func TestAFloodOfOutputIsCutAndDoesNotBlock(t *testing.T) {
	p, gateway := claimed(t, function("index.flood", func(head *link.Specialize) { head.TimeoutMs = 60000 }))
	begin := time.Now()
	result := call(t, gateway, "200")
	if string(result.Payload) != `"printed"` {
		t.Fatalf("%s", result.Payload)
	}
	t.Logf("200 MiB of output took %v", time.Since(begin))
	tail := tailOf(t, result.Report)
	if len(tail) != 4096 { // the pod's own output may miss its end: whoever reads it may be too slow
		t.Fatalf("%d bytes of tail", len(tail))
	}
	inOrder(t, tail, "last line\n", "END RequestId: ", "REPORT RequestId: ")
	if !strings.Contains(tail, "LOGS_DROPPED dropped ") { // the last lines came when there was room again
		p.awaitLog("LOGS_DROPPED dropped ")
	}
	if log := p.output.String(); len(log) > 40<<20 {
		t.Fatalf("%d bytes of log", len(log))
	}
}

func TestDrain(t *testing.T) {
	t.Run("a warm pod ends at once", func(t *testing.T) {
		p := startPod(t)
		if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.awaitExit(0)
	})
	t.Run("what runs is finished first", func(t *testing.T) {
		p, gateway := claimed(t, function("index.sleep", nil))
		stream, err := gateway.Invoke(requestHead(), []byte(`"slow"`))
		if err != nil {
			t.Fatal(err)
		}
		if err := gateway.Drain("test"); err != nil {
			t.Fatal(err)
		}
		result, err := gateway.Await(stream)
		if err != nil || string(result.Payload) != `"slow"` || !result.Report.Reusable {
			t.Fatalf("%v %+v", err, result)
		}
		p.awaitExit(0)
	})
}
