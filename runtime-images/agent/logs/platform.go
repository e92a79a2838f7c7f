package logs

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Usage is what one invocation cost, for REPORT.
type Usage struct {
	RequestID        string
	DurationMs       float64
	BilledDurationMs int64
	MemorySizeMiB    int
	MaxMemoryMiB     int
	InitDurationMs   *float64
	// Status is success, error, failure or timeout.
	Status string
	// ErrorType is set unless the status is success.
	ErrorType string
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func jsonLine(now time.Time, kind string, record []byte) []byte {
	return fmt.Appendf(nil, `{"time":%q,"type":%q,"record":%s}`, now.UTC().Format(timeLayout), kind, record)
}

func (s *Stream) isJSON() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.json
}

// event writes a line of the platform in JSON, unless it is below the level that the function has asked for.
func (s *Stream) event(level, kind string, record []byte) {
	s.mu.Lock()
	isWanted := gravityOf(level) >= s.system
	s.mu.Unlock()
	if isWanted {
		s.Platform(jsonLine(s.now(), kind, record))
	}
}

// levelOf is the level of an event that says how something went; fine is the one when it went well.
func levelOf(status, fine string) string {
	if status == "success" {
		return fine
	}
	return "WARN"
}

// Init is what an init phase is about.
type Init struct {
	// Type is on-demand or provisioned-concurrency.
	Type              string
	RuntimeVersion    string
	RuntimeVersionArn string
	FunctionName      string
	FunctionVersion   string
}

// InitStart writes the line that opens the init phase.
func (s *Stream) InitStart(i Init) {
	if s.isJSON() {
		s.event("INFO", "platform.initStart", fmt.Appendf(nil,
			`{"initializationType":%q,"phase":"init","runtimeVersion":%q,"runtimeVersionArn":%q,"functionName":%q,"functionVersion":%q}`,
			i.Type, i.RuntimeVersion, i.RuntimeVersionArn, i.FunctionName, i.FunctionVersion))
		return
	}
	s.Platform(fmt.Appendf(nil, "INIT_START Runtime Version: %s\tRuntime Version ARN: %s", i.RuntimeVersion, i.RuntimeVersionArn))
}

// InitDone is how an init phase has ended.
type InitDone struct {
	// Type is as in Init, Phase init or invoke.
	Type, Phase string
	DurationMs  float64
	// Status is success, error or timeout; ErrorType may be empty.
	Status, ErrorType string
}

// InitDone writes how an init phase has ended; in a text log only when it did not succeed.
func (s *Stream) InitDone(i InitDone) {
	if s.isJSON() {
		s.initDoneJSON(i)
		return
	}
	if i.Status == "success" {
		return
	}
	line := fmt.Appendf(nil, "INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", i.DurationMs, i.Phase, i.Status)
	if i.ErrorType != "" {
		line = fmt.Appendf(line, "\tError Type: %s", i.ErrorType)
	}
	s.Platform(line)
}

// initDoneJSON writes two events. As on Lambda the second one is of interest where nobody has waited for it.
func (s *Stream) initDoneJSON(i InitDone) {
	record := fmt.Appendf(nil, `{"initializationType":%q,"phase":%q,"status":%q`, i.Type, i.Phase, i.Status)
	if i.ErrorType != "" {
		record = fmt.Appendf(record, `,"errorType":%q`, i.ErrorType)
	}
	fine := "INFO"
	if i.Type == "on-demand" {
		fine = "DEBUG"
	}
	s.event(levelOf(i.Status, "DEBUG"), "platform.initRuntimeDone", append(bytes.Clone(record), '}'))
	s.event(levelOf(i.Status, fine), "platform.initReport", fmt.Appendf(record, `,"metrics":{"durationMs":%.3f}}`, i.DurationMs))
}

// Start writes the START line.
func (s *Stream) Start(requestID, version string) {
	if s.isJSON() {
		s.event("INFO", "platform.start", fmt.Appendf(nil, `{"requestId":%q,"version":%q}`, requestID, version))
		return
	}
	s.Platform([]byte("START RequestId: " + requestID + " Version: " + version))
}

// TimedOut says in a text log that the invocation took too long; in JSON platform.report does.
func (s *Stream) TimedOut(requestID, message string) {
	if !s.isJSON() {
		s.Platform([]byte(s.now().UTC().Format(timeLayout) + " " + requestID + " " + message + "\n"))
	}
}

// Failed says in a text log why the invocation has no answer of its handler; in JSON platform.report does.
func (s *Stream) Failed(requestID, errorType, message string) {
	if !s.isJSON() {
		s.Platform([]byte("RequestId: " + requestID + " Error: " + message + "\n" + errorType))
	}
}

// End writes the END and REPORT lines.
func (s *Stream) End(u Usage) {
	if s.isJSON() {
		s.endJSON(u)
		return
	}
	s.Platform([]byte("END RequestId: " + u.RequestID))
	line := make([]byte, 0, 256)
	line = append(line, "REPORT RequestId: "+u.RequestID+"\tDuration: "...)
	line = strconv.AppendFloat(line, u.DurationMs, 'f', 2, 64)
	line = append(line, " ms\tBilled Duration: "...)
	line = strconv.AppendInt(line, u.BilledDurationMs, 10)
	line = append(line, " ms\tMemory Size: "...)
	line = strconv.AppendInt(line, int64(u.MemorySizeMiB), 10)
	line = append(line, " MB\tMax Memory Used: "...)
	line = strconv.AppendInt(line, int64(u.MaxMemoryMiB), 10)
	line = append(line, " MB\t"...)
	if u.InitDurationMs != nil {
		line = append(strconv.AppendFloat(append(line, "Init Duration: "...), *u.InitDurationMs, 'f', 2, 64), " ms\t"...)
	}
	s.Platform(append(line, u.statusText()...))
}

// statusText is only there when the platform, not the handler, ended the invocation.
func (u Usage) statusText() string {
	switch u.Status {
	case "timeout":
		return "Status: timeout"
	case "failure":
		return "Status: error\tError Type: " + u.ErrorType
	default:
		return ""
	}
}

func (s *Stream) endJSON(u Usage) {
	head := fmt.Appendf(nil, `{"requestId":%q,"status":%q`, u.RequestID, u.Status)
	if u.ErrorType != "" {
		head = fmt.Appendf(head, `,"errorType":%q`, u.ErrorType)
	}
	done := fmt.Appendf(nil, `%s,"metrics":{"durationMs":%.3f}}`, head, u.DurationMs)
	s.event(levelOf(u.Status, "DEBUG"), "platform.runtimeDone", done)
	report := fmt.Appendf(nil, `%s,"metrics":{"durationMs":%.3f,"billedDurationMs":%d,"memorySizeMB":%d,"maxMemoryUsedMB":%d`,
		head, u.DurationMs, u.BilledDurationMs, u.MemorySizeMiB, u.MaxMemoryMiB)
	if u.InitDurationMs != nil {
		report = fmt.Appendf(report, `,"initDurationMs":%.3f`, *u.InitDurationMs)
	}
	s.event(levelOf(u.Status, "INFO"), "platform.report", append(report, "}}"...))
}
