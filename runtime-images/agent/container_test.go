package main

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

// inContainer makes what a container runtime makes of a pool pod: a root of its own that is read-only, writable folders where the
// pod has them, and a program that is process 1 and not root. It needs root for that. $1: the root, $2: the program.
const inContainer = `set -e
mount --bind "$1" "$1"; cd "$1"
for each in usr lib lib64 bin sbin etc; do
  if [ -L /$each ]; then cp -P /$each .; elif [ -d /$each ]; then mkdir -p $each; mount --bind /$each $each; fi
done
mkdir -p proc dev opt tmp var/task var/runtime
cp "$2" var/runtime/agent
mount -t proc proc proc; mount --bind /dev dev
for each in var/task opt tmp; do mount -t tmpfs -o mode=0777 tmpfs $each; done
mount -o remount,bind,ro .
exec chroot --userspec=65532:65532 --groups=65532 . /var/runtime/agent -- /var/runtime/agent test-runtime`

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces here")
	}
}

// startContainer starts an agent as a pool pod's process 1.
func startContainer(t *testing.T) *pod {
	t.Helper()
	needRoot(t)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	p := newPod(t, exec.Command(
		"unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inContainer, "sh", root, os.Args[0]), "/var/task")
	p.launch()
	t.Cleanup(func() { // before the pod's own cleanup; a change of user has undone --kill-child
		for _, agent := range p.children() {
			_ = syscall.Kill(agent, syscall.SIGKILL)
		}
	})
	p.awaitReady()
	return p
}

// agent is the process id of a container's process 1, as the test sees it.
func (p *pod) agent() int {
	p.t.Helper()
	children := p.children()
	if len(children) != 1 {
		p.t.Fatalf("not one agent: %v", children)
	}
	return children[0]
}

func (p *pod) claimIn(handler string) func(event string) (payload string, report link.Report) {
	p.t.Helper()
	gateway := p.connect(1)
	if _, err := gateway.Specialize(function(handler, nil), zipOf(p.t, map[string]string{"index.mjs": "code"})); err != nil {
		p.t.Fatal(err)
	}
	return func(event string) (string, link.Report) {
		result := call(p.t, gateway, event)
		return string(result.Payload), result.Report
	}
}

func TestAFunctionCannotTouchTheAgent(t *testing.T) {
	p := startContainer(t)
	invoke := p.claimIn("index.spy")
	payload, report := invoke("{}")
	var seen map[string]string
	if err := json.Unmarshal([]byte(payload), &seen); err != nil || report.Status != "success" {
		t.Fatalf("%v %s", err, payload)
	}
	for name, want := range map[string]string{
		"uid": "65532", "parent": "1", "own environment": "", "kill": "", "task": "", "tmp": "",
		"environment": "permission denied", "memory": "permission denied", "maps": "permission denied", "descriptors": "permission denied",
		"program": "permission denied", "trace": "operation not permitted", "root": "read-only", "runtime folder": "read-only",
	} {
		if got := seen[name]; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, again := invoke("{}"); again.Status != "success" { // the kill has done nothing
		t.Fatalf("%+v", again)
	}
}

func TestLayersAreReadOnlyInAContainer(t *testing.T) {
	p := startContainer(t)
	var layer bytes.Buffer
	writer := zip.NewWriter(&layer)
	for name, mode := range map[string]os.FileMode{"shared/greeting": 0o644, "shared/program": 0o755} {
		header := &zip.FileHeader{Name: name}
		header.SetMode(mode)
		file, err := writer.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.Write([]byte("#!/bin/sh\n"))
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	gateway := p.connect(1)
	code := zipOf(t, map[string]string{"index.mjs": "code"})
	if _, err := gateway.SpecializeWithLayers(function("index.spy", nil), code, layer.Bytes()); err != nil {
		t.Fatal(err)
	}
	var seen map[string]string
	if result := call(t, gateway, "{}"); json.Unmarshal(result.Payload, &seen) != nil {
		t.Fatalf("%+v", result)
	}
	for name, want := range map[string]string{"layer": "permission denied", "layer's folder": "permission denied", "layer's program": ""} {
		if got := seen[name]; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLargeCodeIsUnpackedInAContainer(t *testing.T) {
	p := startContainer(t) // /tmp, where the zip waits, and /var/task are different file systems
	text := make([]byte, 3<<20)
	if _, err := rand.Read(text); err != nil {
		t.Fatal(err)
	}
	gateway := p.connect(1)
	if _, err := gateway.Specialize(function("file.data", nil), zipOf(t, map[string]string{"data": string(text)})); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); string(result.Payload) != string(text) {
		t.Fatalf("%d bytes, %+v", len(result.Payload), result.Refusal)
	}
}

func TestProcess1ReapsOrphans(t *testing.T) {
	p := startContainer(t)
	if payload, _ := p.claimIn("index.orphans")("1"); payload != "1" {
		t.Fatal(payload)
	}
	agent := strconv.Itoa(p.agent())
	p.await("no zombie", func() bool {
		tasks, _ := filepath.Glob("/proc/" + agent + "/task/*/children")
		living := 0
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			living += len(strings.Fields(string(text)))
		}
		return living == 1 // the runtime
	})
}

// What the kubelet does when the pod is deleted.
func TestATerminatingPodFinishesWhatRuns(t *testing.T) {
	p := startContainer(t)
	gateway := p.connect(1)
	if _, err := gateway.Specialize(function("index.wait", nil), zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	stream, err := gateway.Invoke(requestHead(), []byte("1000"))
	if err != nil {
		t.Fatal(err)
	}
	p.await("the start", func() bool { return strings.Contains(p.output.String(), "START ") })
	for range 2 {
		if err := syscall.Kill(p.agent(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	p.await("unready", func() bool { return p.ready() == http.StatusServiceUnavailable })
	if result := call(t, p.connect(1), "0"); result.Refusal == nil || result.Refusal.Code != link.Draining {
		t.Fatalf("%+v", result)
	}
	if result, err := gateway.Await(stream); err != nil || string(result.Payload) != "1000" || result.Report.Status != "success" {
		t.Fatalf("%v %+v", err, result)
	}
	p.awaitExit(0)
}

// Gateways may hear of a deletion after the agent: what they send meanwhile must be known not to have run.
func TestADeletedPodSaysWhatDidNotRun(t *testing.T) {
	p := startContainer(t)
	gateway := p.connect(1)
	if _, err := gateway.Specialize(function("index.wait", nil), zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.agent(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = gateway.Invoke(requestHead(), []byte("0")) // refused on its own stream, or by the link's last word, or not even taken
	var last link.Frame
	for frame, err := gateway.Next(); err == nil; frame, err = gateway.Next() {
		last = frame
	}
	if last.Type != link.FrameError || last.Stream != 0 || !strings.Contains(string(last.Body), string(link.Draining)) {
		t.Fatalf("%+v", last)
	}
	p.awaitExit(0)
}

// memoryGroup makes a cgroup and gives its limit file; the agent moves there before anything else.
func memoryGroup(t *testing.T, limit string) (group, limitFile string) {
	t.Helper()
	needRoot(t)
	name := "kappa-agent-test-" + strconv.Itoa(os.Getpid())
	for mount, file := range map[string]string{"/sys/fs/cgroup": "memory.max", "/sys/fs/cgroup/memory": "memory.limit_in_bytes"} {
		group = filepath.Join(mount, name)
		if err := os.Mkdir(group, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(filepath.Join(mount, name)) })
		limitFile = filepath.Join(group, file)
		if _, err := os.Stat(limitFile); err != nil {
			continue // an ordinary folder, or a controller that is not passed on
		}
		if os.WriteFile(limitFile, []byte(limit), 0o644) == nil {
			return group, limitFile
		}
	}
	t.Skip("no memory controller to use here")
	return "", ""
}

// claimedInGroup starts an agent in a memory group of so many MiB, and claims it for a function of 160 MiB that takes more and more.
func claimedInGroup(t *testing.T, limitMiB int) (p *pod, gateway *testgateway.Gateway, limitFile string) {
	t.Helper()
	group, limitFile := memoryGroup(t, strconv.Itoa(limitMiB<<20))
	script := `echo $$ > "$0/cgroup.procs"; exec "$@"`
	p = newPod(t, exec.Command("sh", "-c", script, group, os.Args[0], "--", os.Args[0], "test-runtime"), "")
	dir := t.TempDir()
	p.launch("KAPPA_TASK_DIR="+filepath.Join(dir, "task"), "KAPPA_OPT_DIR="+filepath.Join(dir, "opt"), "KAPPA_TMP_DIR="+filepath.Join(dir, "tmp"))
	p.awaitReady()
	gateway = p.connect(1)
	head := function("index.memory", func(head *link.Specialize) { head.MemoryMiB = 160 })
	if _, err := gateway.Specialize(head, zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	return p, gateway, limitFile
}

func expectKilled(t *testing.T, result testgateway.Result) {
	t.Helper()
	errorType, message := errorBody(t, result.Payload)
	if errorType != "Runtime.OutOfMemory" || !strings.HasSuffix(message, "Runtime exited with error: signal: killed") {
		t.Fatal(errorType, message)
	}
	if result.Report.Reusable {
		t.Fatalf("%+v", result.Report)
	}
}

func TestAPodThatWasNotResizedHoldsItsFunctionToItsMemory(t *testing.T) {
	p, gateway, _ := claimedInGroup(t, 1024)
	result := call(t, gateway, "{}")
	expectKilled(t, result)
	if most := result.Report.MaxMemoryMiB; most < 160 || most > 400 {
		t.Fatalf("%+v", result.Report)
	}
	p.awaitExit(0)
}

// While the memory of a runtime that the kernel has just ended is not free yet, the kernel may end the agent as well, which then is all that it
// finds in the pod: about one time in thirty. Nobody can say anything of such a pod, so another one is tried.
func TestAResizedPodKnowsItsLimit(t *testing.T) {
	for try := 1; ; try++ {
		p, gateway, limitFile := claimedInGroup(t, 96)
		if metrics := p.metrics(); !strings.Contains(metrics, "kappa_agent_memory_limit_bytes 100663296\n") {
			t.Fatal(metrics)
		}
		if err := os.WriteFile(limitFile, []byte(strconv.Itoa(160<<20)), 0o644); err != nil {
			t.Fatal(err)
		}
		stream, err := gateway.Invoke(requestHead(), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		result, err := gateway.Await(stream)
		if err != nil && try < 4 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		expectKilled(t, result)
		if result.Report.MaxMemoryMiB != 160 {
			t.Fatalf("%+v", result.Report)
		}
		p.awaitExit(0)
		return
	}
}
