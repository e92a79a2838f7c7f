package supervise

import "syscall"

// Signal sends a signal to the process and those of its group, unless it has ended.
func (s *Supervisor) Signal(process *Process, signal syscall.Signal) {
	s.mu.Lock() // else its id could be another's by now
	defer s.mu.Unlock()
	if s.children[process.Pid] == process {
		_ = syscall.Kill(-process.Pid, signal)
	}
}
