package supervise

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// oomScore makes the kernel end the function before the agent when memory runs out.
const oomScore = 1000

// Supervisor owns all processes below the agent. There is one per process: it reaps every child.
type Supervisor struct {
	mu       sync.Mutex
	children map[int]*Process
	// strays are frozen processes that have left the groups of children.
	strays []int
	starts chan startRequest
	// ownUsers says that the number of processes can be limited.
	ownUsers bool
}

type startRequest struct {
	command Command
	answer  chan<- startAnswer
}

type startAnswer struct {
	process *Process
	err     error
}

// New makes the agent the reaper of its descendants and starts reaping. Descendants that lose their parent come to it.
func New() (*Supervisor, error) {
	if err := becomeSubreaper(); err != nil {
		return nil, fmt.Errorf("cannot become subreaper: %w", err)
	}
	s := &Supervisor{children: map[int]*Process{}, starts: make(chan startRequest), ownUsers: ownUsers()}
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	go s.reap(died)
	go s.spawn()
	return s, nil
}

// Start starts a process in a group of its own. It dies with the agent.
func (s *Supervisor) Start(command Command) (*Process, error) {
	answer := make(chan startAnswer, 1)
	s.starts <- startRequest{command, answer}
	started := <-answer
	return started.process, started.err
}

// spawn forks on one thread for ever: the parent-death signal is tied to the forking thread, not to the process.
func (s *Supervisor) spawn() {
	runtime.LockOSThread()
	for request := range s.starts {
		process, err := s.fork(request.command)
		request.answer <- startAnswer{process, err}
	}
}

func (s *Supervisor) fork(command Command) (*Process, error) {
	output := command.Output.Fd()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	s.mu.Lock() // the reaper must not see the child before it is registered
	defer s.mu.Unlock()
	pid, err := syscall.ForkExec(command.Path, command.Args, &syscall.ProcAttr{
		Dir: command.Dir, Env: command.Env,
		Files: []uintptr{null.Fd(), output, output},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return nil, &os.PathError{Op: "fork/exec", Path: command.Path, Err: err}
	}
	limit(pid, s.ownUsers)
	process := &Process{Pid: pid, done: make(chan struct{})}
	s.children[pid] = process
	// Fails harmlessly when the process is gone already.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte(strconv.Itoa(oomScore)), 0)
	return process, nil
}

func (s *Supervisor) reap(died <-chan os.Signal) {
	for range died {
		s.reapAll()
	}
}

// reapAll reaps what has died and says whether the agent has no child left, dead or alive.
func (s *Supervisor) reapAll() (none bool) {
	for {
		pid, err := s.reapOne()
		if err == syscall.ECHILD {
			return true
		}
		if err != syscall.EINTR && pid <= 0 {
			return false
		}
	}
}

func (s *Supervisor) reapOne() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, &usage)
	if process := s.children[pid]; err == nil && process != nil {
		process.status, process.peakKiB = status, usage.Maxrss
		close(process.done)
		delete(s.children, pid)
	}
	return pid, err
}
