package extensions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kappa.dev/agent/limits"
)

func TestWhatIsNotListedIsRefused(t *testing.T) {
	allowed := 0
	for _, state := range []State{Started, Registered, Ready, Running, InitError, ExitError, LaunchError} {
		for _, e := range []event{registers, asksNext, isDelivered, failsInit, failsExit, failsLaunch} {
			x := &extension{state: state}
			if x.move(e, "x") == nil {
				allowed++
			} else if x.state != state {
				t.Errorf("%s after a refused %s in %s", x.state, e, state)
			}
		}
	}
	if allowed != 11 {
		t.Errorf("%d transitions are allowed", allowed)
	}
}

func TestAnInvocationReachesThoseThatWantItAndEndsWithTheLast(t *testing.T) {
	a := newAPI(t)
	_ = a.set.Launching("both")
	_ = a.set.Launching("none")
	a.opened()
	registered := a.set.AllRegistered()
	both, none := a.register("both", "INVOKE", "SHUTDOWN", "INVOKE"), a.register("none")
	<-registered
	internal := a.register("internal", "INVOKE")
	if count := a.set.Close(); count != 3 {
		t.Fatal(count)
	}
	ready := a.set.AllReady()
	waiting := []<-chan answer{a.next(both), a.next(internal)}
	a.next(none)
	<-ready
	a.set.Invoke(Invocation{RequestID: "id", InvokedFunctionArn: "arn", TraceID: "Root=1", Deadline: time.UnixMilli(1700000000123)})
	ready = a.set.AllReady()
	const want = `{"eventType":"INVOKE","deadlineMs":1700000000123,"requestId":"id","invokedFunctionArn":"arn","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}`
	for _, waits := range waiting {
		got := <-waits
		if got.status != 200 || got.body != want || !isIdentifier(got.header.Get("Lambda-Extension-Event-Identifier")) {
			t.Fatalf("%+v", got)
		}
	}
	a.next(internal)
	select {
	case <-ready:
		t.Fatal("one still works on it")
	default:
	}
	last := a.next(both)
	<-ready
	if told := a.set.Shutdown("spindown", time.UnixMilli(1700000000456)); len(told) != 1 || told[0] != "both" {
		t.Fatal(told)
	}
	if got := <-last; got.body != `{"eventType":"SHUTDOWN","deadlineMs":1700000000456,"shutdownReason":"spindown"}` {
		t.Fatalf("%+v", got)
	}
	again := a.next(both) // it should have ended: nothing comes any more
	a.set.End()
	if got := <-again; got.status != 500 {
		t.Fatalf("%+v", got)
	}
}

// A second request must not pass for the end of an invocation that has not been read.
func TestAnInvocationThatHasNotBeenReadIsNotOver(t *testing.T) {
	a := newAPI(t)
	_ = a.set.Launching("x")
	id := a.opened().register("x", "INVOKE")
	x, err := a.set.beginNext(id)
	if err != nil {
		t.Fatal(err)
	}
	a.set.Invoke(Invocation{RequestID: "1"})
	if _, err := a.set.beginNext(id); err == nil || x.state != Running {
		t.Fatalf("%v, it is %s", err, x.state)
	}
	a.set.endPoll(x)
	if got := <-a.next(id); !strings.Contains(got.body, `"requestId":"1"`) {
		t.Fatalf("%+v", got)
	}
}

func TestALateExtensionStillGetsShutdown(t *testing.T) {
	a := newAPI(t)
	_ = a.set.Launching("x")
	id := a.opened().register("x", "INVOKE", "SHUTDOWN")
	first := a.next(id)
	a.set.Invoke(Invocation{RequestID: "id"})
	<-first
	a.set.Shutdown("timeout", time.UnixMilli(5))
	if got := <-a.next(id); !strings.Contains(got.body, `"shutdownReason":"timeout"`) {
		t.Fatalf("%+v", got)
	}
}

func TestFailuresHaveLambdasNames(t *testing.T) {
	rows := []struct {
		reason    string
		run       func(a *api, id string)
		errorType string
		message   string
	}{
		{"crash", func(a *api, _ string) { a.set.Died("x", "exit status 3") }, "Extension.Crash", "exit status 3"},
		{"exit 0", func(a *api, _ string) { a.set.Died("x", "") }, "Extension.Crash", "exit code 0"},
		{"killed", func(a *api, _ string) { a.set.Died("x", "signal: killed") }, "Extension.Crash", "signal: killed"},
		{"init/error, then exit", func(a *api, id string) {
			a.send("POST", "init/error", "", identifierHeader, id, errorTypeHeader, "My.Error")
			a.set.Died("x", "exit status 1")
		}, "Extension.InitError", "exit status 1"},
		{"init/error, and stays", func(a *api, id string) {
			a.send("POST", "init/error", "", identifierHeader, id, errorTypeHeader, "My.Error")
			(<-a.alarms)()
		}, "Extension.InitError", "extension x reported My.Error"},
		{"exit/error, then exit", func(a *api, id string) {
			a.next(id)
			a.send("POST", "exit/error", "", identifierHeader, id, errorTypeHeader, "My.Error")
			a.set.Died("x", "")
		}, "Extension.ExitError", "exit code 0"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			a := newAPI(t)
			_ = a.set.Launching("x")
			row.run(a, a.opened().register("x", "INVOKE"))
			<-a.set.Failed()
			if got := a.set.Failure(); got.ErrorType != row.errorType || got.Message != row.message {
				t.Fatalf("%+v", got)
			}
		})
	}
}

func TestNoMoreThanTenAreStarted(t *testing.T) {
	a := newAPI(t)
	for n := range limits.Extensions {
		if err := a.set.Launching(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.set.Launching("one more"); err == nil || !a.set.HasFailed() || a.set.Failure().ErrorType != "Extension.LaunchError" {
		t.Fatal("an eleventh is started")
	}
	if infos := a.set.Infos(); infos[10].State != LaunchError || infos[10].ErrorType != "TooManyExtensions" {
		t.Fatalf("%+v", infos[10])
	}
}

func TestAnEndDuringAShutdownIsNoFailure(t *testing.T) {
	a := newAPI(t)
	_ = a.set.Launching("x")
	a.opened().register("x", "SHUTDOWN")
	a.set.Shutdown("spindown", time.UnixMilli(1))
	a.set.Died("x", "exit status 1")
	if a.set.HasFailed() {
		t.Fatal("it is a failure")
	}
}
