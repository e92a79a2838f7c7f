package supervise

import (
	"os"
	"strings"
	"syscall"
	"unsafe"

	"kappa.dev/agent/limits"
)

// rlimitProcesses is RLIMIT_NPROC, which package syscall does not name.
const rlimitProcesses = 6

// ownUsers says whether the pod has user ids of its own. Only then the kernel's count of a user's processes is the pod's: elsewhere all pods
// of a node share one user, and its processes together would be held to what one function may have.
func ownUsers() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && os.Getuid() != 0 && !isWholeMap(string(text))
}

// isWholeMap recognises the user ids of the machine itself: 0 is 0, and so on to the last.
func isWholeMap(uidMap string) bool {
	return strings.Join(strings.Fields(uidMap), " ") == "0 0 4294967295"
}

// limit holds a process, and what it will start, to Lambda's numbers of open files and, where that is possible, of processes and threads.
// A process that has just ended, or limits that are lower already, are no matter.
func limit(pid int, processes bool) {
	setLimit(pid, syscall.RLIMIT_NOFILE, limits.OpenFiles)
	if processes {
		setLimit(pid, rlimitProcesses, limits.Processes)
	}
}

func setLimit(pid, resource int, value uint64) {
	wanted := syscall.Rlimit{Cur: value, Max: value}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(&wanted)), 0, 0, 0)
}
