package supervise

import (
	"bufio"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

const headless = "KAPPA_TEST_HEADLESS"

// With that variable the test's program is a process whose first thread has ended, while others live.
func init() {
	if os.Getenv(headless) == "" {
		return
	}
	runtime.LockOSThread() // init runs on the first thread
	go func() {
		_, _ = os.Stdout.WriteString("lives\n")
		time.Sleep(time.Hour)
	}()
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
}

func TestAProcessLivesAsLongAsItsLastThread(t *testing.T) {
	s, err := supervisor()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	process, err := s.Start(Command{Path: "/proc/self/exe", Args: []string{"headless"}, Env: []string{headless + "=1"}, Dir: "/", Output: writer})
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.KillTree() })
	if lines := bufio.NewScanner(reader); !lines.Scan() {
		t.Fatal("it does not start")
	}
	for end := time.Now().Add(10 * time.Second); stateOf(t, process.Pid) != "Z"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("its first thread does not end")
		}
	}
	if !slices.Contains(Descendants(os.Getpid()), process.Pid) {
		t.Error("it is not found")
	}
	if !s.KillTree() || process.Alive() {
		t.Error("it cannot be killed")
	}
}
