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
)

// toldEvent is an event as a subscriber has got it.
type toldEvent struct {
	Time, Type string
	Record     json.RawMessage
}

// awaitEvents waits for an event of a type that has been told a number of times, and gives all that the extension has written down.
func (p *pod) awaitEvents(name, kind string, count int) (events []toldEvent) {
	p.t.Helper()
	var text []byte
	p.await(fmt.Sprintf("%d %s", count, kind), func() bool {
		text, _ = os.ReadFile(filepath.Join(filepath.Dir(p.task), "tmp", "events-"+name))
		return bytes.Count(text, []byte(`"type":"`+kind+`"`)) >= count && bytes.HasSuffix(text, []byte{'\n'})
	})
	for line := range bytes.Lines(text) {
		var event toldEvent
		if err := json.Unmarshal(line, &event); err != nil {
			p.t.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}

// kinds are the types of events, with the text of lines.
func kinds(events []toldEvent) []string {
	var list []string
	for _, event := range events {
		kind := event.Type
		var text string
		if json.Unmarshal(event.Record, &text) == nil {
			kind += " " + text
		}
		list = append(list, kind)
	}
	return list
}

// only leaves out what other extensions and the extension itself print.
func only(events []toldEvent, kind func(string) bool) []toldEvent {
	var kept []toldEvent
	for _, event := range events {
		if kind(event.Type) {
			kept = append(kept, event)
		}
	}
	return kept
}

// inAnyCase leaves out what comes at any time during init.
func inAnyCase(kind string) bool {
	return kind != "extension" && !strings.HasSuffix(kind, "Subscription")
}

// recordOf gives the first record of a type with its times and figures replaced.
func recordOf(t *testing.T, events []toldEvent, kind string) map[string]any {
	t.Helper()
	for _, event := range events {
		var record map[string]any
		if event.Type == kind && json.Unmarshal(event.Record, &record) == nil {
			return record
		}
	}
	t.Fatalf("no %s in %v", kind, kinds(events))
	return nil
}

// awake lets extensions go on after a call: the tests wait for what they hear then.
func awake(head *link.Specialize) { head.Idle = link.IdleRunning }

const sampled = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

func TestTelemetryIsCompleteAndInOrder(t *testing.T) {
	for _, mode := range []string{"http", "tcp"} {
		t.Run(mode, func(t *testing.T) {
			p, gateway := extended(t, function("index.print", awake), map[string]string{"x": mode})
			head := requestHead()
			head.TraceID = sampled
			first := callWith(t, gateway, head, `{"n":1}`)
			second := call(t, gateway, `{"n":2}`)
			events := p.awaitEvents("x", "platform.report", 2)
			id, id2 := first.Report.RequestID, second.Report.RequestID
			want := []string{
				"platform.initStart", "function init index.print", "platform.initRuntimeDone", "platform.extension",
				"platform.initReport",
				"platform.start", "function hello from " + id, "platform.runtimeDone", "platform.report",
				"platform.start", "function hello from " + id2, "platform.runtimeDone", "platform.report",
			}
			if got := kinds(only(events, inAnyCase)); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			inOrder(t, strings.Join(kinds(events), "\n"), "extension <x> starts", "extension <x> registered: 200", "extension <x> done", "extension <x> done")
			checkRecords(t, events, id)
			p.awaitLog("TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform, Function, Extension]\n")
			if err := gateway.Drain("test"); err != nil {
				t.Fatal(err)
			}
			p.awaitExit(0)
		})
	}
}

func checkRecords(t *testing.T, events []toldEvent, id string) {
	t.Helper()
	start := recordOf(t, events, "platform.start")
	tracing := fmt.Sprint(map[string]any{"spanId": "53995c3f42cd8ad8", "type": "X-Amzn-Trace-Id", "value": sampled})
	if start["requestId"] != id || start["version"] != "$LATEST" || fmt.Sprint(start["tracing"]) != tracing {
		t.Errorf("%v", start)
	}
	init := recordOf(t, events, "platform.initStart")
	if init["initializationType"] != "on-demand" || init["phase"] != "init" || init["functionName"] != "my-function" || init["runtimeVersion"] != "nodejs:24.v1" {
		t.Errorf("%v", init)
	}
	if done := recordOf(t, events, "platform.initRuntimeDone"); done["status"] != "success" || done["phase"] != "init" {
		t.Errorf("%v", done)
	}
	done := recordOf(t, events, "platform.runtimeDone")
	metrics, _ := done["metrics"].(map[string]any)
	spans, _ := done["spans"].([]any)
	if done["status"] != "success" || metrics["producedBytes"] != float64(len(`{"n":1}`)) || len(spans) != 3 || fmt.Sprint(done["tracing"]) != tracing {
		t.Errorf("%v", done)
	}
	for i, name := range []string{"responseLatency", "responseDuration", "runtimeOverhead"} {
		span, _ := spans[i].(map[string]any)
		if _, isNumber := span["durationMs"].(float64); span["name"] != name || span["start"] == "" || !isNumber {
			t.Errorf("%v", span)
		}
	}
	report := recordOf(t, events, "platform.report")
	figures, _ := report["metrics"].(map[string]any)
	if report["requestId"] != id || report["status"] != "success" || figures["memorySizeMB"] != 128.0 || figures["initDurationMs"] == nil {
		t.Errorf("%v", report)
	}
	if subscription := recordOf(t, events, "platform.telemetrySubscription"); fmt.Sprint(subscription) != "map[name:x state:Subscribed types:[platform function extension]]" {
		t.Errorf("%v", subscription)
	}
	if extension := recordOf(t, events, "platform.extension"); fmt.Sprint(extension) != "map[events:[INVOKE SHUTDOWN] name:x state:Ready]" {
		t.Errorf("%v", extension)
	}
}

func TestTheLogsAPIHasItsOwnEvents(t *testing.T) {
	p, gateway := extended(t, function("index.throw", awake), map[string]string{"x": "logs"})
	call(t, gateway, "{}")
	events := p.awaitEvents("x", "platform.report", 1)
	want := "function init index.throw\nplatform.extension\nplatform.start\nplatform.runtimeDone\nplatform.end\nplatform.report"
	if got := strings.Join(kinds(only(events, inAnyCase)), "\n"); got != want {
		t.Fatal(got)
	}
	if done := recordOf(t, events, "platform.runtimeDone"); len(done) != 2 || done["status"] != "failure" {
		t.Errorf("%v", done)
	}
	p.awaitLog("LOGS\tName: x\tState: Subscribed\tTypes: [Platform, Function, Extension]\n")
}

func TestLinesOfAJSONLogAreObjects(t *testing.T) {
	p, gateway := extended(t, function("index.printjson", func(head *link.Specialize) { head.LogFormat = "JSON"; awake(head) }), map[string]string{"x": "http"})
	call(t, gateway, "{}")
	events := only(p.awaitEvents("x", "platform.report", 1), func(kind string) bool { return kind == "function" })
	if len(events) != 2 || string(events[0].Record) != `"init index.printjson"` || string(events[1].Record) != `{"level":"INFO","message":"<&>"}` {
		t.Fatalf("%s", kinds(events))
	}
}

// Whatever subscribers do, the function goes on, and the agent stays small.
func TestASubscriberThatDoesNotTakeItsEventsSlowsNothing(t *testing.T) {
	p, gateway := extended(t, function("index.flood", func(head *link.Specialize) { head.TimeoutMs = 60000; awake(head) }), map[string]string{
		"dead": "dead", "stuck": "stuck", "good": "http",
	})
	for range 2 {
		if result := call(t, gateway, "8"); string(result.Payload) != `"printed"` || result.Report.Status != "success" {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.awaitEvents("good", "platform.report", 2)
	if rss := residentKiB(t, p.process.Process.Pid); rss > 64<<10 {
		t.Fatalf("the agent holds %d KiB", rss)
	}
	p.drain(gateway)
	p.awaitExit(0)
}

func residentKiB(t *testing.T, pid int) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	_, _ = fmt.Sscan(after, &kib)
	return kib
}

func TestAFailureIsToldBeforeTheShutdown(t *testing.T) {
	p, gateway := extended(t, function("index.exit1", awake), map[string]string{"x": "http"})
	call(t, gateway, "{}")
	events := p.awaitEvents("x", "platform.runtimeDone", 1)
	if done := recordOf(t, events, "platform.runtimeDone"); done["status"] != "failure" || done["errorType"] != "Runtime.ExitError" {
		t.Fatalf("%v", done)
	}
}
