package telemetry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is an extension's server. Requests wait for room when gate is set.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	gate   chan int

	mu     sync.Mutex
	events []json.RawMessage
	sizes  []int
	// tries counts the requests.
	tries int
}

func newReceiver(t *testing.T, gate chan int) *receiver {
	r := &receiver{t: t, gate: gate}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// ServeHTTP answers with what comes from the gate: a status. A closed gate lets everything pass.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	r.tries++
	r.mu.Unlock()
	status := http.StatusOK
	if r.gate != nil {
		if given, isOpen := <-r.gate; isOpen {
			status = given
		}
	}
	if status == http.StatusOK {
		r.mu.Lock()
		defer r.mu.Unlock()
		var events []json.RawMessage
		if err := json.Unmarshal(body, &events); err != nil {
			r.t.Errorf("%v: %.80s", err, body)
		}
		r.events = append(r.events, events...)
		r.sizes = append(r.sizes, len(body))
	}
	w.WriteHeader(status)
}

func (r *receiver) port() string {
	_, port, _ := net.SplitHostPort(r.server.Listener.Addr().String())
	return port
}

// lines are the texts of the records that are lines.
func (r *receiver) lines() (lines []string, others []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, event := range r.events {
		var e struct {
			Type   string
			Record json.RawMessage
		}
		_ = json.Unmarshal(event, &e)
		var text string
		if json.Unmarshal(e.Record, &text) == nil {
			lines = append(lines, text)
			continue
		}
		others = append(others, e.Type+" "+string(e.Record))
	}
	return lines, others
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}

// alarms is a clock whose timers ring when the test says so.
type alarms struct {
	mu    sync.Mutex
	rings []func()
	after []time.Duration
}

func (a *alarms) set(d time.Duration, f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rings, a.after = append(a.rings, f), append(a.after, d)
}

func (a *alarms) ring() {
	a.mu.Lock()
	rings := a.rings
	a.rings = nil
	a.mu.Unlock()
	for _, ring := range rings {
		ring()
	}
}

// subscribedHub is a hub with one subscriber to all that happens, by the schema of 2022-07-01.
func subscribedHub(t *testing.T, r *receiver, buffering ...string) (*Hub, *alarms) {
	t.Helper()
	a := &alarms{}
	h := quietHub()
	h.After = a.set
	body := fmt.Sprintf(`{"schemaVersion":"2022-07-01","types":["platform","function","extension"],"destination":{"protocol":"HTTP","URI":"http://sandbox:%s"},"buffering":{%s}}`, r.port(), strings.Join(buffering, ","))
	if status, answer := h.Subscribe(TelemetryAPI, "x", []byte(body)); status != http.StatusOK {
		t.Fatal(answer)
	}
	t.Cleanup(h.End)
	return h, a
}

func TestABatchWaitsForItsTime(t *testing.T) {
	r := newReceiver(t, nil)
	h, a := subscribedHub(t, r)
	h.tellOutput([]byte("one\ntw"))
	h.tellOutput([]byte("o\nthree"))
	a.mu.Lock()
	if len(a.after) != 1 || a.after[0] != time.Second {
		t.Fatalf("%v", a.after)
	}
	a.mu.Unlock()
	a.ring()
	await(t, "the batch", func() bool { lines, _ := r.lines(); return len(lines) == 2 })
	h.Flush(0) // the line that has no end yet
	await(t, "the rest", func() bool { lines, _ := r.lines(); return strings.Join(lines, " ") == "one two three" })
}

func TestAFullBatchDoesNotWait(t *testing.T) {
	r := newReceiver(t, nil)
	h, _ := subscribedHub(t, r, `"maxItems":1000`)
	for n := range minItems + 1 {
		h.Line(fmt.Append(nil, n))
	}
	await(t, "the batch", func() bool { lines, _ := r.lines(); return len(lines) == minItems-1 }) // and the subscription
}

func TestWhatFindsNoRoomIsDroppedAndReported(t *testing.T) {
	gate := make(chan int)
	r := newReceiver(t, gate)
	h, _ := subscribedHub(t, r)
	line := bytes.Repeat([]byte("x"), 1000)
	const count = 3000
	for range count {
		h.Line(line)
	}
	if s := h.subscribers[0]; len(s.pending)+len(s.full) > 2*(defaultBytes+platformRoom) {
		t.Fatalf("%d bytes are kept", len(s.pending)+len(s.full))
	}
	for range 2 {
		gate <- http.StatusOK
	}
	h.tellOutput([]byte("after\n"))
	close(gate)
	var lines, others []string
	await(t, "the report", func() bool {
		h.Flush(0)
		lines, others = r.lines()
		return len(lines) > 0 && lines[len(lines)-1] == "after"
	})
	var record dropped
	for _, other := range others {
		if text, ok := strings.CutPrefix(other, "platform.logsDropped "); ok {
			var one dropped
			if err := json.Unmarshal([]byte(text), &one); err != nil {
				t.Fatal(err)
			}
			record.DroppedRecords += one.DroppedRecords
			record.DroppedBytes += one.DroppedBytes
		}
	}
	if record.DroppedRecords != count-(len(lines)-1) || record.DroppedBytes < 1000*record.DroppedRecords {
		t.Fatalf("%+v, but %d of %d lines have come", record, len(lines)-1, count)
	}
}

func TestABatchIsTriedAgain(t *testing.T) {
	gate := make(chan int, 9)
	r := newReceiver(t, gate)
	h, a := subscribedHub(t, r)
	gate <- http.StatusInternalServerError
	gate <- http.StatusServiceUnavailable
	gate <- http.StatusOK
	h.Line([]byte("one"))
	await(t, "the third try", func() bool { a.ring(); lines, _ := r.lines(); return len(lines) == 1 })
	if r.tries != 3 {
		t.Fatal(r.tries)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := a.after[len(a.after)-2:]; last[0] != firstPause || last[1] != 2*firstPause {
		t.Fatalf("%v", a.after)
	}
}

func TestTheEndDoesNotWaitForASubscriberThatHangs(t *testing.T) {
	gate := make(chan int)
	r := newReceiver(t, gate)
	defer close(gate)
	h, a := subscribedHub(t, r)
	a.ring()
	await(t, "a request", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.tries == 1 })
	flushed := make(chan struct{})
	go func() { h.Flush(time.Second); close(flushed) }()
	await(t, "the flush", func() bool {
		a.ring()
		select {
		case <-flushed:
			return true
		default:
			return false
		}
	})
	h.End()
	h.Line([]byte("nobody hears it"))
	if len(h.subscribers) != 0 {
		t.Fatal("it is there")
	}
}

func TestALateSubscriberHearsWhatHasHappened(t *testing.T) {
	r := newReceiver(t, nil)
	a := &alarms{}
	h := quietHub()
	h.After = a.set
	h.Begin(InitStart{InitializationType: "on-demand", Phase: "init"}, false)
	h.Collect()
	h.tellOutput([]byte("early\n"))
	body := fmt.Sprintf(`{"schemaVersion":"2022-07-01","types":["platform","function"],"destination":{"protocol":"HTTP","URI":"http://sandbox:%s"}}`, r.port())
	h.Subscribe(TelemetryAPI, "x", []byte(body))
	t.Cleanup(h.End)
	h.Flush(0)
	await(t, "all", func() bool {
		lines, others := r.lines()
		return len(lines) == 1 && len(others) == 2 && strings.HasPrefix(others[0], "platform.initStart") && strings.HasPrefix(others[1], "platform.telemetrySubscription")
	})
}

func TestNobodyIsToldByANilHub(t *testing.T) {
	var h *Hub
	h.Tell(Start{})
	h.Extension(nil)
}

func TestAHubThatNobodyUsesKeepsNothing(t *testing.T) {
	listens := 0
	h := quietHub()
	h.Listen = func(output func([]byte)) {
		if output != nil {
			listens++
		} else {
			listens--
		}
	}
	h.Begin(InitStart{}, false)
	if h.Close() || listens != 0 {
		t.Fatal("it listens")
	}
	h = NewHub(h.Settings)
	h.Collect()
	h.tellOutput([]byte("x\n"))
	if h.Close() || listens != 0 || h.backlog != nil {
		t.Fatal("it keeps")
	}
	if allocated := testing.AllocsPerRun(100, func() { h.tellOutput(nil) }); allocated != 0 {
		t.Fatal(allocated)
	}
}
