package invoke

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/extensions"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
	"kappa.dev/agent/telemetry"
)

// beside is what runs beside the runtime in one execution environment. A reset makes a new one.
type beside struct {
	set *extensions.Set
	// hub tells them what happens.
	hub *telemetry.Hub
	// began is when init did; isInitDone says that subscribers know how the runtime's has ended.
	began      time.Time
	isInitDone bool
	// processes are the external extensions, in the order of their start; guarded by Engine.mu.
	processes []*helper
}

// helper is the process of one external extension.
type helper struct {
	name    string
	process *supervise.Process
	capture *logs.Capture
	// lines cuts what is captured; used by capture only until that is closed.
	lines *logs.Lines
}

// renewExtensions begins a new execution environment, before its first process is started.
func (e *Engine) renewExtensions() {
	hub := e.newHub()
	set := extensions.NewSet(e.After, hub)
	e.API.UseExtensions(set)
	e.mu.Lock()
	e.beside = &beside{set: set, hub: hub}
	e.mu.Unlock()
}

func (e *Engine) currentBeside() *beside {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.beside
}

// admitExtensions lets the function's extensions register from now on.
func (e *Engine) admitExtensions(a *attempt) *beside {
	b := e.currentBeside()
	e.tellInitStart(a, b)
	if len(a.extensions) > 0 {
		b.hub.Collect()
	}
	b.set.Open(extensions.Function{
		Name: a.head.FunctionName, Version: a.head.Version, Handler: a.head.Handler, AccountID: a.head.AccountID, Several: a.width() > 1,
	})
	return b
}

// bring starts the external extensions, and when all have registered gives the function to r, or to a fresh runtime when r is nil. It may
// give a runtime also together with a failure.
func (e *Engine) bring(a *attempt, r *running, expired <-chan time.Time, limit time.Duration) (*running, *failure) {
	if r == nil {
		e.mu.Lock()
		old := e.running
		e.mu.Unlock()
		e.stop(old)
		e.renewExtensions()
	}
	if r == nil || len(a.extensions) > 0 {
		b := e.admitExtensions(a)
		if failed := e.launch(a, b, expired, limit); failed != nil {
			return r, failed
		}
	}
	if r == nil {
		fresh, err := e.start(a)
		if err != nil {
			return nil, startFailure(err)
		}
		return fresh, nil
	}
	if len(a.extensions) > 0 && r.session.Assign(e.assignmentOf(a), a.width()) != nil {
		return e.bring(a, nil, expired, limit) // it has just died: a fresh one takes its place
	}
	return r, nil
}

func (e *Engine) assignmentOf(a *attempt) runtimeapi.Assignment {
	return runtimeapi.Assignment{Environment: a.env, Handler: a.head.Handler, TaskRoot: e.Pod.TaskDir}
}

// launch starts the external extensions and waits until they have registered.
func (e *Engine) launch(a *attempt, b *beside, expired <-chan time.Time, limit time.Duration) *failure {
	if len(a.extensions) == 0 {
		return nil
	}
	env := environment.List(environment.ForExtension(a.env))
	for _, path := range a.extensions {
		name := filepath.Base(path)
		if b.set.Launching(name) != nil {
			break
		}
		if err := e.launchOne(b, name, path, env); err != nil {
			b.set.LaunchFailed(name, launchWord(err), err.Error())
			break
		}
	}
	defer e.drainExtensions() // what they have printed until now comes before what the runtime prints
	return e.awaitGate(b.set, b.set.AllRegistered(), nil, expired, limit)
}

func launchWord(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "PermissionDenied"
	}
	return "UnknownError"
}

func (e *Engine) launchOne(b *beside, name, path string, env []string) error {
	lines := &logs.Lines{Emit: func(text []byte) {
		e.Log.Line(text)
		b.hub.Line(text)
	}}
	capture, output, err := logs.NewCaptureOf(lines.Write)
	if err != nil {
		return err
	}
	defer output.Close()
	process, err := e.Supervisor.Start(supervise.Command{Path: path, Args: []string{path}, Env: env, Dir: "/", Output: output})
	if err != nil {
		capture.Close()
		return err
	}
	e.mu.Lock()
	b.processes = append(b.processes, &helper{name, process, capture, lines})
	e.mu.Unlock()
	go func() {
		<-process.Done()
		b.set.Died(name, process.Status())
		e.endIfDead()
	}()
	return nil
}

// settleExtensions ends the time of registrations, when the runtime is ready, and waits until every extension is. A runtime without any has
// nothing to do with them from then on.
func (e *Engine) settleExtensions(a *attempt, r *running, expired <-chan time.Time, limit time.Duration) *failure {
	b := e.currentBeside()
	if b.set.Close() == 0 {
		b.hub.Close()
		return nil
	}
	r.drain()
	e.tellInitDone(a, b, nil)
	e.mu.Lock()
	r.extensions = b.set
	e.mu.Unlock()
	if failed := e.awaitGate(b.set, b.set.AllReady(), r, expired, limit); failed == errRuntimeDied {
		return e.initOrExit(r)
	} else if failed != nil {
		return failed
	}
	e.logExtensions(r, b)
	e.tellInitReport(a, b, nil)
	if b.hub.Close() {
		r.telemetry = b.hub
	}
	return nil
}

// tellInitFailed notes how a failed init has gone, after what it has printed.
func (e *Engine) tellInitFailed(a *attempt, r *running, failed *failure) {
	b := e.currentBeside()
	r.drain()
	e.logExtensions(r, b)
	e.tellInitDone(a, b, failed)
	e.tellInitReport(a, b, failed)
}

// logExtensions writes how init has gone for each, after what they and the runtime have printed.
func (e *Engine) logExtensions(r *running, b *beside) {
	infos := b.set.Infos()
	if len(infos) == 0 {
		return
	}
	r.drain()
	e.drainExtensions()
	for _, info := range infos {
		e.Log.Extension(info.Name, string(info.State), info.Events, info.ErrorType)
		b.hub.Extension(logs.ExtensionRecord(info.Name, string(info.State), info.Events, info.ErrorType))
	}
}

func (i *invocation) tellExtensions() {
	i.running.extensions.Invoke(extensions.Invocation{
		RequestID: i.head.RequestID, InvokedFunctionArn: i.head.InvokedFunctionArn, TraceID: i.head.TraceID,
		Deadline: i.begin.Add(i.timeout()),
	})
}

// drainExtensions passes on what external extensions have printed until now.
func (e *Engine) drainExtensions() {
	e.mu.Lock()
	processes := e.beside.processes
	e.mu.Unlock()
	for _, h := range processes {
		h.capture.Drain()
	}
}

// helpersOf are the processes of the external extensions beside a runtime.
func (e *Engine) helpersOf(r *running) []*helper {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.extensions == nil || e.beside == nil {
		return nil
	}
	return e.beside.processes
}

// hasExtensions says whether processes of extensions may be left.
func (e *Engine) hasExtensions() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.beside != nil && len(e.beside.processes) > 0
}

// closeExtensions ends the conversation with extensions whose processes are gone, and passes on what they have printed.
func (e *Engine) closeExtensions() {
	e.mu.Lock()
	b := e.beside
	var processes []*helper
	if b != nil {
		processes, b.processes = b.processes, nil
	}
	e.mu.Unlock()
	if b == nil {
		return
	}
	b.set.End()
	for _, h := range processes {
		h.capture.Close()
		h.lines.Flush() // the last line may have no end
	}
	b.hub.End()
}
