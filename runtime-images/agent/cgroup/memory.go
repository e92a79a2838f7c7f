// Package cgroup reads what the kernel allows the pod, and what it has done about it.
package cgroup

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Memory is the memory controller of the container's own cgroup, version 1 or 2. Everything is read anew each time: the limit
// changes when the pod is resized in place. A nil Memory knows of no limit.
type Memory struct{ limitFile, eventsFile string }

// unlimited is above every real limit; version 1 writes a number near 2^63 for none.
const unlimited = 1 << 60

// FindMemory looks the controller up, below root (the file system's root outside of tests); nil when there is none.
func FindMemory(root string) *Memory {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		mount, limit, events := "sys/fs/cgroup", "memory.max", "memory.events"
		if slices.Contains(strings.Split(parts[1], ","), "memory") {
			mount, limit, events = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"
		} else if parts[1] != "" {
			continue
		}
		// A container sees its own cgroup as the root of the mount, whatever path it is said to have.
		for _, dir := range []string{filepath.Join(root, mount, parts[2]), filepath.Join(root, mount)} {
			m := &Memory{limitFile: filepath.Join(dir, limit), eventsFile: filepath.Join(dir, events)}
			if _, err := os.Stat(m.limitFile); err == nil {
				return m
			}
		}
	}
	return nil
}

// LimitBytes is the limit at this moment; false when there is none.
func (m *Memory) LimitBytes() (int64, bool) {
	if m == nil {
		return 0, false
	}
	text, err := os.ReadFile(m.limitFile)
	if err != nil {
		return 0, false
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64) // "max" is not a number
	return limit, err == nil && limit > 0 && limit < unlimited
}

// Kills counts the processes that the kernel has ended here because memory ran out. It only rises.
func (m *Memory) Kills() int64 {
	if m == nil {
		return 0
	}
	text, err := os.ReadFile(m.eventsFile)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if after, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			kills, _ := strconv.ParseInt(string(bytes.TrimSpace(after)), 10, 64)
			return kills
		}
	}
	return 0
}
