package link

import (
	"net"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

// keepBufferBytes is the largest write buffer that is kept for the next frame.
const keepBufferBytes = 16 << 10

// writer sends whole frames; one at a time. After a failed write the socket is closed and everything else is dropped.
type writer struct {
	mu     sync.Mutex
	socket net.Conn
	buffer []byte
	broken bool
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
	if w.broken {
		return
	}
	wire, err := appendTo(w.buffer[:0])
	if err != nil {
		return
	}
	_ = w.socket.SetWriteDeadline(time.Now().Add(limits.WriteTimeout))
	if _, err := w.socket.Write(wire); err != nil {
		w.broken = true
		_ = w.socket.Close()
	}
	if cap(wire) <= keepBufferBytes {
		w.buffer = wire
	}
}

// closeWrite tells the peer that nothing more comes; what it still sends is read.
func (w *writer) closeWrite() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = true
	if half, ok := w.socket.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
