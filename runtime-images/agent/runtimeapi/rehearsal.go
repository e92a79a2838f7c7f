package runtimeapi

import "time"

// RehearsalID is the request id of the invocation that every generic runtime gets before it waits for its claim: the
// connection and the code on both sides have run once when the first real one comes.
const RehearsalID = "00000000-0000-0000-0000-000000000000"

func rehearsal() *Exchange {
	exchange := NewExchange()
	exchange.RequestID = RehearsalID
	exchange.InvocationID = RehearsalID
	exchange.InvokedFunctionArn = "arn:aws:lambda:us-east-1:000000000000:function:rehearsal"
	exchange.TraceID = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"
	exchange.Deadline = time.Now().Add(time.Minute)
	exchange.Event = []byte(`{"kappa":"rehearsal"}`)
	return exchange
}
