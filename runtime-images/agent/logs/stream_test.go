package logs

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"kappa.dev/agent/limits"
)

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// clock is a hand-turned clock.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newTestStream() (*Stream, *clock, func() string) {
	out, c := &buffer{}, &clock{time.Unix(1700000000, 0)}
	sink := NewSink(out)
	sink.patience = time.Minute
	return NewStream(sink, c.now), c, func() string {
		sink.Flush()
		out.mu.Lock()
		defer out.mu.Unlock()
		return out.text.String()
	}
}

func TestPlatformLinesStandAlone(t *testing.T) {
	s, _, text := newTestStream()
	s.Output([]byte("a line\nhalf a"))
	s.Start("id", "$LATEST")
	s.Output([]byte(" line\n"))
	s.End(Usage{RequestID: "id", DurationMs: 1.234, BilledDurationMs: 2, MemorySizeMiB: 128, MaxMemoryMiB: 30, Status: "success"})
	want := "a line\nhalf a\nSTART RequestId: id Version: $LATEST\n line\nEND RequestId: id\n" +
		"REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n"
	if got := text(); got != want {
		t.Fatalf("\n got %q\nwant %q", got, want)
	}
}

func TestReportSaysWhatThePlatformDid(t *testing.T) {
	init := 12.5
	for suffix, usage := range map[string]Usage{
		"\tInit Duration: 12.50 ms\t\n":                    {Status: "success", InitDurationMs: &init},
		"\tStatus: timeout\n":                              {Status: "timeout", ErrorType: "Sandbox.Timedout"},
		"\tStatus: error\tError Type: Runtime.ExitError\n": {Status: "failure", ErrorType: "Runtime.ExitError"},
		"\tMax Memory Used: 0 MB\t\n":                      {Status: "error", ErrorType: "TypeError"},
	} {
		s, _, text := newTestStream()
		s.End(usage)
		if got := text(); !strings.HasSuffix(got, suffix) {
			t.Errorf("%q does not end with %q", got, suffix)
		}
	}
}

func TestLongLinesAreCut(t *testing.T) {
	s, _, text := newTestStream()
	s.Output(bytes.Repeat([]byte{'x'}, 3*limits.LogLineBytes/2))
	s.Output([]byte("end\n"))
	lines := strings.Split(text(), "\n")
	if len(lines) != 3 || len(lines[0]) != limits.LogLineBytes || !strings.HasSuffix(lines[1], "xend") {
		t.Fatalf("%d lines, the first of %d bytes", len(lines), len(lines[0]))
	}
}

func TestOutputAboveTheRateIsCountedAndDropped(t *testing.T) {
	s, c, text := newTestStream()
	block := bytes.Repeat([]byte(strings.Repeat("x", 1023)+"\n"), 1024)
	for range 20 {
		s.Output(block)
	}
	written := len(text())
	if written != limits.LogBurstBytes {
		t.Fatalf("%d bytes of a burst", written)
	}
	c.at = c.at.Add(2 * time.Second)
	s.Output([]byte("after\n"))
	rest := text()[written:]
	if want := "LOGS_DROPPED dropped 4194304 bytes: output above 1 MiB per second\nafter\n"; rest != want {
		t.Fatalf("%q, want %q", rest, want)
	}
}

func TestTheTailIsTheEnd(t *testing.T) {
	s, _, _ := newTestStream()
	s.Output([]byte("before\n"))
	tail := s.BeginTail("")
	for range 1000 {
		s.Output([]byte("some line of the function\n"))
	}
	s.Platform([]byte("the last line"))
	got := string(s.EndTail(tail))
	if len(got) != limits.LogTailBytes || !strings.HasSuffix(got, "function\nthe last line\n") {
		t.Fatalf("%d bytes: %q", len(got), got)
	}
}

func TestTheTailsOfSeveralInvocationsAreKeptApart(t *testing.T) {
	s, _, _ := newTestStream()
	a, b := s.BeginTail("id-a"), s.BeginTail("id-b")
	s.Start("id-a", "$LATEST")
	s.Start("id-b", "$LATEST")
	s.Output([]byte("0\tid-a\tINFO\tfirst\n0\tid-b\tINFO\tother\n0\tid"))
	s.Output([]byte("-a\tINFO\tsecond\nnobody's\n"))
	s.End(Usage{RequestID: "id-b", Status: "success"})
	if got, want := string(s.EndTail(b)), "START RequestId: id-b Version: $LATEST\n0\tid-b\tINFO\tother\nEND RequestId: id-b\nREPORT RequestId: id-b\t"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s.Output([]byte("0\tid-b\tINFO\tlate\n"))
	if got, want := string(s.EndTail(a)), "START RequestId: id-a Version: $LATEST\n0\tid-a\tINFO\tfirst\n0\tid-a\tINFO\tsecond\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSONLinesAreJSON(t *testing.T) {
	s, _, text := newTestStream()
	s.UseJSON(Levels{System: "DEBUG"})
	init := 1.5
	s.InitStart(Init{"provisioned-concurrency", "nodejs:24.v1", "arn", "f", "$LATEST"})
	s.InitDone(InitDone{"on-demand", "init", 3, "error", "Runtime.ExitError"})
	s.Start("id", "1")
	s.End(Usage{RequestID: "id", Status: "failure", ErrorType: "Runtime.ExitError", InitDurationMs: &init})
	count := 0
	for line := range strings.Lines(text()) {
		var entry struct {
			Time, Type string
			Record     map[string]any
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Time != "2023-11-14T22:13:20.000Z" || len(entry.Record) == 0 {
			t.Errorf("%v: %s", err, line)
		}
		count++
	}
	if count != 6 {
		t.Fatalf("%d lines", count)
	}
}

// stuckWriter never takes anything, like a reader that has stopped reading.
type stuckWriter struct{ release chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) {
	<-w.release
	return len(p), nil
}

func TestAStuckReaderDoesNotBlockForEver(t *testing.T) {
	stuck := stuckWriter{make(chan struct{})}
	defer close(stuck.release)
	s := NewStream(NewSink(stuck), time.Now)
	done := make(chan struct{})
	go func() {
		defer close(done)
		block := make([]byte, 64<<10)
		for range 100 {
			s.Output(block)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("blocked")
	}
}

func TestDrainReadsWhatWasWritten(t *testing.T) {
	s, _, text := newTestStream()
	capture, writer, err := NewCapture(s)
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	for n := range 100 {
		line := strings.Repeat("x", n) + "\n"
		if _, err := writer.WriteString(line); err != nil {
			t.Fatal(err)
		}
		capture.Drain()
		if !strings.HasSuffix(text(), line) {
			t.Fatalf("line %d is not there", n)
		}
	}
	_ = writer.Close()
}

func TestCloseEndsEvenWithAWriterLeft(t *testing.T) {
	s, _, _ := newTestStream()
	for range 2000 { // the writer's end comes at any moment of Close
		capture, writer, err := NewCapture(s)
		if err != nil {
			t.Fatal(err)
		}
		go func(w *os.File) { _, _ = w.WriteString("late\n"); _ = w.Close() }(writer)
		capture.Close()
	}
}
