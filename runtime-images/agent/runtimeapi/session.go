package runtimeapi

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// State is where one runtime process is in its conversation.
type State string

// The whole life of a runtime process, as it is seen at the Runtime API. Where Lambda has the state too it has Lambda's name, which callers
// read in refusals.
const (
	// Booting: a generic process has been started; its first next gets the rehearsal.
	Booting State = "Booting"
	// Rehearsing: it works on the rehearsal.
	Rehearsing State = "Rehearsing"
	// Rehearsed: it has answered the rehearsal.
	Rehearsed State = "Rehearsed"
	// Waiting: it waits for the claim; the pod is warm.
	Waiting State = "Waiting"
	// Initializing: it has its function and imports the handler.
	Initializing State = "Started"
	// InitFailed: it has reported an init error.
	InitFailed State = "InitError"
	// Ready: it asks for an invocation and there is none yet.
	Ready State = "Ready"
	// Running: it works on an invocation.
	Running State = "Running"
	// Streaming: it writes an answer that its caller takes as it comes.
	Streaming State = "ResponseStreaming"
	// Responded: it has answered and has not asked for the next one.
	Responded State = "RuntimeResponseSentState"
	// Serving: it takes several invocations at once; each of them is Ready, Running or Streaming by itself.
	Serving State = "Serving"
	// Ended: the process is gone or is being killed.
	Ended State = "Ended"
)

type event string

const (
	asksNext    event = "Ready"
	responds    event = "InvocationResponse"
	fails       event = "InvocationErrorResponse"
	streams     event = "InvocationResponseStream"
	endsStream  event = "InvocationResponseStreamEnd"
	failsInit   event = "InitError"
	asksClaim   event = "Claim"
	isAssigned  event = "Assign"
	isDelivered event = "Deliver"
)

// transitions is the whole protocol. What is not listed is refused.
var transitions = map[State]map[event]State{
	Booting:      {asksNext: Rehearsing},
	Rehearsing:   {responds: Rehearsed, fails: Rehearsed},
	Rehearsed:    {asksClaim: Waiting},
	Waiting:      {isAssigned: Initializing},
	Initializing: {asksNext: Ready, failsInit: InitFailed},
	InitFailed:   {},
	Ready:        {isDelivered: Running},
	Running:      {asksNext: Running, responds: Responded, fails: Responded, streams: Streaming},
	Streaming:    {endsStream: Responded},
	Responded:    {asksNext: Ready},
	Ended:        {},
}

// transitionError is a request that does not fit the state.
type transitionError struct {
	from State
	to   event
}

func (e *transitionError) Error() string {
	return fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", e.from, e.to)
}

var (
	errInvalidRequestID = errors.New("Invalid request ID")
	errSessionEnded     = errors.New("the runtime has ended")
)

// Session is the conversation with one runtime process; a new process gets a new session. The HTTP routes drive one
// side, the agent's engine the other. It is safe for use by several goroutines.
type Session struct {
	mu    sync.Mutex
	state State
	// width is how many invocations it takes at once.
	width   int
	current *Exchange
	// exchanges are the invocations without an answer, by their ids; only where width is above 1, then current is not used.
	exchanges map[string]*Exchange
	// polls counts the open requests for an invocation, so that a lost connection may ask again.
	polls int

	deliver chan *Exchange
	assign  chan Assignment
	ended   chan struct{}

	// Warm is closed when a generic process asks for its claim.
	Warm chan struct{}
	// Initialized is closed at the first next after the init phase.
	Initialized chan struct{}
	// InitFailed receives what was posted to init/error.
	InitFailed chan InitError
}

// NewSession begins a conversation with a process that has its function, and takes width invocations at once.
func NewSession(width int) *Session {
	s := newSession(Initializing)
	s.widen(width)
	return s
}

// NewGenericSession begins a conversation with a process that rehearses and waits for a claim first.
func NewGenericSession() *Session { return newSession(Booting) }

func newSession(state State) *Session {
	return &Session{
		state: state, width: 1, deliver: make(chan *Exchange, 1), assign: make(chan Assignment, 1), ended: make(chan struct{}),
		Warm: make(chan struct{}), Initialized: make(chan struct{}), InitFailed: make(chan InitError, 1),
	}
}

// State is the current state, for diagnostics.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Assign answers the waiting claim, for a function that takes width invocations at once. An error means that the runtime does not wait.
func (s *Session) Assign(assignment Assignment, width int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.move(isAssigned); err != nil {
		return err
	}
	s.widen(width)
	s.assign <- assignment
	return nil
}

// Deliver gives the runtime its next invocation. An error means that it does not wait for one.
func (s *Session) Deliver(exchange *Exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.move(isDelivered); err != nil {
		return err
	}
	if s.width > 1 {
		exchange.state = Ready
		s.exchanges[exchange.RequestID] = exchange
		s.deliver <- exchange // has room: no more than width are under way
		return nil
	}
	s.current = exchange
	s.takeBack() // else one that nobody has read would stand in its way
	s.deliver <- exchange
	return nil
}

// End refuses everything from now on and lets open requests go.
func (s *Session) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Ended {
		s.state = Ended
		close(s.ended)
	}
}

// move makes one transition of the process; the caller holds mu.
func (s *Session) move(e event) error { return s.moveFrom(&s.state, e) }

func (s *Session) moveFrom(state *State, e event) error {
	next, ok := s.after(*state, e)
	if !ok {
		return &transitionError{*state, e}
	}
	*state = next
	return nil
}

// begin checks that an answer for requestID may come now, before its body is read.
func (s *Session) begin(e event, requestID, invocationID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	exchange, err := s.check(e, requestID, invocationID)
	if err == nil && exchange.Timed {
		exchange.Began = time.Now()
	}
	return err
}

// check looks at the id first, as Lambda does. The caller holds mu.
func (s *Session) check(e event, requestID, invocationID string) (*Exchange, error) {
	exchange := s.find(requestID)
	if exchange == nil || invocationID != "" && invocationID != exchange.InvocationID {
		return nil, errInvalidRequestID
	}
	state := *s.stateOf(exchange)
	if _, ok := s.after(state, e); !ok {
		return nil, &transitionError{state, e}
	}
	return exchange, nil
}

// beginStream is the beginning of an answer in streaming mode; nil when the caller wants it whole.
func (s *Session) beginStream(requestID, invocationID string) (*Exchange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	exchange, err := s.check(streams, requestID, invocationID)
	if err != nil || exchange.Stream == nil {
		return nil, err
	}
	return exchange, s.moveOne(exchange, streams)
}

// answer takes the answer of a running invocation; the second one for the same invocation is refused. One of several is then over.
func (s *Session) answer(e event, requestID, invocationID string, answer Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	exchange, err := s.check(e, requestID, invocationID)
	if err != nil {
		return err
	}
	if err := s.moveOne(exchange, e); err != nil {
		return err
	}
	exchange.Answered <- answer
	if s.width > 1 {
		delete(s.exchanges, requestID)
		close(exchange.Finished)
	}
	return nil
}

func (s *Session) initError(e InitError) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.move(failsInit); err != nil {
		return err
	}
	s.InitFailed <- e
	return nil
}
