// Package extensions serves Lambda's Extensions API: what runs beside the runtime of one execution environment, from its init to its end.
package extensions

import (
	"errors"
	"sync"
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/telemetry"
)

// Function is what an extension is told of the function when it registers.
type Function struct {
	Name, Version, Handler, AccountID string
	// Several says that invocations run at once: then none of them is told.
	Several bool
}

// Failure is why extensions make an init phase or an invocation fail.
type Failure struct {
	// ErrorType is Extension.LaunchError, Extension.InitError, Extension.ExitError or Extension.Crash.
	ErrorType string
	// Message is Lambda's text after "RequestId: ID Error: ".
	Message string
}

// Info is what the log says of an extension after init.
type Info struct {
	Name      string
	State     State
	Events    []string
	ErrorType string
}

// Set is all extensions of one execution environment; when that one is reset, a new set takes its place. The HTTP routes drive one side,
// the agent's engine the other. It is safe for use by several goroutines.
//
//	phase    | register | what the engine does
//	(made)   | refused  | waits for a claim
//	Open     | taken    | starts the external ones, then the runtime, which may register internal ones
//	Close    | refused  | waits until all are Ready, then passes on every invocation
//	Shutdown | refused  | lets those that want to know go
//	End      | refused  | has killed them
type Set struct {
	// after runs f in a goroutine of its own after a time, as time.AfterFunc.
	after func(d time.Duration, f func())
	// hub takes subscriptions of registered extensions.
	hub *telemetry.Hub

	mu       sync.Mutex
	open     bool
	function Function
	all      []*extension
	gates    []gate
	// errorType is the first that an extension has reported.
	errorType string
	failure   *Failure
	failed    chan struct{}
	// shutdown is the SHUTDOWN event, once there is one.
	shutdown []byte
	ending   chan struct{}
	ended    chan struct{}
	isEnded  bool
}

// gate is closed when its condition holds for all extensions.
type gate struct {
	holds func(*extension) bool
	done  chan struct{}
}

var errEnded = errors.New("the execution environment has ended")

// NewSet makes a set that takes no registration yet. after is the clock, hub takes the subscriptions of what registers.
func NewSet(after func(d time.Duration, f func()), hub *telemetry.Hub) *Set {
	return &Set{after: after, hub: hub, failed: make(chan struct{}), ending: make(chan struct{}), ended: make(chan struct{})}
}

// Open begins to take registrations.
func (s *Set) Open(function Function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open, s.function = true, function
}

// Close ends it, and says how many extensions there are.
func (s *Set) Close() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	return len(s.all)
}

// Launching notes an external extension whose process is about to be started. An error means that there are too many; it is Failure then.
func (s *Set) Launching(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &extension{name: name, id: newID(), state: Started, deliver: make(chan []byte, 1)}
	s.all = append(s.all, x)
	if len(s.all) > limits.Extensions {
		s.launchFailed(x, "TooManyExtensions", "ErrTooManyExtensions")
		return errTooMany
	}
	return nil
}

var errTooMany = errors.New("too many extensions")

// LaunchFailed notes that its process could not be started. reason is a word for the log.
func (s *Set) LaunchFailed(name, reason, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.named(name); x != nil {
		s.launchFailed(x, reason, message)
	}
}

func (s *Set) launchFailed(x *extension, reason, message string) {
	if x.move(failsLaunch, x.name) == nil {
		x.errorType = reason
		s.fail(Failure{"Extension.LaunchError", message})
	}
}

// Died notes the end of an external extension's process. status is how it ended, empty for exit code 0.
func (s *Set) Died(name, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named(name) == nil || s.shutdown != nil {
		return
	}
	if status == "" {
		status = "exit code 0"
	}
	errorType := s.errorType
	if errorType == "" {
		errorType = "Extension.Crash"
	}
	s.fail(Failure{errorType, status})
}

// fail lets the first failure be known; the caller holds mu.
func (s *Set) fail(f Failure) {
	if s.failure == nil {
		s.failure = &f
		close(s.failed)
	}
}

// Failed is closed when an extension has failed outside of a shutdown. A nil set never does.
func (s *Set) Failed() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.failed
}

// Failure is only valid after Failed.
func (s *Set) Failure() Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.failure
}

// HasFailed says whether Failed is closed.
func (s *Set) HasFailed() bool {
	select {
	case <-s.Failed():
		return true
	default:
		return false
	}
}

// AllRegistered is closed when every external extension has registered.
func (s *Set) AllRegistered() <-chan struct{} {
	return s.when(func(x *extension) bool { return x.state != Started })
}

// AllReady is closed when every extension asks for an event: after init, and after each invocation.
func (s *Set) AllReady() <-chan struct{} {
	return s.when(func(x *extension) bool { return x.state == Ready })
}

func (s *Set) when(holds func(*extension) bool) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gates = append(s.gates, gate{holds, make(chan struct{})})
	done := s.gates[len(s.gates)-1].done
	s.openGates()
	return done
}

// openGates closes the channels whose conditions hold now; the caller holds mu.
func (s *Set) openGates() {
	kept := s.gates[:0]
	for _, g := range s.gates {
		if s.holds(g.holds) {
			close(g.done)
			continue
		}
		kept = append(kept, g)
	}
	clear(s.gates[len(kept):])
	s.gates = kept
}

func (s *Set) holds(condition func(*extension) bool) bool {
	for _, x := range s.all {
		if !condition(x) {
			return false
		}
	}
	return true
}

// Invoke gives an invocation to those that want it. All must be Ready.
func (s *Set) Invoke(i Invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body []byte
	for _, x := range s.all {
		if !x.wants(invoke) || x.move(isDelivered, x.id) != nil {
			continue
		}
		if body == nil {
			body = i.event()
		}
		select {
		case <-x.deliver: // beginNext sees to it that the last one has been read; if it ever were not, this must not wait for it
		default:
		}
		x.deliver <- body
	}
}

// Infos says how init has gone for each, in the order of their start.
func (s *Set) Infos() []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := make([]Info, len(s.all))
	for i, x := range s.all {
		infos[i] = Info{Name: x.name, State: x.state, Events: x.events, ErrorType: x.errorType}
	}
	return infos
}

// ShutdownLimit is how long the end may take: nothing without extensions, more with external ones.
func (s *Set) ShutdownLimit() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := time.Duration(0)
	for _, x := range s.all {
		if !x.isInternal {
			return limits.ShutdownExternal
		}
		limit = limits.ShutdownInternal
	}
	return limit
}

// Shutdown sends SHUTDOWN to those that want it. reason is spindown, timeout or failure. It gives the names of the external ones that were told,
// or will be when they ask, and may end by themselves until the deadline. What fails from now on does not matter.
func (s *Set) Shutdown(reason string, deadline time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var told []string
	for _, x := range s.all {
		if x.wants(shutdown) && (x.state == Ready || x.state == Running) {
			told = append(told, x.name)
		}
	}
	if s.shutdown == nil {
		s.open = false
		s.shutdown = shutdownEvent(reason, deadline)
		close(s.ending)
	}
	return told
}

// End lets open requests go.
func (s *Set) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isEnded {
		s.open, s.isEnded = false, true
		close(s.ended)
	}
}
