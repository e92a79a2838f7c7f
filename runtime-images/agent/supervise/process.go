// Package supervise starts the runtime's processes, reaps everything that dies below the agent, and kills whole trees.
package supervise

import (
	"fmt"
	"os"
	"syscall"
)

// Command says how a runtime is started.
type Command struct {
	// Path is the executable's full path.
	Path string
	// Args are the arguments, Args[0] included.
	Args []string
	// Env is the complete environment.
	Env []string
	// Dir is the working directory.
	Dir string
	// Output takes standard output and standard error.
	Output *os.File
}

// Process is one started process. It is reaped by the Supervisor.
type Process struct {
	// Pid is the process id, and the id of its process group.
	Pid    int
	done   chan struct{}
	status syscall.WaitStatus
	// peakKiB is the most memory that it had, resident.
	peakKiB int64
}

// Done is closed when the process has ended and has been reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive says whether the process has not been reaped yet.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Killed says whether the process was ended by SIGKILL. Only valid after Done.
func (p *Process) Killed() bool { return p.status.Signaled() && p.status.Signal() == syscall.SIGKILL }

// PeakKiB is the most memory that the process had, resident, KiB; of its children nothing. Only valid after Done.
func (p *Process) PeakKiB() int64 { return p.peakKiB }

// Status describes the end in Lambda's words: "exit status 1", "signal: killed", or "" for a clean exit.
// Only valid after Done.
func (p *Process) Status() string {
	switch {
	case p.status.Signaled():
		return "signal: " + p.status.Signal().String()
	case p.status.ExitStatus() != 0:
		return fmt.Sprintf("exit status %d", p.status.ExitStatus())
	default:
		return ""
	}
}
