package supervise

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func stateOf(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[0]
}

func awaitState(t *testing.T, pid int, isStopped bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if (stateOf(t, pid) == "T") == isStopped {
			return
		}
	}
	t.Fatalf("%d is %s", pid, stateOf(t, pid))
}

func TestAFrozenTreeStandsStillAndGoesOn(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid here")
	}
	s, process, lines := shell(t, "sleep 3600 & echo $!; setsid sh -c 'sleep 3600 & echo $$ $!; wait' & wait")
	pids := []int{process.Pid}
	for len(pids) < 4 && lines.Scan() {
		for _, field := range strings.Fields(lines.Text()) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	for range 2 {
		s.Freeze()
		s.Freeze()
		for _, pid := range pids {
			awaitState(t, pid, true)
		}
		s.Thaw()
		for _, pid := range pids {
			awaitState(t, pid, false)
		}
	}
	s.Freeze()
	if !s.KillTree() {
		t.Fatal("a frozen tree cannot be killed")
	}
}
