package runtimeapi

import "context"

// next is the runtime's request for an invocation. It blocks until there is one. While one runs it is given again, as on Lambda.
func (s *Session) next(ctx context.Context) (*Exchange, error) {
	atOnce, err := s.beginNext()
	if err != nil || atOnce != nil {
		return atOnce, err
	}
	defer s.endPoll()
	for {
		select {
		case exchange := <-s.deliver:
			if s.take(ctx, exchange) {
				return exchange, nil
			}
		case <-s.ended:
			return nil, errSessionEnded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take is false for an invocation that the runtime has got by another request, and may have answered. One of several that has met a lost
// connection goes to another request.
func (s *Session) take(ctx context.Context, exchange *Exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width == 1 {
		return exchange == s.current
	}
	if s.exchanges[exchange.RequestID] != exchange {
		return false // withdrawn
	}
	if ctx.Err() != nil {
		s.deliver <- exchange // has room: it was there before
		return false
	}
	return s.moveOne(exchange, isDelivered) == nil
}

// takeBack takes an invocation that no request has read; the caller holds mu.
func (s *Session) takeBack() {
	select {
	case <-s.deliver:
	default:
	}
}

func (s *Session) beginNext() (*Exchange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state
	if before == Ready && s.polls == 0 { // the connection of the first request was lost
		s.polls = 1
		return nil, nil
	}
	if before == Serving && s.polls == s.width {
		return nil, &transitionError{before, asksNext}
	}
	if err := s.move(asksNext); err != nil {
		return nil, err
	}
	switch before {
	case Booting:
		s.current = rehearsal()
		return s.current, nil
	case Running:
		return s.current, nil
	case Initializing:
		close(s.Initialized)
	case Responded:
		close(s.current.Finished)
		s.current = nil
	}
	s.polls++
	return nil, nil
}

func (s *Session) endPoll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls--
}

// awaitClaim is the generic runtime's request for its function. It blocks until the pod is claimed.
func (s *Session) awaitClaim(ctx context.Context) (Assignment, error) {
	if err := s.beginClaim(); err != nil {
		return Assignment{}, err
	}
	select {
	case assignment := <-s.assign:
		return assignment, nil
	case <-s.ended:
		return Assignment{}, errSessionEnded
	case <-ctx.Done():
		return Assignment{}, ctx.Err()
	}
}

func (s *Session) beginClaim() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.move(asksClaim); err != nil {
		return err
	}
	close(s.Warm)
	return nil
}
