package invoke

import (
	"sync/atomic"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/extensions"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
	"kappa.dev/agent/telemetry"
)

// running is one runtime process with its conversation and its output.
type running struct {
	process *supervise.Process
	session *runtimeapi.Session
	capture *logs.Capture
	// extensions are those that invocations wait for; nil when there are none.
	extensions *extensions.Set
	// telemetry tells them what happens; nil when none has subscribed.
	telemetry *telemetry.Hub
	// oomKills is how often the kernel had run out of the pod's memory when the process was started.
	oomKills int64
	// exceeded is set when the agent itself ends it for its memory.
	exceeded atomic.Bool
	// watchers counts who wants its memory watched, unwatch ends that; guarded by Engine.mu.
	watchers int
	unwatch  func()
}

// start starts a runtime process for a function, nil while it has none, and makes it the current one.
func (e *Engine) start(a *attempt) (*running, error) {
	env, session := e.base, runtimeapi.NewGenericSession()
	if a != nil {
		env, session = a.env, runtimeapi.NewSession(a.width())
	}
	command, env, err := e.commandFor(env, a == nil)
	if err != nil {
		return nil, err
	}
	dir, path, err := e.placeOf(command, env)
	if err != nil {
		return nil, err
	}
	e.API.Use(session)
	capture, output, err := logs.NewCapture(e.Log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	process, err := e.Supervisor.Start(supervise.Command{
		Path: path, Args: command, Env: environment.List(env), Dir: dir, Output: output,
	})
	if err != nil {
		capture.Close()
		return nil, err
	}
	r := &running{process: process, session: session, capture: capture, oomKills: e.Memory.Kills()}
	e.mu.Lock()
	e.running = r
	e.mu.Unlock()
	return r, nil
}

// drain passes on what it has printed until now. Nothing, when it could not be started.
func (r *running) drain() {
	if r != nil {
		r.capture.Drain()
	}
}

// stop ends a runtime and everything that it has started, and says whether nothing is left. Late answers are refused from the first moment.
func (e *Engine) stop(r *running) bool {
	if r == nil && !e.hasExtensions() {
		return true
	}
	if r != nil {
		r.session.End()
	}
	ended := e.Supervisor.KillTree()
	if r != nil {
		r.capture.Close()
	}
	e.closeExtensions()
	return ended
}
