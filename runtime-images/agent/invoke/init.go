package invoke

import (
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/logs"
)

// initPhase is the first run of a function's init code, under the init limit. When it fails the invocation that comes
// first runs init again in a fresh process, under the function's own timeout, as on Lambda.
type initPhase struct {
	// done is closed at the end; the other fields are only valid after it.
	done       chan struct{}
	failure    *failure
	durationMs float64
	// reported is set when an invocation has carried the duration; guarded by Engine.mu.
	reported bool
}

// runInitPhase waits for r to be ready for work, or for its failure. Without r a fresh process is started.
func (e *Engine) runInitPhase(a *attempt, begin time.Time, r *running) {
	defer e.freezer.leave()
	defer close(a.init.done)
	limit := time.Duration(a.head.InitTimeoutMs) * time.Millisecond
	r, failed := e.runInit(a, r, limit)
	a.init.failure = failed
	a.init.durationMs = milliseconds(e.Now().Sub(begin))
	if failed != nil {
		e.shutDown(r, shutdownReason(failed))
	}
	e.logInitDone(a, "init", a.init.durationMs, failed)
}

// logInitDone writes how an init has ended. phase is init, or invoke for one that runs in an invocation.
func (e *Engine) logInitDone(a *attempt, phase string, durationMs float64, failed *failure) {
	done := logs.InitDone{Type: a.head.Initialization(), Phase: phase, DurationMs: durationMs, Status: statusSuccess}
	if failed != nil {
		done.Status = reportStatus(failed)
	}
	if failed != nil && failed.status != statusTimeout {
		done.ErrorType = failed.errorType
	}
	e.Log.InitDone(done)
}

// reportStatus is the word of INIT_REPORT: a crash is an error there.
func reportStatus(f *failure) string {
	if f.status == statusFailure {
		return statusError
	}
	return f.status
}

// runInit runs init in r, or in a fresh process when r is nil, for at most limit. After a failure the caller ends what is left of it, by shutDown: the
// time that takes is not the init's.
func (e *Engine) runInit(a *attempt, r *running, limit time.Duration) (*running, *failure) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	r, failed := e.bring(a, r, timer.C, limit)
	if failed != nil {
		e.tellInitFailed(a, r, failed)
		return r, failed
	}
	e.watchMemory(r, a.head.MemoryMiB)
	defer e.unwatchMemory(r)
	failed = e.awaitInit(r, timer.C, limit)
	if failed == nil {
		failed = e.settleExtensions(a, r, timer.C, limit)
	}
	if failed != nil {
		e.tellInitFailed(a, r, failed)
		return r, failed
	}
	e.mu.Lock()
	a.live = true
	e.mu.Unlock()
	go e.watch(r)
	return r, nil
}

func (e *Engine) awaitInit(r *running, expired <-chan time.Time, limit time.Duration) *failure {
	set := e.currentBeside().set
	select {
	case <-r.session.Initialized:
		return nil
	case posted := <-r.session.InitFailed:
		awaitExit(r)
		return initFailure(posted)
	case <-r.process.Done():
		return e.initOrExit(r)
	case <-set.Failed():
		return e.extensionFailure(set, r)
	case <-expired:
		r.session.End()
		return timeoutFailure(limit)
	}
}

// initOrExit prefers what the runtime has said about its end to the end itself.
func (e *Engine) initOrExit(r *running) *failure {
	r.session.End()
	select {
	case posted := <-r.session.InitFailed:
		return initFailure(posted)
	default:
		return e.exitFailure(r)
	}
}

// awaitExit lets a runtime that has reported its error write its last lines.
func awaitExit(r *running) {
	select {
	case <-r.process.Done():
	case <-time.After(limits.ExitGrace):
	}
}
