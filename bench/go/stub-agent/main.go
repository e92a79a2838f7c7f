// Command stub-agent is an agent without a runtime: it speaks the link like the real one (it is the same package) and answers every event
// with the event itself. With it, a benchmark measures the gateway and nothing else.
//
// The first one that starts serves the pods of all others too, each on its own address and connection: so many processes that take
// turns on two cores would measure the kernel's scheduler. The others only stay alive, as the process node expects of a pod.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/bench/background"
)

// pod is what the host needs to serve one pod.
type pod struct {
	UID string `json:"uid"`
	IP  string `json:"ip"`
	Key string `json:"key"`
}

func main() {
	background.Enter()
	runtime.GOMAXPROCS(1) // as the real agent
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	own := pod{os.Getenv("KAPPA_POD_UID"), os.Getenv("KAPPA_POD_IP"), os.Getenv("KAPPA_GATEWAY_PUBLIC_KEY")}
	meeting := "@kappa-stub-" + own.Key // one host per platform: each has its own key
	if host, err := net.Listen("unix", meeting); err == nil {
		go hostOthers(host)
		serve(ctx, own, stop)
		return
	}
	stay(ctx, meeting, own)
}

// stay hands the pod to the host and lives until it is told to end or the host lets go.
func stay(ctx context.Context, meeting string, own pod) {
	host, err := net.Dial("unix", meeting)
	if err != nil {
		log.Fatal(err)
	}
	defer host.Close()
	if err := json.NewEncoder(host).Encode(own); err != nil {
		log.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		_, _ = host.Read(make([]byte, 1))
		close(gone)
	}()
	select {
	case <-ctx.Done():
	case <-gone:
	}
}

func hostOthers(host net.Listener) {
	for {
		guest, err := host.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer guest.Close()
			ctx, stop := context.WithCancel(context.Background())
			var served pod
			if err := json.NewDecoder(guest).Decode(&served); err != nil {
				stop()
				return
			}
			go func() {
				_, _ = guest.Read(make([]byte, 1)) // ends when the guest does
				stop()
			}()
			serve(ctx, served, stop)
		}()
	}
}

// serve is one pod until ctx ends.
func serve(ctx context.Context, p pod, drained func()) {
	key, err := link.ParsePublicKey(p.Key)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(p.IP, "9100"))
	if err != nil {
		log.Fatal(err)
	}
	health := &http.Server{Addr: net.JoinHostPort(p.IP, "9101"), Handler: http.HandlerFunc(ok)}
	go func() { _ = health.ListenAndServe() }()
	go func() { _ = newServer(p.UID, key, drained).Serve(listener) }()
	<-ctx.Done()
	_ = listener.Close()
	_ = health.Close()
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func newServer(uid string, key ed25519.PublicKey, drained func()) *link.Server {
	return &link.Server{Pod: &stub{drained: drained}, PodUID: uid, Key: key, AgentVersion: "stub", Random: rand.Reader}
}

// stub is a pod of one gateway, that any version may claim once and that echoes.
type stub struct {
	mutex   sync.Mutex
	claim   *link.Claim
	holder  *link.Holder
	drained func()
}

func (s *stub) Join(peer link.Peer) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	state := "Warm"
	if s.claim != nil {
		state = "Claimed"
	}
	peer.Welcome(link.Welcome{State: state, Claim: s.claim, Holder: s.holder, Busy: []string{}, PerInstance: 1})
}

func (s *stub) Leave(link.Peer) {}

func (s *stub) Adopt(peer link.Peer, head link.Adopt, answer func(link.Adopted)) *link.Refusal {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.holder = &link.Holder{GatewayID: peer.GatewayID(), Epoch: head.Epoch}
	answer(link.Adopted{Busy: []string{}})
	return nil
}

func (s *stub) Fence(_ link.Fence, answer func(link.State)) *link.Refusal {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	answer(link.State{Claim: s.claim, Holder: s.holder, Busy: []string{}})
	return nil
}

func (s *stub) BeginClaim(peer link.Peer, head link.Specialize) (link.Intake, *link.Refusal) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.claim != nil && s.claim.VersionUID != head.VersionUID {
		return nil, link.Refuse(link.AlreadyClaimed, "claimed by "+s.claim.VersionUID)
	}
	again := s.claim != nil
	s.holder = &link.Holder{GatewayID: peer.GatewayID(), Epoch: *head.Epoch}
	s.claim = &link.Claim{
		VersionUID: head.VersionUID, FunctionName: head.FunctionName, FunctionNamespace: head.FunctionNamespace,
	}
	return intake{link.Specialized{VersionUID: head.VersionUID, AlreadyClaimed: again}}, nil
}

func (s *stub) Admit(_ link.Peer, _ string, head link.Invoke) (link.Slot, *link.Refusal) {
	return slot{head.RequestID}, nil
}

func (s *stub) Drain(link.Peer, string) { s.drained() }

// intake throws the code away.
type intake struct{ specialized link.Specialized }

func (intake) Write([]byte) error                          { return nil }
func (intake) Abort()                                      {}
func (i intake) Finish() (link.Specialized, *link.Refusal) { return i.specialized, nil }

// slot answers an event with itself.
type slot struct{ requestID string }

func (s slot) Run(event []byte, replies link.Replies) {
	start := time.Now()
	replies.Response(link.Response{Kind: "response", ContentType: "application/json"}, event)
	elapsedMs := float64(time.Since(start).Microseconds()) / 1000
	replies.Report(link.Report{
		RequestID: s.requestID, Status: "success", DurationMs: elapsedMs, BilledDurationMs: 1,
		MemorySizeMiB: 128, MaxMemoryMiB: 8, Reusable: true,
	})
}
