package link

// claiming is an accepted SPECIALIZE until its outcome is known. A nil claiming is none at all.
type claiming struct {
	done    chan struct{}
	refusal *Refusal
}

// end makes the outcome known; called once.
func (c *claiming) end(refusal *Refusal) {
	c.refusal = refusal
	close(c.done)
}

// wait blocks until SPECIALIZE has been answered or given up.
func (c *claiming) wait() {
	if c != nil {
		<-c.done
	}
}

// reason is why an invocation of this connection is refused: a claim that has failed explains more than other does.
func (c *claiming) reason(other *Refusal) *Refusal {
	c.wait()
	if c != nil && c.refusal != nil {
		return c.refusal
	}
	return other
}
