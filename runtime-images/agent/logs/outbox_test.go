package logs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kappa.dev/agent/limits"
)

// outboxTest is an outbox whose clock and timers stand still.
type outboxTest struct {
	*Outbox
	clock  *clock
	timers []func()
	// given is what was taken, a line each: number, milliseconds since the start, text.
	given  []string
	frames int
	closed bool
}

func newOutboxTest(json bool) *outboxTest {
	o := &outboxTest{clock: &clock{time.UnixMilli(1700000000000)}}
	o.Outbox = NewOutbox(json, o.clock.now, func(_ time.Duration, f func()) { o.timers = append(o.timers, f) }, o.take)
	return o
}

func (o *outboxTest) take(batch Batch) bool {
	if o.closed {
		return false
	}
	o.frames++
	number := batch.First
	for rest := batch.Entries; len(rest) > 0; number++ {
		at, size := binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:])
		o.given = append(o.given, fmt.Sprintf("%d %d %s", number, at-1700000000000, rest[12:12+size]))
		rest = rest[12+size:]
	}
	return true
}

// ring lets all timers go off.
func (o *outboxTest) ring() {
	due := o.timers
	o.timers = nil
	for _, f := range due {
		f()
	}
}

func TestLinesAreGivenAwayInBatches(t *testing.T) {
	o := newOutboxTest(false)
	o.Write([]byte("one\ntw"))
	o.clock.at = o.clock.at.Add(5 * time.Millisecond)
	o.Write([]byte("o\n\nthree"))
	if len(o.timers) != 1 {
		t.Fatalf("%d timers", len(o.timers))
	}
	o.ring()
	o.clock.at = o.clock.at.Add(-time.Second) // a clock that is set back
	o.Close()
	want := []string{"0 0 one", "1 5 two", "2 5 three"}
	if !slices.Equal(o.given, want) || o.frames != 2 {
		t.Fatalf("%d frames, %q", o.frames, o.given)
	}
}

func TestLinesThatNobodyTakesAreOfferedAgain(t *testing.T) {
	o := newOutboxTest(false)
	o.closed = true
	o.Write([]byte("one\n"))
	o.ring()
	o.Write([]byte("two\n"))
	if len(o.timers) != 1 || len(o.given) != 0 {
		t.Fatalf("%d timers, %q", len(o.timers), o.given)
	}
	o.closed = false
	o.ring()
	if want := []string{"0 0 one", "1 0 two"}; !slices.Equal(o.given, want) || len(o.timers) != 0 {
		t.Fatalf("%q", o.given)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	o := newOutboxTest(false)
	line := strings.Repeat("x", limits.RecentBatchBytes/4)
	for range 8 {
		o.Write([]byte(line + "\n"))
	}
	o.ring()
	if o.frames != 3 || len(o.given) != 8 {
		t.Fatalf("%d frames of %d lines", o.frames, len(o.given))
	}
}

func TestLongLinesBecomeSeveral(t *testing.T) {
	o := newOutboxTest(false)
	for _, piece := range []string{"x", strings.Repeat("x", limits.LogEventBytes), "end\nnext\n"} {
		o.Write([]byte(piece))
	}
	o.ring()
	if len(o.given) != 3 || len(o.given[0]) != limits.LogEventBytes+len("0 0 ") || o.given[1] != "1 0 xend" || o.given[2] != "2 0 next" {
		t.Fatalf("%d lines", len(o.given))
	}
}

func TestLinesAboveTheRateAreCountedAndDropped(t *testing.T) {
	for json, want := range map[bool]string{
		false: "LOGS_DROPPED dropped 262144 bytes: more than recent logs take",
		true:  `{"time":"2023-11-14T22:13:22.000Z","type":"platform.logsDropped","record":{"droppedBytes":262144,"reason":"more than recent logs take"}}`,
	} {
		o := newOutboxTest(json)
		for range 2 * limits.RecentBurstBytes / 1024 {
			o.Write([]byte(strings.Repeat("x", 1024-entryHeadBytes) + "\n"))
		}
		o.ring()
		passed := len(o.given)
		if passed != limits.RecentBurstBytes/1024 {
			t.Fatalf("%d lines", passed)
		}
		dropped := (2*limits.RecentBurstBytes/1024 - passed) * (1024 - entryHeadBytes + 1)
		want = strings.Replace(want, "262144", fmt.Sprint(dropped), 1)
		o.clock.at = o.clock.at.Add(2 * time.Second)
		o.Write([]byte("after\n"))
		o.ring()
		if got := o.given[passed:]; len(got) != 2 || !strings.HasSuffix(got[0], want) || !strings.HasSuffix(got[1], " 2000 after") {
			t.Fatalf("%q", got)
		}
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	o := newOutboxTest(false)
	o.closed = true
	for range 100 {
		o.clock.at = o.clock.at.Add(time.Second)
		o.Write([]byte(strings.Repeat("x", limits.RecentBytesPerSecond-100) + "\n"))
	}
	if len(o.pending) > limits.RecentPendingBytes {
		t.Fatalf("%d bytes wait", len(o.pending))
	}
	o.closed = false
	o.ring()
	o.clock.at = o.clock.at.Add(5 * time.Second)
	o.Write([]byte("after\n"))
	o.ring()
	if got := o.given[len(o.given)-2]; !strings.Contains(got, "LOGS_DROPPED") {
		t.Fatalf("%.100q", got)
	}
}

func TestAnOutboxSeesWhatTheStreamWrites(t *testing.T) {
	s, _, text := newTestStream()
	s.Output([]byte("before\n"))
	o := newOutboxTest(false)
	s.Collect(o.Outbox)
	s.Start("id", "$LATEST")
	s.Output([]byte("half"))
	s.Platform([]byte("END"))
	o.ring()
	want := []string{"0 0 START RequestId: id Version: $LATEST", "1 0 half", "2 0 END"}
	if !slices.Equal(o.given, want) || text() != "before\nSTART RequestId: id Version: $LATEST\nhalf\nEND\n" {
		t.Fatalf("%q", o.given)
	}
}

func TestTheLastLinesWaitForABusyGatewayButNotForEver(t *testing.T) {
	for refusals, want := range map[int][]string{3: {"0 0 one", "1 0 the last"}, 1 << 20: nil} {
		o := newOutboxTest(false)
		tries := 0
		o.give = func(batch Batch) bool {
			tries++
			return tries > refusals && o.take(batch)
		}
		o.after = func(d time.Duration, f func()) {
			if d == limits.RecentLastPause {
				f()
			}
		}
		o.Write([]byte("one\nthe last"))
		o.Close()
		if !slices.Equal(o.given, want) || tries != min(refusals+1, limits.RecentLastTries) {
			t.Fatalf("%d tries, %q", tries, o.given)
		}
	}
}
