package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

// several is a claimed pod that takes ten invocations at once.
func several(t *testing.T, handler string, change func(*link.Specialize)) (*pod, *testgateway.Gateway) {
	t.Helper()
	return claimed(t, function(handler, func(head *link.Specialize) {
		head.PerInstance = 10
		if change != nil {
			change(head)
		}
	}))
}

// beginAll sends an invocation for each event.
func beginAll(t *testing.T, gateway *testgateway.Gateway, events ...string) (ids []string, streams []uint32) {
	t.Helper()
	for _, event := range events {
		head := requestHead()
		stream, err := gateway.Invoke(head, []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		ids, streams = append(ids, head.RequestID), append(streams, stream)
	}
	return ids, streams
}

func awaitAll(t *testing.T, gateway *testgateway.Gateway, streams []uint32) []testgateway.Result {
	t.Helper()
	results, err := gateway.AwaitAll(streams)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestTenInvocationsRunAtOnceAndTheirLogsAreKeptApart(t *testing.T) {
	_, gateway := several(t, "index.meet", nil)
	ids, streams := beginAll(t, gateway, slices.Repeat([]string{"{}"}, 10)...)
	inits := 0
	for n, result := range awaitAll(t, gateway, streams) {
		id := ids[n]
		if string(result.Payload) != id || result.Report.Status != "success" || !result.Report.Reusable || result.Report.RequestID != id {
			t.Fatalf("%s: %s %+v", id, result.Payload, result.Report)
		}
		if result.Report.InitDurationMs != nil {
			inits++
		}
		want := "START RequestId: " + id + " Version: $LATEST\nbefore " + id + "\nafter " + id + "\nEND RequestId: " + id + "\nREPORT RequestId: " + id + "\t"
		tail := tailOf(t, result.Report)
		if !strings.HasPrefix(tail, want) || strings.Count(tail, "\n") != 5 {
			t.Errorf("the log of %s: %q", id, tail)
		}
	}
	if inits != 1 {
		t.Errorf("%d reports have the init's time", inits)
	}
}

func TestOneMoreThanMayRunIsRefusedAndSoIsOneThatRuns(t *testing.T) {
	_, gateway := several(t, "index.wait", func(head *link.Specialize) { head.PerInstance = 2 })
	ids, streams := beginAll(t, gateway, "2000")
	head := requestHead()
	head.RequestID = ids[0]
	twin := callWith(t, gateway, head, "1")
	if twin.Refusal == nil || twin.Refusal.Code != link.Busy {
		t.Fatalf("the same invocation again: %+v", twin)
	}
	_, second := beginAll(t, gateway, "2000")
	if third := call(t, gateway, "1"); third.Refusal == nil || third.Refusal.Code != link.Busy {
		t.Fatalf("a third one: %+v", third)
	}
	for _, result := range awaitAll(t, gateway, append(streams, second...)) {
		if result.Report.Status != "success" {
			t.Fatalf("%+v", result.Report)
		}
	}
}

func TestACrashFailsAllThatRunAndEndsThePod(t *testing.T) {
	p, gateway := several(t, "index.as", nil)
	_, streams := beginAll(t, gateway, `"index.hang"`, `"index.hang"`)
	p.await("both to run", func() bool { return strings.Count(p.output.String(), "START RequestId: ") == 2 })
	_, crash := beginAll(t, gateway, `"index.exit1"`)
	for _, result := range awaitAll(t, gateway, append(streams, crash...)) {
		if errorType, _ := errorBody(t, result.Payload); errorType != "Runtime.ExitError" || result.Report.Status != "failure" || result.Report.Reusable {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.awaitExit(0)
}

func TestATimeOutLeavesTheOthersAloneAndEndsThePodAfterThem(t *testing.T) {
	const limit = 16 * time.Second // half of it is what a machine that is busy may take, before and after
	p, gateway := several(t, "index.as", func(head *link.Specialize) { head.TimeoutMs = limit.Milliseconds() })
	begin := time.Now()
	_, hanging := beginAll(t, gateway, `"index.hang"`)
	other := p.connect(1)
	if _, err := other.Specialize(function("index.as", nil), zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	for time.Since(begin) < limit/2 { // so much later begins what is to outlive the first
		if result := call(t, other, `"index.sleep"`); result.Report.Status != "success" {
			t.Fatalf("%+v", result.Report)
		}
	}
	_, waiting := beginAll(t, other, `"index.release"`)
	late := awaitAll(t, gateway, hanging)[0]
	if errorType, _ := errorBody(t, late.Payload); errorType != "Sandbox.Timedout" || late.Report.Status != "timeout" || late.Report.Reusable {
		t.Fatalf("%s %+v", late.Payload, late.Report)
	}
	if refused := call(t, gateway, `"index.echo"`); refused.Refusal == nil || refused.Refusal.Code != link.Draining {
		t.Fatalf("a new invocation: %+v", refused)
	}
	if err := os.WriteFile(filepath.Join(p.task, "release"), []byte("now"), 0o644); err != nil {
		t.Fatal(err)
	}
	if result := awaitAll(t, other, waiting)[0]; string(result.Payload) != `"released"` || result.Report.Status != "success" {
		t.Fatalf("%s %+v", result.Payload, result.Report)
	}
	p.awaitExit(0)
}

func TestAnInitThatFailsOnceRunsAgainForAll(t *testing.T) {
	p, gateway := several(t, "init.once", nil)
	_, streams := beginAll(t, gateway, "{}", "{}", "{}")
	for _, result := range awaitAll(t, gateway, streams) {
		if result.Report.Status != "success" || !result.Report.Reusable {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	if inits := strings.Count(p.output.String(), "init init.once"); inits != 2 {
		t.Errorf("init ran %d times", inits)
	}
}

func TestAnInitThatFailsTwiceIsTheAnswerOfAll(t *testing.T) {
	p, gateway := several(t, "init.error", nil)
	_, streams := beginAll(t, gateway, "{}", "{}", "{}")
	for _, result := range awaitAll(t, gateway, streams) {
		if errorType, _ := errorBody(t, result.Payload); errorType != "Runtime.ImportModuleError" || result.Report.Reusable {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	if inits := strings.Count(p.output.String(), "init init.error"); inits != 2 {
		t.Errorf("init ran %d times", inits)
	}
	p.awaitExit(0)
}

func TestARuntimeOfOneInvocationAtATimeIsNotClaimedForSeveral(t *testing.T) {
	p := startPod(t, "KAPPA_RUNTIME=ruby3.4")
	gateway := p.connect(1)
	stream, err := gateway.Specialize(function("index.echo", func(head *link.Specialize) {
		head.Runtime, head.PerInstance = "ruby3.4", 2
	}), zipOf(t, map[string]string{"index.rb": "code"}))
	if err != nil {
		t.Fatal(err)
	}
	result, err := gateway.Await(stream)
	if err != nil || result.Refusal == nil || result.Refusal.Message != "the runtime ruby3.4 takes one invocation at a time" {
		t.Fatalf("%v %+v", err, result.Refusal)
	}
}

func TestAFunctionsOwnRuntimeIsToldHowManyItMayTake(t *testing.T) {
	p := provided(t)
	gateway := p.connect(1)
	head := providedFunction("index.meet", func(head *link.Specialize) { head.PerInstance = 10 })
	if _, err := gateway.Specialize(head, ownRuntime(t)); err != nil {
		t.Fatal(err)
	}
	ids, streams := beginAll(t, gateway, slices.Repeat([]string{"{}"}, 10)...)
	for n, result := range awaitAll(t, gateway, streams) {
		if string(result.Payload) != ids[n] || result.Report.Status != "success" {
			t.Fatalf("%s: %s %+v", ids[n], result.Payload, result.Report)
		}
	}
	if !strings.Contains(p.output.String(), "AWS_LAMBDA_MAX_CONCURRENCY=10\n") {
		t.Fatal("it is not told")
	}
}
