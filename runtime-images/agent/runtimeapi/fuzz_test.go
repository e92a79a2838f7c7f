package runtimeapi

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// caller plays a runtime that does anything at any time, and the engine beside it.
type caller struct {
	t        *testing.T
	session  *Session
	handler  http.Handler
	answered map[*Exchange]int
	current  *Exchange
}

func (c *caller) call(method, path string, header map[string]string, body []byte) int {
	ctx := context.WithValue(c.t.Context(), sessionKey{}, c.session)
	if path == next.path || path == "/kappa/v1/claim" {
		hungUp, hangUp := context.WithCancel(ctx)
		hangUp() // else it would wait for ever where there is nothing
		ctx = hungUp
	}
	request := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	for name, value := range header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, request)
	return recorder.Code
}

// nowhere takes a streamed answer.
type nowhere struct{}

func (nowhere) Begin(string) error { return nil }

func (nowhere) Write([]byte) error { return nil }

// step does what two bytes say, with a body.
func (c *caller) step(what, how byte, body []byte) (status int) {
	header := map[string]string{}
	switch how % 5 {
	case 1:
		header[modeHeader] = "streaming"
	case 2:
		header[modeHeader] = string(body)
	case 3:
		header[invocationHeader] = "attempt"
	case 4:
		header["Content-Type"], header[errorTypeHeader] = errorCauseType, string(body)
	}
	id := []string{"id", "other", RehearsalID}[how/5%3]
	switch what % 8 {
	case 0:
		return c.call("GET", next.path, nil, nil)
	case 1:
		return c.call("POST", base+"invocation/"+id+"/response", header, body)
	case 2:
		return c.call("POST", base+"invocation/"+id+"/error", header, body)
	case 3:
		return c.call("POST", initFails.path, header, body)
	case 4:
		return c.call("GET", "/kappa/v1/claim", nil, nil)
	case 5:
		exchange := NewExchange()
		exchange.RequestID, exchange.InvocationID, exchange.Event = "id", "attempt", body
		if how%2 == 1 {
			exchange.Stream, exchange.MaxStreamBytes = nowhere{}, 8
		}
		if c.session.Deliver(exchange) == nil {
			c.current = exchange
		}
	case 6:
		_ = c.session.Assign(Assignment{Handler: "index.handler"}, 1)
	default:
		if how == 0 {
			c.session.End()
		}
	}
	return 0
}

// FuzzRuntimeAPI: whatever a runtime does, in whatever order, each call has one of Lambda's answers, an invocation has at most one, and nothing hangs.
func FuzzRuntimeAPI(f *testing.F) {
	f.Add(false, []byte("\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00"), []byte("{}"))                       // next, deliver, next, response, next
	f.Add(false, []byte("\x03\x00\x03\x00\x00\x00"), []byte("{}"))                                       // init error twice
	f.Add(true, []byte("\x00\x00\x01\x0a\x04\x00\x06\x00\x00\x00\x05\x00\x00\x00\x02\x04"), []byte(`x`)) // from the rehearsal to an error
	f.Add(false, []byte("\x00\x00\x05\x00\x00\x00\x01\x01\x01\x02\x02\x03\x07\x00\x00\x00"), []byte("streaming"))
	f.Add(false, []byte("\x00\x00\x05\x01\x00\x00\x01\x01\x01\x01\x00\x00"), []byte("more than fits")) // streamed
	f.Fuzz(func(t *testing.T, generic bool, steps, body []byte) {
		session := NewSession(1)
		if generic {
			session = NewGenericSession()
		}
		c := &caller{t: t, session: session, handler: NewServer().routes(), answered: map[*Exchange]int{}}
		for ; len(steps) > 1; steps = steps[2:] {
			before := session.State()
			status := c.step(steps[0], steps[1], body)
			hungUp := steps[0]%8 == 0 || steps[0]%8 == 4
			switch status {
			case 0, 200, 202, 400, 413:
			case 403:
				if after := session.State(); after != before {
					t.Fatalf("%s became %s by a call that was refused", before, after)
				}
			case 500:
				if !hungUp {
					t.Fatalf("%d in %s", status, before)
				}
			default:
				t.Fatalf("%d in %s", status, before)
			}
			if c.current != nil {
				select {
				case <-c.current.Answered:
					c.answered[c.current]++
				default:
				}
				if c.answered[c.current] > 1 {
					t.Fatal("two answers")
				}
			}
		}
	})
}
