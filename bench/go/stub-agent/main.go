// Command stub-agent is an agent without a runtime: it speaks the link like the real one (it is the same package) and answers every event
// with the event itself. With it, a benchmark measures the gateway and nothing else.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"kappa.dev/agent/link"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ip := os.Getenv("KAPPA_POD_IP")
	key, err := link.ParsePublicKey(os.Getenv("KAPPA_GATEWAY_PUBLIC_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "9100"))
	if err != nil {
		log.Fatal(err)
	}
	go serveReadiness(net.JoinHostPort(ip, "9101"))
	server := &link.Server{
		Pod: &stub{drained: stop}, PodUID: os.Getenv("KAPPA_POD_UID"), Key: key, AgentVersion: "stub", Random: rand.Reader,
	}
	go func() { log.Print(server.Serve(listener)) }()
	<-ctx.Done()
}

func serveReadiness(address string) {
	ok := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	log.Fatal(http.ListenAndServe(address, http.HandlerFunc(ok)))
}

// stub is a pod that any version may claim once and that echoes.
type stub struct {
	mutex   sync.Mutex
	claim   *link.Claim
	drained func()
}

func (s *stub) Welcome() link.Welcome {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	state := "Warm"
	if s.claim != nil {
		state = "Claimed"
	}
	return link.Welcome{State: state, Claim: s.claim, Busy: []string{}, PerInstance: 1}
}

func (s *stub) BeginClaim(head link.Specialize) (link.Intake, *link.Refusal) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.claim != nil && s.claim.VersionUID != head.VersionUID {
		return nil, link.Refuse(link.AlreadyClaimed, "claimed by "+s.claim.VersionUID)
	}
	again := s.claim != nil
	s.claim = &link.Claim{
		VersionUID: head.VersionUID, FunctionName: head.FunctionName, FunctionNamespace: head.FunctionNamespace,
	}
	return intake{link.Specialized{VersionUID: head.VersionUID, AlreadyClaimed: again}}, nil
}

func (s *stub) Admit(_ string, head link.Invoke) (link.Slot, *link.Refusal) {
	return slot{head.RequestID}, nil
}

func (s *stub) Drain(string) { s.drained() }

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
