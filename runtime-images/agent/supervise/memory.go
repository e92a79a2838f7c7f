package supervise

import (
	"bytes"
	"os"
	"strconv"
)

// TreeMemoryKiB adds up the resident memory of pid and all its descendants now, KiB. For pid itself the peak counts.
// Shared pages count once for each process.
func TreeMemoryKiB(pid int) (now, peak int64) {
	now, peak = statusMemory(pid)
	for _, child := range treeOf(pid) {
		rss, _ := statusMemory(child)
		now += rss
		peak += rss
	}
	return now, peak
}

// treeOf uses the kernel's own child lists, so that a pod without children costs two small reads.
func treeOf(pid int) []int {
	var found []int
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + task.Name() + "/children")
		if err != nil {
			return nil
		}
		for _, field := range bytes.Fields(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				found = append(append(found, child), treeOf(child)...)
			}
		}
	}
	return found
}

func statusMemory(pid int) (rss, peak int64) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	return kibOf(status, "VmRSS:"), kibOf(status, "VmHWM:")
}

func kibOf(status []byte, key string) int64 {
	_, after, found := bytes.Cut(status, []byte(key))
	if !found {
		return 0
	}
	fields := bytes.Fields(after[:min(len(after), 40)])
	if len(fields) == 0 {
		return 0
	}
	value, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return value
}
