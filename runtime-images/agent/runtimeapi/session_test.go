package runtimeapi

import (
	"context"
	"testing"
)

// allEvents is every event that a process or the engine can cause.
var allEvents = []event{asksNext, responds, fails, failsInit, asksClaim, isAssigned, isDelivered}

func TestWhatIsNotListedIsRefused(t *testing.T) {
	allowed := 0
	for _, state := range []State{Booting, Rehearsing, Rehearsed, Waiting, Initializing, InitFailed, Ready, Running, Responded, Ended} {
		for _, e := range allEvents {
			s := NewGenericSession()
			s.state = state
			if s.move(e) == nil {
				allowed++
			} else if s.state != state {
				t.Errorf("%s after a refused %s in %s", s.state, e, state)
			}
		}
	}
	if allowed != 12 {
		t.Errorf("%d transitions are allowed", allowed)
	}
}

func TestALostPollMayBeRepeated(t *testing.T) {
	s := NewSession(1)
	lost, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.next(lost); err == nil {
		t.Fatal("no error for a lost connection")
	}
	exchange := NewExchange()
	exchange.RequestID = "id"
	if err := s.Deliver(exchange); err != nil {
		t.Fatal(err)
	}
	s.state = Ready // as if the poll had been repeated before the delivery
	if got, err := s.next(t.Context()); err != nil || got != exchange {
		t.Fatalf("%v %v", got, err)
	}
}

func TestASecondPollIsRefusedWhileTheFirstIsOpen(t *testing.T) {
	s := NewSession(1)
	if _, err := s.beginNext(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.beginNext(); err == nil {
		t.Fatal("a second poll is taken")
	}
}

func TestErrorTypes(t *testing.T) {
	for header, want := range map[string]string{
		"Runtime.ExitError": "Runtime.ExitError", "Function.Custom": "Function.Custom", "TypeError": "Runtime.Unknown", "": "Runtime.Unknown",
		"Runtime.lower": "Runtime.Unknown", "Function.With Space": "Function.Unknown", "Runtime.X": "Runtime.Unknown", "Runtime.A1": "Runtime.Unknown",
	} {
		if got := errorType(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestAnInvocationThatWasGivenAgainIsNotGivenLater(t *testing.T) {
	s := NewSession(1)
	lost, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := s.next(lost); err == nil {
		t.Fatal("no error for a lost connection")
	}
	for n := range 3 {
		exchange := NewExchange()
		exchange.RequestID = "id"
		if err := s.Deliver(exchange); err != nil { // nobody polls
			t.Fatal(err)
		}
		if got, err := s.next(t.Context()); err != nil || got != exchange {
			t.Fatalf("invocation %d: %v %v", n, got, err)
		}
		if err := s.answer(responds, "id", "", Answer{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.next(lost); err == nil {
			t.Fatal("something came by a lost connection")
		}
	}
}
