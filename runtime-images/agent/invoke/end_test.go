package invoke

import (
	"testing"
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// alarm is one request to a clock that does not move.
type alarm struct {
	after time.Duration
	ring  func()
}

type doors struct {
	alarms  chan alarm
	exits   chan int
	aborted bool
}

func newTestEngine() (*Engine, *doors) {
	d := &doors{alarms: make(chan alarm, 9), exits: make(chan int, 9)}
	return New(Settings{
		Now:   time.Now,
		After: func(after time.Duration, f func()) { d.alarms <- alarm{after, f} },
		Exit:  func(code int, _ bool) { d.exits <- code },
		Abort: func() { d.aborted = true },
	}), d
}

func TestADrainThatHangsIsCutShort(t *testing.T) {
	e, d := newTestEngine()
	head := link.Specialize{
		VersionUID: "v", FunctionName: "f", Handler: "h", MemoryMiB: 128, TimeoutMs: 3000, InitTimeoutMs: 10000, CodeBytes: 1,
		CodeSha256: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
	}
	head.Epoch = new(uint64)
	if _, refusal := e.BeginClaim(peerOf("g"), head); refusal != nil {
		t.Fatal(refusal)
	}
	e.mu.Lock() // as if something held it for ever
	go e.DrainNow()
	got := <-d.alarms
	if want := 13*time.Second + limits.EndTimeout; got.after != want {
		t.Fatalf("%v, want %v", got.after, want)
	}
	if got.ring(); !d.aborted {
		t.Fatal("not aborted")
	}
}

func TestAnEndThatHangsIsCutShort(t *testing.T) {
	e, d := newTestEngine()
	e.Exit = func(int, bool) { select {} }
	go e.end(ExitDone)
	got := <-d.alarms
	if got.ring(); got.after != limits.EndTimeout || !d.aborted {
		t.Fatalf("%v, aborted: %v", got.after, d.aborted)
	}
}

func TestOnlyTheFirstDrainStartsTheClock(t *testing.T) {
	e, d := newTestEngine()
	e.busy["id"] = struct{}{}
	e.DrainNow()
	e.DrainNow()
	if len(d.alarms) != 1 {
		t.Fatal(len(d.alarms))
	}
}

func TestTheLastFrameIsSentBeforeTheEnd(t *testing.T) {
	e, d := newTestEngine()
	e.busy["id"], e.draining = struct{}{}, true
	e.endIfDrained()
	(&invocation{engine: e, head: link.Invoke{RequestID: "id"}}).leave(true)
	e.endIfDrained() // a DRAIN that comes between the free slot and REPORT
	if len(d.exits) != 0 {
		t.Fatal("REPORT is lost")
	}
	e.settle()
	if len(d.exits) != 1 || <-d.exits != ExitDone {
		t.Fatal("no end")
	}
}
