package link

// Pod is what the link needs of the rest of the agent.
type Pod interface {
	// Welcome describes the pod for a gateway that has just been accepted.
	Welcome() Welcome
	// BeginClaim arbitrates a SPECIALIZE; the Intake takes the code.
	BeginClaim(head Specialize) (Intake, *Refusal)
	// Admit takes the slot for one invocation that is meant for version. It does not block.
	Admit(version string, head Invoke) (Slot, *Refusal)
	// Drain makes the pod finish what runs and end. It does not block.
	Drain(reason string)
}

// Intake takes the code of one SPECIALIZE, piece by piece. Exactly one of Abort and Finish ends it.
type Intake interface {
	Write(piece []byte) error
	Abort()
	// Finish checks and unpacks the code. It blocks until the pod is specialised.
	Finish() (Specialized, *Refusal)
}

// Slot is the right to run one invocation. Run must be called.
type Slot interface {
	// Run runs the invocation to its end and answers through replies. It blocks.
	Run(event []byte, replies Replies)
}

// Replies takes what one invocation answers: either Refuse, or Response and then Report.
type Replies interface {
	Response(head Response, payload []byte)
	Report(report Report)
	Refuse(refusal *Refusal)
}
