package invoke

import (
	"bytes"
	"fmt"
	"io"
)

// WriteMetrics writes the pod's figures in the Prometheus text format.
func (e *Engine) WriteMetrics(to io.Writer) {
	w := &bytes.Buffer{} // a slow reader must not hold the lock
	defer w.WriteTo(to)
	e.writeMemory(w)
	e.mu.Lock()
	defer e.mu.Unlock()
	claimed := 0
	if e.attempt != nil {
		claimed = 1
	}
	fmt.Fprintf(w, "# HELP kappa_agent_claimed 1 when the pod belongs to a function version.\n# TYPE kappa_agent_claimed gauge\nkappa_agent_claimed %d\n", claimed)
	fmt.Fprintf(w, "# HELP kappa_agent_in_flight Invocations in flight.\n# TYPE kappa_agent_in_flight gauge\nkappa_agent_in_flight %d\n", len(e.busy))
	fmt.Fprintf(w, "# HELP kappa_agent_function_memory_max_bytes Largest memory of the function's processes so far.\n# TYPE kappa_agent_function_memory_max_bytes gauge\nkappa_agent_function_memory_max_bytes %d\n", e.peakKiB*1024)
	fmt.Fprint(w, "# HELP kappa_agent_invocations_total Ended invocations. status: success | error | failure | timeout.\n# TYPE kappa_agent_invocations_total counter\n")
	for _, status := range []string{statusSuccess, statusError, statusFailure, statusTimeout} {
		fmt.Fprintf(w, "kappa_agent_invocations_total{status=%q} %d\n", status, e.counts[status])
	}
}

// writeMemory writes what the kernel says.
func (e *Engine) writeMemory(w io.Writer) {
	if limit, limited := e.Memory.LimitBytes(); limited {
		fmt.Fprintf(w, "# HELP kappa_agent_memory_limit_bytes The pod's memory limit now; absent when there is none.\n# TYPE kappa_agent_memory_limit_bytes gauge\nkappa_agent_memory_limit_bytes %d\n", limit)
	}
	fmt.Fprintf(w, "# HELP kappa_agent_oom_kills_total Processes that the kernel has ended because the pod's memory ran out.\n# TYPE kappa_agent_oom_kills_total counter\nkappa_agent_oom_kills_total %d\n", e.Memory.Kills())
}

func (e *Engine) count(status string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[status]++
}
