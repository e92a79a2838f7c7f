package invoke

import (
	"time"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
)

// Admit takes one of the pod's slots for an invocation of version. While the claim for that version is still in progress the
// slot is taken too; Run then waits. An invocation that comes again while it runs would not be told from itself.
func (e *Engine) Admit(peer link.Peer, version string, head link.Invoke) (link.Slot, *link.Refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.draining || e.ended:
		return nil, link.Refuse(link.Draining, "the pod takes no new work")
	case e.attempt == nil || e.attempt.head.VersionUID != version:
		return nil, link.Refuse(link.NotClaimed, "the pod does not hold this function version")
	case peer.KnowsHolders() && peer.GatewayID() != e.arbiter.Holder().GatewayID:
		return nil, link.Refuse(link.NotHolder, "another gateway holds the pod")
	case len(e.busy) >= e.attempt.width():
		return nil, link.Refuse(link.Busy, "an invocation runs")
	}
	if _, twice := e.busy[head.RequestID]; twice {
		return nil, link.Refuse(link.Busy, "the invocation runs already")
	}
	e.busy[head.RequestID] = struct{}{}
	return &invocation{engine: e, peer: peer, attempt: e.attempt, head: head}, nil
}

// leave frees the slot, and says so to a holder who does not get the last frame; settle must follow when that one has been
// handed over. Until then the pod does not end, and the frame is not lost. A pod that is not reusable takes no new work.
func (i *invocation) leave(reusable bool) {
	e := i.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.busy, i.head.RequestID)
	e.settling++
	if !reusable {
		e.draining = true
		return
	}
	e.tellHolder(i.peer)
}

func (e *Engine) settle() {
	e.mu.Lock()
	e.settling--
	e.mu.Unlock()
	e.endIfDrained()
	e.endIfDead()
}

// invocation is one INVOKE while it runs.
type invocation struct {
	engine *Engine
	// peer has sent INVOKE, and gets the answer.
	peer    link.Peer
	attempt *attempt
	head    link.Invoke
	event   []byte
	replies link.Replies

	// running is nil while no runtime could be started.
	running *running
	// live says that the function's init has succeeded before.
	live     bool
	exchange *runtimeapi.Exchange
	begin    time.Time
	// end is when it was over: what comes after a failure is not its time.
	end     time.Time
	expired <-chan time.Time
	answer  *runtimeapi.Answer
	// answered and producedBytes are when the answer had been passed on, and its size.
	answered      time.Time
	producedBytes int64
	// tail keeps the end of its log; nil when nobody wants it.
	tail *logs.Tail
	// isDone says that subscribers know that the runtime is through it.
	isDone bool
}

// Run waits for the claim and for init, and runs the invocation to its end.
func (i *invocation) Run(event []byte, replies link.Replies) {
	i.event, i.replies = event, replies
	e := i.engine
	<-i.attempt.done
	if i.attempt.refusal != nil {
		i.refuse(i.attempt.refusal, true)
		return
	}
	<-i.attempt.init.done
	if !i.canRun() {
		i.refuse(link.Refuse(link.Draining, "the runtime ended before the invocation came"), false)
		i.endPod()
		return
	}
	e.freezer.enter()
	defer e.freezer.leave()
	report := i.run()
	i.leave(report.Reusable) // before REPORT: whoever has read it may send the next INVOKE at once
	replies.Report(report)
	if !report.Reusable {
		i.endPod()
	}
	e.settle()
}

// endPod ends a pod that is not reusable; where others may run, settle does it after the last of them.
func (i *invocation) endPod() {
	if i.attempt.width() == 1 {
		i.engine.end(ExitDone)
	}
}

func (i *invocation) refuse(refusal *link.Refusal, reusable bool) {
	i.leave(reusable)
	i.replies.Refuse(refusal)
	i.engine.settle()
}

// canRun is false when the runtime has died while it was idle: another pod can take the invocation.
func (i *invocation) canRun() bool {
	e := i.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	i.running, i.live = e.running, i.attempt.live
	return !i.live || i.running.process.Alive() && !i.running.extensions.HasFailed()
}

func (i *invocation) timeout() time.Duration {
	return time.Duration(i.attempt.head.TimeoutMs) * time.Millisecond
}

func (i *invocation) run() link.Report {
	e := i.engine
	i.running.drain() // what was printed before does not belong to this invocation
	if i.head.Tail {
		i.tail = e.Log.BeginTail(i.ownLines())
	}
	i.begin = e.Now()
	timer := time.NewTimer(i.timeout())
	defer timer.Stop()
	i.expired = timer.C
	e.renewRoleToken(i.head.RoleToken)
	e.Log.Start(i.head.RequestID, i.attempt.head.Version)
	failed := i.suppressedInit()
	if failed == nil {
		failed = i.exchangeWithRuntime()
	}
	if failed != nil && i.answer == nil {
		i.reply(runtimeapi.Answer{
			IsError: true, ContentType: "application/json", ErrorType: failed.errorType, Body: failed.payload(i.head.RequestID),
		})
	}
	i.end = e.Now()
	if i.running != nil && i.running.telemetry != nil && !i.isDone {
		i.tellRuntimeDone(failed)
	}
	isReusable := failed == nil || i.reset(failed)
	return i.report(failed, isReusable)
}

// ownLines is what the lines of the log are told apart by; empty where all are this invocation's.
func (i *invocation) ownLines() string {
	if i.attempt.width() == 1 {
		return ""
	}
	return i.head.RequestID
}

// exchangeWithRuntime delivers the event, passes the answer on as soon as it is there, and waits until the runtime asks
// for more.
func (i *invocation) exchangeWithRuntime() *failure {
	i.exchange = runtimeapi.NewExchange()
	i.exchange.RequestID = i.head.RequestID
	i.exchange.InvocationID = randomHex(16)
	i.exchange.InvokedFunctionArn = i.head.InvokedFunctionArn
	i.exchange.TraceID = i.head.TraceID
	i.exchange.ClientContext = i.head.ClientContext
	i.exchange.Deadline = i.begin.Add(i.timeout())
	i.exchange.Event, i.event = i.event, nil
	if i.head.Stream != nil {
		i.exchange.Stream, i.exchange.MaxStreamBytes = streamed{i.replies}, i.head.Stream.MaxBytes
	}
	if i.running.telemetry != nil {
		i.tellStart()
	}
	if i.running.extensions != nil && i.attempt.width() == 1 { // else none may ask for invocations
		i.tellExtensions()
	}
	if err := i.running.session.Deliver(i.exchange); err != nil {
		return i.engine.exitFailure(i.running)
	}
	i.engine.watchMemory(i.running, i.attempt.head.MemoryMiB)
	defer i.engine.unwatchMemory(i.running)
	if failed := i.awaitAnswer(); failed != nil {
		return failed
	}
	return i.awaitFinish()
}

func (i *invocation) awaitAnswer() *failure {
	select {
	case answer := <-i.exchange.Answered:
		if answer.BrokeOff && i.hasExited() {
			i.running.session.End()
			return i.engine.exitFailure(i.running)
		}
		i.reply(answer)
		return nil
	case <-i.running.process.Done():
		i.running.session.End()
		i.replyIfAnswered()
		return i.engine.exitFailure(i.running)
	case <-i.running.extensions.Failed():
		i.running.session.End()
		i.replyIfAnswered()
		return i.engine.extensionFailure(i.running.extensions, i.running)
	case <-i.expired:
		i.running.session.Withdraw(i.exchange)
		i.replyIfAnswered()
		return timeoutFailure(i.timeout())
	}
}

// replyIfAnswered passes on an answer that came together with the end: after session.End there cannot come another.
func (i *invocation) replyIfAnswered() {
	select {
	case answer := <-i.exchange.Answered:
		if !answer.BrokeOff { // else the end itself says more
			i.reply(answer)
		}
	default:
	}
}

// hasExited tells a runtime that broke off its answer because it died from one that lives on.
func (i *invocation) hasExited() bool {
	select {
	case <-i.running.process.Done():
		return true
	case <-time.After(limits.BreakOffGrace):
		return false
	}
}

func (i *invocation) awaitFinish() *failure {
	select {
	case <-i.exchange.Finished:
		if i.running.telemetry != nil {
			i.isDone = true
			i.tellRuntimeDone(nil)
		}
		return i.awaitExtensions()
	case <-i.running.process.Done():
		return i.engine.exitFailure(i.running)
	case <-i.running.extensions.Failed():
		return i.engine.extensionFailure(i.running.extensions, i.running)
	case <-i.expired:
		return timeoutFailure(i.timeout())
	}
}
