package telemetry

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func quietHub() *Hub {
	return NewHub(Settings{
		Host: "127.0.0.1", Now: func() time.Time { return time.UnixMilli(1700000000123) }, After: func(time.Duration, func()) {},
		Listen: func(func([]byte)) {}, Subscribed: func(string, string, []string) {},
	})
}

const good = `{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/x"}}`

// with is the good request with a part replaced.
func with(old, new string) string { return strings.Replace(good, old, new, 1) }

func TestSubscriptionsAreChecked(t *testing.T) {
	buffering := func(text string) string {
		return strings.TrimSuffix(good, "}") + `,"buffering":{` + text + `}}`
	}
	const validation = "Telemetry.ValidationError"
	rows := []struct {
		reason, body    string
		status          int
		errorType, text string
	}{
		{"all", good, 200, "", ""},
		{"the oldest schema", with("2022-12-13", "2022-07-01"), 200, "", ""},
		{"the newest schema", with("2022-12-13", "2025-01-29"), 200, "", ""},
		{"TCP", with(`"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/x"`, `"protocol":"TCP","port":8080`), 200, "", ""},
		{"the short name", with("sandbox.localdomain", "sandbox"), 200, "", ""},
		{"every bound at its lowest", buffering(`"maxItems":1000,"maxBytes":262144,"timeoutMs":25`), 200, "", ""},
		{"every bound at its highest", buffering(`"maxItems":10000,"maxBytes":1048576,"timeoutMs":30000`), 200, "", ""},
		{"no JSON", "{", 400, validation, "failed to parse JSON: unexpected end of JSON input"},
		{"nothing", "{}", 400, validation, "schemaVersion is not supported; types should not be empty; destination is not provided"},
		{"an unknown schema", with("2022-12-13", "2022-12-14"), 400, validation, "schemaVersion is not supported"},
		{"no types", with(`["platform"]`, "[]"), 400, validation, "types should not be empty"},
		{"an unknown type", with("platform", "metrics"), 400, validation, "types has an unknown value"},
		{"an unknown protocol", with("HTTP", "UDP"), 400, validation, "destination protocol should be HTTP or TCP"},
		{"no URI", with(`"http://sandbox.localdomain:8080/x"`, `""`), 400, validation, "URI is not provided"},
		{"no port", with(":8080", ""), 400, validation, "URI port is not provided"},
		{"another host", with("sandbox.localdomain", "example.com"), 400, validation, "URI host should be sandbox.localdomain"},
		{"the loopback's name", with("sandbox.localdomain", "localhost"), 400, validation, "URI host should be sandbox.localdomain"},
		{"https", with("http:", "https:"), 400, validation, "URI should be an http address"},
		{"a name and password", with("sandbox", "a:b@sandbox"), 400, validation, "URI should be an http address"},
		{"the Runtime API's port", with("8080", "9001"), 400, validation, "port 9001 is reserved"},
		{"a port too high", with("8080", "65536"), 400, validation, "port should be between 1 and 65535"},
		{"TCP without a port", with(`"protocol":"HTTP"`, `"protocol":"TCP"`), 400, validation, "port is not provided"},
		{"maxItems too low", buffering(`"maxItems":999`), 400, validation, "maxItems should be between 1000 and 10000"},
		{"maxItems too high", buffering(`"maxItems":10001`), 400, validation, "maxItems should be between 1000 and 10000"},
		{"maxBytes too low", buffering(`"maxBytes":262143`), 400, validation, "maxBytes should be between 262144 and 1048576"},
		{"maxBytes too high", buffering(`"maxBytes":1048577`), 400, validation, "maxBytes should be between 262144 and 1048576"},
		{"timeoutMs too low", buffering(`"timeoutMs":24`), 400, validation, "timeoutMs should be between 25 and 30000"},
		{"timeoutMs too high", buffering(`"timeoutMs":30001`), 400, validation, "timeoutMs should be between 25 and 30000"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			h := quietHub()
			defer h.End()
			checkAnswer(t, h, TelemetryAPI, row.body, row.status, row.errorType, row.text)
		})
	}
}

func checkAnswer(t *testing.T, h *Hub, api *API, body string, status int, errorType, text string) {
	t.Helper()
	gotStatus, answer := h.Subscribe(api, "x", []byte(body))
	if gotStatus != status {
		t.Fatalf("%d %v", gotStatus, answer)
	}
	if status == http.StatusOK {
		if answer != "OK" {
			t.Fatal(answer)
		}
		return
	}
	if refused, ok := answer.(refusal); !ok || refused.ErrorType != errorType || refused.ErrorMessage != text {
		t.Fatalf("%+v", answer)
	}
}

func TestTheOlderLogsAPI(t *testing.T) {
	h := quietHub()
	defer h.End()
	const logs = `{"types":["function"],"destination":{"protocol":"HTTP","URI":"http://sandbox:8080","method":"PUT"}}`
	checkAnswer(t, h, LogsAPI, strings.Replace(logs, "PUT", "GET", 1), 400, "Logs.ValidationError", "destination method should be PUT or POST")
	checkAnswer(t, h, LogsAPI, strings.Replace(logs, ":8080", "", 1), 400, "Logs.ValidationError", "URI port is not provided")
	checkAnswer(t, h, LogsAPI, good, 400, "Logs.ValidationError", "schemaVersion is not supported")
	checkAnswer(t, h, LogsAPI, logs, 200, "", "")
	checkAnswer(t, h, TelemetryAPI, good, 400, "Telemetry.ValidationError", "the extension has subscribed by the Logs API")
	if s := h.subscribers[0].sink; s.method != "PUT" || s.schema != logs2020 {
		t.Errorf("%+v", s.subscription)
	}
}

func TestASubscriptionMayBeRepeatedAndChanged(t *testing.T) {
	h := quietHub()
	defer h.End()
	checkAnswer(t, h, TelemetryAPI, good, 200, "", "")
	first := h.subscribers[0]
	checkAnswer(t, h, TelemetryAPI, good, 200, "", "")
	if len(h.subscribers) != 1 || h.subscribers[0] != first {
		t.Fatal("it is subscribed twice")
	}
	checkAnswer(t, h, TelemetryAPI, with("8080", "8081"), 200, "", "")
	if len(h.subscribers) != 1 || h.subscribers[0].sink.port != "8081" {
		t.Fatal("the change is not taken")
	}
}

func TestASubscriptionMayNotBeChangedForEver(t *testing.T) {
	h := quietHub()
	defer h.End()
	var before []*subscriber
	for n := range maxSubscriptions {
		checkAnswer(t, h, TelemetryAPI, with("8080", strconv.Itoa(8080+n)), 200, "", "")
		s := h.subscribers[0]
		if len(s.pending) == 0 {
			t.Fatal("it hears nothing")
		}
		before = append(before, s)
	}
	for _, s := range before[:maxSubscriptions-1] {
		if s.pending != nil || s.full != nil {
			t.Fatal("what a subscription before has not sent is kept")
		}
	}
	checkAnswer(t, h, TelemetryAPI, good, 400, "Telemetry.ValidationError", "the extension has subscribed too often")
	if h.subscribers[0] != before[maxSubscriptions-1] {
		t.Fatal("the last one does not stand")
	}
}

func TestAfterInitThereAreNoNewSubscriptions(t *testing.T) {
	h := quietHub()
	if h.Close() {
		t.Fatal("it is used")
	}
	checkAnswer(t, h, TelemetryAPI, good, 403, "Telemetry.SubscriptionClosed", "Telemetry API subscription is closed")
	checkAnswer(t, h, LogsAPI, good, 403, "Logs.SubscriptionClosed", "Logs API subscription is closed already")
}

func TestEventsBySchema(t *testing.T) {
	failed := RuntimeDone{
		RequestID: "id", Status: "failure", ErrorType: "Runtime.ExitError", Metrics: &RuntimeDoneCost{1.5, 7},
		Spans: []Span{{"responseLatency", Time(time.UnixMilli(0)), 1}, {"runtimeOverhead", Time(time.UnixMilli(0)), 2}},
	}
	report := InitReport{InitializationType: "on-demand", Phase: "init", Status: "error", ErrorType: "A", Metrics: Duration{2}}
	rows := []struct {
		reason string
		event  event
		schema schema
		want   string
	}{
		{"runtimeDone is new in 2021", failed, logs2020, ``},
		{"and has no figures there", failed, logs2021, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.runtimeDone","record":{"requestId":"id","status":"failure"}}`},
		{"spans", failed, events2022, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.runtimeDone","record":{"requestId":"id","status":"failure","metrics":{"durationMs":1.5,"producedBytes":7},"spans":[{"name":"responseLatency","start":"1970-01-01T00:00:00.000Z","durationMs":1}]}}`},
		{"error types", failed, events2022b, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.runtimeDone","record":{"requestId":"id","status":"failure","errorType":"Runtime.ExitError","metrics":{"durationMs":1.5,"producedBytes":7},"spans":[{"name":"responseLatency","start":"1970-01-01T00:00:00.000Z","durationMs":1},{"name":"runtimeOverhead","start":"1970-01-01T00:00:00.000Z","durationMs":2}]}}`},
		{"initReport without a status", report, events2022b, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","metrics":{"durationMs":2}}}`},
		{"and with one", report, events2025, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"error","errorType":"A","metrics":{"durationMs":2}}}`},
		{"no init in the Logs API", report, logs2021, ``},
		{"end is the Logs API's", end{"id"}, logs2020, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.end","record":{"requestId":"id"}}`},
		{"only", end{"id"}, events2025, ``},
		{"a fault", fault("text"), logs2020, `{"time":"2023-11-14T22:13:20.123Z","type":"platform.fault","record":"text"}`},
		{"a line", line{function, []byte("<é\xff>"), false}, events2025, `{"time":"2023-11-14T22:13:20.123Z","type":"function","record":"<é�>"}`},
		{"an object", line{function, []byte(`{"a":"<"}`), true}, events2025, `{"time":"2023-11-14T22:13:20.123Z","type":"function","record":{"a":"<"}}`},
		{"an object in a text log", line{function, []byte(`{"a":1}`), false}, events2025, `{"time":"2023-11-14T22:13:20.123Z","type":"function","record":"{\"a\":1}"}`},
		{"half an object", line{extension, []byte(`{"a":`), true}, events2025, `{"time":"2023-11-14T22:13:20.123Z","type":"extension","record":"{\"a\":"}`},
	}
	for _, row := range rows {
		if got := string(encode(row.event, time.UnixMilli(1700000000123), row.schema)); got != row.want && !(row.reason == "a line" && strings.ReplaceAll(got, `\ufffd`, "�") == row.want) {
			t.Errorf("%s: %s\nwant %s", row.reason, got, row.want)
		}
	}
}

func TestTracing(t *testing.T) {
	for header, want := range map[string]bool{
		"Root=1-a;Parent=b;Sampled=1": true, "Root=1-a;Parent=b;Sampled=0": false, "Sampled=1": false, "": false, ";;==": false,
	} {
		if got := TracingOf(header); (got != nil) != want || got != nil && got.SpanID != "b" {
			t.Errorf("%q: %+v", header, got)
		}
	}
}

func FuzzSubscribe(f *testing.F) {
	f.Add(good)
	f.Add(`{"types":[null]}`)
	f.Add(`{"destination":{"protocol":"HTTP","URI":"http://[::1]:70000"},"buffering":{"maxItems":-1}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, api := range []*API{TelemetryAPI, LogsAPI} {
			wanted, err := api.parse([]byte(body))
			if err != nil {
				continue
			}
			if wanted.maxItems < minItems || wanted.maxBytes < minBytes || wanted.timeout <= 0 || len(wanted.types) == 0 || wanted.port == "9001" {
				t.Fatalf("%+v", wanted)
			}
			if _, err := json.Marshal(wanted.types); err != nil {
				t.Fatal(err)
			}
		}
	})
}
