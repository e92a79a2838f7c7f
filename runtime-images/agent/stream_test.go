package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

// streamed is one streaming invocation as its gateway sees it.
type streamed struct {
	t       *testing.T
	gateway *testgateway.Gateway
	stream  uint32
	// head is RESPONSE's; payload all that has come; aborted is set when the answer ended before its end, and failure its error then.
	head    link.Response
	payload []byte
	aborted *link.Aborted
	failure []byte
	isDone  bool
	report  link.Report
}

// begin invokes index.stream with steps. window and limit are 256 KiB and 1 MiB when they are 0.
func begin(t *testing.T, gateway *testgateway.Gateway, window, limit int64, steps ...string) *streamed {
	t.Helper()
	head := requestHead()
	if window == 0 {
		window = link.StreamWindowBytes
	}
	if limit == 0 {
		limit = 1 << 20
	}
	head.Stream = &link.Streaming{WindowBytes: window, MaxBytes: limit}
	event, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := gateway.Invoke(head, event)
	if err != nil {
		t.Fatal(err)
	}
	return &streamed{t: t, gateway: gateway, stream: stream}
}

// step reads one frame of the invocation and gives its type.
func (s *streamed) step() byte {
	s.t.Helper()
	for {
		frame, err := s.gateway.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if frame.Stream == s.stream {
			s.take(frame)
			return frame.Type
		}
	}
}

func (s *streamed) take(frame link.Frame) {
	s.t.Helper()
	var err error
	switch frame.Type {
	case link.FrameResponse:
		var rest []byte
		rest, err = link.SplitHead(frame.Body, &s.head)
		s.payload = append(s.payload, rest...)
		s.isDone = frame.Flags&link.FlagEnd != 0
	case link.FrameData:
		s.payload = append(s.payload, frame.Body...)
		s.isDone = frame.Flags&link.FlagEnd != 0
	case link.FrameAborted:
		s.aborted = &link.Aborted{}
		s.failure, err = link.SplitHead(frame.Body, s.aborted)
	case link.FrameReport:
		err = json.Unmarshal(frame.Body, &s.report)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// rest reads until REPORT.
func (s *streamed) rest() {
	s.t.Helper()
	for s.step() != link.FrameReport {
	}
}

// until reads until as many bytes are there.
func (s *streamed) until(size int) {
	s.t.Helper()
	for len(s.payload) < size {
		s.step()
	}
}

func (s *streamed) credit(size int64) {
	s.t.Helper()
	if err := s.gateway.Credit(s.stream, size); err != nil {
		s.t.Fatal(err)
	}
}

func streaming(t *testing.T, change func(*link.Specialize)) (*pod, *testgateway.Gateway) {
	t.Helper()
	return claimed(t, function("index.stream", change))
}

func TestAPieceArrivesBeforeTheNextOneIsWritten(t *testing.T) {
	_, gateway := streaming(t, nil)
	goOn := filepath.Join(t.TempDir(), "go-on")
	s := begin(t, gateway, 0, 0, "type text/plain", "write first", "wait "+goOn, "write , second")
	s.until(len("first"))
	if string(s.payload) != "first" || !s.head.Streamed || s.head.ContentType != "text/plain" {
		t.Fatalf("%q %+v", s.payload, s.head)
	}
	if err := os.WriteFile(goOn, []byte("1"), 0o644); err != nil { // only now may the function write on
		t.Fatal(err)
	}
	s.rest()
	if string(s.payload) != "first, second" || !s.isDone || s.report.Status != "success" || !s.report.Reusable {
		t.Fatalf("%q %+v", s.payload, s.report)
	}
	again := begin(t, gateway, 0, 0, "write again")
	again.rest()
	if string(again.payload) != "again" {
		t.Fatalf("%q", again.payload)
	}
}

func TestNoMoreIsSentThanTheGatewayHasAllowed(t *testing.T) {
	_, gateway := streaming(t, nil)
	const size = 500_000
	s := begin(t, gateway, 1000, 0, fmt.Sprintf("repeat %d", size))
	for allowed := 1000; len(s.payload) < size; {
		s.step()
		if len(s.payload) > allowed {
			t.Fatalf("%d bytes, %d were allowed", len(s.payload), allowed)
		}
		if len(s.payload) == allowed {
			allowed += 70_000
			s.credit(70_000)
		}
	}
	s.rest()
	if len(s.payload) != size || !s.isDone {
		t.Fatalf("%d bytes", len(s.payload))
	}
}

func TestASlowCallerSlowsTheFunction(t *testing.T) {
	_, gateway := streaming(t, nil)
	written := filepath.Join(t.TempDir(), "written")
	const size = 32 << 20 // more than all kernel buffers on the way hold
	s := begin(t, gateway, 1000, 64<<20, fmt.Sprintf("repeat %d", size), "mark "+written)
	s.until(1000)
	for range 3 { // the agent is alive, and no byte more comes
		if err := gateway.Send(link.AppendFrame(nil, link.Frame{Type: link.FramePing, Flags: link.FlagEnd})); err != nil {
			t.Fatal(err)
		}
		if frame, err := gateway.Next(); err != nil || frame.Type != link.FramePong {
			t.Fatalf("%v %v", frame.Type, err)
		}
	}
	if _, err := os.Stat(written); err == nil {
		t.Fatal("the function has written everything although nobody has read it")
	}
	s.credit(size)
	s.rest()
	if len(s.payload) != size || !s.isDone {
		t.Fatalf("%d bytes", len(s.payload))
	}
}

func TestHowAStreamedAnswerEnds(t *testing.T) {
	const sized = "Response payload size exceeded maximum allowed payload size (1048576 bytes)."
	rows := []struct {
		reason string
		steps  []string
		// errorType and message are those of ABORTED, or of a whole error when nothing was written; empty = it is complete.
		errorType, message string
		status             string
	}{
		{"its end", []string{"write a"}, "", "", "success"},
		{"nothing written", []string{"type text/plain"}, "", "", "success"},
		{"an error at the end", []string{"write a", "fail Function.Broken"}, "Function.Broken", "boom", "error"},
		{"an error before the first byte", []string{"fail Function.Broken"}, "Function.Broken", "boom", "error"},
		{"too large", []string{"write a", "repeat 1048576"}, "Function.ResponseSizeTooLarge", sized, "error"},
		{"exit", []string{"write a", "wait", "exit"}, "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 5", "failure"},
		{"exit before the first byte", []string{"exit"}, "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 5", "failure"},
		{"time-out", []string{"write a", "wait", "hang"}, "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds", "timeout"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			_, gateway := streaming(t, func(head *link.Specialize) { head.TimeoutMs = 1000 })
			seen := filepath.Join(t.TempDir(), "seen")
			s := begin(t, gateway, 2<<20, 0, strings.Split(strings.ReplaceAll(strings.Join(row.steps, "|"), "wait", "wait "+seen), "|")...)
			if row.steps[0] == "write a" {
				s.until(1)
			}
			if err := os.WriteFile(seen, []byte("1"), 0o644); err != nil {
				t.Fatal(err)
			}
			s.rest()
			if s.report.Status != row.status || !s.report.Reusable || s.report.ErrorType != row.errorType {
				t.Errorf("%+v", s.report)
			}
			isAborted := row.errorType != "" && row.steps[0] == "write a"
			if isAborted != (s.aborted != nil) || isAborted == s.isDone || s.head.Streamed == (row.errorType != "" && !isAborted) {
				t.Errorf("done %v, aborted %v, %+v", s.isDone, s.aborted, s.head)
			}
			if row.errorType != "" {
				body := s.failure
				if s.aborted == nil {
					body = s.payload
				}
				errorType, message := errorBody(t, body)
				want := strings.ReplaceAll(row.message, "ID Error", s.report.RequestID+" Error")
				if errorType != row.errorType || want != "" && message != want {
					t.Errorf("%s", body)
				}
			}
		})
	}
}

func TestARuntimeThatBreaksOffItsAnswerGoesOn(t *testing.T) {
	_, gateway := streaming(t, nil)
	dir := t.TempDir()
	breakOff, goOn := filepath.Join(dir, "break-off"), filepath.Join(dir, "go-on")
	s := begin(t, gateway, 0, 0, "write a", "wait "+breakOff, "break", "wait "+goOn)
	s.until(1)
	for _, file := range []string{breakOff, goOn} {
		if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
		if file == breakOff && s.step() != link.FrameAborted {
			t.Fatal("no ABORTED")
		}
	}
	s.rest()
	if s.aborted.ErrorType != "Runtime.TruncatedResponse" || s.isDone || !s.report.Reusable {
		t.Fatalf("%+v %s", s.report, s.failure)
	}
}

func TestACallerThatGoesAwayDoesNotStopTheFunction(t *testing.T) {
	_, gateway := streaming(t, nil)
	s := begin(t, gateway, 10, 0, "repeat 500000", "write end")
	s.until(10)
	if err := gateway.Send(link.AppendFrame(nil, link.Frame{Type: link.FrameCancel, Flags: link.FlagEnd, Stream: s.stream})); err != nil {
		t.Fatal(err)
	}
	s.rest()
	if len(s.payload) != 10 || s.aborted != nil || s.isDone || s.report.Status != "success" {
		t.Fatalf("%d bytes %v %+v", len(s.payload), s.aborted, s.report)
	}
}

func TestALostLinkDoesNotStopTheFunction(t *testing.T) {
	p, gateway := streaming(t, nil)
	s := begin(t, gateway, 10, 0, "repeat 500000")
	s.until(10)
	gateway.Close()
	p.await("the report", func() bool { return strings.Contains(p.output.String(), "\nREPORT RequestId: ") })
	if !strings.Contains(p.output.String(), "streamed: 202") {
		t.Fatal("the function's answer was not taken")
	}
}

func TestAStreamIsCollectedForWhoWantsItWhole(t *testing.T) {
	_, gateway := streaming(t, nil)
	result := call(t, gateway, `["type text/plain", "write a", "repeat 300000"]`)
	want := append([]byte("a"), bytes.Repeat([]byte{'x'}, 300_000)...)
	if !bytes.Equal(result.Payload, want) || result.Response.Streamed || result.Response.ContentType != "text/plain" {
		t.Fatalf("%d bytes %+v", len(result.Payload), result.Response)
	}
	tooLarge := call(t, gateway, `["repeat 6291557"]`)
	if tooLarge.Response.ErrorType != "Function.ResponseSizeTooLarge" {
		t.Fatalf("%+v", tooLarge.Response)
	}
}

func TestAnAnswerWithoutAStreamComesWhole(t *testing.T) {
	_, gateway := claimed(t, function("index.echo", nil))
	s := begin(t, gateway, 10, 10, "longer than the window")
	s.rest()
	if s.head.Streamed || !s.isDone || string(s.payload) != `["longer than the window"]` {
		t.Fatalf("%+v %q", s.head, s.payload)
	}
}
