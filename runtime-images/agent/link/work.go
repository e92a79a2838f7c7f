package link

import "kappa.dev/agent/limits"

// specialize takes SPECIALIZE. What cannot be done is refused on the stream; only a malformed frame ends the connection.
func (c *connection) specialize(frame Frame) *Refusal {
	var head Specialize
	piece, err := SplitHead(frame.Body, &head)
	if err != nil {
		return Refuse(BadFrame, err.Error())
	}
	if refusal := c.streams.begin(frame.Stream); refusal != nil {
		return refusal
	}
	intake, refusal := c.admitClaim(head)
	if refusal != nil {
		c.agree("", c.claim, refusal)
		c.out.refuse(frame.Stream, refusal)
		return nil
	}
	c.agree(head.VersionUID, &claiming{done: make(chan struct{})}, nil)
	c.streams.open[frame.Stream] = &inbound{intake: intake, claim: c.claim}
	return c.receive(frame.Stream, piece, frame.Flags)
}

func (c *connection) admitClaim(head Specialize) (Intake, *Refusal) {
	epoch, refusal := c.claimEpoch(head.Epoch)
	if refusal != nil {
		return nil, refusal
	}
	head.Epoch = &epoch
	return c.server.Pod.BeginClaim(c, head)
}

// invoke takes INVOKE.
func (c *connection) invoke(frame Frame) *Refusal {
	head := &Invoke{}
	piece, err := SplitHead(frame.Body, head)
	if err != nil {
		return Refuse(BadFrame, err.Error())
	}
	if s := head.Stream; s != nil && (s.WindowBytes < 1 || s.MaxBytes < 1) {
		return Refuse(BadFrame, "windowBytes and maxBytes must be positive")
	}
	if refusal := c.streams.begin(frame.Stream); refusal != nil {
		return refusal
	}
	if refusal := c.admitInvoke(); refusal != nil {
		c.out.refuse(frame.Stream, refusal)
		return nil
	}
	c.streams.open[frame.Stream] = &inbound{invoke: head}
	return c.receive(frame.Stream, piece, frame.Flags)
}

func (c *connection) admitInvoke() *Refusal {
	if refusal := c.checkLife(); refusal != nil {
		return refusal
	}
	if c.refused != nil {
		return c.refused
	}
	if c.version == "" {
		return Refuse(NotClaimed, "the pod is not claimed on this connection")
	}
	return nil
}

// data takes DATA; on a stream that is not open it is skipped.
func (c *connection) data(frame Frame) *Refusal {
	return c.receive(frame.Stream, frame.Body, frame.Flags)
}

func (c *connection) receive(stream uint32, piece []byte, flags byte) *Refusal {
	in := c.streams.open[stream]
	if in == nil {
		return nil
	}
	if refusal := in.take(piece); refusal != nil {
		c.streams.cancel(stream)
		c.out.refuse(stream, refusal)
		return nil
	}
	if flags&FlagEnd != 0 {
		delete(c.streams.open, stream)
		c.start(stream, in)
	}
	return nil
}

func (in *inbound) take(piece []byte) *Refusal {
	if in.intake != nil {
		if err := in.intake.Write(piece); err != nil {
			return asRefusal(err)
		}
		return nil
	}
	if len(in.event)+len(piece) > limits.PayloadBytes {
		return Refuse(PayloadTooLarge, "the event is above 6,291,556 bytes")
	}
	if in.event == nil {
		in.event = piece // the frame's body is not used again
		return nil
	}
	in.event = append(in.event, piece...)
	return nil
}

func asRefusal(err error) *Refusal {
	if refusal, ok := err.(*Refusal); ok {
		return refusal
	}
	return Refuse(Internal, err.Error())
}

// start runs what has arrived completely, beside the reading loop. Slots are taken in the order of the frames.
func (c *connection) start(stream uint32, in *inbound) {
	if in.intake != nil {
		go c.finishClaim(stream, in)
		return
	}
	r := newReplies(c.out, stream, in.invoke.Stream)
	claim := c.claim
	slot, refusal := c.server.Pod.Admit(c, c.version, *in.invoke)
	if refusal != nil {
		go func() { r.Refuse(claim.reason(refusal)) }()
		return
	}
	c.streams.track(stream, r)
	go func() {
		claim.wait() // RESPONSE must not overtake SPECIALIZED
		slot.Run(in.event, r)
	}()
}

func (c *connection) finishClaim(stream uint32, in *inbound) {
	specialized, refusal := in.intake.Finish()
	if refusal != nil {
		c.out.refuse(stream, refusal)
	} else {
		c.out.json(FrameSpecialized, FlagEnd, stream, specialized)
	}
	in.claim.end(refusal)
}
