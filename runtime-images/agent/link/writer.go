package link

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

const (
	// keepBufferBytes is the largest write buffer that is kept for the next frames.
	keepBufferBytes = 16 << 10
	// maxWaitingBytes is how much may wait behind a slow peer before senders wait too.
	maxWaitingBytes = 1 << 20
	// maxOfferedBytes is how much may wait of the frames whose senders never wait: some hundred STATEs.
	maxOfferedBytes = 256 << 10
	// maxBeforeIdleBytes is how much may wait before a frame of ifIdle is not taken.
	maxBeforeIdleBytes = 64 << 10
	// maxPieceBytes is how much is written at once, more only when one frame is longer.
	maxPieceBytes = 256 << 10
)

// writer sends whole frames in the order of the calls. Frames that are ready together go out together: the first one starts a goroutine that
// writes, and what is added before that runs, or while it writes, is one write more. After a failed write the socket is closed and everything
// else is dropped. Only PONG overtakes: it waits for one frame at most.
type writer struct {
	socket net.Conn

	mu sync.Mutex
	// waiting holds the frames that are not being written yet.
	waiting []byte
	// spare is the buffer that was written last, kept for the next frames.
	spare []byte
	// offered counts the bytes of waiting whose senders never wait.
	offered int
	// pongs counts the PONGs that are to be sent before anything else.
	pongs int
	// writing says that a goroutine is at work; it ends when nothing waits.
	writing bool
	// idle is signalled when that goroutine has taken what waited, and when it ends.
	idle *sync.Cond
	// broken says that nothing more is sent.
	broken bool
}

func newWriter(socket net.Conn) *writer {
	w := &writer{socket: socket}
	w.idle = sync.NewCond(&w.mu)
	return w
}

func (w *writer) frame(frame Frame) {
	w.send(func(dst []byte) ([]byte, error) { return AppendFrame(dst, frame), nil })
}

func (w *writer) json(frameType, flags byte, stream uint32, value any) {
	w.send(func(dst []byte) ([]byte, error) { return AppendJSON(dst, frameType, flags, stream, value) })
}

func (w *writer) payload(frameType byte, stream uint32, head any, payload []byte) {
	w.send(func(dst []byte) ([]byte, error) { return AppendPayload(dst, frameType, stream, head, payload) })
}

// begin sends a head whose bytes follow in other frames.
func (w *writer) begin(frameType byte, stream uint32, head any) {
	w.send(func(dst []byte) ([]byte, error) { return AppendHead(dst, frameType, stream, head) })
}

func (w *writer) refuse(stream uint32, refusal *Refusal) {
	w.json(FrameError, FlagEnd, stream, refusal)
}

func (w *writer) send(appendTo func([]byte) ([]byte, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > maxWaitingBytes && !w.broken {
		w.idle.Wait()
	}
	if w.broken {
		return
	}
	frames, err := appendTo(w.waiting)
	if err != nil {
		return
	}
	w.waiting = frames
	w.wake()
}

// offer adds a frame that is small, and never waits. A peer that leaves too many of them lying is cut off.
func (w *writer) offer(frameType byte, stream uint32, value any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return
	}
	frames, err := AppendJSON(w.waiting, frameType, FlagEnd, stream, value)
	if err != nil {
		return
	}
	w.offered += len(frames) - len(w.waiting)
	w.waiting = frames
	if w.offered > maxOfferedBytes {
		w.cut()
		return
	}
	w.wake()
}

// ifIdle adds a frame on stream 0 that others go before, and never waits; false means that it is not sent.
func (w *writer) ifIdle(frameType byte, head any, payload []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken || len(w.waiting) > maxBeforeIdleBytes {
		return false
	}
	frames, err := AppendPayload(w.waiting, frameType, 0, head, payload)
	if err != nil {
		return false
	}
	w.waiting = frames
	w.wake()
	return true
}

// pong answers a PING, and never waits.
func (w *writer) pong() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.broken {
		w.pongs++
		w.wake()
	}
}

// wake lets a goroutine write; the caller holds mu.
func (w *writer) wake() {
	if !w.writing {
		w.writing = true
		go w.write()
	}
}

// cut ends the connection; the caller holds mu.
func (w *writer) cut() {
	w.broken = true
	w.waiting = nil
	w.pongs = 0
	_ = w.socket.Close()
	w.idle.Broadcast()
}

// write empties what waits, again and again until there is nothing.
func (w *writer) write() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > 0 || w.pongs > 0 {
		wire := w.waiting
		w.waiting, w.spare, w.offered = w.spare[:0], nil, 0
		w.idle.Broadcast()
		if err := w.flush(wire); err != nil {
			w.cut()
		}
		if cap(wire) <= keepBufferBytes {
			w.spare = wire
		}
	}
	w.writing = false
	w.idle.Broadcast()
}

// flush writes frames, with each PONG before the next piece; the caller holds mu, which is free while the socket takes them.
func (w *writer) flush(wire []byte) error {
	_ = w.socket.SetWriteDeadline(time.Now().Add(limits.WriteTimeout))
	for len(wire) > 0 || w.pongs > 0 {
		piece := pieceOf(wire)
		wire = wire[len(piece):]
		if w.pongs > 0 {
			piece = append(w.takePongs(), piece...)
		}
		w.mu.Unlock()
		_, err := w.socket.Write(piece)
		w.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// takePongs gives as many PONG frames as are due; the caller holds mu.
func (w *writer) takePongs() []byte {
	var frames []byte
	for ; w.pongs > 0; w.pongs-- {
		frames = AppendFrame(frames, Frame{Type: FramePong, Flags: FlagEnd})
	}
	return frames
}

// pieceOf gives the whole frames at the beginning that are written at once.
func pieceOf(wire []byte) []byte {
	if len(wire) <= maxPieceBytes {
		return wire
	}
	end := 0
	for end < len(wire) {
		next := end + lengthBytes + int(binary.BigEndian.Uint32(wire[end:]))
		if end > 0 && next > maxPieceBytes {
			break
		}
		end = next
	}
	return wire[:end]
}

// closeWrite sends what waits, then tells the peer that nothing more comes; what the peer still sends is read.
func (w *writer) closeWrite() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.writing {
		w.idle.Wait()
	}
	w.broken = true
	if half, ok := w.socket.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
