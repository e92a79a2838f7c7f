package claim

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestTheFirstClaimWins(t *testing.T) {
	var a Arbiter
	steps := []struct {
		reason string
		got    Outcome
		want   Outcome
	}{
		{"the first", a.Try("v1"), Won},
		{"the same again", a.Try("v1"), Repeated},
		{"another", a.Try("v2"), Refused},
	}
	for _, step := range steps {
		if step.got != step.want {
			t.Errorf("%s: %v, want %v", step.reason, step.got, step.want)
		}
	}
	a.Release()
	if a.Try("v2") != Won {
		t.Error("a released pod is free")
	}
	a.Confirm()
	a.Release()
	if a.Try("v1") != Refused || a.Version() != "v2" {
		t.Error("a confirmed claim is final")
	}
}

func TestOneOfManyWins(t *testing.T) {
	var a Arbiter
	var won atomic.Int32
	var all sync.WaitGroup
	for n := range 64 {
		all.Add(1)
		go func() {
			defer all.Done()
			if a.Try(string(rune('a'+n))) == Won {
				won.Add(1)
			}
		}()
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d have won", won.Load())
	}
}
