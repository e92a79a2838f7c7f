// Package invoke is the life of one pod: boot, claim, init, invocations, end. It connects the link, the Runtime API and
// the process tree; there is one Engine per agent.
package invoke

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"kappa.dev/agent/cgroup"
	"kappa.dev/agent/claim"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
)

// Settings are what an Engine is built from.
type Settings struct {
	Pod environment.Pod
	// Command starts the language runtime; empty where the function brings it.
	Command       []string
	FreshProcess  []string
	EnforceMemory bool
	Supervisor    *supervise.Supervisor
	API           *runtimeapi.Server
	Log           *logs.Stream
	// Memory tells the pod's present limit; nil where there is none.
	Memory *cgroup.Memory
	Now    func() time.Time
	// After runs f in a goroutine of its own after a time, as time.AfterFunc.
	After func(d time.Duration, f func())
	// Exit ends the agent: it flushes what is left and does not return to work. Called once, from any goroutine. idle says that
	// whatever gateways have no answer to did not run, and will not.
	Exit func(code int, idle bool)
	// Abort ends the agent at once, without waiting for anything: only for an end that takes too long.
	Abort func()
	// Warn notes something odd that a gateway has done; one line.
	Warn func(text string)
}

// Exit codes of the agent. A pod that served its function, well or not, has succeeded; Failed is the agent's own trouble.
const (
	ExitDone   = 0
	ExitFailed = 1
)

// Engine implements link.Pod.
//
// Locks: mu comes first; under it only the writer's lock of a connection and the log's are taken, and nothing waits for a gateway or a process.
// Whoever holds one of those never takes mu. The outbox gives lines away under mu, holding none of the log's locks that writers need. The
// locks of the supervisor, the link's server and a Set of extensions stand alone; a Hub's comes after the log's.
type Engine struct {
	Settings
	base map[string]string

	mu sync.Mutex
	// arbiter knows whose the pod is; attempt is set exactly while its version is.
	arbiter claim.Arbiter
	// peers are the gateways that are told of changes.
	peers map[link.Peer]struct{}
	// warned is set by the first Warn about a gateway that drains another's pod.
	warned bool
	// warm is closed once the generic runtime waits for its claim.
	warm chan struct{}
	// attempt is the claim that holds or is taking the pod.
	attempt *attempt
	// running is the current runtime process; replaced when the function needs a fresh one. Nil while there has been none.
	running *running
	// beside is what runs beside it; replaced with each fresh process.
	beside *beside
	// busy are the request ids in flight, the ones that wait for init included; never more than the function's width.
	busy map[string]struct{}
	// settling counts the invocations that have left busy and have not sent their last frame.
	settling int
	draining bool
	ended    bool
	peakKiB  int64
	sampled  time.Time
	// logStream names the log of the function that the pod holds; empty while it is generic.
	logStream string
	// outbox collects lines for the gateways; nil while there is no function, or none of them wants any.
	outbox *logs.Outbox
	// counts are the ended invocations by status.
	counts map[string]int64

	freezer *freezer

	// told is set by the first Drain.
	told atomic.Bool
	// longest is how long the function may keep a draining pod busy, nanoseconds.
	longest atomic.Int64
}

// New makes an engine; Boot starts it.
func New(settings Settings) *Engine {
	e := &Engine{
		Settings: settings, base: environment.Base(settings.Pod), warm: make(chan struct{}), busy: map[string]struct{}{},
		counts: map[string]int64{}, peers: map[link.Peer]struct{}{},
	}
	e.freezer = &freezer{
		stop: settings.Supervisor.Freeze, resume: settings.Supervisor.Thaw, now: settings.Now, after: settings.After,
	}
	return e
}

// Boot starts the generic runtime and returns when it waits for its claim, or when the pod has been told to end. Where the function
// brings the runtime, there is nothing to start yet. An error means that the pod is of no use.
func (e *Engine) Boot(ctx context.Context) error {
	// The loader of the C library never again looks into a folder of LD_LIBRARY_PATH that was missing when it did first: so the
	// waiting process finds the libraries of layers only where their folder is there before it.
	for _, dir := range []string{e.Pod.TaskDir, filepath.Join(e.Pod.OptDir, "lib"), e.Pod.TmpDir} {
		_ = os.MkdirAll(dir, 0o755) // fails harmlessly where the image has it, read-only
	}
	if len(e.Command) == 0 {
		e.rehearse()
		close(e.warm)
		return nil
	}
	e.renewExtensions()
	r, err := e.start(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limits.BootTimeout)
	defer cancel()
	select {
	case <-r.session.Warm:
		e.rehearse()
		close(e.warm)
		go e.watch(r)
		return nil
	case <-r.process.Done():
		if e.hasEnded() {
			return nil // told to end while it booted: Exit decides the code
		}
		r.capture.Drain()
		return &bootError{"the generic runtime ended: " + r.process.Status()}
	case <-ctx.Done():
		return &bootError{"the generic runtime did not get ready: " + string(r.session.State())}
	}
}

type bootError struct{ message string }

func (e *bootError) Error() string { return e.message }

// IsReady says whether the pod can take a claim or an invocation: the answer of the readiness probe.
func (e *Engine) IsReady() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.warm:
		return !e.draining && !e.ended
	default:
		return false
	}
}

// watch ends the pod when a runtime dies, or an extension beside it fails, that nobody is waiting for.
func (e *Engine) watch(r *running) {
	e.mu.Lock()
	beside := r.extensions
	e.mu.Unlock()
	select {
	case <-r.process.Done():
	case <-beside.Failed():
	}
	e.endIfDead()
}

func (e *Engine) hasEnded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}
