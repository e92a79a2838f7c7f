package link

import "slices"

// holderProtocol is the first version that knows of holders.
const holderProtocol = 2

// allOfProtocol1 stands for every gateway of protocol 1: their epochs are compared with each other. No gateway is called that.
const allOfProtocol1 = "\n"

// GatewayID names the gateway; valid after AUTH.
func (c *connection) GatewayID() string { return c.gatewayID }

// KnowsHolders says whether the gateway speaks protocol 2.
func (c *connection) KnowsHolders() bool { return c.protocol >= holderProtocol }

// Welcome sends WELCOME; called once, by the reading goroutine.
func (c *connection) Welcome(welcome Welcome) {
	if welcome.Claim != nil {
		c.version = welcome.Claim.VersionUID
	}
	if c.KnowsHolders() {
		c.out.offer(FrameWelcome, 0, welcome)
		return
	}
	c.out.offer(FrameWelcome, 0, welcome1{Welcome: welcome})
}

// Tell sends STATE.
func (c *connection) Tell(state State) { c.out.offer(FrameState, 0, state) }

// TakesLogs says whether the gateway wants LOG.
func (c *connection) TakesLogs() bool { return c.takesLogs }

// Log sends LOG, unless too much waits already.
func (c *connection) Log(head Log, entries []byte) bool { return c.out.ifIdle(FrameLog, head, entries) }

// meet looks up the gateway's past. An older life of a gateway is refused; in protocol 1 only its work is.
func (c *connection) meet(auth Auth) *Refusal {
	c.gatewayID, c.protocol, c.epoch = auth.GatewayID, auth.Protocol, auth.Epoch
	c.takesLogs = slices.Contains(auth.Features, FeatureLogs)
	if !c.KnowsHolders() {
		c.proven = c.server.epochs.Meet(allOfProtocol1, auth.Epoch)
		return nil
	}
	c.proven = c.server.epochs.Meet(auth.GatewayID, auth.Epoch)
	return c.proven.Check(auth.Epoch)
}

// checkLife refuses work that an older life of the gateway asks for.
func (c *connection) checkLife() *Refusal {
	refusal := c.proven.Check(c.epoch)
	if refusal != nil && !c.KnowsHolders() {
		refusal.Epoch = 0
	}
	return refusal
}

// claimEpoch is the epoch of a SPECIALIZE: what it says, or what AUTH has said. In protocol 1 it counts for all that follows.
func (c *connection) claimEpoch(said *uint64) (uint64, *Refusal) {
	if said == nil {
		return c.epoch, c.checkLife()
	}
	if c.KnowsHolders() {
		return *said, c.checkLife()
	}
	before := c.epoch
	c.epoch = max(c.epoch, *said)
	if refusal := c.checkLife(); refusal != nil {
		c.epoch = before
		return 0, refusal
	}
	c.proven.See(c.epoch)
	return c.epoch, nil
}

// adopt takes ADOPT.
func (c *connection) adopt(frame Frame) *Refusal {
	var head Adopt
	if err := parseJSON(frame.Body, &head); err != nil {
		return Refuse(BadFrame, err.Error())
	}
	if refusal := c.streams.begin(frame.Stream); refusal != nil {
		return refusal
	}
	refusal := c.checkLife()
	if refusal == nil {
		refusal = c.server.Pod.Adopt(c, head, func(adopted Adopted) { c.out.offer(FrameAdopted, frame.Stream, adopted) })
	}
	c.agree(head.VersionUID, nil, refusal)
	if refusal != nil {
		c.out.refuse(frame.Stream, refusal)
	}
	return nil
}

// fence takes FENCE.
func (c *connection) fence(frame Frame) *Refusal {
	var head Fence
	if err := parseJSON(frame.Body, &head); err != nil {
		return Refuse(BadFrame, err.Error())
	}
	if refusal := c.streams.begin(frame.Stream); refusal != nil {
		return refusal
	}
	refusal := c.checkLife()
	if refusal == nil {
		refusal = c.server.Pod.Fence(head, func(state State) { c.out.offer(FrameFenced, frame.Stream, state) })
	}
	if refusal != nil {
		c.out.refuse(frame.Stream, refusal)
	}
	return nil
}

// agree keeps what the gateway and the pod have agreed on, or why they have not.
func (c *connection) agree(version string, claim *claiming, refusal *Refusal) {
	c.version, c.claim, c.refused = version, claim, refusal
	if refusal != nil {
		c.version = ""
	}
}
