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
	go func() { server.Close(true); close(closed) }()
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
	last, err := ReadFrame(socket, MaxFrameBytes)
	if err != nil || last.Type != FrameError || last.Stream != 0 || !bytes.Contains(last.Body, []byte(Draining)) {
		t.Fatalf("%v %+v", err, last)
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

func TestAPongWaitsForOneFrameAtMost(t *testing.T) {
	ours, theirs := net.Pipe()
	w := newWriter(ours)
	go w.payload(FrameResponse, 1, Response{Kind: "response"}, make([]byte, 6<<20))
	first, err := ReadFrame(theirs, MaxFrameBytes)
	if err != nil || first.Type != FrameResponse {
		t.Fatal(err)
	}
	within(t, "PONG", func() { w.pong(); w.pong() })
	total, pongsAt := len(first.Body), []int{}
	for frames := 1; total < 6<<20; frames++ {
		frame, err := ReadFrame(theirs, MaxFrameBytes)
		if err != nil {
			t.Fatal(err)
		}
		if frame.Type == FramePong {
			pongsAt = append(pongsAt, frames)
		}
		total += len(frame.Body)
	}
	if len(pongsAt) != 2 || pongsAt[1] > 4 {
		t.Fatalf("PONGs are the frames %v", pongsAt)
	}
	_ = theirs.Close()
}

func TestAPongIsWrittenWhenNothingElseIs(t *testing.T) {
	ours, theirs := net.Pipe()
	w := newWriter(ours)
	for range 3 {
		w.pong()
		if frame, err := ReadFrame(theirs, MaxFrameBytes); err != nil || frame.Type != FramePong {
			t.Fatal(frame, err)
		}
	}
	within(t, "closeWrite", w.closeWrite)
	w.pong() // after the end: nobody waits for it
	_ = ours.Close()
}

// A gateway that reads a large answer slowly is told of changes all the same; one that does not read at all is cut off.
func TestWhoDoesNotReadIsCutOffAndHoldsNobodyUp(t *testing.T) {
	ours, theirs := net.Pipe()
	w := newWriter(ours)
	w.payload(FrameResponse, 1, Response{}, make([]byte, 6<<20))
	state := State{Claim: &Claim{VersionUID: "v"}, Busy: []string{}}
	isCut := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.broken
	}
	w.offer(FrameState, 0, state)
	if isCut() {
		t.Fatal("a single STATE cuts a slow gateway off")
	}
	within(t, "STATE", func() {
		for range 100_000 {
			w.offer(FrameState, 0, state)
		}
	})
	if !isCut() {
		t.Fatal("there is no bound")
	}
	within(t, "the socket's end", func() {
		for {
			if _, err := theirs.Read(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	within(t, "closeWrite", w.closeWrite)
}

func TestPiecesEndAtFrames(t *testing.T) {
	small := AppendFrame(nil, numbered(1, 100))
	large := AppendFrame(nil, numbered(2, maxPieceBytes))
	for reason, row := range map[string]struct {
		wire []byte
		want int
	}{
		"nothing":           {nil, 0},
		"short":             {small, len(small)},
		"one that is long":  {append(bytes.Clone(large), small...), len(large)},
		"small before long": {append(bytes.Clone(small), large...), len(small)},
	} {
		if got := len(pieceOf(row.wire)); got != row.want {
			t.Errorf("%s: %d, want %d", reason, got, row.want)
		}
	}
}

func TestFramesThatCanComeLaterGoBehindOthers(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	w := newWriter(near)
	if !w.ifIdle(FrameLog, Log{Stream: "s", First: 3}, []byte("lines")) {
		t.Fatal("not taken although nothing waits")
	}
	frame, err := ReadFrame(far, MaxFrameBytes)
	var head Log
	if err != nil || frame.Type != FrameLog || frame.Stream != 0 || frame.Flags != FlagEnd {
		t.Fatalf("%+v %v", frame, err)
	}
	if rest, err := SplitHead(frame.Body, &head); err != nil || head != (Log{Stream: "s", First: 3}) || string(rest) != "lines" {
		t.Fatalf("%+v %q %v", head, rest, err)
	}
	w = newWriter(near)
	w.writing = true // nobody takes anything away
	for waits, want := range map[int]bool{maxBeforeIdleBytes: true, maxBeforeIdleBytes + 1: false} {
		w.waiting = make([]byte, waits)
		if w.ifIdle(FrameLog, Log{}, nil) != want {
			t.Errorf("taken behind %d bytes: not %v", waits, want)
		}
	}
	w.waiting, w.broken = nil, true
	if w.ifIdle(FrameLog, Log{}, nil) {
		t.Error("taken by a link that is broken")
	}
}
