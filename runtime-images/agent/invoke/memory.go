package invoke

import (
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/supervise"
)

// watchMemory looks at the process tree from time to time, until unwatchMemory has been called as often. Short invocations are
// over before the first look. A tree above the function's memory is killed where the kernel would not do it.
func (e *Engine) watchMemory(r *running, memoryMiB int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.watchers++; r.watchers == 1 {
		r.unwatch = e.sampleMemory(r, memoryMiB)
	}
}

func (e *Engine) unwatchMemory(r *running) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.watchers--; r.watchers == 0 {
		r.unwatch()
	}
}

func (e *Engine) sampleMemory(r *running, memoryMiB int) (stop func()) {
	stopped := make(chan struct{})
	first := time.AfterFunc(limits.MemorySampleInterval, func() {
		ticker := time.NewTicker(limits.MemorySampleInterval)
		defer ticker.Stop()
		for e.sample(r, memoryMiB) {
			select {
			case <-stopped:
				return
			case <-ticker.C:
			}
		}
	})
	return func() {
		first.Stop()
		close(stopped)
	}
}

// sample takes one look and says whether another one makes sense.
func (e *Engine) sample(r *running, memoryMiB int) bool {
	if !r.process.Alive() {
		return false
	}
	now, peak := e.treeMemoryKiB(r)
	e.mu.Lock()
	e.peakKiB, e.sampled = max(e.peakKiB, peak), e.Now()
	e.mu.Unlock()
	if now > int64(memoryMiB)*1024 && e.enforcesMemory(memoryMiB) {
		r.exceeded.Store(true)
		e.Supervisor.KillTree()
		return false
	}
	return true
}

// treeMemoryKiB is what the runtime and its external extensions use, KiB.
func (e *Engine) treeMemoryKiB(r *running) (now, peak int64) {
	now, peak = supervise.TreeMemoryKiB(r.process.Pid)
	for _, h := range e.helpersOf(r) {
		helperNow, helperPeak := supervise.TreeMemoryKiB(h.process.Pid)
		now, peak = now+helperNow, peak+helperPeak
	}
	return now, peak
}

// enforcesMemory says whether nobody but the agent holds the function to its memory: it was told so, or the pod still has the size
// of its pool, because the cluster has not resized it (yet).
func (e *Engine) enforcesMemory(memoryMiB int) bool {
	limit, limited := e.Memory.LimitBytes()
	return e.EnforceMemory || limited && limit > int64(memoryMiB)<<20
}

// maxMemoryMiB is the largest memory seen so far, rounded up. It looks again at most ten times a second.
func (e *Engine) maxMemoryMiB(r *running) int {
	e.mu.Lock()
	stale := e.Now().Sub(e.sampled) > 2*limits.MemorySampleInterval
	e.mu.Unlock()
	exhausted, peak := int64(0), int64(0)
	switch {
	case r == nil:
	case !r.process.Alive():
		exhausted, peak = e.exhaustedKiB(r), r.process.PeakKiB()
	case stale:
		_, peak = e.treeMemoryKiB(r)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if peak > 0 {
		e.peakKiB, e.sampled = max(e.peakKiB, peak), e.Now()
	}
	if exhausted > 0 {
		e.peakKiB = exhausted // exact, where the sum over processes counts shared pages too often
	}
	return int((e.peakKiB + 1023) / 1024)
}

// ranOutOfMemory says whether a runtime that was killed was killed for its memory, by the kernel or by the agent.
func (e *Engine) ranOutOfMemory(r *running) bool {
	return r.process.Killed() && (r.exceeded.Load() || e.Memory.Kills() > r.oomKills)
}

// exhaustedKiB is the limit that a dead runtime has reached, when the kernel has killed for it: the last samples came too early
// to see that. The limit of this moment counts, a pod may have been resized since it was claimed.
func (e *Engine) exhaustedKiB(r *running) int64 {
	limit, limited := e.Memory.LimitBytes()
	if !limited || e.Memory.Kills() == r.oomKills {
		return 0
	}
	return limit / 1024
}
