package replay

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
)

// TestLogIsWrittenAsRecorded has a clock of its own: in a running pod the times, and what comes before LOG, differ from run to run.
func TestLogIsWrittenAsRecorded(t *testing.T) {
	now := time.UnixMilli(1763812800000)
	var batch logs.Batch
	outbox := logs.NewOutbox(false, func() time.Time { return now }, func(time.Duration, func()) {}, func(b logs.Batch) bool {
		batch = b
		return true
	})
	outbox.Write([]byte("START RequestId: 8f5e7c1e-0000-4000-8000-000000000001 Version: $LATEST\n"))
	now = now.Add(1234 * time.Millisecond)
	outbox.Write([]byte("zwölf\t\u2026\r\n\nthe last one"))
	outbox.Close()
	head := link.Log{Stream: "2025/11/22/[$LATEST]0123456789abcdef0123456789abcdef", First: batch.First}
	wire, err := link.AppendPayload(nil, link.FrameLog, 0, head, batch.Entries)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Make("agent", wire)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(testdata, "log.json")
	if *update {
		if err := Write(path, []Record{got}); err != nil {
			t.Fatal(err)
		}
	}
	records, err := Read(path)
	if err != nil || len(records) != 1 {
		t.Fatal(err, len(records))
	}
	if want := comparable(t, records[0]); !reflect.DeepEqual(comparable(t, got), want) {
		t.Fatalf("\n got %+v\nwant %+v", comparable(t, got), want)
	}
}
