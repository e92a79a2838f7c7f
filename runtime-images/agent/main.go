// Command agent is the first process of every function pod: it starts and supervises the language runtime, serves
// Lambda's Runtime API to it, and takes claims and invocations from gateways. Usage: agent -- COMMAND [ARGUMENT…], or agent alone
// where the function brings the runtime; or agent install DIR, which copies the program there, for pods of users' images.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"kappa.dev/agent/cgroup"
	"kappa.dev/agent/config"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/health"
	"kappa.dev/agent/install"
	"kappa.dev/agent/invoke"
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
)

// version is told to gateways.
const version = "0.1.0"

// newestProtocol is the newest version of the link that is spoken, empty for all. Tests of roll-outs build an agent that is one
// version behind: -ldflags "-X main.newestProtocol=1".
var newestProtocol string

func main() {
	err := start(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "agent: %v\n", err)
		os.Exit(invoke.ExitFailed)
	}
}

// start is install, or serves the pod.
func start(args []string) error {
	if len(args) == 2 && args[0] == "install" {
		return install.Into(args[1])
	}
	cfg, err := config.Parse(args, os.Getenv)
	if err != nil {
		return err
	}
	return run(cfg)
}

// run serves the pod until it exits; it only returns when the pod cannot be started.
func run(cfg config.Config) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT) // first of all: from here on every end is an orderly one
	tune()
	if err := supervise.HideFromPeers(); err != nil {
		return fmt.Errorf("cannot hide from the function: %w", err)
	}
	supervisor, err := supervise.New()
	if err != nil {
		return err
	}
	listeners, err := listen(cfg)
	if err != nil {
		return err
	}
	sink := logs.NewSink(os.Stdout)
	api := runtimeapi.NewServer()
	newest, err := strconv.Atoi(cmp.Or(newestProtocol, "0"))
	if err != nil {
		return err
	}
	links := &link.Server{
		PodUID: cfg.PodUID, Key: cfg.GatewayKey, AgentVersion: version, NewestProtocol: newest, Random: rand.Reader,
	}
	engine := invoke.New(invoke.Settings{
		Pod: podOf(cfg), Command: cfg.Command, FreshProcess: cfg.FreshProcess, EnforceMemory: cfg.EnforceMemory,
		Supervisor: supervisor, API: api, Log: logs.NewStream(sink, time.Now), Memory: cgroup.FindMemory("/"), Now: time.Now,
		After: func(d time.Duration, f func()) { time.AfterFunc(d, f) },
		Exit: func(code int, idle bool) {
			sink.Flush()
			links.Close(idle)
			os.Exit(code)
		},
		Abort: abort,
		Warn:  func(text string) { fmt.Fprintln(os.Stderr, "agent: "+text) },
	})
	links.Pod = engine
	go func() { _ = api.Serve(listeners.runtimeAPI) }()
	go func() { _ = health.NewServer(engine).Serve(listeners.health) }()
	go func() { _ = links.Serve(listeners.link) }()
	go drainOnSignal(engine, signals)
	if err := engine.Boot(context.Background()); err != nil {
		supervisor.KillTree()
		sink.Flush()
		return err
	}
	select {}
}

// tune keeps the agent small: it shares the pod's memory with the function, and its work is a few short bursts. On one
// processor its goroutines hand over to each other without waking threads, which costs more than they would gain.
func tune() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(20)
	syscall.Umask(0o022)
}

func podOf(cfg config.Config) environment.Pod {
	interpreter := ""
	if len(cfg.Command) > 0 {
		interpreter = cfg.Command[0]
	}
	return environment.Pod{
		Runtime: cfg.Runtime, ExecutionEnv: cfg.ExecutionEnv, Region: cfg.Region, RuntimeAPI: cfg.RuntimeAPI,
		TaskDir: cfg.TaskDir, OptDir: cfg.OptDir, TmpDir: cfg.TmpDir, RuntimeDir: cfg.RuntimeDir,
		Interpreter: interpreter, Local: cfg.Local, Image: imageOf(cfg),
	}
}

// imageOf is the environment that a user's image has given the agent; nil in images of Kappa.
func imageOf(cfg config.Config) []string {
	if cfg.Runtime != environment.ImageRuntime {
		return nil
	}
	return os.Environ()
}

type listeners struct{ link, health, runtimeAPI net.Listener }

// listen binds all ports before any code of the function can run.
func listen(cfg config.Config) (listeners, error) {
	var l listeners
	var err error
	if l.link, err = net.Listen("tcp", net.JoinHostPort(cfg.PodIP, config.LinkPort)); err != nil {
		return l, err
	}
	if l.health, err = net.Listen("tcp", net.JoinHostPort(cfg.PodIP, config.HealthPort)); err != nil {
		return l, err
	}
	l.runtimeAPI, err = net.Listen("tcp", cfg.RuntimeAPI)
	return l, err
}

// drainOnSignal ends the pod as a gateway's DRAIN would.
func drainOnSignal(engine *invoke.Engine, signals <-chan os.Signal) {
	for range signals {
		engine.DrainNow()
	}
}

// abort ends the process when its orderly end has not come. Neither a full pipe nor a lock can hold it. The kernel ends the
// runtime with the agent.
func abort() {
	go fmt.Fprintln(os.Stderr, "agent: the orderly end takes too long, exiting without it")
	time.Sleep(100 * time.Millisecond)
	syscall.Exit(invoke.ExitFailed)
}
