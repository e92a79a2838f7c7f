// Package claim decides which function version a pod belongs to, and which gateway may use it. The agent is the arbiter.
//
// What follows is the whole life of a pod's claim; what is not listed is refused.
//
//	          | SPECIALIZE v  | SPECIALIZE of | ADOPT v       | ADOPT of   | FENCE f       | code is bad, | code is
//	          |               | another       |               | another    |               | link is lost | unpacked
//	Warm      | → Claiming v  | → Claiming    | NotClaimed    | NotClaimed | fence f rises | -            | -
//	          | holder: asker |               |               |            |               |              |
//	Claiming v| holder rule:  | AlreadyClaimed| holder rule:  | Already-   | fence f rises | → Warm,      | → Claimed v
//	          | Repeated      |               | Repeated      | Claimed    |               | no holder    |
//	Claimed v | holder rule:  | AlreadyClaimed| holder rule:  | Already-   | fence f rises | -            | -
//	          | Repeated      |               | Repeated      | Claimed    |               |              |
//
// Before all of these: SPECIALIZE and ADOPT below the fence of their function, and FENCE below an older FENCE, are Stale.
// Holder rule: who asks with a higher epoch than the holder's, or is the holder (the same gateway, no lower epoch), is the
// holder from then on; everybody else is Stale. What runs goes on in each case.
// INVOKE is the holder's gateway's alone. A claim that is Claimed stays so until the pod ends.
//
// A gateway of protocol 1 knows of no holder: its repeated SPECIALIZE succeeds without the rule and takes the pod only where the
// rule lets it, and its INVOKE is not checked. Fences bind it.
package claim

// Outcome of one attempt to claim or adopt.
type Outcome int

const (
	// Refused: the pod belongs to another version, or is being claimed for one.
	Refused Outcome = iota
	// Unclaimed: the pod is generic; only for Adopt.
	Unclaimed
	// Stale: the asker's epoch is too low.
	Stale
	// Won: the caller holds the pod and must Confirm or Release.
	Won
	// Repeated: the pod belongs to this very version already, or is being claimed for it, and the asker is its holder.
	Repeated
)

// Holder is a gateway in one of its ownerships of the pod. The zero value is nobody.
type Holder struct {
	// GatewayID is new in each life of a gateway.
	GatewayID string
	Epoch     uint64
}

// isBound says that the present holder keeps other away.
func (h Holder) isBound(other Holder) bool {
	return other.Epoch < h.Epoch || other.Epoch == h.Epoch && other.GatewayID != h.GatewayID
}

// Request is who asks for what.
type Request struct {
	// Version is the function version's uid.
	Version string
	// Function is the function that it belongs to, as FENCE names it; unused by Adopt.
	Function string
	Asker    Holder
	// Lenient is a gateway of protocol 1.
	Lenient bool
}

// Arbiter is the claim of one pod. The zero value is a generic pod. It is not safe for concurrent use: the pod's lock guards
// it together with what the pod says about it.
type Arbiter struct {
	version   string
	function  string
	confirmed bool
	holder    Holder
	fences    fences
}

// Specialize claims the pod for a version.
func (a *Arbiter) Specialize(r Request) Outcome {
	switch {
	case r.Asker.Epoch < a.fences.of(r.Function):
		return Stale
	case a.version == "":
		a.version, a.function, a.holder = r.Version, r.Function, r.Asker
		return Won
	case a.version == r.Version:
		return a.hold(r)
	default:
		return Refused
	}
}

// Adopt makes the asker the holder of a pod that its version has already.
func (a *Arbiter) Adopt(r Request) Outcome {
	switch {
	case a.version == "":
		return Unclaimed
	case a.version != r.Version:
		return Refused
	case r.Asker.Epoch < a.fences.of(a.function):
		return Stale
	default:
		return a.hold(r)
	}
}

// hold applies the holder rule.
func (a *Arbiter) hold(r Request) Outcome {
	switch {
	case !a.holder.isBound(r.Asker):
		a.holder = r.Asker
		return Repeated
	case r.Lenient:
		return Repeated
	default:
		return Stale
	}
}

// Fence refuses SPECIALIZE and ADOPT for a function below an epoch from now on. False means that a higher one is in force.
func (a *Arbiter) Fence(function string, epoch uint64) bool { return a.fences.raise(function, epoch) }

// Confirm makes a won claim final: from now on Release does nothing.
func (a *Arbiter) Confirm() { a.confirmed = a.version != "" }

// Release gives a won claim back. Only right while nothing of the function has become visible in the pod.
func (a *Arbiter) Release() {
	if !a.confirmed {
		a.version, a.function, a.holder = "", "", Holder{}
	}
}

// Holder is who may use the pod; nobody while it is generic.
func (a *Arbiter) Holder() Holder { return a.holder }

// Version is the version that holds or is claiming the pod; empty for a generic pod.
func (a *Arbiter) Version() string { return a.version }

// Highest is the epoch that stands against work for a function: what a refused gateway must exceed. An empty function is
// the pod's own.
func (a *Arbiter) Highest(function string) uint64 {
	if function == "" {
		function = a.function
	}
	return max(a.holder.Epoch, a.fences.of(function))
}
