package runtimeapi

// severalTransitions is the protocol of a process that takes several invocations at once, where it differs: from its init on. An
// invocation is Ready until a request of the runtime has it. None is given twice, because nobody can tell which one a lost connection had.
var severalTransitions = map[State]map[event]State{
	Initializing: {asksNext: Serving, failsInit: InitFailed},
	Serving:      {asksNext: Serving, isDelivered: Serving},
	Ready:        {isDelivered: Running},
	Running:      {responds: Responded, fails: Responded, streams: Streaming},
	Streaming:    {endsStream: Responded},
}

// widen makes room for more invocations than one, before there is any.
func (s *Session) widen(width int) {
	if width > 1 {
		s.width, s.deliver, s.exchanges = width, make(chan *Exchange, width), map[string]*Exchange{}
	}
}

// Withdraw refuses an answer of this invocation from now on. Where it is the only one, that is the end of the conversation.
func (s *Session) Withdraw(exchange *Exchange) {
	if s.width == 1 {
		s.End()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exchanges, exchange.RequestID)
}

// moveOne makes one transition of an invocation; the caller holds mu.
func (s *Session) moveOne(exchange *Exchange, e event) error {
	return s.moveFrom(s.stateOf(exchange), e)
}

// after is where an event leads; false = nowhere.
func (s *Session) after(state State, e event) (State, bool) {
	table := transitions
	if s.width > 1 {
		table = severalTransitions
	}
	next, ok := table[state][e]
	return next, ok
}

// stateOf is where an invocation's state is kept: one that is alone has the process's.
func (s *Session) stateOf(exchange *Exchange) *State {
	if s.width > 1 && s.state != Ended {
		return &exchange.state
	}
	return &s.state
}

// find gives the invocation with that id, nil when there is none; the caller holds mu.
func (s *Session) find(requestID string) *Exchange {
	if s.width > 1 {
		return s.exchanges[requestID]
	}
	if s.current == nil || s.current.RequestID != requestID {
		return nil
	}
	return s.current
}
