// Package claim decides which function version a pod belongs to. The agent is the arbiter: the first valid claim wins.
package claim

import "sync"

// Outcome of one attempt to claim.
type Outcome int

const (
	// Refused: the pod belongs to another version, or is being claimed for one.
	Refused Outcome = iota
	// Won: the caller holds the pod and must Confirm or Release.
	Won
	// Repeated: the pod belongs to this very version already, or is being claimed for it.
	Repeated
)

// Arbiter is a compare-and-set cell for the version that owns the pod. The zero value is a generic pod.
type Arbiter struct {
	mu        sync.Mutex
	version   string
	confirmed bool
}

// Try claims the pod for a version. It never blocks.
func (a *Arbiter) Try(version string) Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.version {
	case "":
		a.version = version
		return Won
	case version:
		return Repeated
	default:
		return Refused
	}
}

// Confirm makes a won claim final: from now on Release does nothing.
func (a *Arbiter) Confirm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.confirmed = true
}

// Release gives a won claim back. Only right while nothing of the function has become visible in the pod.
func (a *Arbiter) Release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.confirmed {
		a.version = ""
	}
}

// Version is the version that holds or is claiming the pod; empty for a generic pod.
func (a *Arbiter) Version() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version
}
