package link

import (
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
)

// writer sends whole frames in the order of the calls. Frames that are ready together go out together: the first one starts a goroutine that
// writes, and what is added before that runs, or while it writes, is one write more. After a failed write the socket is closed and everything
// else is dropped.
type writer struct {
	socket net.Conn

	mu sync.Mutex
	// waiting holds the frames that are not being written yet.
	waiting []byte
	// spare is the buffer that was written last, kept for the next frames.
	spare []byte
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
	if !w.writing {
		w.writing = true
		go w.write()
	}
}

// write empties what waits, again and again until there is nothing.
func (w *writer) write() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > 0 {
		wire := w.waiting
		w.waiting, w.spare = w.spare[:0], nil
		w.idle.Broadcast()
		w.mu.Unlock()
		_ = w.socket.SetWriteDeadline(time.Now().Add(limits.WriteTimeout))
		_, err := w.socket.Write(wire)
		w.mu.Lock()
		if err != nil {
			w.broken = true
			w.waiting = nil
			_ = w.socket.Close()
		}
		if cap(wire) <= keepBufferBytes {
			w.spare = wire
		}
	}
	w.writing = false
	w.idle.Broadcast()
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
