package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
	"kappa.dev/agent/testruntime"
)

// The test binary is also the agent and the runtime: the tests start it again with another role.
const roleName = "KAPPA_TEST_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "test-runtime" {
		testruntime.Main()
		return
	}
	if os.Getenv(roleName) == "agent" {
		main()
		return
	}
	os.Exit(m.Run())
}

// pod is one agent process with its folders.
type pod struct {
	t       *testing.T
	address string
	task    string
	key     ed25519.PrivateKey
	process *exec.Cmd
	output  *lockedBuffer
	exited  chan struct{}
	links   []*testgateway.Gateway
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const podUID = "5b1f7c1e-0000-4000-8000-000000000001"

var addresses atomic.Uint32

// freeAddress is a loopback address of its own for each pod: the ports are fixed.
func freeAddress(t *testing.T) string {
	for range 50 {
		n := addresses.Add(1)
		ip := fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%64, os.Getpid()/64%250, 2+n%250)
		if probe, err := net.Listen("tcp", ip+":9100"); err == nil {
			_ = probe.Close()
			return ip
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

// startPod starts an agent with the test runtime and waits until it is ready. extra are further NAME=value settings.
func startPod(t *testing.T, extra ...string) *pod {
	return startPodWith(t, []string{os.Args[0], "test-runtime"}, extra...)
}

func startPodWith(t *testing.T, command []string, extra ...string) *pod {
	t.Helper()
	p := launchPod(t, command, extra...)
	p.awaitReady()
	return p
}

// launchPod starts an agent and does not wait for it.
func launchPod(t *testing.T, command []string, extra ...string) *pod {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	ip, dir := freeAddress(t), t.TempDir()
	p := &pod{t: t, address: ip, task: filepath.Join(dir, "task"), key: private, output: &lockedBuffer{}, exited: make(chan struct{})}
	p.process = exec.Command(os.Args[0], append([]string{"--"}, command...)...)
	p.process.Env = append([]string{
		roleName + "=agent", "PATH=" + os.Getenv("PATH"), "KAPPA_POD_UID=" + podUID, "KAPPA_POD_IP=" + ip,
		"KAPPA_RUNTIME_API=" + ip + ":9001", "KAPPA_RUNTIME=nodejs24.x", "KAPPA_REGION=eu-central-1",
		"KAPPA_GATEWAY_PUBLIC_KEY=" + base64.StdEncoding.EncodeToString(der), "KAPPA_TASK_DIR=" + p.task,
		"KAPPA_OPT_DIR=" + filepath.Join(dir, "opt"), "KAPPA_TMP_DIR=" + filepath.Join(dir, "tmp"),
		"KAPPA_FRESH_PROCESS=NODE_*,TZ,AWS_LAMBDA_EXEC_WRAPPER",
	}, extra...)
	p.process.Stdout, p.process.Stderr = p.output, p.output
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.process.Wait(); close(p.exited) }()
	t.Cleanup(p.stop)
	return p
}

func (p *pod) awaitReady() {
	p.t.Helper()
	p.await("ready", func() bool { return p.ready() == http.StatusOK })
}

func (p *pod) stop() {
	_ = p.process.Process.Kill()
	<-p.exited
	if p.t.Failed() {
		p.t.Logf("the agent's output:\n%.6000s", p.output.String())
	}
}

// await polls until a condition holds; a test never waits for a fixed time.
func (p *pod) await(what string, holds func() bool) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	p.t.Fatalf("not in time: %s", what)
}

func (p *pod) ready() int {
	response, err := http.Get("http://" + p.address + ":9101/readyz")
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

func (p *pod) awaitExit(code int) {
	p.t.Helper()
	for _, gateway := range p.links { // the agent waits a moment for its gateways to go
		gateway.Close()
	}
	p.await("exit", func() bool { return !p.running() })
	if got := p.process.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit code %d, want %d", got, code)
	}
}

func (p *pod) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *pod) identity(epoch uint64) testgateway.Identity {
	return testgateway.Identity{PodUID: podUID, GatewayID: "gateway-0", Epoch: epoch, Key: p.key}
}

// connect dials and shakes hands.
func (p *pod) connect(epoch uint64) *testgateway.Gateway {
	p.t.Helper()
	gateway, err := testgateway.Dial(p.address + ":9100")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(gateway.Close)
	p.links = append(p.links, gateway)
	frame, err := gateway.Handshake(p.identity(epoch))
	if err != nil || frame.Type != link.FrameWelcome {
		p.t.Fatalf("no welcome: %v %v %s", frame.Type, err, frame.Body)
	}
	return gateway
}

// function is the head of SPECIALIZE for a handler; change alters it.
func function(handler string, change func(*link.Specialize)) link.Specialize {
	head := link.Specialize{
		VersionUID: "version-1", FunctionName: "my-function", FunctionNamespace: "default", Version: "$LATEST", Handler: handler,
		Runtime: "nodejs24.x", MemoryMiB: 128, TimeoutMs: 10000, InitTimeoutMs: 10000, PerInstance: 1,
		Environment: map[string]string{}, AccountID: "000000000000", Region: "eu-central-1", LogFormat: "Text",
	}
	if change != nil {
		change(&head)
	}
	return head
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for name, text := range files {
		file, err := writer.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(file, text)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func executableZip(t *testing.T, name, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	header := &zip.FileHeader{Name: name}
	header.SetMode(0o755)
	file, err := writer.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, text)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

var requests atomic.Uint32

func requestHead() link.Invoke {
	return link.Invoke{
		RequestID:          fmt.Sprintf("5b1f7c1e-0000-4000-8000-%012d", requests.Add(1)),
		InvokedFunctionArn: "arn:aws:lambda:eu-central-1:000000000000:function:my-function", Tail: true,
	}
}

// claimed starts a pod, claims it for head and gives the connection.
func claimed(t *testing.T, head link.Specialize, extra ...string) (*pod, *testgateway.Gateway) {
	t.Helper()
	p := startPod(t, extra...)
	gateway := p.connect(1)
	if _, err := gateway.Specialize(head, zipOf(t, map[string]string{"index.mjs": "code"})); err != nil {
		t.Fatal(err)
	}
	return p, gateway
}

// call makes one call and waits for its end.
func call(t *testing.T, gateway *testgateway.Gateway, event string) testgateway.Result {
	t.Helper()
	return callWith(t, gateway, requestHead(), event)
}

func callWith(t *testing.T, gateway *testgateway.Gateway, head link.Invoke, event string) testgateway.Result {
	t.Helper()
	stream, err := gateway.Invoke(head, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	result, err := gateway.Await(stream)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func tailOf(t *testing.T, report link.Report) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(report.LogTail)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func errorBody(t *testing.T, payload []byte) (errorType, message string) {
	t.Helper()
	var body struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(payload, &body); err != nil {
		t.Fatalf("%v: %s", err, payload)
	}
	return body.ErrorType, body.ErrorMessage
}

func TestAFunctionIsClaimedCalledAndCalledAgain(t *testing.T) {
	p, gateway := claimed(t, function("index.print", nil))
	first := call(t, gateway, `{"n":1}`)
	if first.Refusal != nil || string(first.Payload) != `{"n":1}` || first.Response.Kind != "response" {
		t.Fatalf("%+v %s", first, first.Payload)
	}
	if first.Report.Status != "success" || !first.Report.Reusable || first.Report.InitDurationMs == nil || first.Report.MaxMemoryMiB < 1 {
		t.Fatalf("%+v", first.Report)
	}
	tail := tailOf(t, first.Report)
	id := first.Report.RequestID
	want := "START RequestId: " + id + " Version: $LATEST\nhello from " + id + "\nEND RequestId: " + id + "\nREPORT RequestId: " + id + "\tDuration: "
	if !strings.HasPrefix(tail, want) || !strings.Contains(tail, " ms\tMemory Size: 128 MB\tMax Memory Used: ") || !strings.Contains(tail, "\tInit Duration: ") {
		t.Fatalf("tail: %q", tail)
	}
	second := call(t, gateway, `{"n":2}`)
	if string(second.Payload) != `{"n":2}` || second.Report.InitDurationMs != nil {
		t.Fatalf("%+v", second)
	}
	if !strings.Contains(p.output.String(), "INIT_START Runtime Version: nodejs:24.v1\tRuntime Version ARN: arn:aws:lambda:eu-central-1::runtime:") {
		t.Fatal("no INIT_START line")
	}
}
