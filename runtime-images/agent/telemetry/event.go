package telemetry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// schema is a version of the events. Newer ones add attributes; those of the Logs API have events of their own.
type schema int

const (
	logs2020 schema = iota // 2020-08-15
	logs2021               // 2021-03-18: with platform.runtimeDone
	events2022
	events2022b
	events2025
)

func (s schema) isLogs() bool { return s < events2022 }

// event is something to tell. record gives its type and its record in a schema; an empty type means that the schema does not have it.
type event interface {
	record(s schema) (kind string, record any)
}

// InitStart is platform.initStart.
type InitStart struct {
	InitializationType string `json:"initializationType"`
	Phase              string `json:"phase"`
	RuntimeVersion     string `json:"runtimeVersion"`
	RuntimeVersionArn  string `json:"runtimeVersionArn"`
	FunctionName       string `json:"functionName,omitempty"`
	FunctionVersion    string `json:"functionVersion,omitempty"`
	InstanceID         string `json:"instanceId,omitempty"`
	InstanceMaxMemory  int    `json:"instanceMaxMemory,omitempty"`
}

func (i InitStart) record(s schema) (string, any) {
	switch {
	case s.isLogs():
		return "", nil
	case s == events2022:
		i.FunctionName, i.FunctionVersion, i.InstanceID, i.InstanceMaxMemory = "", "", "", 0
	}
	return "platform.initStart", i
}

// InitDone is platform.initRuntimeDone.
type InitDone struct {
	InitializationType string `json:"initializationType"`
	Phase              string `json:"phase"`
	Status             string `json:"status"`
	ErrorType          string `json:"errorType,omitempty"`
}

func (i InitDone) record(s schema) (string, any) {
	switch {
	case s.isLogs():
		return "", nil
	case s == events2022:
		i.ErrorType = ""
	}
	return "platform.initRuntimeDone", i
}

// InitReport is platform.initReport.
type InitReport struct {
	InitializationType string   `json:"initializationType"`
	Phase              string   `json:"phase"`
	Status             string   `json:"status,omitempty"`
	ErrorType          string   `json:"errorType,omitempty"`
	Metrics            Duration `json:"metrics"`
}

// Duration is the only figure of some events.
type Duration struct {
	DurationMs float64 `json:"durationMs"`
}

func (i InitReport) record(s schema) (string, any) {
	switch {
	case s.isLogs():
		return "", nil
	case s < events2025:
		i.Status, i.ErrorType = "", ""
	}
	return "platform.initReport", i
}

// Tracing is where an invocation belongs in a trace.
type Tracing struct {
	SpanID string `json:"spanId"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// TracingOf reads a trace header; nil unless its trace is sampled.
func TracingOf(header string) *Tracing {
	fields := map[string]string{}
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	if fields["Root"] == "" || fields["Sampled"] != "1" {
		return nil
	}
	return &Tracing{SpanID: fields["Parent"], Type: "X-Amzn-Trace-Id", Value: header}
}

// Start is platform.start.
type Start struct {
	RequestID string   `json:"requestId"`
	Version   string   `json:"version"`
	Tracing   *Tracing `json:"tracing,omitempty"`
}

func (e Start) record(s schema) (string, any) {
	if s.isLogs() {
		e.Tracing = nil
	}
	return "platform.start", e
}

// Span is a part of an invocation's time.
type Span struct {
	Name       string  `json:"name"`
	Start      Time    `json:"start"`
	DurationMs float64 `json:"durationMs"`
}

// Time is written as events have it.
type Time time.Time

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, timeLayout), nil
}

// RuntimeDone is platform.runtimeDone.
type RuntimeDone struct {
	RequestID string           `json:"requestId"`
	Status    string           `json:"status"`
	ErrorType string           `json:"errorType,omitempty"`
	Metrics   *RuntimeDoneCost `json:"metrics,omitempty"`
	Spans     []Span           `json:"spans,omitempty"`
	Tracing   *Tracing         `json:"tracing,omitempty"`
}

// RuntimeDoneCost are its figures.
type RuntimeDoneCost struct {
	DurationMs    float64 `json:"durationMs"`
	ProducedBytes int64   `json:"producedBytes"`
}

const runtimeOverhead = "runtimeOverhead"

func (e RuntimeDone) record(s schema) (string, any) {
	switch s {
	case logs2020:
		return "", nil
	case logs2021:
		if e.Status == "error" {
			e.Status = "failure"
		}
		return "platform.runtimeDone", RuntimeDone{RequestID: e.RequestID, Status: e.Status}
	case events2022:
		e.ErrorType = ""
		e.Spans = slices.DeleteFunc(slices.Clone(e.Spans), func(span Span) bool { return span.Name == runtimeOverhead })
	}
	return "platform.runtimeDone", e
}

// Report is platform.report.
type Report struct {
	RequestID string     `json:"requestId"`
	Status    string     `json:"status,omitempty"`
	ErrorType string     `json:"errorType,omitempty"`
	Metrics   ReportCost `json:"metrics"`
	Tracing   *Tracing   `json:"tracing,omitempty"`
}

// ReportCost are its figures.
type ReportCost struct {
	DurationMs       float64  `json:"durationMs"`
	BilledDurationMs int64    `json:"billedDurationMs"`
	MemorySizeMB     int      `json:"memorySizeMB"`
	MaxMemoryUsedMB  int      `json:"maxMemoryUsedMB"`
	InitDurationMs   *float64 `json:"initDurationMs,omitempty"`
}

func (e Report) record(s schema) (string, any) {
	switch {
	case s.isLogs():
		e.Status, e.ErrorType, e.Tracing = "", "", nil
	case s == events2022:
		e.ErrorType = ""
	}
	return "platform.report", e
}

// end is platform.end, which only the Logs API has.
type end struct {
	RequestID string `json:"requestId"`
}

func (e end) record(s schema) (string, any) {
	if !s.isLogs() {
		return "", nil
	}
	return "platform.end", e
}

// fault is platform.fault, which only the Logs API has.
type fault string

func (e fault) record(s schema) (string, any) {
	if !s.isLogs() {
		return "", nil
	}
	return "platform.fault", string(e)
}

// ready is platform.extension; its record is the log's.
type ready json.RawMessage

func (e ready) record(schema) (string, any) { return "platform.extension", json.RawMessage(e) }

// subscribed is platform.telemetrySubscription.
type subscribed struct {
	Name  string   `json:"name"`
	State string   `json:"state"`
	Types []string `json:"types"`
}

func (e subscribed) record(s schema) (string, any) {
	if s.isLogs() {
		return "platform.logsSubscription", e
	}
	return "platform.telemetrySubscription", e
}

// dropped is platform.logsDropped.
type dropped struct {
	DroppedBytes   int    `json:"droppedBytes"`
	DroppedRecords int    `json:"droppedRecords"`
	Reason         string `json:"reason"`
}

func (e dropped) record(schema) (string, any) { return "platform.logsDropped", e }

// line is a line of the function's or an extension's output.
type line struct {
	kind string
	text []byte
	// json says that the line is an object if it looks like one.
	json bool
}

func (l line) record(schema) (string, any) {
	if l.json && len(l.text) > 0 && l.text[0] == '{' && json.Valid(l.text) {
		return l.kind, json.RawMessage(l.text)
	}
	return l.kind, string(l.text)
}

// encode gives an event as JSON; nil when the schema does not have it.
func encode(e event, at time.Time, s schema) []byte {
	kind, record := e.record(s)
	if kind == "" {
		return nil
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(struct { // what records are made of always can be written
		Time   Time   `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{Time(at), kind, record})
	return bytes.TrimSuffix(buffer.Bytes(), []byte{'\n'})
}
