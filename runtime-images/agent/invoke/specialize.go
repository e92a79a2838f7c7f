package invoke

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"kappa.dev/agent/code"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/extensions"
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
)

// specialize checks and unpacks the code, and starts the init phase. A package that is not acceptable leaves a generic
// pod; a failure of the machine ends the pod.
func (e *Engine) specialize(peer link.Peer, a *attempt, delivery *code.Delivery) *link.Refusal {
	<-e.warm
	if err := e.unpack(a, delivery); err != nil {
		refusal := codeRefusal(err)
		e.release(peer, a, refusal)
		if refusal.Code == link.Internal {
			go e.end(ExitFailed)
		}
		return refusal
	}
	role, err := e.takeRole(a.head.Role)
	if err != nil {
		refusal := link.Refuse(link.Internal, "the token of the function's role cannot be written: "+err.Error())
		e.release(peer, a, refusal)
		go e.end(ExitFailed)
		return refusal
	}
	stream := e.logStreamName(a.head.Version)
	e.mu.Lock()
	e.arbiter.Confirm()
	e.logStream = stream
	e.collectLogs()
	e.mu.Unlock()
	pod := e.Pod
	pod.Region = cmp.Or(a.head.Region, pod.Region) // namespaces may be in other regions
	a.env = environment.Complete(pod, environment.Function{
		Name: a.head.FunctionName, Version: a.head.Version, Handler: a.head.Handler, MemoryMiB: a.head.MemoryMiB,
		LogFormat: logFormat(a.head.LogFormat), LogLevel: a.head.ApplicationLogLevel, LogStream: stream, User: a.head.Environment,
		InitializationType: a.head.Initialization(), Role: role, MaxConcurrency: a.width(),
	})
	if a.head.LogFormat == "JSON" {
		e.Log.UseJSON(logs.Levels{Application: a.head.ApplicationLogLevel, System: a.head.SystemLogLevel})
	}
	e.logInitStart(a)
	e.beginInit(a)
	close(a.done)
	return nil
}

// unpack puts the code and the layers where they belong. The pods of a machine without a cluster are removed by whoever started
// them, who need not be root: there layers stay writable.
func (e *Engine) unpack(a *attempt, delivery *code.Delivery) error {
	if err := delivery.Verify(); err != nil {
		return err
	}
	zips := delivery.Zips()
	if len(zips) == 0 {
		return nil // the image has it
	}
	readOnly := !e.Pod.Local
	places := []code.Place{{Target: e.Pod.TaskDir, Zips: zips[:1], ReadOnly: readOnly}}
	if len(zips) > 1 {
		places = append(places, code.Place{Target: e.Pod.OptDir, Zips: zips[1:], Noun: "layer", ReadOnly: readOnly})
	}
	return code.Unpack(places, a.head.MaxUnpackedBytes)
}

// beginInit hands the function to the waiting runtime, or starts a fresh one where the environment demands it.
func (e *Engine) beginInit(a *attempt) {
	begin := e.Now()
	a.extensions = extensions.Find(e.Pod.OptDir)
	e.freezer.enable(a.head)
	e.freezer.enter() // until the init phase is over
	if len(e.Command) == 0 || environment.NeedsFreshProcess(e.FreshProcess, e.base, a.head.Environment) {
		go e.runInitPhase(a, begin, nil)
		return
	}
	e.mu.Lock()
	r := e.running
	e.mu.Unlock()
	if len(a.extensions) == 0 { // else they come first
		e.admitExtensions(a)
		if err := r.session.Assign(e.assignmentOf(a), a.width()); err != nil {
			r = nil // it has just died: a fresh one takes its place
		}
	}
	go e.runInitPhase(a, begin, r)
}

func logFormat(format string) string {
	if format == "JSON" {
		return format
	}
	return "Text"
}

func (e *Engine) logStreamName(version string) string {
	return fmt.Sprintf("%s/[%s]%s", e.Now().UTC().Format("2006/01/02"), version, randomHex(16))
}

// logInitStart writes INIT_START.
func (e *Engine) logInitStart(a *attempt) {
	e.Log.InitStart(logs.Init{
		Type: a.head.Initialization(), RuntimeVersion: runtimeVersion(e.Pod.Runtime), RuntimeVersionArn: e.runtimeArn(),
		FunctionName: a.head.FunctionName, FunctionVersion: a.head.Version,
	})
}

// runtimeArn is a stable name for the runtime of this install.
func (e *Engine) runtimeArn() string {
	digest := sha256.Sum256([]byte(e.Pod.Runtime))
	return fmt.Sprintf("arn:aws:lambda:%s::runtime:%s", e.Pod.Region, hex.EncodeToString(digest[:]))
}

// runtimeVersion names the runtime as logs do: nodejs:24.v1. Of an image nobody knows it.
func runtimeVersion(runtime string) string {
	if runtime == environment.ImageRuntime {
		return runtime
	}
	name, version := splitRuntime(runtime)
	return name + ":" + version + ".v1"
}

// splitRuntime cuts nodejs24.x into nodejs and 24, python3.13 into python and 3.13, provided.al2023 into provided and al2023.
func splitRuntime(runtime string) (name, version string) {
	if system, ok := strings.CutPrefix(runtime, "provided."); ok {
		return "provided", system
	}
	at := strings.IndexAny(runtime, "0123456789")
	if at < 0 {
		return runtime, "0"
	}
	return runtime[:at], strings.TrimSuffix(runtime[at:], ".x")
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
