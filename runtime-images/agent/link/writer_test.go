package link

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

func within(t *testing.T, what string, run func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); run() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("blocked: %s", what)
	}
}

func numbered(stream uint32, size int) Frame {
	return Frame{Type: FrameData, Stream: stream, Body: binary.BigEndian.AppendUint32(make([]byte, size), stream)}
}

func TestFramesArriveInOrderAndWholeBeforeTheEnd(t *testing.T) {
	const count = 3000
	ours, theirs := net.Pipe()
	w := newWriter(ours)
	go func() {
		for n := range uint32(count) {
			w.frame(numbered(n, int(n%97)*64)) // some wait for others, some find the writer at rest
			if n%7 == 0 {
				runtime.Gosched()
			}
		}
		w.closeWrite()
		_ = ours.Close()
	}()
	within(t, "reading", func() {
		for n := range uint32(count) {
			frame, err := ReadFrame(theirs, MaxFrameBytes)
			if err != nil || frame.Stream != n || len(frame.Body) != int(n%97)*64+4 {
				t.Errorf("frame %d: %v %d", n, err, frame.Stream)
				return
			}
		}
		if _, err := ReadFrame(theirs, MaxFrameBytes); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestNobodyWaitsForAPeerThatIsGone(t *testing.T) {
	ours, theirs := net.Pipe()
	w := newWriter(ours)
	large := make([]byte, maxWaitingBytes+1)
	w.frame(Frame{Type: FrameData, Body: large}) // is being written, and blocks
	senders := make(chan struct{})
	for range 3 {
		go func() {
			w.payload(FrameResponse, 1, Response{}, large)
			senders <- struct{}{}
		}()
	}
	closed := make(chan struct{})
	go func() { w.closeWrite(); close(closed) }()
	_ = theirs.Close()
	within(t, "senders", func() {
		for range 3 {
			<-senders
		}
	})
	within(t, "closeWrite", func() { <-closed })
	within(t, "a late frame", func() { w.frame(Frame{Type: FramePong}) })
}

func TestCloseSendsWhatWaits(t *testing.T) {
	server, address := serve(t)
	socket := dial(t, address)
	auth(t, socket, server.private, nil)
	var c *connection
	server.mu.Lock()
	for held := range server.connections {
		c = held
	}
	server.mu.Unlock()
	answer := bytes.Repeat([]byte("x"), 6<<20)
	c.out.payload(FrameResponse, 1, Response{Kind: "response"}, answer)
	c.out.json(FrameReport, FlagEnd, 1, Report{RequestID: "id"})
	closed := make(chan struct{})
	go func() { server.Close(); close(closed) }()
	total := 0
	for {
		frame, err := ReadFrame(socket, MaxFrameBytes)
		if err != nil {
			t.Fatal(err)
		}
		total += len(frame.Body)
		if frame.Type == FrameReport {
			break
		}
	}
	if _, err := ReadFrame(socket, MaxFrameBytes); err != io.EOF || total < len(answer) {
		t.Fatalf("%v after %d bytes", err, total)
	}
	_ = socket.Close()
	within(t, "Close", func() { <-closed })
	late := dial(t, address)
	if _, err := ReadFrame(late, MaxFrameBytes); err == nil {
		t.Fatal("a closed server takes connections")
	}
}
