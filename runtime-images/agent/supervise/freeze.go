package supervise

import (
	"os"
	"syscall"
)

// freezeRounds bounds how often Freeze looks for processes that were started while it looked.
const freezeRounds = 10

// Freeze stops every process below the agent: they use no processor until Thaw, and can be killed. What is frozen already stays so.
// It costs a system call for each started process and a look at the kernel's list of children. It says whether nothing has escaped: what starts
// processes faster than they are found has to be frozen again.
func (s *Supervisor) Freeze() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid := range s.children {
		_ = syscall.Kill(-pid, syscall.SIGSTOP)
	}
	s.strays = nil
	seen := map[int]bool{}
	for range freezeRounds {
		isComplete := true
		for _, pid := range descendants(os.Getpid()) {
			if s.children[pid] != nil || seen[pid] {
				continue
			}
			seen[pid], isComplete = true, false
			if group, err := syscall.Getpgid(pid); err == nil && s.children[group] == nil {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
				s.strays = append(s.strays, pid)
			}
		}
		if isComplete {
			return true
		}
	}
	return false
}

// Thaw lets everything that Freeze has stopped go on.
func (s *Supervisor) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid := range s.children {
		_ = syscall.Kill(-pid, syscall.SIGCONT)
	}
	for _, pid := range s.strays {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	s.strays = nil
}

// descendants looks where it costs less: in a pod all of /proc is a few processes.
func descendants(pid int) []int {
	if pid == 1 {
		return Descendants(pid)
	}
	return treeOf(pid)
}
