package extensions

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// Invocation is what INVOKE tells.
type Invocation struct {
	RequestID          string
	InvokedFunctionArn string
	TraceID            string
	Deadline           time.Time
}

type tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (i Invocation) event() []byte {
	var trace *tracing
	if i.TraceID != "" {
		trace = &tracing{"X-Amzn-Trace-Id", i.TraceID}
	}
	body, _ := json.Marshal(struct { // strings and numbers always can be written
		EventType          string   `json:"eventType"`
		DeadlineMs         int64    `json:"deadlineMs"`
		RequestID          string   `json:"requestId"`
		InvokedFunctionArn string   `json:"invokedFunctionArn"`
		Tracing            *tracing `json:"tracing,omitempty"`
	}{invoke, i.Deadline.UnixMilli(), i.RequestID, i.InvokedFunctionArn, trace})
	return body
}

func shutdownEvent(reason string, deadline time.Time) []byte {
	return fmt.Appendf(nil, `{"eventType":%q,"deadlineMs":%d,"shutdownReason":%q}`, shutdown, deadline.UnixMilli(), reason)
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
