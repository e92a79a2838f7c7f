package claim

import (
	"strconv"
	"testing"

	"kappa.dev/agent/limits"
)

func ask(version, gateway string, epoch uint64) Request {
	return Request{Version: version, Function: "default/" + version[:1], Asker: Holder{gateway, epoch}}
}

func lenient(r Request) Request {
	r.Lenient = true
	return r
}

var (
	warm     = func(*Arbiter) {}
	claiming = func(a *Arbiter) { a.Specialize(ask("f1", "a", 5)) }
	claimed  = func(a *Arbiter) { claiming(a); a.Confirm() }
	fenced   = func(a *Arbiter) { claimed(a); a.Fence("default/f", 9) }
)

func TestEveryTransition(t *testing.T) {
	rows := []struct {
		reason string
		state  func(*Arbiter)
		event  func(*Arbiter) Outcome
		want   Outcome
		holder Holder
	}{
		{"the first claim wins", warm, specialize(ask("f1", "a", 5)), Won, Holder{"a", 5}},
		{"a generic pod cannot be adopted", warm, adopt(ask("f1", "a", 5)), Unclaimed, Holder{}},
		{"the same claim again", claiming, specialize(ask("f1", "a", 5)), Repeated, Holder{"a", 5}},
		{"another version", claiming, specialize(ask("f2", "a", 6)), Refused, Holder{"a", 5}},
		{"another gateway, lower", claiming, specialize(ask("f1", "b", 4)), Stale, Holder{"a", 5}},
		{"another gateway, equal", claiming, specialize(ask("f1", "b", 5)), Stale, Holder{"a", 5}},
		{"another gateway, higher", claiming, specialize(ask("f1", "b", 6)), Repeated, Holder{"b", 6}},
		{"adopted while it is claimed", claiming, adopt(ask("f1", "b", 6)), Repeated, Holder{"b", 6}},
		{"a final claim, another version", claimed, specialize(ask("f2", "b", 6)), Refused, Holder{"a", 5}},
		{"a final claim, another gateway, equal", claimed, specialize(ask("f1", "b", 5)), Stale, Holder{"a", 5}},
		{"adopted by a higher epoch", claimed, adopt(ask("f1", "b", 6)), Repeated, Holder{"b", 6}},
		{"adopted by an equal epoch", claimed, adopt(ask("f1", "b", 5)), Stale, Holder{"a", 5}},
		{"adopted by the holder", claimed, adopt(ask("f1", "a", 5)), Repeated, Holder{"a", 5}},
		{"the holder's epoch rises", claimed, adopt(ask("f1", "a", 7)), Repeated, Holder{"a", 7}},
		{"the holder's own past", claimed, adopt(ask("f1", "a", 4)), Stale, Holder{"a", 5}},
		{"adopted as another version", claimed, adopt(ask("f2", "b", 6)), Refused, Holder{"a", 5}},
		{"below the fence, claim", fenced, specialize(ask("f1", "b", 8)), Stale, Holder{"a", 5}},
		{"below the fence, the holder's own claim", fenced, specialize(ask("f1", "a", 5)), Stale, Holder{"a", 5}},
		{"below the fence, adoption", fenced, adopt(ask("f1", "b", 8)), Stale, Holder{"a", 5}},
		{"at the fence, adoption", fenced, adopt(ask("f1", "b", 9)), Repeated, Holder{"b", 9}},
		{"another function's fence", fenced, specialize(ask("g1", "b", 6)), Refused, Holder{"a", 5}},
		{"protocol 1, lower", claimed, specialize(lenient(ask("f1", "b", 4))), Repeated, Holder{"a", 5}},
		{"protocol 1, higher", claimed, specialize(lenient(ask("f1", "b", 6))), Repeated, Holder{"b", 6}},
		{"protocol 1, another version", claimed, specialize(lenient(ask("f2", "b", 6))), Refused, Holder{"a", 5}},
		{"protocol 1, below the fence", fenced, specialize(lenient(ask("f1", "b", 8))), Stale, Holder{"a", 5}},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			var a Arbiter
			row.state(&a)
			if got := row.event(&a); got != row.want || a.Holder() != row.holder {
				t.Fatalf("%v, held by %v", got, a.Holder())
			}
		})
	}
}

func specialize(r Request) func(*Arbiter) Outcome {
	return func(a *Arbiter) Outcome { return a.Specialize(r) }
}

func adopt(r Request) func(*Arbiter) Outcome { return func(a *Arbiter) Outcome { return a.Adopt(r) } }

func TestAClaimThatHasShownNothingIsGivenBack(t *testing.T) {
	var a Arbiter
	claiming(&a)
	a.Release()
	if a.Version() != "" || a.Holder() != (Holder{}) || a.Specialize(ask("g1", "b", 1)) != Won {
		t.Error("a released pod is free")
	}
	a.Confirm()
	a.Release()
	if a.Version() != "g1" || a.Specialize(ask("f1", "a", 9)) != Refused {
		t.Error("a confirmed claim is final")
	}
}

func TestAFenceOnAWarmPodBindsTheFirstClaim(t *testing.T) {
	var a Arbiter
	if !a.Fence("default/f", 7) || a.Fence("default/f", 6) || !a.Fence("default/f", 7) {
		t.Error("a fence rises only")
	}
	if a.Specialize(ask("f1", "a", 6)) != Stale || a.Highest("default/f") != 7 || a.Version() != "" {
		t.Error("below the fence")
	}
	if a.Specialize(ask("f1", "a", 7)) != Won {
		t.Error("at the fence")
	}
}

func TestTheLowestFencesAreForgottenFirst(t *testing.T) {
	var f fences
	for n := range limits.Fences {
		f.raise("f"+strconv.Itoa(n), uint64(1000+(n+7)%limits.Fences))
	}
	f.raise("new", 1) // just promised: kept, whatever its epoch
	lowest := "f" + strconv.Itoa(limits.Fences-7)
	if len(f.lowest) != limits.Fences || f.of("new") != 1 || f.of(lowest) != 0 {
		t.Fatalf("%d fences, new %d, lowest %d", len(f.lowest), f.of("new"), f.of(lowest))
	}
	f.raise("newer", 5000)
	if f.of("new") != 0 || f.of("newer") != 5000 {
		t.Fatal("the lowest is not the first to go")
	}
}
