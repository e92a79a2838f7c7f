package invoke

import (
	"time"

	"kappa.dev/agent/extensions"
	"kappa.dev/agent/limits"
)

// awaitGate waits for all extensions. r is the runtime beside them; nil when there is none yet. One that has failed may have opened the gate.
func (e *Engine) awaitGate(set *extensions.Set, gate <-chan struct{}, r *running, expired <-chan time.Time, limit time.Duration) *failure {
	var died <-chan struct{}
	if r != nil {
		died = r.process.Done()
	}
	select {
	case <-gate:
		if set.HasFailed() {
			return e.extensionFailure(set, r)
		}
		return nil
	case <-set.Failed():
		return e.extensionFailure(set, r)
	case <-died:
		return errRuntimeDied
	case <-expired:
		return timeoutFailure(limit)
	}
}

// errRuntimeDied marks that the runtime itself is the reason.
var errRuntimeDied = &failure{}

// extensionFailure is an extension that has failed beside r, nil while there is no runtime. When the agent is ending both for their memory, the
// runtime's end says so.
func (e *Engine) extensionFailure(set *extensions.Set, r *running) *failure {
	if r != nil && r.exceeded.Load() {
		select {
		case <-r.process.Done():
			return e.exitFailure(r)
		case <-time.After(limits.KillTimeout): // it is stuck in the kernel
		}
	}
	f := set.Failure()
	return &failure{status: statusFailure, errorType: f.ErrorType, message: f.Message}
}

// awaitExtensions waits until all extensions that have got the invocation ask for the next event.
func (i *invocation) awaitExtensions() *failure {
	set := i.running.extensions
	if set == nil {
		return nil
	}
	failed := i.engine.awaitGate(set, set.AllReady(), i.running, i.expired, i.timeout())
	if failed == errRuntimeDied {
		return i.engine.exitFailure(i.running)
	}
	return failed
}
