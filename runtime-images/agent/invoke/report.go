package invoke

import (
	"encoding/base64"
	"math"

	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
)

// reply sends the answer, or its end when it was streamed; once.
func (i *invocation) reply(answer runtimeapi.Answer) {
	if i.running != nil && i.running.telemetry != nil {
		i.producedBytes = answer.StreamedBytes + int64(len(answer.Body))
		defer func() { i.answered = i.engine.Now() }()
	}
	if answer.Streamed {
		i.replies.End()
		i.answer = &answer
		return
	}
	head := link.Response{Kind: "response", ContentType: answer.ContentType}
	if answer.IsError {
		head.Kind, head.ErrorType = "error", answer.ErrorType
	}
	i.replies.Response(head, answer.Body)
	answer.Body = nil
	i.answer = &answer
}

// report writes END and REPORT and gives the REPORT frame. Everything that the function has printed comes before.
func (i *invocation) report(failed *failure, isReusable bool) link.Report {
	e := i.engine
	duration := milliseconds(i.end.Sub(i.begin))
	i.running.drain()
	if i.running != nil && i.running.extensions != nil {
		e.drainExtensions()
	}
	if failed != nil {
		failed.log(e.Log, i.head.RequestID)
	}
	usage := logs.Usage{
		RequestID: i.head.RequestID, DurationMs: duration, MemorySizeMiB: i.attempt.head.MemoryMiB,
		MaxMemoryMiB: e.maxMemoryMiB(i.running), Status: statusSuccess,
	}
	switch {
	case failed != nil:
		usage.Status, usage.ErrorType = failed.status, failed.errorType
	case i.answer.IsError:
		usage.Status, usage.ErrorType = statusError, i.answer.ErrorType
	}
	billed := duration
	if init := e.takeInit(i.attempt); init != nil {
		usage.InitDurationMs = &init.durationMs
		billed += init.durationMs
	}
	usage.BilledDurationMs = int64(math.Ceil(billed))
	e.count(usage.Status)
	e.Log.End(usage)
	if i.running != nil && i.running.telemetry != nil {
		i.tellReport(usage, failed)
	}
	report := link.Report{
		RequestID: usage.RequestID, Status: usage.Status, ErrorType: usage.ErrorType, DurationMs: usage.DurationMs,
		BilledDurationMs: usage.BilledDurationMs, InitDurationMs: usage.InitDurationMs, MemorySizeMiB: usage.MemorySizeMiB,
		MaxMemoryMiB: usage.MaxMemoryMiB, Reusable: isReusable,
	}
	if i.head.Tail {
		report.LogTail = base64.StdEncoding.EncodeToString(e.Log.EndTail(i.tail))
	}
	return report
}

// takeInit gives the init phase to the first that asks; nil when it was given away, or has failed.
func (e *Engine) takeInit(a *attempt) *initPhase {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.init.failure != nil || a.init.reported {
		return nil
	}
	a.init.reported = true
	return a.init
}
