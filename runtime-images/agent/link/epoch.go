package link

import (
	"slices"
	"sync"

	"kappa.dev/agent/limits"
)

// Epochs remembers the highest owner epoch that each gateway has proved. Epochs of different gateways have nothing to do with
// each other. Bounded: the gateway that has been away for longest is forgotten first.
type Epochs struct {
	mu sync.Mutex
	// known is in the order of the last Meet.
	known []*Proven
}

// Proven is the highest epoch of one gateway; it only rises.
type Proven struct {
	epochs    *Epochs
	gatewayID string
	highest   uint64
}

// Meet gives what is known of a gateway, raised to epoch.
func (e *Epochs) Meet(gatewayID string, epoch uint64) *Proven {
	e.mu.Lock()
	defer e.mu.Unlock()
	gateway := &Proven{epochs: e, gatewayID: gatewayID}
	if at := slices.IndexFunc(e.known, func(p *Proven) bool { return p.gatewayID == gatewayID }); at >= 0 {
		gateway = e.known[at]
		e.known = slices.Delete(e.known, at, at+1)
	} else if len(e.known) >= limits.Gateways {
		e.known = slices.Delete(e.known, 0, 1)
	}
	e.known = append(e.known, gateway)
	gateway.highest = max(gateway.highest, epoch)
	return gateway
}

// See raises the highest epoch.
func (p *Proven) See(epoch uint64) {
	p.epochs.mu.Lock()
	defer p.epochs.mu.Unlock()
	p.highest = max(p.highest, epoch)
}

// Check refuses work of an older life of the gateway.
func (p *Proven) Check(epoch uint64) *Refusal {
	p.epochs.mu.Lock()
	defer p.epochs.mu.Unlock()
	if epoch < p.highest {
		return RefuseStale("a higher owner epoch has been seen", p.highest)
	}
	return nil
}
