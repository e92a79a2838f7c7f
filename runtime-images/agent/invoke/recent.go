package invoke

import (
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
)

// collectLogs begins to collect lines for the gateways' recent logs, once there is a function and a gateway that wants them; until
// then they cost nothing. The caller holds mu.
func (e *Engine) collectLogs() {
	if e.outbox != nil || e.logStream == "" || e.logTaker() == nil {
		return
	}
	e.outbox = logs.NewOutbox(e.attempt.head.LogFormat == "JSON", e.Now, e.After, e.sendLogs)
	e.Log.Collect(e.outbox)
}

// sendLogs gives a batch to one gateway: who is asked for logs asks all the others.
func (e *Engine) sendLogs(batch logs.Batch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	taker := e.logTaker()
	return taker != nil && taker.Log(link.Log{Stream: e.logStream, First: batch.First}, batch.Entries)
}

// logTaker is the holder, or any other gateway that takes logs while the holder does not; nil = there is none. The caller holds mu.
func (e *Engine) logTaker() link.Peer {
	holder := e.arbiter.Holder().GatewayID
	var taker link.Peer
	for peer := range e.peers {
		if !peer.TakesLogs() {
			continue
		}
		if peer.GatewayID() == holder {
			return peer
		}
		taker = peer
	}
	return taker
}

// closeLogs gives away the last lines.
func (e *Engine) closeLogs() {
	e.mu.Lock()
	outbox := e.outbox
	e.mu.Unlock()
	if outbox != nil {
		outbox.Close()
	}
}
