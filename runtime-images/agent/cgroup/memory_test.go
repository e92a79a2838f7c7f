package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheLimitIsReadAnewWhereverItIs(t *testing.T) {
	const v1, v2 = "memory.limit_in_bytes", "memory.max"
	rows := []struct {
		reason, cgroup, file, events, kills string
	}{
		{"version 2, a container", "0::/\n", "sys/fs/cgroup/" + v2, "memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n"},
		{"version 2, the host's view", "0::/pods/a\n", "sys/fs/cgroup/pods/a/" + v2, "memory.events", "oom_kill 2\n"},
		{"version 1, a container", "5:cpu,cpuacct:/x\n4:memory:/pods/a\n0::/\n", "sys/fs/cgroup/memory/" + v1, "memory.oom_control",
			"oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"},
		{"version 1, the host's view", "4:memory:/pods/a\n", "sys/fs/cgroup/memory/pods/a/" + v1, "memory.oom_control", "oom_kill 2\n"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "proc/self/cgroup", row.cgroup)
			write(t, root, row.file, "134217728\n")
			m := FindMemory(root)
			if limit, ok := m.LimitBytes(); !ok || limit != 128<<20 || m.Kills() != 0 {
				t.Fatal(limit, ok, m.Kills())
			}
			write(t, root, row.file, "268435456\n")
			write(t, root, filepath.Join(filepath.Dir(row.file), row.events), row.kills)
			if limit, ok := m.LimitBytes(); !ok || limit != 256<<20 || m.Kills() != 2 {
				t.Fatal(limit, ok, m.Kills())
			}
			for _, none := range []string{"max\n", "9223372036854771712\n", ""} {
				write(t, root, row.file, none)
				if limit, ok := m.LimitBytes(); ok {
					t.Errorf("%q is the limit %d", none, limit)
				}
			}
		})
	}
}

func TestNoControllerIsNoLimit(t *testing.T) {
	root := t.TempDir()
	if FindMemory(root) != nil {
		t.Error("found in nothing")
	}
	write(t, root, "proc/self/cgroup", "garbage\n7:cpu:/\n0::/\n")
	m := FindMemory(root)
	if _, ok := m.LimitBytes(); m != nil || ok || m.Kills() != 0 {
		t.Error("found without files")
	}
}
