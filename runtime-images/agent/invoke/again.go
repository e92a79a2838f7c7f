package invoke

// suppressedInit runs init again when the init phase has failed, or a runtime before; its time is the invocation's. What a failure has left is
// ended by reset, when the caller has the answer. Of several invocations one runs it for all.
func (i *invocation) suppressedInit() *failure {
	if i.live {
		return nil
	}
	select {
	case i.attempt.turn <- struct{}{}:
		defer func() { <-i.attempt.turn }()
	case <-i.expired:
		return timeoutFailure(i.timeout())
	}
	if i.attempt.givenUp != nil {
		return i.attempt.givenUp
	}
	if alive := i.canRun(); i.live && !alive {
		return i.engine.exitFailure(i.running)
	} else if i.live {
		return nil
	}
	e, begin := i.engine, i.engine.Now()
	r, failed := e.runInit(i.attempt, nil, i.timeout())
	i.running, i.live = r, failed == nil // also without a runtime: the one before is gone
	e.logInitDone(i.attempt, "invoke", milliseconds(e.Now().Sub(begin)), failed)
	i.attempt.givenUp = failed
	return failed
}

// reset ends what a failure has left, and says whether the pod goes on. Then the next invocation starts a new runtime, which finds /tmp
// as it is. Another pod is better where init fails, where memory ran out, where something cannot be ended, and where others run: they go on,
// and nothing new comes to a process of which one invocation may still be at work.
func (i *invocation) reset(failed *failure) bool {
	e := i.engine
	if i.attempt.width() > 1 {
		return false
	}
	e.mu.Lock()
	i.attempt.live = false // else the end of the runtime would be the pod's
	e.mu.Unlock()
	return e.shutDown(i.running, shutdownReason(failed)) && i.live && failed.errorType != outOfMemory
}
