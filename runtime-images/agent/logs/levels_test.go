package logs

import (
	"strings"
	"testing"
)

func TestLinesBelowTheLevelAreLeftOut(t *testing.T) {
	rows := []struct{ reason, level, written, want string }{
		{"less grave", "WARN", `{"level":"INFO","message":"a"}` + "\n", ""},
		{"as grave", "WARN", `{"level":"WARN"}` + "\n", `{"level":"WARN"}` + "\n"},
		{"graver", "WARN", `{"level":"fatal"}` + "\n", `{"level":"fatal"}` + "\n"},
		{"INFO is the default", "", `{"level":"DEBUG"}` + "\n" + `{"level":"INFO"}` + "\n", `{"level":"INFO"}` + "\n"},
		{"Python's names", "ERROR", `{"level":"WARNING"}` + "\n" + `{"level":"CRITICAL"}` + "\n", `{"level":"CRITICAL"}` + "\n"},
		{"text passes", "FATAL", "text\n", "text\n"},
		{"an object without a level passes", "FATAL", "{\"a\":1}\n", "{\"a\":1}\n"},
		{"a level that is a number passes", "FATAL", "{\"level\":30}\n", "{\"level\":30}\n"},
		{"what only looks like an object passes", "FATAL", "{level: INFO\n", "{level: INFO\n"},
		{"a brace in a text's middle", "FATAL", "a {\"level\":\"INFO\"}\n", "a {\"level\":\"INFO\"}\n"},
		{"text after an object", "FATAL", "{\"level\":\"INFO\"}\ntext", "text"},
	}
	for _, row := range rows {
		for _, size := range []int{1, 7, len(row.written)} { // however it is cut
			t.Run(row.reason, func(t *testing.T) {
				s, _, text := newTestStream()
				s.UseJSON(Levels{Application: row.level})
				for rest := row.written; rest != ""; {
					n := min(size, len(rest))
					s.Output([]byte(rest[:n]))
					rest = rest[n:]
				}
				if got := text(); got != row.want {
					t.Errorf("%q, want %q", got, row.want)
				}
			})
		}
	}
}

func TestALineThatWasBegunComesBeforeThePlatforms(t *testing.T) {
	s, _, text := newTestStream()
	s.UseJSON(Levels{Application: "ERROR"})
	s.Output([]byte(`{"level":"INFO`))
	s.Platform([]byte("platform"))
	s.Output([]byte("\"}\n"))
	if got := text(); got != "{\"level\":\"INFO\nplatform\n\"}\n" {
		t.Errorf("%q", got)
	}
}

func TestEventsBelowTheLevelAreLeftOut(t *testing.T) {
	rows := []struct {
		level, status, kind string
		want                string
	}{
		{"DEBUG", "success", "on-demand", "initStart initRuntimeDone initReport start runtimeDone report"},
		{"INFO", "success", "on-demand", "initStart start report"},
		{"", "success", "provisioned-concurrency", "initStart initReport start report"},
		{"WARN", "success", "on-demand", ""},
		{"WARN", "error", "on-demand", "initRuntimeDone initReport runtimeDone report"},
		{"INFO", "timeout", "on-demand", "initStart initRuntimeDone initReport start runtimeDone report"},
	}
	for _, row := range rows {
		s, _, text := newTestStream()
		s.UseJSON(Levels{System: row.level})
		s.InitStart(Init{Type: row.kind})
		s.InitDone(InitDone{Type: row.kind, Phase: "init", Status: row.status})
		s.Start("id", "1")
		s.End(Usage{RequestID: "id", Status: row.status})
		var seen []string
		for line := range strings.Lines(text()) {
			_, rest, _ := strings.Cut(line, `"type":"platform.`)
			kind, _, _ := strings.Cut(rest, `"`)
			seen = append(seen, kind)
		}
		if got := strings.Join(seen, " "); got != row.want {
			t.Errorf("%s, %s, %s: %s, want %s", row.level, row.status, row.kind, got, row.want)
		}
	}
}
