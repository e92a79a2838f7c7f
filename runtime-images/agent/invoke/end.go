package invoke

import (
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// Drain is DRAIN of a gateway: taken while the pod is generic, and from its holder. Another gateway does not know what the pod
// is needed for; it is ignored, and noted once.
func (e *Engine) Drain(peer link.Peer, _ string) {
	if e.mayDrain(peer) {
		e.DrainNow()
	}
}

func (e *Engine) mayDrain(peer link.Peer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	holder := e.arbiter.Holder().GatewayID
	if !peer.KnowsHolders() || holder == "" || holder == peer.GatewayID() {
		return true
	}
	if !e.warned {
		e.warned = true
		go e.Warn("DRAIN of " + peer.GatewayID() + " is ignored: " + holder + " holds the pod")
	}
	return false
}

// DrainNow makes the pod take no new work; it ends when nothing runs. Repeated calls do nothing more. What gateways that have not heard
// of it still send is refused, or has no answer when the last word of the link comes (link.Server.Close): then it runs elsewhere.
func (e *Engine) DrainNow() {
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
	dead := func() bool { return e.isBroken() && e.isIdle() }
	e.endIf(ExitFailed, func() bool { return e.attempt == nil && dead() })
	e.endIf(ExitDone, func() bool { return e.attempt != nil && e.attempt.live && dead() })
}

// isBroken says that a process has ended that the function cannot do without; the caller holds mu.
func (e *Engine) isBroken() bool {
	return e.running != nil && (!e.running.process.Alive() || e.running.extensions.HasFailed())
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
	idle := e.isIdle()
	r, reason := e.running, reasonSpindown
	if e.isBroken() {
		reason = reasonFailure
	}
	e.mu.Unlock()
	e.endAfter(limits.EndTimeout)
	e.freezer.end()
	e.shutDown(r, reason)
	e.closeLogs()
	e.Exit(code, idle)
}

// endAfter is the last resort: a pod that does not end is a leak, whatever the reason. It takes no lock and waits for
// nothing but the time.
func (e *Engine) endAfter(limit time.Duration) { e.After(limit, e.Abort) }
