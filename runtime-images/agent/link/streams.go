package link

import (
	"sync/atomic"

	"kappa.dev/agent/limits"
)

// inbound is one stream that still receives bytes. Exactly one of intake and invoke is set; a discarding one has neither.
type inbound struct {
	intake Intake
	// claim is told the outcome of intake.
	claim  *claiming
	invoke *Invoke
	event  []byte
}

// streams are the streams of one connection; used by its reading goroutine only, but for the running replies.
type streams struct {
	open    map[uint32]*inbound
	last    uint32
	running map[uint32]*replies
}

// begin checks a new stream's number: rising, never 0.
func (s *streams) begin(stream uint32) *Refusal {
	if stream <= s.last {
		return Refuse(BadFrame, "stream numbers must rise")
	}
	if len(s.open) >= limits.StreamsPerConnection {
		return Refuse(BadFrame, "too many streams are still sending")
	}
	s.last = stream
	return nil
}

// track remembers an invocation so that CANCEL finds it, and forgets those that have ended.
func (s *streams) track(stream uint32, r *replies) {
	if s.running == nil {
		s.running = map[uint32]*replies{}
	}
	for old, candidate := range s.running {
		if candidate.ended.Load() {
			delete(s.running, old)
		}
	}
	s.running[stream] = r
}

// cancel forgets a stream: bytes to come are skipped, and the answer of what already runs is not sent. As on Lambda the
// function itself is not stopped.
func (s *streams) cancel(stream uint32) {
	if in := s.open[stream]; in != nil {
		delete(s.open, stream)
		if in.intake != nil {
			in.intake.Abort()
			in.claim.end(Refuse(NotClaimed, "the code did not arrive"))
		}
	}
	if r := s.running[stream]; r != nil {
		r.cancelled.Store(true)
	}
}

// abort gives back what a lost connection had begun.
func (s *streams) abort() {
	for stream := range s.open {
		s.cancel(stream)
	}
}

// replies sends the answers of one INVOKE. It works, silently, when the connection is gone.
type replies struct {
	out       *writer
	stream    uint32
	cancelled atomic.Bool
	ended     atomic.Bool
}

// Response sends RESPONSE unless the gateway has cancelled.
func (r *replies) Response(head Response, payload []byte) {
	if !r.cancelled.Load() {
		r.out.payload(FrameResponse, r.stream, head, payload)
	}
}

// Report sends REPORT and ends the stream.
func (r *replies) Report(report Report) {
	r.ended.Store(true)
	r.out.json(FrameReport, FlagEnd, r.stream, report)
}

// Refuse sends ERROR and ends the stream.
func (r *replies) Refuse(refusal *Refusal) {
	r.ended.Store(true)
	r.out.refuse(r.stream, refusal)
}
