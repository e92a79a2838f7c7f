package invoke

import (
	"net"
	"time"

	"kappa.dev/agent/logs"
	"kappa.dev/agent/telemetry"
)

func (e *Engine) newHub() *telemetry.Hub {
	host, _, err := net.SplitHostPort(e.Pod.RuntimeAPI)
	if err != nil {
		host = "127.0.0.1"
	}
	return telemetry.NewHub(telemetry.Settings{
		Host: host, Now: e.Now, After: e.After, Listen: e.Log.Tap,
		Subscribed: func(api, name string, types []string) { e.Log.Subscribed(api, name, types) },
	})
}

// phaseOf is the phase of an init that runs now.
func phaseOf(a *attempt) string {
	select {
	case <-a.init.done:
		return "invoke"
	default:
		return "init"
	}
}

// tellInitStart is the first that subscribers hear.
func (e *Engine) tellInitStart(a *attempt, b *beside) {
	b.began = e.Now()
	b.hub.Begin(telemetry.InitStart{
		InitializationType: a.head.Initialization(), Phase: phaseOf(a), RuntimeVersion: runtimeVersion(e.Pod.Runtime),
		RuntimeVersionArn: e.runtimeArn(), FunctionName: a.head.FunctionName, FunctionVersion: a.head.Version,
		InstanceID: randomHex(16), InstanceMaxMemory: a.head.MemoryMiB,
	}, a.head.LogFormat == "JSON")
}

// tellInitDone says that the runtime is through its init; failed is nil when that went well.
func (e *Engine) tellInitDone(a *attempt, b *beside, failed *failure) {
	if b.isInitDone {
		return
	}
	b.isInitDone = true
	status, errorType := outcomeOf(failed)
	b.hub.Tell(telemetry.InitDone{
		InitializationType: a.head.Initialization(), Phase: phaseOf(a), Status: status, ErrorType: errorType,
	})
}

// tellInitReport is the last about an init.
func (e *Engine) tellInitReport(a *attempt, b *beside, failed *failure) {
	status, errorType := outcomeOf(failed)
	b.hub.Tell(telemetry.InitReport{
		InitializationType: a.head.Initialization(), Phase: phaseOf(a), Status: status, ErrorType: errorType,
		Metrics: telemetry.Duration{DurationMs: milliseconds(e.Now().Sub(b.began))},
	})
}

func outcomeOf(failed *failure) (status, errorType string) {
	switch {
	case failed == nil:
		return statusSuccess, ""
	case failed.status == statusTimeout:
		return statusTimeout, ""
	default:
		return reportStatus(failed), failed.errorType
	}
}

func (i *invocation) tellStart() {
	i.exchange.Timed = true
	i.running.telemetry.Tell(telemetry.Start{
		RequestID: i.head.RequestID, Version: i.attempt.head.Version, Tracing: telemetry.TracingOf(i.head.TraceID),
	})
}

// tellRuntimeDone says that the runtime is through the invocation, after all that the function has printed.
func (i *invocation) tellRuntimeDone(failed *failure) {
	hub, now := i.running.telemetry, i.engine.Now()
	i.running.drain()
	done := telemetry.RuntimeDone{
		RequestID: i.head.RequestID, Status: statusSuccess, Tracing: telemetry.TracingOf(i.head.TraceID),
		Metrics: &telemetry.RuntimeDoneCost{DurationMs: milliseconds(now.Sub(i.begin)), ProducedBytes: i.producedBytes},
	}
	switch {
	case failed != nil:
		done.Status, done.ErrorType = failed.status, failed.errorType
	case i.answer.IsError:
		done.Status, done.ErrorType = statusError, i.answer.ErrorType
	}
	if i.answer != nil && !i.answered.IsZero() && i.exchange != nil && !i.exchange.Began.IsZero() {
		done.Spans = append(done.Spans, spanOf("responseLatency", i.begin, i.exchange.Began), spanOf("responseDuration", i.exchange.Began, i.answered))
		if failed == nil {
			done.Spans = append(done.Spans, spanOf("runtimeOverhead", i.answered, now))
		}
	}
	hub.Tell(done)
}

func spanOf(name string, begin, end time.Time) telemetry.Span {
	return telemetry.Span{Name: name, Start: telemetry.Time(begin), DurationMs: milliseconds(end.Sub(begin))}
}

// tellReport is the last about an invocation. After a reset nobody hears it.
func (i *invocation) tellReport(usage logs.Usage, failed *failure) {
	hub, problem := i.running.telemetry, ""
	if failed != nil {
		problem = failed.message
	}
	hub.Ended(i.head.RequestID, problem)
	hub.Tell(telemetry.Report{
		RequestID: usage.RequestID, Status: usage.Status, ErrorType: usage.ErrorType, Tracing: telemetry.TracingOf(i.head.TraceID),
		Metrics: telemetry.ReportCost{
			DurationMs: usage.DurationMs, BilledDurationMs: usage.BilledDurationMs, MemorySizeMB: usage.MemorySizeMiB,
			MaxMemoryUsedMB: usage.MaxMemoryMiB, InitDurationMs: usage.InitDurationMs,
		},
	})
}
