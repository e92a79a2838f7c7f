package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa.dev/agent/link"
)

// provided is a pod of an OS-only runtime.
func provided(t *testing.T) *pod { return startPodWith(t, nil, "KAPPA_RUNTIME=provided.al2023") }

func providedFunction(handler string, change func(*link.Specialize)) link.Specialize {
	head := function(handler, change)
	head.Runtime = "provided.al2023"
	return head
}

// ownRuntime is a bootstrap that becomes the test runtime; it prints its environment first.
func ownRuntime(t *testing.T) []byte {
	return executableZip(t, "bootstrap", "#!/bin/sh\nenv\nexec '"+os.Args[0]+"' test-runtime\n")
}

func TestTheFunctionsOwnBootstrapIsStartedAtTheClaim(t *testing.T) {
	p := provided(t)
	if children := p.children(); len(children) != 0 {
		t.Fatalf("a generic pod runs %v", children)
	}
	gateway := p.connect(1)
	head := providedFunction("index.count", func(head *link.Specialize) { head.Environment = map[string]string{"COLOUR": "blue"} })
	if _, err := gateway.Specialize(head, ownRuntime(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if result := call(t, gateway, "{}"); string(result.Payload) != want || result.Report.Status != "success" {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.await("the log", func() bool { return strings.Contains(p.output.String(), "REPORT ") })
	log := p.output.String()
	for _, want := range []string{"COLOUR=blue", "_HANDLER=index.count", "LAMBDA_TASK_ROOT=" + p.task, "PWD=" + p.task} {
		if !strings.Contains(log, want+"\n") {
			t.Errorf("%s is not in the environment", want)
		}
	}
	for _, name := range []string{"AWS_EXECUTION_ENV=", "KAPPA_", "/var/lang"} {
		if strings.Contains(log, name) {
			t.Errorf("%s is in the environment", name)
		}
	}
	p.killRuntime()
	p.awaitExit(0)
}

func TestABootstrapMayComeInALayer(t *testing.T) {
	p := provided(t)
	gateway := p.connect(1)
	code := zipOf(t, map[string]string{"data": "x"})
	if _, err := gateway.SpecializeWithLayers(providedFunction("index.echo", nil), code, ownRuntime(t)); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "7"); string(result.Payload) != "7" {
		t.Fatalf("%s %+v", result.Payload, result.Refusal)
	}
}

func TestABootstrapThatDoesNotRunIsReportedInLambdasWords(t *testing.T) {
	rows := []struct {
		reason    string
		zip       func(*testing.T) []byte
		errorType string
		// message follows "RequestId: ID Error: "; TASK and OPT are the pod's folders.
		message string
	}{
		{
			"there is none", func(t *testing.T) []byte { return zipOf(t, map[string]string{"main": "x"}) },
			"Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [TASK/bootstrap OPT/bootstrap]",
		},
		{
			"a folder is none", func(t *testing.T) []byte { return zipOf(t, map[string]string{"bootstrap/main": "x"}) },
			"Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [TASK/bootstrap OPT/bootstrap]",
		},
		{
			"not executable", func(t *testing.T) []byte { return zipOf(t, map[string]string{"bootstrap": "#!/bin/sh\n"}) },
			"Runtime.InvalidEntrypoint", "fork/exec TASK/bootstrap: permission denied",
		},
		{
			"no program", func(t *testing.T) []byte { return executableZip(t, "bootstrap", "neither ELF nor script") },
			"Runtime.InvalidEntrypoint", "fork/exec TASK/bootstrap: exec format error",
		},
		{
			"its interpreter is missing", func(t *testing.T) []byte { return executableZip(t, "bootstrap", "#!/no/where\n") },
			"Runtime.InvalidEntrypoint", "fork/exec TASK/bootstrap: no such file or directory",
		},
		{
			"it ends before it asks for work", func(t *testing.T) []byte { return executableZip(t, "bootstrap", "#!/bin/sh\nexit 3\n") },
			"Runtime.ExitError", "Runtime exited with error: exit status 3",
		},
		{
			"it ends well before it asks for work", func(t *testing.T) []byte { return executableZip(t, "bootstrap", "#!/bin/sh\n") },
			"Runtime.ExitError", "Runtime exited without providing a reason",
		},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			p := provided(t)
			gateway := p.connect(1)
			if _, err := gateway.Specialize(providedFunction("any", nil), row.zip(t)); err != nil {
				t.Fatal(err)
			}
			result := call(t, gateway, "{}")
			errorType, message := errorBody(t, result.Payload)
			folders := strings.NewReplacer("TASK", p.task, "OPT", filepath.Join(filepath.Dir(p.task), "opt"))
			want := "RequestId: " + result.Report.RequestID + " Error: " + folders.Replace(row.message)
			if errorType != row.errorType || message != want {
				t.Fatalf("%s %q, want %s %q", errorType, message, row.errorType, want)
			}
			if result.Report.Status != "failure" || result.Report.Reusable {
				t.Fatalf("%+v", result.Report)
			}
			p.awaitExit(0)
		})
	}
}
