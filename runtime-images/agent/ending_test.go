package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

var rounds = flag.Int("rounds", 20, "agents that TestEveryAgentEnds starts and ends")

// ending is one way to end an agent that runs, or is about to. It has been given a moment at random.
type ending struct {
	name string
	run  func(p *pod, gateway *testgateway.Gateway)
}

var endings = []ending{
	{"SIGTERM", func(p *pod, _ *testgateway.Gateway) { p.signal(syscall.SIGTERM) }},
	{"SIGTERM twice", func(p *pod, _ *testgateway.Gateway) { p.signal(syscall.SIGTERM); p.signal(syscall.SIGTERM) }},
	{"DRAIN", func(p *pod, gateway *testgateway.Gateway) { p.drain(gateway) }},
	{"DRAIN and SIGTERM", func(p *pod, gateway *testgateway.Gateway) { p.drain(gateway); p.signal(syscall.SIGTERM) }},
	{"SIGTERM and the runtime's crash", func(p *pod, _ *testgateway.Gateway) { p.killRuntime(); p.signal(syscall.SIGTERM) }},
	{"DRAIN and a lost link", func(p *pod, gateway *testgateway.Gateway) {
		p.drain(gateway)
		if gateway != nil {
			gateway.Close()
		}
	}},
	{"the runtime's crash", func(p *pod, _ *testgateway.Gateway) { p.killRuntime() }},
}

// lives are what an agent has gone through when its end comes. A nil gateway means that it has not been dialled.
var lives = []struct {
	name string
	run  func(t *testing.T, p *pod, random *rand.Rand) *testgateway.Gateway
}{
	{"booting", nil},
	{"warm", func(_ *testing.T, p *pod, _ *rand.Rand) *testgateway.Gateway { return p.connect(1) }},
	{"idle", func(t *testing.T, p *pod, _ *rand.Rand) *testgateway.Gateway {
		gateway := p.claim("index.print")
		call(t, gateway, "{}")
		return gateway
	}},
	{"just answered", func(t *testing.T, p *pod, _ *rand.Rand) *testgateway.Gateway {
		gateway := p.claim("index.print")
		for {
			_, _ = gateway.Invoke(requestHead(), []byte("1"))
			for frame, err := gateway.Next(); err == nil; frame, err = gateway.Next() {
				if frame.Type == link.FrameResponse {
					return gateway
				}
			}
		}
	}},
	{"claiming", func(_ *testing.T, p *pod, _ *rand.Rand) *testgateway.Gateway { return p.claim("index.echo") }},
	{"running", func(_ *testing.T, p *pod, random *rand.Rand) *testgateway.Gateway {
		names := []string{"index.sleep", "index.print", "index.dielater", "index.daemon", "index.flood", "init.exit", "init.error", "index.exit1"}
		gateway := p.claim(names[random.IntN(len(names))])
		_, _ = gateway.Invoke(requestHead(), []byte("3"))
		return gateway
	}},
	{"with an extension", func(t *testing.T, p *pod, random *rand.Rand) *testgateway.Gateway {
		modes := []string{"", "http", "stay", "crash", "init-error", "never-register", "never-next", "crash-in-invoke", "hang-in-invoke", "stuck"}
		layer := extensionsLayer(t, map[string]string{"x": modes[random.IntN(len(modes))]})
		gateway := p.connect(1)
		head := function("internal.print", func(head *link.Specialize) { head.TimeoutMs, head.InitTimeoutMs = 1500, 1500 })
		if _, err := gateway.SpecializeWithLayers(head, zipOf(t, map[string]string{"index.mjs": "code"}), layer); err != nil {
			t.Fatal(err)
		}
		_, _ = gateway.Invoke(requestHead(), []byte("3"))
		return gateway
	}},
}

func (p *pod) claim(handler string) *testgateway.Gateway {
	p.t.Helper()
	gateway := p.connect(1)
	head := function(handler, func(head *link.Specialize) { head.TimeoutMs, head.InitTimeoutMs = 1500, 1500 })
	if _, err := gateway.Specialize(head, zipOf(p.t, map[string]string{"index.mjs": "code"})); err != nil {
		p.t.Fatal(err)
	}
	return gateway
}

func (p *pod) signal(signal syscall.Signal) { _ = p.process.Process.Signal(signal) }

func (p *pod) drain(gateway *testgateway.Gateway) {
	if gateway == nil || gateway.Drain("test") != nil {
		p.signal(syscall.SIGTERM) // the agent is gone, or has no gateway yet
	}
}

// children are the processes that the agent has started.
func (p *pod) children() (pids []int) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(p.process.Process.Pid) + "/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// killRuntime ends the runtime as a crash would, if there is one.
func (p *pod) killRuntime() {
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// expectEnd waits for the agent's end. One that stays shows where its goroutines are.
func (p *pod) expectEnd(limit time.Duration) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(limit):
		p.signal(syscall.SIGQUIT)
		<-p.exited
		p.t.Errorf("the agent has not ended within %v:\n%s", limit, p.output.String())
	}
}

// Whatever an agent is doing when it is told to end, and however, its process ends: no pod stays behind.
func TestEveryAgentEnds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for n := range *rounds {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		life, end := lives[n%len(lives)], endings[random.IntN(len(endings))]
		t.Run(fmt.Sprintf("%s, %s, seed %d/%d", life.name, end.name, seed, n), func(t *testing.T) {
			t.Parallel()
			p := launchPod(t, []string{os.Args[0], "test-runtime"})
			var gateway *testgateway.Gateway
			if life.run != nil {
				p.awaitReady()
				gateway = life.run(t, p, random)
			} else if random.IntN(2) == 0 {
				p.await("a child", func() bool { return len(p.children()) > 0 || !p.running() })
			}
			time.Sleep(time.Duration(random.IntN(4)*random.IntN(4)*4) * time.Millisecond)
			end.run(p, gateway)
			if life.run == nil || end.name == "the runtime's crash" { // may have come before there was one, or be survived
				p.signal(syscall.SIGTERM)
			}
			p.expectEnd(15 * time.Second)
		})
	}
}
