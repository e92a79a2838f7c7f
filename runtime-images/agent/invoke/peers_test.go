package invoke

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"kappa.dev/agent/link"
)

// fakePeer notes what it is told. Everything but id and old is guarded by the engine's lock.
type fakePeer struct {
	id      string
	old     bool
	welcome link.Welcome
	told    []link.State
	// logs are what it has been sent; nil = it takes none.
	logs *[]string
}

func peerOf(id string) *fakePeer                 { return &fakePeer{id: id} }
func (p *fakePeer) GatewayID() string            { return p.id }
func (p *fakePeer) KnowsHolders() bool           { return !p.old }
func (p *fakePeer) Welcome(welcome link.Welcome) { p.welcome = welcome }
func (p *fakePeer) Tell(state link.State)        { p.told = append(p.told, state) }
func (p *fakePeer) TakesLogs() bool              { return p.logs != nil }
func (p *fakePeer) Log(head link.Log, entries []byte) bool {
	*p.logs = append(*p.logs, fmt.Sprintf("%s %d %s", head.Stream, head.First, entries))
	return true
}
func (p *fakePeer) last() link.State { return p.told[len(p.told)-1] }
func (p *fakePeer) adopt(e *Engine, epoch uint64) (busy []string, refusal *link.Refusal) {
	refusal = e.Adopt(p, link.Adopt{VersionUID: "v", Epoch: epoch}, func(a link.Adopted) { busy = a.Busy })
	return busy, refusal
}

func (p *fakePeer) claim(e *Engine, version string, epoch uint64) (link.Intake, *link.Refusal) {
	return e.BeginClaim(p, link.Specialize{
		VersionUID: version, FunctionName: "f", FunctionNamespace: "default", Handler: "h", MemoryMiB: 128, TimeoutMs: 1, InitTimeoutMs: 1,
		CodeBytes: 1, CodeSha256: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", Epoch: &epoch,
	})
}

// threeGateways are linked to one pod; the last one is old.
func threeGateways(t *testing.T) (e *Engine, a, b, old *fakePeer) {
	t.Helper()
	e, _ = newTestEngine()
	a, b, old = peerOf("a"), peerOf("b"), peerOf("old")
	old.old = true
	for _, peer := range []*fakePeer{a, b, old} {
		e.Join(peer)
	}
	return e, a, b, old
}

func codeOf(refusal *link.Refusal) link.ErrorCode {
	if refusal == nil {
		return ""
	}
	return refusal.Code
}

func TestClaimsAreToldToTheOthers(t *testing.T) {
	e, a, b, old := threeGateways(t)
	intake, refusal := a.claim(e, "v", 5)
	if refusal != nil || len(a.told) != 0 || len(old.told) != 0 || len(b.told) != 1 {
		t.Fatal(refusal, a.told, b.told)
	}
	if got := b.last(); got.Claim.VersionUID != "v" || *got.Holder != (link.Holder{GatewayID: "a", Epoch: 5}) {
		t.Fatalf("%+v", got)
	}
	late := peerOf("c")
	e.Join(late)
	if late.welcome.State != "Claimed" || *late.welcome.Holder != (link.Holder{GatewayID: "a", Epoch: 5}) {
		t.Fatalf("%+v", late.welcome)
	}
	intake.Abort()
	if got := b.last(); got.Claim != nil || got.Holder != nil || len(a.told) != 0 {
		t.Fatalf("a claim that is given back: %+v", got)
	}
}

func TestOnlyTheHolderInvokes(t *testing.T) {
	e, a, b, old := threeGateways(t)
	if _, refusal := b.adopt(e, 9); codeOf(refusal) != link.NotClaimed {
		t.Fatal(refusal)
	}
	_, _ = a.claim(e, "v", 5)
	if _, refusal := e.Admit(b, "v", link.Invoke{RequestID: "1"}); codeOf(refusal) != link.NotHolder {
		t.Fatal(refusal)
	}
	if _, refusal := b.adopt(e, 5); codeOf(refusal) != link.StaleEpoch || refusal.Epoch != 5 {
		t.Fatalf("%+v", refusal)
	}
	if _, refusal := e.Admit(a, "v", link.Invoke{RequestID: "1"}); refusal != nil {
		t.Fatal(refusal)
	}
	if busy, refusal := b.adopt(e, 6); refusal != nil || !slices.Equal(busy, []string{"1"}) {
		t.Fatal(busy, refusal)
	}
	if got := a.last(); *got.Holder != (link.Holder{GatewayID: "b", Epoch: 6}) || !slices.Equal(got.Busy, []string{"1"}) {
		t.Fatalf("%+v", got)
	}
	if _, refusal := e.Admit(a, "v", link.Invoke{RequestID: "2"}); codeOf(refusal) != link.NotHolder {
		t.Fatal(refusal)
	}
	if _, refusal := e.Admit(old, "v", link.Invoke{RequestID: "2"}); codeOf(refusal) != link.Busy {
		t.Fatalf("protocol 1 is not bound to the holder: %v", refusal)
	}
}

func TestTheHolderHearsOfTheEndOfWhatOthersHaveSent(t *testing.T) {
	e, a, b, _ := threeGateways(t)
	again := peerOf("a") // the same gateway, after its link has broken
	e.Join(again)
	_, _ = a.claim(e, "v", 5)
	run := func(from *fakePeer, reusable bool) {
		slot, refusal := e.Admit(from, "v", link.Invoke{RequestID: "1"})
		if refusal != nil {
			t.Fatal(refusal)
		}
		for _, peer := range []*fakePeer{a, b, again} {
			peer.told = nil
		}
		if from == a && !reusable {
			_, _ = b.adopt(e, 7)
		}
		slot.(*invocation).leave(reusable)
		e.settling--
	}
	run(a, true)
	if len(a.told) != 0 || len(b.told) != 0 || len(again.told) != 1 || len(again.last().Busy) != 0 {
		t.Fatal("its own invocation", a.told, b.told, again.told)
	}
	run(again, true)
	if len(a.told) != 1 || len(b.told) != 0 || len(again.told) != 0 {
		t.Fatal("over the other connection", a.told, b.told, again.told)
	}
	slot, _ := e.Admit(a, "v", link.Invoke{RequestID: "2"})
	_, _ = b.adopt(e, 6)
	a.told = nil
	slot.(*invocation).leave(true)
	e.settling--
	if len(a.told) != 0 || len(b.told) != 1 || len(b.last().Busy) != 0 {
		t.Fatal("after an adoption", a.told, b.told)
	}
}

func TestAPodThatIsUsedUpTakesNothing(t *testing.T) {
	e, a, b, _ := threeGateways(t)
	_, _ = a.claim(e, "v", 5)
	slot, _ := e.Admit(a, "v", link.Invoke{RequestID: "1"})
	_, _ = b.adopt(e, 6)
	told := len(b.told)
	slot.(*invocation).leave(false)
	if len(b.told) != told {
		t.Fatal("the holder must not count on it")
	}
	if _, refusal := e.Admit(b, "v", link.Invoke{RequestID: "2"}); codeOf(refusal) != link.Draining {
		t.Fatal(refusal)
	}
}

func TestAFenceKeepsOlderClaimsOut(t *testing.T) {
	e, a, b, _ := threeGateways(t)
	var state link.State
	answer := func(s link.State) { state = s }
	if refusal := e.Fence(link.Fence{Function: "default/f", Epoch: 7}, answer); refusal != nil || state.Claim != nil || state.Busy == nil {
		t.Fatal(refusal, state)
	}
	if _, refusal := a.claim(e, "v", 6); codeOf(refusal) != link.StaleEpoch || refusal.Epoch != 7 {
		t.Fatalf("%+v", refusal)
	}
	if refusal := e.Fence(link.Fence{Function: "default/f", Epoch: 6}, answer); codeOf(refusal) != link.StaleEpoch || refusal.Epoch != 7 {
		t.Fatalf("%+v", refusal)
	}
	if _, refusal := b.claim(e, "v", 7); refusal != nil {
		t.Fatal(refusal)
	}
	if refusal := e.Fence(link.Fence{Function: "default/f", Epoch: 8}, answer); refusal != nil || state.Holder.GatewayID != "b" {
		t.Fatal(refusal, state)
	}
	if _, refusal := a.adopt(e, 7); codeOf(refusal) != link.StaleEpoch || refusal.Epoch != 8 {
		t.Fatalf("%+v", refusal)
	}
	if _, refusal := a.adopt(e, 8); refusal != nil {
		t.Fatal(refusal)
	}
	if refusal := e.Fence(link.Fence{}, answer); codeOf(refusal) != link.BadFrame {
		t.Fatal(refusal)
	}
}

func TestASecondGatewaysClaimIsAnAdoption(t *testing.T) {
	e, a, b, _ := threeGateways(t)
	intake, _ := a.claim(e, "v", 5)
	again, refusal := b.claim(e, "v", 6)
	if refusal != nil || a.last().Holder.GatewayID != "b" {
		t.Fatal(refusal)
	}
	if _, refusal := b.claim(e, "v2", 7); codeOf(refusal) != link.AlreadyClaimed {
		t.Fatal(refusal)
	}
	intake.Abort()
	if _, refusal := again.Finish(); codeOf(refusal) != link.NotClaimed {
		t.Fatal(refusal)
	}
}

func TestWhoMayDrain(t *testing.T) {
	rows := []struct {
		reason string
		who    func(a, b, old *fakePeer) link.Peer
		holder string
		want   bool
	}{
		{"anybody, a generic pod", func(_, b, _ *fakePeer) link.Peer { return b }, "", true},
		{"the holder", func(a, _, _ *fakePeer) link.Peer { return a }, "a", true},
		{"another gateway", func(_, b, _ *fakePeer) link.Peer { return b }, "a", false},
		{"protocol 1", func(_, _, old *fakePeer) link.Peer { return old }, "a", true},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			e, a, b, old := threeGateways(t)
			warned := make(chan string, 9)
			e.Warn = func(text string) { warned <- text }
			if row.holder != "" {
				_, _ = a.claim(e, "v", 5)
			}
			for range 2 {
				e.Drain(row.who(a, b, old), "test")
			}
			if e.draining != row.want || !row.want && <-warned == "" || len(warned) != 0 {
				t.Fatal(e.draining, len(warned))
			}
		})
	}
}

// Whatever gateways do at once: one invocation runs at a time, it is the holder's when it is taken, epochs of the holder only
// rise, and in the end all gateways agree with the pod about who holds it.
func TestGatewaysThatContend(t *testing.T) {
	e, _, _, _ := threeGateways(t)
	var epochs atomic.Uint64
	var inside atomic.Int32
	var all sync.WaitGroup
	peers := make([]*fakePeer, 8)
	for n := range peers {
		peers[n] = peerOf(string(rune('k' + n)))
		e.Join(peers[n])
	}
	for n, peer := range peers {
		all.Add(1)
		go func() {
			defer all.Done()
			random := rand.New(rand.NewPCG(7, uint64(n)))
			for range 2000 {
				switch random.IntN(4) {
				case 0:
					_, _ = peer.claim(e, "v", epochs.Add(1))
				case 1:
					_, _ = peer.adopt(e, epochs.Add(1)-random.Uint64N(3))
				case 2:
					_ = e.Fence(link.Fence{Function: "default/f", Epoch: epochs.Load() - min(epochs.Load(), 9)}, func(link.State) {})
				default:
					slot, refusal := e.Admit(peer, "v", link.Invoke{RequestID: peer.id})
					if refusal != nil {
						continue
					}
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					inside.Add(-1)
					slot.(*invocation).leave(true)
					e.settle()
				}
			}
		}()
	}
	all.Wait()
	holder := e.arbiter.Holder()
	for _, peer := range peers {
		highest := uint64(0)
		for _, state := range peer.told {
			if state.Holder.Epoch < highest {
				t.Fatalf("%s has read of %d after %d", peer.id, state.Holder.Epoch, highest)
			}
			highest = state.Holder.Epoch
		}
		if peer.id != holder.GatewayID && *peer.last().Holder != (link.Holder{GatewayID: holder.GatewayID, Epoch: holder.Epoch}) {
			t.Errorf("%s believes in %v, the holder is %v", peer.id, peer.last().Holder, holder)
		}
	}
}
