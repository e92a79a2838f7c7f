package invoke

import (
	"time"

	"kappa.dev/agent/limits"
)

// Drain makes the pod take no new work; it ends when nothing runs. Repeated calls do nothing more.
func (e *Engine) Drain(string) {
	if e.told.CompareAndSwap(false, true) { // before any lock: the last resort must not wait for what it is there for
		e.endAfter(time.Duration(e.longest.Load()) + limits.EndTimeout)
	}
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	go e.endIfDrained()
}

func (e *Engine) endIfDrained() {
	e.endIf(ExitDone, func() bool { return e.draining && e.isIdle() })
}

// endIfDead ends the pod when its runtime has died and nobody waits for it. A claim that is in progress finds out by
// itself, and a failed init phase runs again with the first invocation.
func (e *Engine) endIfDead() {
	dead := func() bool { return e.running != nil && !e.running.process.Alive() && e.isIdle() }
	e.endIf(ExitFailed, func() bool { return e.attempt == nil && dead() })
	e.endIf(ExitDone, func() bool { return e.attempt != nil && e.attempt.live && dead() })
}

// isIdle says that no invocation runs and that no last frame is still to be sent; the caller holds mu.
func (e *Engine) isIdle() bool { return len(e.busy) == 0 && e.settling == 0 }

// end kills the process tree and exits the agent, once.
func (e *Engine) end(code int) { e.endIf(code, func() bool { return true }) }

// endIf is end on a condition; no invocation is admitted between the look and the end.
func (e *Engine) endIf(code int, holds func() bool) {
	e.mu.Lock()
	if e.ended || !holds() {
		e.mu.Unlock()
		return
	}
	e.ended = true
	r := e.running
	e.mu.Unlock()
	e.endAfter(limits.EndTimeout)
	e.stop(r)
	e.Exit(code)
}

// endAfter is the last resort: a pod that does not end is a leak, whatever the reason. It takes no lock and waits for
// nothing but the time.
func (e *Engine) endAfter(limit time.Duration) { e.After(limit, e.Abort) }
