// Package logs carries the function's output and the platform's own lines to the agent's standard output, bounded.
package logs

import (
	"io"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

// waitForSpace is how long a producer waits once for a full sink before its bytes are dropped.
const waitForSpace = 100 * time.Millisecond

// Sink writes to a possibly slow writer from a goroutine of its own. A writer that does not move costs a producer one
// wait, then bytes are dropped until it moves again: a function is never blocked for ever by its log.
type Sink struct {
	out io.Writer
	// patience is waitForSpace, but in tests that must not depend on the machine's speed.
	patience time.Duration

	mu      sync.Mutex
	changed *sync.Cond
	pending []byte
	spare   []byte
	writing bool
	stuck   bool
}

// NewSink starts the writing goroutine.
func NewSink(out io.Writer) *Sink {
	s := &Sink{out: out, patience: waitForSpace}
	s.changed = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// Write queues a copy of p and says whether there was room for it.
func (s *Sink) Write(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending)+len(p) > limits.LogPendingBytes && !s.awaitSpace(len(p)) {
		return false
	}
	s.pending = append(s.pending, p...)
	if !s.writing {
		s.changed.Broadcast()
	}
	return true
}

func (s *Sink) awaitSpace(need int) bool {
	deadline := time.Now().Add(s.patience)
	wake := time.AfterFunc(s.patience, s.wake)
	defer wake.Stop()
	for !s.stuck && len(s.pending)+need > limits.LogPendingBytes {
		if time.Now().After(deadline) {
			s.stuck = true
			break
		}
		s.changed.Wait()
	}
	return len(s.pending)+need <= limits.LogPendingBytes
}

// wake makes waiters look at the time. Under mu, so that it cannot come between a waiter's look and its wait.
func (s *Sink) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// Flush waits until everything queued is written, at most limits.FlushTimeout.
func (s *Sink) Flush() {
	deadline := time.Now().Add(limits.FlushTimeout)
	wake := time.AfterFunc(limits.FlushTimeout, s.wake)
	defer wake.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for (s.writing || len(s.pending) > 0) && time.Now().Before(deadline) {
		s.changed.Wait()
	}
}

func (s *Sink) run() {
	s.mu.Lock()
	for {
		for len(s.pending) == 0 {
			s.changed.Wait()
		}
		batch := s.pending
		s.pending, s.writing = s.spare[:0], true
		s.mu.Unlock()
		_, _ = s.out.Write(batch)
		s.mu.Lock()
		s.spare, s.writing, s.stuck = keepSmall(batch), false, false
		s.changed.Broadcast()
	}
}

// keepSmall lets go of buffers that grew large.
func keepSmall(b []byte) []byte {
	if cap(b) > 64<<10 {
		return nil
	}
	return b
}
