package logs

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

// Stream is the one log of a pod. Function output passes through unchanged but for its bounds; platform lines always
// start on a line of their own. It is safe for use by several goroutines.
type Stream struct {
	sink *Sink
	now  func() time.Time

	mu sync.Mutex
	// column counts the bytes of the line that is being written; 0 at a line's start.
	column int
	// JSON says that the function's log format is JSON.
	json bool
	// filter leaves out lines of the function, and what is below system lines of the platform; only with JSON.
	filter *lineFilter
	system int
	tails  []*Tail
	// outbox takes a copy of everything, line by line; nil when nobody wants one.
	outbox *Outbox
	// tap sees what the function writes and the filter lets through, before any bound; nil when nobody wants it.
	tap func(p []byte)

	tokens   float64
	refilled time.Time
	dropping bool
	dropped  int64
}

// NewStream makes a log that ends in sink. now is the clock.
func NewStream(sink *Sink, now func() time.Time) *Stream {
	return &Stream{sink: sink, now: now, tokens: limits.LogBurstBytes, refilled: now()}
}

// UseJSON switches the platform's lines to JSON, and leaves out what is below the levels.
func (s *Stream) UseJSON(levels Levels) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.json, s.system = true, gravityOf(levels.System)
	s.filter = &lineFilter{least: gravityOf(levels.Application)}
}

// Collect lets an outbox see all lines from now on.
func (s *Stream) Collect(outbox *Outbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox = outbox
}

// Tap lets a function see what the function writes from now on; nil ends it. It must not keep p, nor use the log.
func (s *Stream) Tap(tap func(p []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tap = tap
}

// BeginTail starts to keep the last bytes of an invocation. own is what its lines hold, where those of others come between them; empty =
// all are its own.
func (s *Stream) BeginTail(own string) *Tail {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := newTail(own)
	s.tails = append(s.tails, t)
	return t
}

// EndTail gives the last bytes since BeginTail, at most limits.LogTailBytes.
func (s *Stream) EndTail(t *Tail) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tails = slices.DeleteFunc(s.tails, func(each *Tail) bool { return each == t })
	return t.bytes()
}

// keep adds to what is kept of the invocations that run.
func (s *Stream) keep(p []byte) {
	for _, t := range s.tails {
		t.write(p)
	}
}

// Output takes bytes that the function has written. It does not keep p.
func (s *Stream) Output(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filter != nil {
		s.filter.write(p, s.output)
		return
	}
	s.output(p)
}

func (s *Stream) output(p []byte) {
	if s.tap != nil {
		s.tap(p)
	}
	for len(p) > 0 {
		p = s.outputPiece(p)
	}
}

// outputPiece passes on what is left of the current line and returns the rest.
func (s *Stream) outputPiece(p []byte) []byte {
	room := limits.LogLineBytes - s.column
	piece := p[:min(len(p), room)]
	if end := bytes.LastIndexByte(piece, '\n'); end >= 0 {
		piece = piece[:end+1]
	}
	rest := p[len(piece):]
	if !s.admit(len(piece)) {
		s.drop(piece)
		return rest
	}
	s.write(piece)
	if s.column >= limits.LogLineBytes {
		s.write([]byte{'\n'})
	}
	return rest
}

// admit takes tokens for n bytes. While dropping it waits for one second's worth, so that whole pieces come through.
func (s *Stream) admit(n int) bool {
	now := s.now()
	s.tokens = min(limits.LogBurstBytes, s.tokens+now.Sub(s.refilled).Seconds()*limits.LogBytesPerSecond)
	s.refilled = now
	if s.dropping && s.tokens < limits.LogBytesPerSecond || s.tokens < float64(n) {
		return false
	}
	s.reportDropped()
	s.tokens -= float64(n)
	return true
}

func (s *Stream) drop(piece []byte) {
	s.dropping = true
	s.dropped += int64(len(piece))
	s.keep(piece)
}

// reportDropped says how much is missing, at the place where it is missing.
func (s *Stream) reportDropped() {
	if s.dropped == 0 {
		return
	}
	missing := s.dropped
	s.dropping, s.dropped = false, 0
	s.line(droppedLine(s.json, s.now(), missing, "output above 1 MiB per second"))
}

func droppedLine(json bool, now time.Time, missing int64, reason string) []byte {
	if json {
		return jsonLine(now, "platform.logsDropped", fmt.Appendf(nil, `{"droppedBytes":%d,"reason":%q}`, missing, reason))
	}
	return fmt.Appendf(nil, "LOGS_DROPPED dropped %d bytes: %s", missing, reason)
}

// Platform writes one line of the platform's own, never dropped for its rate.
func (s *Stream) Platform(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filter != nil {
		s.filter.flush(s.output) // a line that was begun belongs before this one
	}
	s.reportDropped()
	s.line(line)
}

// line writes a whole line on a line of its own.
func (s *Stream) line(text []byte) {
	whole := make([]byte, 0, len(text)+2)
	if s.column > 0 {
		whole = append(whole, '\n')
	}
	s.write(append(append(whole, text...), '\n'))
}

func (s *Stream) write(p []byte) {
	s.keep(p)
	if s.outbox != nil {
		s.outbox.Write(p)
	}
	if !s.sink.Write(p) {
		s.dropping = true
		s.dropped += int64(len(p))
	}
	if end := bytes.LastIndexByte(p, '\n'); end >= 0 {
		s.column = len(p) - end - 1
		return
	}
	s.column += len(p)
}
