package invoke

// Drain makes the pod take no new work; it ends when nothing runs. Repeated calls do nothing more.
func (e *Engine) Drain(string) {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	go e.endIfDrained()
}

func (e *Engine) endIfDrained() {
	e.mu.Lock()
	idle := e.draining && len(e.busy) == 0
	e.mu.Unlock()
	if idle {
		e.end(ExitDone)
	}
}

// end kills the process tree and exits the agent, once.
func (e *Engine) end(code int) {
	e.mu.Lock()
	if e.ended {
		e.mu.Unlock()
		return
	}
	e.ended = true
	r := e.running
	e.mu.Unlock()
	e.stop(r)
	e.Exit(code)
}
