package invoke

import (
	"sync"
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// freezer stops the function's processes while nothing runs in the pod, as Lambda does: what handlers have left behind uses no processor.
// It waits for limits.FreezeDelay first, so that a pod that is called again and again is never stopped, and its calls pay nothing.
//
//	nothing runs for FreezeDelay | frozen
//	something has escaped        | frozen again after FreezeDelay
//	a call or init begins        | not frozen
//	the pod ends                 | not frozen any more: who is told of the end must hear it
type freezer struct {
	// stop says whether nothing has escaped.
	stop   func() bool
	resume func()
	now    func() time.Time
	after  func(time.Duration, func())

	mu sync.Mutex
	// enabled is set while the pod is a function's that wants it.
	enabled bool
	// active counts what runs.
	active int
	// frozen says that there is something to thaw, complete that nothing has escaped.
	frozen, complete bool
	// armed says that a look is planned.
	armed     bool
	idleSince time.Time
}

// enter is the beginning of an invocation or an init phase.
func (f *freezer) enter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active++
	f.thaw()
}

// leave is its end.
func (f *freezer) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active--
	if f.active > 0 || !f.enabled {
		return
	}
	f.idleSince = f.now()
	f.arm(limits.FreezeDelay)
}

// arm plans a look, unless one is planned: at most one in FreezeDelay, however many calls there are. The caller holds mu.
func (f *freezer) arm(in time.Duration) {
	if !f.armed {
		f.armed = true
		f.after(in, f.look)
	}
}

func (f *freezer) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	if f.active > 0 || !f.enabled || f.complete {
		return
	}
	if rest := limits.FreezeDelay - f.now().Sub(f.idleSince); rest > 0 {
		f.arm(rest)
		return
	}
	f.frozen, f.complete = true, f.stop()
	if !f.complete {
		f.arm(limits.FreezeDelay)
	}
}

// thaw lets what is frozen go on; the caller holds mu.
func (f *freezer) thaw() {
	if f.frozen {
		f.frozen, f.complete = false, false
		f.resume()
	}
}

// enable begins to freeze the function's processes, before anything of it runs.
func (f *freezer) enable(head link.Specialize) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enabled = head.Idle != link.IdleRunning
}

// end thaws for good.
func (f *freezer) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enabled = false
	f.thaw()
}
