package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

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

// launchPod starts an agent and does not wait for it. Without a command the function brings its runtime.
func launchPod(t *testing.T, command []string, extra ...string) *pod {
	t.Helper()
	dir := t.TempDir()
	var arguments []string
	if len(command) > 0 {
		arguments = append([]string{"--"}, command...)
	}
	p := newPod(t, exec.Command(os.Args[0], arguments...), filepath.Join(dir, "task"))
	p.launch(append([]string{
		"KAPPA_TASK_DIR=" + p.task, "KAPPA_OPT_DIR=" + filepath.Join(dir, "opt"), "KAPPA_TMP_DIR=" + filepath.Join(dir, "tmp"),
	}, extra...)...)
	return p
}

// newPod prepares a pod whose agent process starts.
func newPod(t *testing.T, process *exec.Cmd, task string) *pod {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	ip := freeAddress(t)
	process.Env = []string{
		roleName + "=agent", "PATH=" + os.Getenv("PATH"), "KAPPA_POD_UID=" + podUID, "KAPPA_POD_IP=" + ip,
		"KAPPA_RUNTIME_API=" + ip + ":9001", "KAPPA_RUNTIME=nodejs24.x", "KAPPA_REGION=eu-central-1",
		"KAPPA_GATEWAY_PUBLIC_KEY=" + base64.StdEncoding.EncodeToString(der),
		"KAPPA_FRESH_PROCESS=NODE_*,TZ,AWS_LAMBDA_EXEC_WRAPPER",
	}
	return &pod{t: t, address: ip, task: task, key: private, process: process, output: &lockedBuffer{}, exited: make(chan struct{})}
}

// launch starts the process; extra are further NAME=value settings.
func (p *pod) launch(extra ...string) {
	p.t.Helper()
	p.process.Env = append(p.process.Env, extra...)
	p.process.Stdout, p.process.Stderr = p.output, p.output
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { _ = p.process.Wait(); close(p.exited) }()
	p.t.Cleanup(p.stop)
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

// connect dials and shakes hands, always as the same gateway.
func (p *pod) connect(epoch uint64) *testgateway.Gateway {
	p.t.Helper()
	return p.connectAs("gateway-0", epoch)
}

func (p *pod) connectAs(id string, epoch uint64) *testgateway.Gateway {
	p.t.Helper()
	gateway, err := testgateway.Dial(p.address + ":9100")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(gateway.Close)
	p.links = append(p.links, gateway)
	frame, err := gateway.Handshake(testgateway.Identity{PodUID: podUID, GatewayID: id, Epoch: epoch, Key: p.key})
	if err != nil || frame.Type != link.FrameWelcome {
		p.t.Fatalf("no welcome: %v %v %s", frame.Type, err, frame.Body)
	}
	return gateway
}
