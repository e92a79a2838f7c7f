package main

import (
	"fmt"
	"strings"
	"testing"

	"kappa.dev/agent/link"
)

func TestAfterAFailureANewRuntimeFindsTheOldTemporaryFiles(t *testing.T) {
	for _, row := range []struct{ how, status, errorType, line string }{
		{"exit", "failure", "Runtime.ExitError", "RequestId: %[1]s Error: Runtime exited with error: exit status 1\nRuntime.ExitError\nEND RequestId: %[1]s\n"},
		{"hang", "timeout", "Sandbox.Timedout", " %[1]s Task timed out after 3.00 seconds\n\nEND RequestId: %[1]s\n"},
	} {
		t.Run(row.how, func(t *testing.T) {
			p, gateway := claimed(t, function("index.once", func(head *link.Specialize) { head.TimeoutMs = 3000 }))
			before := p.children()
			failed := call(t, gateway, `"`+row.how+`"`)
			if errorType, _ := errorBody(t, failed.Payload); errorType != row.errorType || failed.Report.Status != row.status || !failed.Report.Reusable {
				t.Fatalf("%s %+v", failed.Payload, failed.Report)
			}
			if failed.Report.MaxMemoryMiB < 1 {
				t.Fatalf("%+v", failed.Report)
			}
			if tail := tailOf(t, failed.Report); !strings.Contains(tail, fmt.Sprintf(row.line, failed.Report.RequestID)) {
				t.Fatal(tail)
			}
			for range 2 { // in the new runtime, and again in the same
				next := call(t, gateway, "{}")
				if string(next.Payload) != `"of the first"` || next.Report.Status != "success" || !next.Report.Reusable {
					t.Fatalf("%s %+v", next.Payload, next.Report)
				}
			}
			if after := p.children(); len(before) != 1 || len(after) != 1 || before[0] == after[0] {
				t.Fatalf("processes %v, then %v", before, after)
			}
			if log := p.output.String(); strings.Count(log, "init index.once") != 2 {
				t.Fatal("init did not run twice")
			}
		})
	}
}

func TestAFunctionThatDoesNotComeBackGetsAnotherPod(t *testing.T) {
	p, gateway := claimed(t, function("init.never", nil))
	if first := call(t, gateway, "{}"); !first.Report.Reusable || first.Report.Status != "failure" {
		t.Fatalf("%+v", first.Report)
	}
	second := call(t, gateway, "{}")
	if _, message := errorBody(t, second.Payload); !strings.HasSuffix(message, "exit status 3") || second.Report.Reusable {
		t.Fatalf("%s %+v", second.Payload, second.Report)
	}
	if tail := tailOf(t, second.Report); !strings.Contains(tail, "\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n") {
		t.Fatal(tail)
	}
	p.awaitExit(0)
}

func TestAPodWithoutRuntimeEndsWhenItIsDrained(t *testing.T) {
	p, gateway := claimed(t, function("index.exit1", nil))
	call(t, gateway, "{}")
	if err := gateway.Drain("test"); err != nil {
		t.Fatal(err)
	}
	p.awaitExit(0)
}
