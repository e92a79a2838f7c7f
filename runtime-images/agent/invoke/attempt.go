package invoke

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kappa.dev/agent/claim"
	"kappa.dev/agent/code"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// attempt is one claim of the pod, from the head of SPECIALIZE on. Once it has succeeded it is the pod's function.
type attempt struct {
	head link.Specialize
	// env is the complete environment of the function.
	env map[string]string
	// extensions are the paths of the external extensions that its layers have brought.
	extensions []string
	// done is closed when the pod is specialised or the claim has failed; refusal is only valid after it.
	done    chan struct{}
	refusal *link.Refusal
	init    *initPhase
	// live says that init has succeeded, in its phase or in an invocation; guarded by Engine.mu.
	live bool
	// turn is taken by the invocation that runs init again; given up is why that has failed, for those that have waited for their turn.
	turn    chan struct{}
	givenUp *failure
}

// width is how many invocations the pod runs at once.
func (a *attempt) width() int { return max(1, a.head.PerInstance) }

// BeginClaim arbitrates a SPECIALIZE.
func (e *Engine) BeginClaim(peer link.Peer, head link.Specialize) (link.Intake, *link.Refusal) {
	if refusal := checkHead(head, e.Pod.Runtime); refusal != nil {
		return nil, refusal
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining || e.ended {
		return nil, link.Refuse(link.Draining, "the pod takes no new work")
	}
	before := e.arbiter.Holder()
	switch e.arbiter.Specialize(requestOf(peer, head)) {
	case claim.Stale:
		return nil, e.staleRefusal(head.FunctionKey())
	case claim.Won:
		return e.begin(peer, head)
	case claim.Repeated:
		if before != e.arbiter.Holder() {
			e.tellOthers(peer)
		}
		return &repeated{e.attempt}, nil
	default:
		return nil, link.Refuse(link.AlreadyClaimed, "the pod belongs to another function version")
	}
}

func requestOf(peer link.Peer, head link.Specialize) claim.Request {
	return claim.Request{
		Version: head.VersionUID, Function: head.FunctionKey(), Lenient: !peer.KnowsHolders(),
		Asker: claim.Holder{GatewayID: peer.GatewayID(), Epoch: *head.Epoch},
	}
}

// begin prepares a won claim; the caller holds mu.
func (e *Engine) begin(peer link.Peer, head link.Specialize) (link.Intake, *link.Refusal) {
	delivery, err := code.NewDelivery(announcedBy(head), e.Pod.TmpDir)
	if err != nil {
		e.arbiter.Release()
		return nil, codeRefusal(err)
	}
	e.longest.Store((head.InitTimeoutMs + head.TimeoutMs) * int64(time.Millisecond))
	e.attempt = &attempt{head: head, done: make(chan struct{}), init: &initPhase{done: make(chan struct{})}, turn: make(chan struct{}, 1)}
	e.tellOthers(peer)
	return &intake{engine: e, peer: peer, attempt: e.attempt, delivery: delivery}, nil
}

func announcedBy(head link.Specialize) []code.Announced {
	if head.Image != nil {
		return nil
	}
	announced := []code.Announced{{Sha256: head.CodeSha256, Bytes: head.CodeBytes}}
	for _, layer := range head.Layers {
		announced = append(announced, code.Announced{Sha256: layer.Sha256, Bytes: layer.Bytes})
	}
	return announced
}

func checkHead(head link.Specialize, runtime string) *link.Refusal {
	switch {
	case head.VersionUID == "" || head.FunctionName == "" || (head.Handler == "" && head.Image == nil):
		return link.Refuse(link.BadFrame, "versionUid, functionName and handler are required")
	case (head.Image != nil) != (runtime == environment.ImageRuntime):
		return link.Refuse(link.BadFrame, "an image is what pods of the runtime image take, and nothing else")
	case head.Image != nil && (len(head.Image.Process) == 0 || len(head.Layers) > 0):
		return link.Refuse(link.BadFrame, "an image has a process, and no layers")
	case head.MemoryMiB < 1 || head.TimeoutMs < 1 || head.InitTimeoutMs < 1:
		return link.Refuse(link.BadFrame, "memoryMiB, timeoutMs and initTimeoutMs must be positive")
	case head.PerInstance > limits.PerInstance:
		return link.Refuse(link.BadFrame, fmt.Sprintf("perInstance above %d", limits.PerInstance))
	case head.PerInstance > 1 && !takesSeveral(runtime):
		return link.Refuse(link.BadFrame, fmt.Sprintf("the runtime %s takes one invocation at a time", runtime))
	case len(head.Layers) > limits.Layers:
		return link.Refuse(link.BadFrame, fmt.Sprintf("more than %d layers", limits.Layers))
	case head.Runtime != "" && head.Runtime != runtime:
		return link.Refuse(link.Internal, fmt.Sprintf("the pod has the runtime %s, not %s", runtime, head.Runtime))
	default:
		return nil
	}
}

// takesSeveral says whether the runtime can ask for further invocations while it works on others.
func takesSeveral(runtime string) bool {
	return strings.HasPrefix(runtime, "nodejs") || strings.HasPrefix(runtime, "provided")
}

func codeRefusal(err error) *link.Refusal {
	if errors.Is(err, code.ErrBadCode) {
		return link.Refuse(link.BadCode, err.Error())
	}
	return link.Refuse(link.Internal, err.Error())
}

// intake takes the code and the layers of a won claim.
type intake struct {
	engine   *Engine
	peer     link.Peer
	attempt  *attempt
	delivery *code.Delivery
}

// Write takes a piece of the zips.
func (i *intake) Write(piece []byte) error {
	if _, err := i.delivery.Write(piece); err != nil {
		return codeRefusal(err)
	}
	return nil
}

// Abort gives the claim back: nothing has become visible.
func (i *intake) Abort() {
	i.delivery.Close()
	i.engine.release(i.peer, i.attempt, link.Refuse(link.NotClaimed, "the code did not arrive"))
}

// Finish makes the pod the function's.
func (i *intake) Finish() (link.Specialized, *link.Refusal) {
	defer i.delivery.Close()
	if refusal := i.engine.specialize(i.peer, i.attempt, i.delivery); refusal != nil {
		return link.Specialized{}, refusal
	}
	return link.Specialized{VersionUID: i.attempt.head.VersionUID, InitError: i.attempt.initError()}, nil
}

// initError waits for the init phase of provisioned concurrency, and says why it failed; empty means that it did not, or is not waited for.
func (a *attempt) initError() string {
	if a.head.Initialization() != link.Provisioned {
		return ""
	}
	<-a.init.done
	if a.init.failure == nil {
		return ""
	}
	return a.init.failure.errorType
}

// release makes the pod generic again after a claim that has shown nothing. peer has asked for it.
func (e *Engine) release(peer link.Peer, a *attempt, refusal *link.Refusal) {
	e.mu.Lock()
	a.refusal = refusal
	e.attempt = nil
	e.arbiter.Release()
	e.tellOthers(peer)
	close(a.done)
	e.mu.Unlock()
	go e.endIfDead() // it may have died meanwhile
}

// repeated is a SPECIALIZE for the version that the pod has, or is about to have: its code is skipped.
type repeated struct{ attempt *attempt }

// Write skips the code.
func (r *repeated) Write([]byte) error { return nil }

// Abort does nothing: the claim is another stream's.
func (r *repeated) Abort() {}

// Finish waits for the outcome of the first claim.
func (r *repeated) Finish() (link.Specialized, *link.Refusal) {
	<-r.attempt.done
	if r.attempt.refusal != nil {
		return link.Specialized{}, r.attempt.refusal
	}
	return link.Specialized{VersionUID: r.attempt.head.VersionUID, AlreadyClaimed: true}, nil
}
