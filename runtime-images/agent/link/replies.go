package link

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Streaming in the head of INVOKE says that the answer may be streamed.
type Streaming struct {
	// WindowBytes may be sent before the first CREDIT.
	WindowBytes int64 `json:"windowBytes"`
	// MaxBytes bounds the whole answer.
	MaxBytes int64 `json:"maxBytes"`
}

// Aborted is the head of ABORTED.
type Aborted struct {
	Kind      string `json:"kind"`
	ErrorType string `json:"errorType,omitempty"`
}

// Credit is the body of CREDIT.
type Credit struct {
	Bytes int64 `json:"bytes"`
}

// errAnswerOver says that a streamed answer takes nothing more.
var errAnswerOver = errors.New("the answer is over")

// answerState is how far the answer of one INVOKE has come. The table stands in runtime-images/link/frames.yaml; what it does not list
// is not sent.
type answerState int

const (
	answerWaiting answerState = iota
	answerOpen
	answerOver
	answerSilent
)

// replies sends the answers of one INVOKE. It works, silently, when the connection is gone. One goroutine streams, another one may end
// the answer: a time-out does.
type replies struct {
	out    *writer
	stream uint32
	// ended says that the stream's last frame has been handed over.
	ended atomic.Bool

	// sending is held while frames of the answer are handed over, so that nothing follows its last one. It is taken before mu.
	sending sync.Mutex
	// mu is never held while anything waits.
	mu    sync.Mutex
	state answerState
	// credit is how many bytes of DATA may be sent now.
	credit int64
	// moved is signalled when a waiting Write may go on.
	moved *sync.Cond
}

func newReplies(out *writer, stream uint32, streaming *Streaming) *replies {
	r := &replies{out: out, stream: stream}
	if streaming != nil {
		r.credit = streaming.WindowBytes
		r.moved = sync.NewCond(&r.mu)
	}
	return r
}

// Response sends a whole answer. When one is open already, this is its end before the end, and head is an error's.
func (r *replies) Response(head Response, payload []byte) {
	before := r.end()
	r.sending.Lock()
	defer r.sending.Unlock()
	switch before {
	case answerWaiting:
		r.out.payload(FrameResponse, r.stream, head, payload)
	case answerOpen:
		r.out.payload(FrameAborted, r.stream, Aborted{Kind: head.Kind, ErrorType: head.ErrorType}, payload)
	}
}

// Begin opens a streamed answer.
func (r *replies) Begin(head Response) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	r.mu.Lock()
	state := r.state
	if state == answerWaiting {
		r.state = answerOpen
	}
	r.mu.Unlock()
	switch state {
	case answerWaiting:
		r.out.begin(FrameResponse, r.stream, head)
		return nil
	case answerSilent:
		return nil
	default:
		return errAnswerOver
	}
}

// Write sends a piece of an open answer as the credit allows.
func (r *replies) Write(piece []byte) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	for len(piece) > 0 {
		size, err := r.reserve(len(piece))
		if err != nil || size == 0 {
			return err
		}
		r.out.frame(Frame{Type: FrameData, Stream: r.stream, Body: piece[:size]})
		piece = piece[size:]
	}
	return nil
}

// reserve waits for credit and takes at most size of it, and no more than one frame may have; 0 = nothing is to be sent.
func (r *replies) reserve(size int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.state == answerOpen && r.credit <= 0 {
		r.moved.Wait()
	}
	switch r.state {
	case answerOpen:
		size = int(min(int64(size), r.credit, ChunkBytes))
		r.credit -= int64(size)
		return size, nil
	case answerSilent:
		return 0, nil
	default:
		return 0, errAnswerOver
	}
}

// End completes an open answer.
func (r *replies) End() {
	before := r.end()
	r.sending.Lock()
	defer r.sending.Unlock()
	if before == answerOpen {
		r.out.frame(Frame{Type: FrameData, Flags: FlagEnd, Stream: r.stream})
	}
}

// end moves to Over, and gives the state before; a waiting Write gives up.
func (r *replies) end() answerState {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.state
	if before != answerSilent {
		r.state = answerOver
	}
	r.wake()
	return before
}

// silence is CANCEL, or the end of the connection: nothing but REPORT is sent any more. As on Lambda the function itself is not stopped.
func (r *replies) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = answerSilent
	r.wake()
}

// grant is CREDIT.
func (r *replies) grant(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.credit += bytes
	r.wake()
}

// wake lets a waiting Write look again; the caller holds mu.
func (r *replies) wake() {
	if r.moved != nil {
		r.moved.Broadcast()
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
