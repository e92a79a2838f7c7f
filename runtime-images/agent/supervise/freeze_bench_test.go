package supervise

import (
	"os"
	"testing"
)

// BenchmarkFreezeAndThaw is what one pause costs the agent and the function's process. BENCH_COMMAND is what runs, sleep without it.
func BenchmarkFreezeAndThaw(b *testing.B) {
	command := os.Getenv("BENCH_COMMAND")
	if command == "" {
		command = "exec sleep 3600"
	}
	s, err := supervisor()
	if err != nil {
		b.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	if _, err := s.Start(Command{Path: "/bin/sh", Args: []string{"sh", "-c", command}, Env: os.Environ(), Dir: "/", Output: null}); err != nil {
		b.Fatal(err)
	}
	defer s.KillTree()
	for b.Loop() {
		s.Freeze()
		s.Thaw()
	}
}
