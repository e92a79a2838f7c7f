package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kappa.dev/agent/link"
)

func TestOtherVersionsAreRefusedAndTheirInvocationsToo(t *testing.T) {
	p, first := claimed(t, function("index.count", nil))
	call(t, first, "{}")
	second := p.connect(1)
	other := function("index.echo", func(head *link.Specialize) { head.VersionUID = "version-2" })
	if _, err := second.Specialize(other, zipOf(t, map[string]string{"a": "b"})); err != nil {
		t.Fatal(err)
	}
	if result := call(t, second, `"secret"`); result.Refusal == nil || result.Refusal.Code != link.AlreadyClaimed {
		t.Fatalf("%+v", result)
	}
	again := p.connect(1)
	if _, err := again.Specialize(function("index.count", nil), zipOf(t, map[string]string{"a": "b"})); err != nil {
		t.Fatal(err)
	}
	if result := call(t, again, "{}"); string(result.Payload) != "2" {
		t.Fatalf("a repeated claim of the same version: %+v", result)
	}
}

func TestInvokeOnAGenericPodIsRefused(t *testing.T) {
	p := startPod(t)
	if result := call(t, p.connect(1), "{}"); result.Refusal == nil || result.Refusal.Code != link.NotClaimed {
		t.Fatalf("%+v", result)
	}
}

func TestBadCodeLeavesAGenericPod(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	wrong := function("index.echo", func(head *link.Specialize) { head.CodeSha256 = strings.Repeat("0", 64) })
	if _, err := gateway.Specialize(wrong, zipOf(t, map[string]string{"index.mjs": "x"})); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); result.Refusal == nil || result.Refusal.Code != link.BadCode {
		t.Fatalf("%+v", result)
	}
	slip := zipOf(t, map[string]string{"../slip": "x"})
	if _, err := gateway.Specialize(function("index.echo", nil), slip); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); result.Refusal == nil || result.Refusal.Code != link.BadCode {
		t.Fatalf("%+v", result)
	}
	if left, err := os.ReadDir(p.task); err != nil || len(left) != 0 {
		t.Fatalf("%v %v", left, err)
	}
	if _, err := gateway.Specialize(function("index.echo", nil), zipOf(t, map[string]string{"index.mjs": "x"})); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "7"); string(result.Payload) != "7" {
		t.Fatalf("the pod is of no use any more: %+v", result)
	}
}

func TestAnInterruptedClaimIsGivenBack(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	head := function("index.echo", func(head *link.Specialize) { head.CodeBytes, head.CodeSha256 = 300000, strings.Repeat("0", 64) })
	wire, err := link.AppendPayload(nil, link.FrameSpecialize, gateway.NextStream(), head, make([]byte, 300000))
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Send(wire[:len(wire)-5]); err != nil {
		t.Fatal(err)
	}
	gateway.Close()
	other := p.connect(1)
	p.await("the claim to be free", func() bool {
		version2 := function("index.echo", func(head *link.Specialize) { head.VersionUID = "version-2" })
		if _, err := other.Specialize(version2, zipOf(t, map[string]string{"a": "b"})); err != nil {
			t.Fatal(err)
		}
		return call(t, other, "1").Refusal == nil
	})
}

func TestLargeCodeArrivesWhole(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	random := make([]byte, 3<<20)
	file, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.ReadFull(file, random); err != nil {
		t.Fatal(err)
	}
	code := zipOf(t, map[string]string{"data": string(random)})
	if _, err := gateway.Specialize(function("file.data", nil), code); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); string(result.Payload) != string(random) {
		t.Fatalf("%d bytes, %+v", len(result.Payload), result.Refusal)
	}
}

func TestALinkThatBreaksDoesNotStopWhatRuns(t *testing.T) {
	p, gateway := claimed(t, function("index.sleep", nil))
	if _, err := gateway.Invoke(requestHead(), []byte("1")); err != nil {
		t.Fatal(err)
	}
	p.await("the start", func() bool { return strings.Contains(p.output.String(), "START ") })
	gateway.Close()
	second := p.connect(1)
	if result := call(t, second, "2"); result.Refusal == nil || result.Refusal.Code != link.Busy {
		t.Fatalf("%+v", result)
	}
	p.await("the end", func() bool { return strings.Contains(p.output.String(), "REPORT ") })
	if result := call(t, second, "3"); string(result.Payload) != "3" {
		t.Fatalf("%+v", result)
	}
}

// environmentOf gives the variables that the function sees.
func environmentOf(t *testing.T, user map[string]string, extra ...string) (*pod, []string) {
	t.Helper()
	p, gateway := claimed(t, function("index.env", func(head *link.Specialize) { head.Environment = user }), extra...)
	result := call(t, gateway, "{}")
	var list []string
	if err := json.Unmarshal(result.Payload, &list); err != nil {
		t.Fatalf("%v %s", err, result.Payload)
	}
	slices.Sort(list)
	return p, list
}

func TestTheEnvironmentIsLambdas(t *testing.T) {
	user := map[string]string{"COLOUR": "blue", "LANG": "de_DE.UTF-8", "AWS_REGION": "x", "_HIDDEN": "x", "KAPPA_POD_UID": "x"}
	for reason, fresh := range map[string]map[string]string{"taken over": nil, "fresh process": {"NODE_OPTIONS": "--no-warnings"}} {
		t.Run(reason, func(t *testing.T) {
			all := map[string]string{}
			for name, value := range user {
				all[name] = value
			}
			for name, value := range fresh {
				all[name] = value
			}
			p, list := environmentOf(t, all)
			root := filepath.Dir(p.task)
			want := []string{
				"AWS_DEFAULT_REGION=eu-central-1", "AWS_EXECUTION_ENV=AWS_Lambda_nodejs24.x", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
				"AWS_LAMBDA_FUNCTION_NAME=my-function", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
				"AWS_LAMBDA_LOG_FORMAT=Text", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/my-function", "AWS_LAMBDA_LOG_STREAM_NAME=*",
				"AWS_LAMBDA_RUNTIME_API=" + p.address + ":9001", "AWS_REGION=eu-central-1", "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
				"AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000", "COLOUR=blue", "LAMBDA_RUNTIME_DIR=/var/runtime", "LAMBDA_TASK_ROOT=" + p.task,
				"LANG=de_DE.UTF-8",
				"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + p.task + ":" + p.task + "/lib:" + root + "/opt/lib",
				"NODE_PATH=" + root + "/opt/nodejs/node24/node_modules:" + root + "/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:" + p.task,
				"PATH=*", "TMPDIR=" + root + "/tmp", "TZ=:UTC", "_HANDLER=index.env",
			}
			for name, value := range fresh {
				want = append(want, name+"="+value)
			}
			slices.Sort(want)
			if got := hideVarying(list); !slices.Equal(got, want) {
				t.Fatalf("\n got %v\nwant %v", got, want)
			}
		})
	}
}

// ofProvisionedConcurrency is a claim that nobody waits for with a call.
func ofProvisionedConcurrency(head *link.Specialize) {
	head.InitializationType = link.Provisioned
}

func TestProvisionedConcurrencyIsAnsweredWhenInitHasEnded(t *testing.T) {
	for handler, initError := range map[string]string{"index.env": "", "init.error": "Runtime.ImportModuleError", "init.exit": "Runtime.ExitError"} {
		t.Run(handler, func(t *testing.T) {
			p, gateway := claimed(t, function(handler, ofProvisionedConcurrency))
			frame, err := gateway.Next()
			if err != nil || frame.Type != link.FrameSpecialized {
				t.Fatalf("%v %+v", err, frame)
			}
			var specialized link.Specialized
			if err := json.Unmarshal(frame.Body, &specialized); err != nil || specialized.InitError != initError {
				t.Fatalf("%v %+v", err, specialized)
			}
			if initError != "" {
				p.await("the report", func() bool { return strings.Contains(p.output.String(), "INIT_REPORT") })
			} else if !strings.Contains(string(call(t, gateway, "{}").Payload), "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency") {
				t.Fatal("the function is not told")
			}
		})
	}
}

func TestTheBootstrapKnowsWhereLayersAre(t *testing.T) {
	for reason, user := range map[string]map[string]string{"taken over": nil, "fresh process": {"NODE_OPTIONS": "--no-warnings"}} {
		p, gateway := claimed(t, function("index.opt", func(head *link.Specialize) { head.Environment = user }))
		if result := call(t, gateway, "{}"); string(result.Payload) != strconv.Quote(filepath.Join(filepath.Dir(p.task), "opt")) {
			t.Errorf("%s: %s", reason, result.Payload)
		}
	}
}

func hideVarying(list []string) []string {
	out := slices.Clone(list)
	for i, item := range out {
		for _, name := range []string{"PATH=", "AWS_LAMBDA_LOG_STREAM_NAME="} {
			if strings.HasPrefix(item, name) {
				out[i] = name + "*"
			}
		}
	}
	return out
}

func TestAWrapperScriptStartsTheRuntime(t *testing.T) {
	p := startPod(t)
	wrapper := filepath.Join(p.task, "wrapper")
	gateway := p.connect(1)
	head := function("index.env", func(head *link.Specialize) { head.Environment = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": wrapper} })
	if _, err := gateway.Specialize(head, executableZip(t, "wrapper", "#!/bin/sh\nexport WRAPPED=yes SEEN=\"$(env | grep -c ^KAPPA_)\"\nexec \"$@\"\n")); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); !strings.Contains(string(result.Payload), `"WRAPPED=yes"`) || !strings.Contains(string(result.Payload), `"SEEN=0"`) {
		t.Fatalf("%s", result.Payload)
	}
}

func TestAMissingWrapperIsAnInvalidEntrypoint(t *testing.T) {
	_, gateway := claimed(t, function("index.echo", func(head *link.Specialize) {
		head.Environment = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/nowhere"}
	}))
	result := call(t, gateway, "{}")
	if errorType, _ := errorBody(t, result.Payload); errorType != "Runtime.InvalidEntrypoint" || result.Report.Reusable {
		t.Fatalf("%s %+v", result.Payload, result.Report)
	}
}

func TestTheRuntimeGetsAllHeaders(t *testing.T) {
	_, gateway := claimed(t, function("index.headers", nil))
	head := requestHead()
	head.TraceID, head.ClientContext = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0", `{"custom":{"a":"b"}}`
	result := callWith(t, gateway, head, "{}")
	var header http.Header
	if err := json.Unmarshal(result.Payload, &header); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": head.RequestID, "Lambda-Runtime-Invoked-Function-Arn": head.InvokedFunctionArn,
		"Lambda-Runtime-Trace-Id": head.TraceID, "Lambda-Runtime-Client-Context": head.ClientContext, "Content-Type": "application/json",
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, header.Get(name), want)
		}
	}
	if len(header.Get("Lambda-Runtime-Deadline-Ms")) != 13 || len(header.Get("Lambda-Runtime-Invocation-Id")) != 32 {
		t.Errorf("%v", header)
	}
}

func TestJSONLogs(t *testing.T) {
	_, gateway := claimed(t, function("index.print", func(head *link.Specialize) { head.LogFormat, head.SystemLogLevel = "JSON", "DEBUG" }))
	result := call(t, gateway, "{}")
	var kinds []string
	for line := range strings.Lines(tailOf(t, result.Report)) {
		var entry struct{ Time, Type string }
		if json.Unmarshal([]byte(line), &entry) == nil {
			kinds = append(kinds, entry.Type)
		}
	}
	if !slices.Equal(kinds, []string{"platform.start", "platform.runtimeDone", "platform.report"}) {
		t.Fatal(kinds)
	}
}

func (p *pod) metrics() string {
	p.t.Helper()
	response, err := http.Get("http://" + p.address + ":9101/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

func TestHealth(t *testing.T) {
	p, gateway := claimed(t, function("index.echo", nil))
	call(t, gateway, "{}")
	text := p.metrics()
	if !strings.Contains(text, "kappa_agent_claimed 1\n") || !strings.Contains(text, `kappa_agent_invocations_total{status="success"} 1`) {
		t.Fatal(text)
	}
	if p.ready() != http.StatusOK {
		t.Fatal("a claimed pod is not ready")
	}
}
