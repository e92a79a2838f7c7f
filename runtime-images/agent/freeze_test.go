package main

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"kappa.dev/agent/testgateway"
)

// isStopped says whether a process stands still.
func isStopped(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " T ")
}

// frozen is a pod whose function has been called once and stands still, with a process that has left the runtime's group.
func frozen(t *testing.T) (*pod, *testgateway.Gateway, []int) {
	t.Helper()
	p, gateway := claimed(t, function("index.daemon", nil))
	daemon, err := strconv.Atoi(string(call(t, gateway, "{}").Payload))
	if err != nil {
		t.Fatal(err)
	}
	pids := append(p.children(), daemon)
	p.awaitFrozen(pids)
	return p, gateway, pids
}

func (p *pod) awaitFrozen(pids []int) {
	p.t.Helper()
	for _, pid := range pids {
		p.await("stopped", func() bool { return isStopped(pid) })
	}
}

func TestAnIdleFunctionStandsStillAndAnswersAgain(t *testing.T) {
	p, gateway := claimed(t, function("index.count", nil))
	for _, want := range []string{"1", "2", "3"} {
		if result := call(t, gateway, "{}"); string(result.Payload) != want || result.Report.Status != "success" {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
		p.awaitFrozen(p.children())
	}
	p.connect(1) // a frozen pod welcomes gateways
	if p.ready() != http.StatusOK {
		t.Fatal("the pod of a frozen function is not ready")
	}
}

func TestAFrozenPodEnds(t *testing.T) {
	p, gateway, pids := frozen(t)
	if err := gateway.Drain("test"); err != nil {
		t.Fatal(err)
	}
	p.awaitExit(0)
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("%d outlives the pod", pid)
		}
	}
}

func TestAFrozenRuntimeThatIsKilledEndsThePod(t *testing.T) {
	p, _, _ := frozen(t)
	p.killRuntime()
	p.awaitExit(0)
}
