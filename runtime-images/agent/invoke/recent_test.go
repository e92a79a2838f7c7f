package invoke

import (
	"slices"
	"testing"
	"time"

	"kappa.dev/agent/logs"
)

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// specialised is an engine whose pod holds a function, and its clock.
func specialised(t *testing.T, peers ...*fakePeer) (*Engine, *doors) {
	t.Helper()
	e, d := newTestEngine()
	e.Log = logs.NewStream(logs.NewSink(nowhere{}), func() time.Time { return time.UnixMilli(0) })
	for _, peer := range peers {
		e.Join(peer)
	}
	if _, refusal := peers[0].claim(e, "v", 5); refusal != nil {
		t.Fatal(refusal)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logStream = "stream"
	e.collectLogs()
	return e, d
}

func takerOf(id string) *fakePeer { return &fakePeer{id: id, logs: &[]string{}} }

func TestLogsGoToTheHolder(t *testing.T) {
	a, b := takerOf("a"), takerOf("b")
	e, d := specialised(t, a, b)
	e.Log.Platform([]byte("one"))
	(<-d.alarms).ring()
	if _, refusal := b.adopt(e, 9); refusal != nil {
		t.Fatal(refusal)
	}
	e.Log.Platform([]byte("two"))
	e.closeLogs()
	if len(*a.logs) != 1 || len(*b.logs) != 1 || !slices.Equal([]string{(*a.logs)[0][:9], (*b.logs)[0][:9]}, []string{"stream 0 ", "stream 1 "}) {
		t.Fatalf("%q %q", *a.logs, *b.logs)
	}
}

func TestLogsGoToAnotherGatewayWhileTheHolderIsAwayOrOld(t *testing.T) {
	a, b := peerOf("a"), takerOf("b")
	e, d := specialised(t, a, b)
	e.Log.Platform([]byte("one"))
	(<-d.alarms).ring()
	if len(*b.logs) != 1 {
		t.Fatalf("%q", *b.logs)
	}
	e.Leave(b)
	e.Log.Platform([]byte("two"))
	(<-d.alarms).ring() // nobody takes it: the next alarm tries again
	c := takerOf("c")
	e.Join(c)
	(<-d.alarms).ring()
	if len(*c.logs) != 1 || (*c.logs)[0][:9] != "stream 1 " {
		t.Fatalf("%q", *c.logs)
	}
}

func TestNothingIsCollectedForNobody(t *testing.T) {
	e, d := specialised(t, peerOf("a"), &fakePeer{id: "old", old: true, logs: &[]string{}})
	e.Log.Platform([]byte("one"))
	if e.outbox != nil || len(d.alarms) != 0 {
		t.Fatal("it is collected")
	}
	late := takerOf("late")
	e.Join(late)
	e.Log.Platform([]byte("two"))
	(<-d.alarms).ring()
	if len(*late.logs) != 1 || (*late.logs)[0][:9] != "stream 0 " {
		t.Fatalf("%q", *late.logs)
	}
}
