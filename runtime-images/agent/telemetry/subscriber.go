package telemetry

import (
	"sync"
	"time"
)

// subscriber collects events for one extension and sends them from a goroutine of its own: who tells of something never waits for it.
// At most three batches are held, one that is being sent, a full one and the next; what finds no room is dropped and counted, and the batch
// after it says so.
type subscriber struct {
	name string
	api  *API
	sink *sink
	// nth counts the subscriptions of the extension up to this one.
	nth int
	// after runs f in a goroutine of its own after a time, as time.AfterFunc.
	after func(d time.Duration, f func())
	now   func() time.Time
	ended chan struct{}
	// due has room for one: there is something to send.
	due chan struct{}

	mu sync.Mutex
	// full is a batch that waits for the one before it.
	full []byte
	// pending are the events of the next batch, with what stands between them.
	pending []byte
	items   int
	// batch is the number of the next batch.
	batch int
	// isDue says that it is to be sent as soon as the one before is.
	isDue   bool
	dropped dropped
	// flushed are closed when all that was there has been taken.
	flushed []chan struct{}
}

const droppedReason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."

// Pauses between two tries to send.
const (
	firstPause = 25 * time.Millisecond
	lastPause  = time.Second
)

func (s *subscriber) wants(category string) bool {
	for _, wanted := range s.sink.types {
		if wanted == category {
			return true
		}
	}
	return false
}

// platformRoom is what events of the platform may use above the bounds: a flood of lines must not push them out.
const platformRoom = 64 << 10

// add takes one event.
func (s *subscriber) add(t told) {
	encoded := encode(t.event, t.at, s.sink.schema)
	if encoded == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	isKept := t.category == platform && len(s.pending)+len(encoded) < s.sink.maxBytes+platformRoom
	if s.isFull(len(encoded)) && !s.rotate() && !isKept {
		s.dropped.DroppedBytes += len(encoded)
		s.dropped.DroppedRecords++
		return
	}
	s.append(encoded)
	if s.items == 1 {
		batch := s.batch
		s.after(s.sink.timeout, func() { s.fireBatch(batch) })
	}
}

func (s *subscriber) isFull(more int) bool {
	return s.items >= s.sink.maxItems || s.items > 0 && len(s.pending)+1+more > s.sink.maxBytes
}

// rotate begins a new batch, if the one before the full one has gone; the caller holds mu.
func (s *subscriber) rotate() bool {
	if s.full != nil {
		return false
	}
	s.full = s.pending
	s.begin()
	s.fire()
	return true
}

// begin begins a new batch. What has been dropped is missing before it.
func (s *subscriber) begin() {
	s.pending, s.items, s.isDue = nil, 0, false
	s.batch++
	if s.dropped.DroppedRecords > 0 {
		s.dropped.Reason = droppedReason
		s.append(encode(s.dropped, s.now(), s.sink.schema))
		s.dropped = dropped{}
		s.isDue = true // nobody should wait for this
	}
}

func (s *subscriber) append(encoded []byte) {
	if s.items > 0 {
		s.pending = append(s.pending, s.sink.separator())
	}
	s.pending = append(s.pending, encoded...)
	s.items++
}

// fire wakes the sender.
func (s *subscriber) fire() {
	select {
	case s.due <- struct{}{}:
	default:
	}
}

func (s *subscriber) fireBatch(batch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.batch == batch {
		s.isDue = true
		s.fire()
	}
}

// flush lets what is there be sent, and gives a channel that is closed when it is.
func (s *subscriber) flush() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	s.flushed = append(s.flushed, done)
	s.isDue = true
	s.fire()
	return done
}

// settle notes that all batches have gone.
func (s *subscriber) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil || s.isDue && s.items > 0 {
		return // another one has come
	}
	for _, done := range s.flushed {
		close(done)
	}
	s.flushed = nil
}

// take gives the batch that is due; nil when there is none.
func (s *subscriber) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if taken := s.full; taken != nil {
		s.full = nil
		if s.dropped.DroppedRecords > 0 { // so that it is said now, and not when the next event comes
			s.rotate()
		}
		return taken
	}
	if !s.isDue || s.items == 0 {
		return nil
	}
	taken := s.pending
	s.begin()
	return taken
}

// run sends until the end.
func (s *subscriber) run() {
	for {
		select {
		case <-s.ended:
			return
		case <-s.due:
		}
		for batch := s.take(); batch != nil; batch = s.take() {
			if !s.deliver(batch) {
				return
			}
		}
		s.settle()
	}
}

// stop ends one that is in no hub any more, and lets go of what it has not sent.
func (s *subscriber) stop() {
	close(s.ended)
	s.sink.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.pending, s.items = nil, nil, 0
}

// deliver tries until the subscriber has taken the batch; false means that the end has come first.
func (s *subscriber) deliver(batch []byte) bool {
	for pause := firstPause; s.sink.send(batch) != nil; pause = min(2*pause, lastPause) {
		passed := make(chan struct{})
		s.after(pause, func() { close(passed) })
		select {
		case <-s.ended:
			return false
		case <-passed:
		}
	}
	return true
}
