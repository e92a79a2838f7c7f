package link

// Pod is what the link needs of the rest of the agent.
type Pod interface {
	// Join welcomes a gateway. It is told of every change from then on, unless it speaks protocol 1.
	Join(peer Peer)
	// Leave forgets a gateway. It may be called without Join.
	Leave(peer Peer)
	// BeginClaim arbitrates a SPECIALIZE, whose Epoch is set; the Intake takes the code.
	BeginClaim(peer Peer, head Specialize) (Intake, *Refusal)
	// Adopt makes a gateway the pod's holder. See Peer for what answer may do.
	Adopt(peer Peer, head Adopt, answer func(Adopted)) *Refusal
	// Fence refuses older owners of a function. See Peer for what answer may do.
	Fence(head Fence, answer func(State)) *Refusal
	// Admit takes the slot for one invocation that is meant for version. It does not block.
	Admit(peer Peer, version string, head Invoke) (Slot, *Refusal)
	// Drain makes the pod finish what runs and end, if the gateway may say so. It does not block.
	Drain(peer Peer, reason string)
}

// Peer is a gateway at the other end of one connection, as the pod sees it; comparable. Welcome, Tell and Log, like the answers of
// Adopt and Fence, are called under the pod's lock, so that a gateway reads of changes in the order in which they happened:
// they only queue, and never wait.
type Peer interface {
	// GatewayID names the gateway, new in each of its lives.
	GatewayID() string
	// KnowsHolders is false for a gateway of protocol 1: it is told of no changes, and what it does is not bound to the holder.
	KnowsHolders() bool
	// TakesLogs is false for a gateway that must not be sent any: it does not know what they are.
	TakesLogs() bool
	Welcome(welcome Welcome)
	Tell(state State)
	// Log hands over lines of the log, at most ChunkBytes; they are not kept. False means that they are not sent, because others wait.
	Log(head Log, entries []byte) bool
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

// Replies takes what one invocation answers: either Refuse, or an answer and then Report. An answer is Response; or, when INVOKE has
// asked for that, Begin, Write as often as needed, and End. What comes for an answer that is over is not sent.
type Replies interface {
	// Response sends a whole answer. Of kind error it also ends a streamed one before its end.
	Response(head Response, payload []byte)
	// Begin opens a streamed answer; its head says so. An error means that there is an answer already.
	Begin(head Response) error
	// Write sends a piece of it, which is not kept. It blocks until the gateway has room. An error means that the answer is over.
	Write(piece []byte) error
	// End completes it.
	End()
	Report(report Report)
	Refuse(refusal *Refusal)
}
