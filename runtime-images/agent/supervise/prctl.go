package supervise

import "syscall"

const (
	prSetDumpable       = 4
	prSetChildSubreaper = 36
)

func prctl(option, value uintptr) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, value, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func becomeSubreaper() error { return prctl(prSetChildSubreaper, 1) }

// HideFromPeers makes the agent not dumpable: processes of the same user can neither trace it nor read its memory or
// environment. Its children are dumpable again as soon as they run their own program.
func HideFromPeers() error { return prctl(prSetDumpable, 0) }
