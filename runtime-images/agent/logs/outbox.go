package logs

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

// entryHeadBytes is what stands before each line of a batch: time and length.
const entryHeadBytes = 12

// Batch is some finished lines in the form of the link's LOG frame.
type Batch struct {
	// First is the number of the first line in its stream: 0, 1, 2, …
	First uint64
	// Entries are the lines, each after its time (u64, epoch milliseconds) and its length (u32), big endian. No line is empty, and
	// their times do not fall.
	Entries []byte
}

// Outbox collects the finished lines of a pod's log and gives them away in batches, from a goroutine of its own: who writes
// never waits for it. What is above limits.RecentBytesPerSecond, or finds no taker, is dropped and counted, and a line says so where
// it is missing. It is safe for use by several goroutines.
type Outbox struct {
	now func() time.Time
	// after runs f in a goroutine of its own after a time, as time.AfterFunc.
	after func(d time.Duration, f func())
	// give hands a batch over; false means that nobody takes it now.
	give func(Batch) bool
	json bool

	// giving is held while batches are given away, so that they go in order. It is taken before mu.
	giving sync.Mutex

	// mu is never held while anything waits.
	mu sync.Mutex
	// line is the beginning of a line whose end has not come.
	line []byte
	// pending are the entries that are not given away; first is the number of the first of them.
	pending []byte
	first   uint64
	// lastMs is the time of the newest entry.
	lastMs int64
	// due says that give is about to be tried.
	due      bool
	tokens   float64
	refilled time.Time
	dropped  int64
}

// NewOutbox makes an empty outbox. json is how the function's log is written; see Outbox for the others.
func NewOutbox(json bool, now func() time.Time, after func(time.Duration, func()), give func(Batch) bool) *Outbox {
	return &Outbox{now: now, after: after, give: give, json: json, tokens: limits.RecentBurstBytes, refilled: now()}
}

// Write takes the next bytes of the log. It does not keep p.
func (o *Outbox) Write(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(p) > 0 {
		piece, rest, ends := cutLine(p, limits.LogEventBytes-len(o.line))
		p = rest
		if !ends {
			o.line = append(o.line, piece...)
			return
		}
		if len(o.line) > 0 {
			piece = append(o.line, piece...)
			o.line = piece[:0]
		}
		o.finish(piece)
	}
	o.line = keepSmall(o.line)
}

// cutLine cuts off the first line, at most room bytes; the line end itself is left out.
func cutLine(p []byte, room int) (line, rest []byte, ends bool) {
	if end := bytes.IndexByte(p[:min(len(p), room+1)], '\n'); end >= 0 {
		return p[:end], p[end+1:], true
	}
	if len(p) >= room {
		return p[:room], p[room:], true
	}
	return p, nil, false
}

// finish takes one whole line; the caller holds mu.
func (o *Outbox) finish(line []byte) {
	if len(line) == 0 {
		return // a store of events has no place for it
	}
	if !o.admit(entryHeadBytes + len(line)) {
		o.dropped += int64(len(line) + 1)
		return
	}
	o.reportDropped()
	o.add(line)
}

// admit takes tokens for n bytes. While lines are dropped it waits for one second's worth.
func (o *Outbox) admit(n int) bool {
	now := o.now()
	o.tokens = min(limits.RecentBurstBytes, o.tokens+now.Sub(o.refilled).Seconds()*limits.RecentBytesPerSecond)
	o.refilled = now
	switch {
	case o.dropped > 0 && o.tokens < limits.RecentBytesPerSecond, o.tokens < float64(n), len(o.pending)+n > limits.RecentPendingBytes:
		return false
	default:
		o.tokens -= float64(n)
		return true
	}
}

func (o *Outbox) reportDropped() {
	if o.dropped > 0 {
		o.add(droppedLine(o.json, o.now(), o.dropped, "more than recent logs take"))
		o.dropped = 0
	}
}

func (o *Outbox) add(line []byte) {
	o.lastMs = max(o.lastMs, o.now().UnixMilli())
	o.pending = binary.BigEndian.AppendUint64(o.pending, uint64(o.lastMs))
	o.pending = binary.BigEndian.AppendUint32(o.pending, uint32(len(line)))
	o.pending = append(o.pending, line...)
	o.schedule(limits.RecentDelay)
}

// schedule lets the outbox be emptied soon; the caller holds mu.
func (o *Outbox) schedule(d time.Duration) {
	if !o.due {
		o.due = true
		o.after(d, o.Flush)
	}
}

// Flush gives away what is there. When nobody takes it, it is tried again later.
func (o *Outbox) Flush() {
	o.giving.Lock()
	defer o.giving.Unlock()
	o.mu.Lock()
	o.due = false
	o.mu.Unlock()
	for {
		batch, count := o.next()
		if count == 0 {
			return
		}
		isTaken := o.give(batch)
		o.given(batch, count, isTaken)
		if !isTaken {
			return
		}
	}
}

// Close ends the last line and gives away what is there. A gateway that is busy is waited for, not long.
func (o *Outbox) Close() {
	o.mu.Lock()
	o.finish(o.line)
	o.line = nil
	o.reportDropped()
	o.mu.Unlock()
	for range limits.RecentLastTries {
		o.Flush()
		if o.isEmpty() {
			return
		}
		passed := make(chan struct{})
		o.after(limits.RecentLastPause, func() { close(passed) })
		<-passed
	}
}

func (o *Outbox) isEmpty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending) == 0
}

// next gives the oldest lines that go into one batch, and how many they are. They stay where they are until given.
func (o *Outbox) next() (batch Batch, count uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	end := 0
	for end < len(o.pending) {
		after := end + entryHeadBytes + int(binary.BigEndian.Uint32(o.pending[end+8:]))
		if end > 0 && after > limits.RecentBatchBytes {
			break
		}
		end = after
		count++
	}
	return Batch{First: o.first, Entries: o.pending[:end:end]}, count
}

func (o *Outbox) given(batch Batch, count uint64, isTaken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !isTaken {
		o.schedule(limits.RecentRetry)
		return
	}
	o.first += count
	o.pending = o.pending[len(batch.Entries):]
	if len(o.pending) == 0 {
		o.pending = nil
	}
}
