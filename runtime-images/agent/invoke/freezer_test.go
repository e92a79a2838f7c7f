package invoke

import (
	"testing"
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// frost is a freezer with a clock that the test moves, and what it has done.
type frost struct {
	*freezer
	time  time.Time
	looks []func()
	seen  string
	// escapes is how often something is still running after a stop.
	escapes int
}

func newFrost(idle string) *frost {
	f := &frost{}
	f.freezer = &freezer{
		stop: func() bool {
			f.seen += "stop "
			f.escapes--
			return f.escapes < 0
		},
		resume: func() { f.seen += "resume " }, now: func() time.Time { return f.time },
		after: func(in time.Duration, look func()) { f.looks = append(f.looks, look) },
	}
	f.enable(link.Specialize{Idle: idle})
	return f
}

// pass lets time go by, and what is planned happen.
func (f *frost) pass(d time.Duration) {
	f.time = f.time.Add(d)
	looks := f.looks
	f.looks = nil
	for _, look := range looks {
		look()
	}
}

func TestWhenAFunctionIsFrozen(t *testing.T) {
	const delay = limits.FreezeDelay
	rows := []struct {
		reason, idle string
		run          func(f *frost)
		want         string
	}{
		{"after a while without calls", "", func(f *frost) { f.enter(); f.leave(); f.pass(delay) }, "stop "},
		{"not at once", "", func(f *frost) { f.enter(); f.leave(); f.pass(delay - 1) }, ""},
		{"the rest of the while counts", "", func(f *frost) { f.enter(); f.leave(); f.pass(delay - 1); f.pass(1) }, "stop "},
		{"not between calls that follow each other", "", func(f *frost) {
			for range 9 {
				f.enter()
				f.leave()
				f.pass(delay / 2)
			}
		}, ""},
		{"not while something runs", "", func(f *frost) { f.enter(); f.enter(); f.leave(); f.pass(delay) }, ""},
		{"a call thaws", "", func(f *frost) { f.enter(); f.leave(); f.pass(delay); f.enter() }, "stop resume "},
		{"and then it is frozen again", "", func(f *frost) {
			f.enter()
			f.leave()
			f.pass(delay)
			f.enter()
			f.leave()
			f.pass(delay)
		}, "stop resume stop "},
		{"what escapes is looked for again", "", func(f *frost) {
			f.escapes = 2
			f.enter()
			f.leave()
			for range 4 {
				f.pass(delay)
			}
			f.enter()
		}, "stop stop stop resume "},
		{"a call ends the search", "", func(f *frost) {
			f.escapes = 1
			f.enter()
			f.leave()
			f.pass(delay)
			f.enter()
			f.pass(delay)
			f.leave()
			f.pass(delay)
		}, "stop resume stop "},
		{"the end thaws", "", func(f *frost) { f.enter(); f.leave(); f.pass(delay); f.end() }, "stop resume "},
		{"after the end nothing is frozen", "", func(f *frost) { f.enter(); f.leave(); f.end(); f.pass(delay) }, ""},
		{"not where the function wants to go on", link.IdleRunning, func(f *frost) { f.enter(); f.leave(); f.pass(delay) }, ""},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			f := newFrost(row.idle)
			row.run(f)
			if f.seen != row.want {
				t.Errorf("%q, want %q", f.seen, row.want)
			}
			if len(f.looks) > 1 {
				t.Errorf("%d looks are planned", len(f.looks))
			}
		})
	}
}
