package supervise

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// supervisor is the only one of this process.
var supervisor = sync.OnceValues(New)

// shell starts a script and gives the process and the lines that it prints.
func shell(t *testing.T, script string) (*Supervisor, *Process, *bufio.Scanner) {
	t.Helper()
	s, err := supervisor()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	t.Cleanup(func() { s.KillTree(); _ = reader.Close() })
	process, err := s.Start(Command{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: t.TempDir(), Output: writer,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, process, bufio.NewScanner(reader)
}

func awaitEnd(t *testing.T, process *Process) {
	t.Helper()
	select {
	case <-process.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

func TestEndsAreNamedAsLambdaDoes(t *testing.T) {
	for script, want := range map[string]string{
		"exit 0": "", "exit 7": "exit status 7", "kill -9 $$": "signal: killed", "kill -11 $$": "signal: segmentation fault",
	} {
		_, process, _ := shell(t, script)
		awaitEnd(t, process)
		if got := process.Status(); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

func TestAStartThatFails(t *testing.T) {
	s, err := supervisor()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Start(Command{Path: "/nowhere", Args: []string{"x"}, Output: os.Stderr}); !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func TestTheWholeTreeIsKilled(t *testing.T) {
	s, process, lines := shell(t, `trap '' TERM
setsid sh -c 'trap "" TERM; (sleep 3600 & echo $!; wait) & exit 0'
(setsid sleep 3600 & echo $!)
sleep 3600`)
	var pids []int
	for len(pids) < 2 && lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	s.KillTree()
	awaitEnd(t, process)
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("%d is alive", pid)
		}
	}
	if left := Descendants(os.Getpid()); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	_, process, lines := shell(t, `(sh -c 'echo $$; exit 0' & ) ; sleep 3600`)
	if !lines.Scan() {
		t.Fatal("no pid")
	}
	pid := lines.Text()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat("/proc/" + pid); os.IsNotExist(err) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("a zombie is left")
		}
	}
	if !process.Alive() {
		t.Fatal("the parent is gone")
	}
}

func TestTheChildIsTheFirstToGoWhenMemoryRunsOut(t *testing.T) {
	_, process, _ := shell(t, "sleep 3600")
	score, err := os.ReadFile("/proc/" + strconv.Itoa(process.Pid) + "/oom_score_adj")
	if err != nil || strings.TrimSpace(string(score)) != "1000" {
		t.Fatalf("%s %v", score, err)
	}
}

func TestMemoryOfTheTree(t *testing.T) {
	_, process, lines := shell(t, "sleep 3600 & echo; wait")
	lines.Scan()
	own, _ := statusMemory(process.Pid)
	now, peak := TreeMemoryKiB(process.Pid)
	if own == 0 || now <= own || peak < now {
		t.Fatalf("own %d, tree %d, peak %d KiB", own, now, peak)
	}
}
