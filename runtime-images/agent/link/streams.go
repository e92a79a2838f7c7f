package link

import "kappa.dev/agent/limits"

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

// cancel forgets a stream: bytes to come are skipped, and the answer of what already runs is not sent.
func (s *streams) cancel(stream uint32) {
	if in := s.open[stream]; in != nil {
		delete(s.open, stream)
		if in.intake != nil {
			in.intake.Abort()
			in.claim.end(Refuse(NotClaimed, "the code did not arrive"))
		}
	}
	if r := s.running[stream]; r != nil {
		r.silence()
	}
}

// abort gives back what a lost connection had begun.
func (s *streams) abort() {
	for stream := range s.open {
		s.cancel(stream)
	}
	for _, r := range s.running {
		r.silence()
	}
}

// grant gives a streamed answer more room; one that is over needs none.
func (s *streams) grant(frame Frame) *Refusal {
	var credit Credit
	if err := parseJSON(frame.Body, &credit); err != nil {
		return Refuse(BadFrame, err.Error())
	}
	if credit.Bytes < 1 {
		return Refuse(BadFrame, "bytes of CREDIT must be positive")
	}
	if r := s.running[frame.Stream]; r != nil {
		r.grant(credit.Bytes)
	}
	return nil
}
