package invoke

import (
	"slices"
	"syscall"
	"time"

	"kappa.dev/agent/limits"
)

// Why an execution environment ends, as extensions are told.
const (
	reasonSpindown = "spindown"
	reasonTimeout  = "timeout"
	reasonFailure  = "failure"
)

func shutdownReason(f *failure) string {
	if f.status == statusTimeout {
		return reasonTimeout
	}
	return reasonFailure
}

// shutDown is stop, after extensions have been told and have had their time. Without extensions there is no such time.
func (e *Engine) shutDown(r *running, reason string) bool {
	b := e.currentBeside()
	if b == nil {
		return e.stop(r)
	}
	limit := b.set.ShutdownLimit()
	if limit == 0 {
		return e.stop(r)
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	end := e.Now().Add(limit)
	if r != nil && r.process.Alive() {
		e.Supervisor.Signal(r.process, syscall.SIGTERM)
		select {
		case <-r.process.Done():
		case <-time.After(limits.ShutdownRuntime):
			e.Supervisor.Signal(r.process, syscall.SIGKILL)
		}
	}
	if limit == limits.ShutdownExternal { // what there is to know comes before the end
		r.drain()
		e.drainExtensions()
		b.hub.Flush(limits.ShutdownFlush)
	}
	e.shutDownHelpers(b, b.set.Shutdown(reason, end), deadline.C)
	return e.stop(r)
}

// shutDownHelpers waits for those that end by themselves; the others are killed at once.
func (e *Engine) shutDownHelpers(b *beside, told []string, deadline <-chan time.Time) {
	e.mu.Lock()
	processes := b.processes
	e.mu.Unlock()
	var waited []*helper
	for _, h := range processes {
		if slices.Contains(told, h.name) {
			waited = append(waited, h)
			continue
		}
		e.Supervisor.Signal(h.process, syscall.SIGKILL)
	}
	for _, h := range waited {
		select {
		case <-h.process.Done():
		case <-deadline:
			return
		}
	}
}
