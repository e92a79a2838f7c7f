package logs

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestLinesAboutExtensions(t *testing.T) {
	written := func(levels *Levels) string {
		s := NewStream(NewSink(io.Discard), func() time.Time { return time.UnixMilli(0) })
		if levels != nil {
			s.UseJSON(*levels)
		}
		tail := s.BeginTail("")
		s.Output([]byte("half a line"))
		s.Line([]byte("an extension's"))
		s.Extension("x", "Ready", []string{"INVOKE", "SHUTDOWN"}, "")
		s.Extension("y", "LaunchError", nil, "UnknownError")
		s.Subscribed("Telemetry", "x", []string{"Platform", "Function"})
		s.Subscribed("Logs", "x", []string{"Platform"})
		return string(s.EndTail(tail))
	}
	const lines = "half a line\nan extension's\n"
	for want, levels := range map[string]*Levels{
		lines + "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\nEXTENSION\tName: y\tState: LaunchError\tEvents: []\tError Type: UnknownError\n" +
			"TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform, Function]\nLOGS\tName: x\tState: Subscribed\tTypes: [Platform]\n": nil,
		lines + `{"time":"1970-01-01T00:00:00.000Z","type":"platform.extension","record":{"name":"x","state":"Ready","events":["INVOKE","SHUTDOWN"]}}
{"time":"1970-01-01T00:00:00.000Z","type":"platform.extension","record":{"name":"y","state":"LaunchError","events":[],"errorType":"UnknownError"}}
{"time":"1970-01-01T00:00:00.000Z","type":"platform.telemetrySubscription","record":{"name":"x","state":"Subscribed","types":["platform","function"]}}
{"time":"1970-01-01T00:00:00.000Z","type":"platform.logsSubscription","record":{"name":"x","state":"Subscribed","types":["platform"]}}
`: {},
		lines + `{"time":"1970-01-01T00:00:00.000Z","type":"platform.extension","record":{"name":"y","state":"LaunchError","events":[],"errorType":"UnknownError"}}
`: {System: "WARN"},
	} {
		if got := written(levels); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestExtensionsShareTheBoundsOfTheFunctionsOutput(t *testing.T) {
	s := NewStream(NewSink(io.Discard), func() time.Time { return time.UnixMilli(0) })
	line := []byte(strings.Repeat("x", 1<<20))
	for range 20 {
		s.Line(line)
	}
	if s.dropped == 0 {
		t.Fatal("nothing is dropped")
	}
}

func TestLinesOfAnExtension(t *testing.T) {
	var got []string
	lines := &Lines{Emit: func(line []byte) { got = append(got, string(line)) }}
	for _, piece := range []string{"a", "b\nc", "\n\nd"} {
		lines.Write([]byte(piece))
	}
	lines.Flush()
	lines.Flush()
	if strings.Join(got, "|") != "ab|c||d" {
		t.Fatalf("%q", got)
	}
}
