package invoke

import (
	"kappa.dev/agent/claim"
	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
)

// Join welcomes a gateway.
func (e *Engine) Join(peer link.Peer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	state := e.state()
	welcome := link.Welcome{State: "Warm", Claim: state.Claim, Holder: state.Holder, Busy: state.Busy, PerInstance: 1}
	if state.Claim != nil {
		welcome.State, welcome.PerInstance = "Claimed", e.attempt.width()
	}
	peer.Welcome(welcome)
	if peer.KnowsHolders() {
		e.peers[peer] = struct{}{}
		e.collectLogs()
	}
}

// Leave forgets a gateway's connection. What it has begun goes on.
func (e *Engine) Leave(peer link.Peer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.peers, peer)
}

// Adopt makes the gateway the holder of the pod that its version has already.
func (e *Engine) Adopt(peer link.Peer, head link.Adopt, answer func(link.Adopted)) *link.Refusal {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return link.Refuse(link.Draining, "the pod ends")
	}
	before := e.arbiter.Holder()
	asker := claim.Holder{GatewayID: peer.GatewayID(), Epoch: head.Epoch}
	switch e.arbiter.Adopt(claim.Request{Version: head.VersionUID, Asker: asker}) {
	case claim.Repeated:
		answer(link.Adopted{Busy: e.busyIDs()})
		if before != asker {
			e.tellOthers(peer)
		}
		return nil
	case claim.Unclaimed:
		return link.Refuse(link.NotClaimed, "the pod is not claimed")
	case claim.Stale:
		return e.staleRefusal("")
	default:
		return link.Refuse(link.AlreadyClaimed, "the pod belongs to another function version")
	}
}

// Fence refuses older owners of a function from now on: when it has returned, none of their claims can succeed any more.
func (e *Engine) Fence(head link.Fence, answer func(link.State)) *link.Refusal {
	if head.Function == "" || len(head.Function) > limits.FunctionKeyBytes {
		return link.Refuse(link.BadFrame, "function is missing or too long")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.arbiter.Fence(head.Function, head.Epoch) {
		return e.staleRefusal(head.Function)
	}
	answer(e.state())
	return nil
}

// staleRefusal says which epoch stands against work for a function; the caller holds mu.
func (e *Engine) staleRefusal(function string) *link.Refusal {
	return link.RefuseStale("a higher owner epoch has been seen", e.arbiter.Highest(function))
}

// state is what gateways may know; the caller holds mu.
func (e *Engine) state() link.State {
	if e.attempt == nil {
		return link.State{Busy: []string{}} // what waits for a claim that has failed does not run
	}
	head, holder := e.attempt.head, e.arbiter.Holder()
	return link.State{
		Claim: &link.Claim{
			VersionUID: head.VersionUID, FunctionName: head.FunctionName, FunctionNamespace: head.FunctionNamespace,
		},
		Holder: &link.Holder{GatewayID: holder.GatewayID, Epoch: holder.Epoch},
		Busy:   e.busyIDs(),
	}
}

func (e *Engine) busyIDs() []string {
	ids := make([]string, 0, len(e.busy))
	for id := range e.busy {
		ids = append(ids, id)
	}
	return ids
}

// tellOthers tells every gateway but the one that has caused it; the caller holds mu.
func (e *Engine) tellOthers(cause link.Peer) {
	state := e.state()
	for peer := range e.peers {
		if peer != cause {
			peer.Tell(state)
		}
	}
}

// tellHolder tells the holder's connections but one, which reads it from REPORT; the caller holds mu.
func (e *Engine) tellHolder(knows link.Peer) {
	holder := e.arbiter.Holder().GatewayID
	for peer := range e.peers {
		if peer != knows && peer.GatewayID() == holder {
			peer.Tell(e.state())
		}
	}
}
