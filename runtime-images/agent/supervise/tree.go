package supervise

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"

	"kappa.dev/agent/limits"
)

// KillTree ends every descendant of the agent, also those that left their group or session, and returns when none is
// left, or after limits.KillTimeout (a process can be stuck in the kernel): then it says false.
func (s *Supervisor) KillTree() bool {
	s.killGroups()
	s.killGroups()
	if os.Getpid() == 1 {
		_ = syscall.Kill(-1, syscall.SIGKILL) // everything in this PID namespace but the agent, atomically
	}
	for end := time.Now().Add(limits.KillTimeout); time.Now().Before(end); {
		left := Descendants(os.Getpid())
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if s.reapAll() && len(left) == 0 {
			return true
		}
		time.Sleep(500 * time.Microsecond)
	}
	return false
}

func (s *Supervisor) killGroups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid := range s.children {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Descendants lists the living (not yet dead or zombie) processes below pid, from /proc.
func Descendants(pid int) []int {
	children := livingByParent()
	var found []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		found = append(found, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

func livingByParent() map[int][]int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	children := map[int][]int{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if parent, living := parentOf(name); living {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}

// hasThreads tells a process whose first thread has ended before the others from a dead one: both are shown as zombies.
func hasThreads(pid string) bool {
	tasks, err := os.ReadDir("/proc/" + pid + "/task")
	return err == nil && len(tasks) > 1
}

// parentOf reads the parent from /proc/PID/stat. The name in it may hold any bytes, so parsing starts after its last ")".
func parentOf(pid string) (parent int, living bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 || fields[0][0] == 'X' || fields[0][0] == 'Z' && !hasThreads(pid) {
		return 0, false
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return parent, err == nil
}
