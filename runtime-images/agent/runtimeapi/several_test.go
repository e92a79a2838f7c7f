package runtimeapi

import (
	"context"
	"slices"
	"testing"
)

func exchangeOf(id string) *Exchange {
	exchange := NewExchange()
	exchange.RequestID, exchange.InvocationID = id, "of-"+id
	return exchange
}

// serving is a conversation of that width whose init is over.
func serving(t *testing.T, width int) *Session {
	t.Helper()
	s := NewSession(width)
	lost, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.next(lost); err == nil || s.State() != Serving {
		t.Fatalf("%v in %s", err, s.State())
	}
	return s
}

func TestSeveralInvocationsAreTakenAndAnsweredInAnyOrder(t *testing.T) {
	s := serving(t, 3)
	var all []*Exchange
	for _, id := range []string{"a", "b", "c"} {
		exchange := exchangeOf(id)
		all = append(all, exchange)
		if err := s.Deliver(exchange); err != nil {
			t.Fatal(err)
		}
		if got, err := s.next(t.Context()); err != nil || got != exchange {
			t.Fatalf("%v %v", got, err)
		}
	}
	slices.Reverse(all)
	for _, exchange := range all {
		if err := s.answer(responds, exchange.RequestID, exchange.InvocationID, Answer{Body: []byte(exchange.RequestID)}); err != nil {
			t.Fatal(err)
		}
		if answer := <-exchange.Answered; string(answer.Body) != exchange.RequestID {
			t.Fatalf("%s has the answer %s", exchange.RequestID, answer.Body)
		}
		<-exchange.Finished
		if err := s.answer(responds, exchange.RequestID, "", Answer{}); err != errInvalidRequestID {
			t.Fatalf("a second answer: %v", err)
		}
	}
}

func TestWhatOneOfSeveralMayNotDo(t *testing.T) {
	for reason, row := range map[string]struct {
		prepare func(*Session, *Exchange)
		call    func(*Session, *Exchange) error
	}{
		"an answer of what nobody has taken": {
			call: func(s *Session, x *Exchange) error { return s.answer(responds, x.RequestID, "", Answer{}) },
		},
		"an answer with another's invocation id": {
			prepare: take, call: func(s *Session, x *Exchange) error { return s.begin(responds, x.RequestID, "of-other") },
		},
		"a whole answer after the beginning of a stream": {
			prepare: func(s *Session, x *Exchange) {
				take(s, x)
				_, _ = s.beginStream(x.RequestID, "")
			},
			call: func(s *Session, x *Exchange) error { return s.answer(responds, x.RequestID, "", Answer{}) },
		},
		"an answer of what was withdrawn": {
			prepare: func(s *Session, x *Exchange) { take(s, x); s.Withdraw(x) },
			call:    func(s *Session, x *Exchange) error { return s.answer(fails, x.RequestID, "", Answer{}) },
		},
		"an answer after the end": {
			prepare: func(s *Session, x *Exchange) { take(s, x); s.End() },
			call:    func(s *Session, x *Exchange) error { return s.answer(responds, x.RequestID, "", Answer{}) },
		},
		"an init error": {call: func(s *Session, _ *Exchange) error { return s.initError(InitError{}) }},
		"a delivery after the end": {
			prepare: func(s *Session, _ *Exchange) { s.End() },
			call:    func(s *Session, _ *Exchange) error { return s.Deliver(exchangeOf("late")) },
		},
	} {
		t.Run(reason, func(t *testing.T) {
			s, exchange := serving(t, 2), exchangeOf("own")
			exchange.Stream, exchange.MaxStreamBytes = nowhere{}, 8
			if err := s.Deliver(exchange); err != nil {
				t.Fatal(err)
			}
			if row.prepare != nil {
				row.prepare(s, exchange)
			}
			if row.call(s, exchange) == nil {
				t.Fatal("it is taken")
			}
			select {
			case <-exchange.Answered:
				t.Fatal("it counts")
			default:
			}
		})
	}
}

func take(s *Session, _ *Exchange) { _, _ = s.next(context.Background()) }

func TestNoMoreRequestsForInvocationsAreOpenThanMayRun(t *testing.T) {
	s := NewSession(2)
	for range 2 {
		if _, err := s.beginNext(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.beginNext(); err == nil {
		t.Fatal("a third one is taken")
	}
	s.endPoll()
	if _, err := s.beginNext(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatMeetsALostConnectionGoesToAnother(t *testing.T) {
	s := serving(t, 2)
	lost, cancel := context.WithCancel(t.Context())
	cancel()
	exchange := exchangeOf("a")
	if err := s.Deliver(exchange); err != nil {
		t.Fatal(err)
	}
	for range 20 { // whatever it looks at first
		if _, err := s.next(lost); err == nil {
			t.Fatal("something came by a lost connection")
		}
	}
	if got, err := s.next(t.Context()); err != nil || got != exchange {
		t.Fatalf("%v %v", got, err)
	}
}

func TestWhatWasWithdrawnIsNotGivenToTheRuntime(t *testing.T) {
	s := serving(t, 2)
	first, second := exchangeOf("a"), exchangeOf("b")
	for _, exchange := range []*Exchange{first, second} {
		if err := s.Deliver(exchange); err != nil {
			t.Fatal(err)
		}
	}
	s.Withdraw(first)
	if got, err := s.next(t.Context()); err != nil || got != second {
		t.Fatalf("%v %v", got, err)
	}
}
