package runtimeapi

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// client calls the Runtime API as a runtime does.
type client struct {
	t   *testing.T
	url string
}

type request struct {
	method, path string
	header       map[string]string
	body         string
}

func (c client) do(r request) (status int, body string) {
	c.t.Helper()
	made, err := http.NewRequestWithContext(c.t.Context(), r.method, c.url+r.path, strings.NewReader(r.body))
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range r.header {
		made.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(made)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(text))
}

// serve starts a server for one runtime process that has not been pre-booted.
func serve(t *testing.T) (*Session, client) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, session := NewServer(), NewSession(1)
	server.Use(session)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { session.End(); _ = listener.Close(); http.DefaultClient.CloseIdleConnections() })
	return session, client{t, "http://" + listener.Addr().String()}
}

const base = "/2018-06-01/runtime/"

var (
	next      = request{method: "GET", path: base + "invocation/next"}
	answer    = request{method: "POST", path: base + "invocation/id-1/response", body: "1"}
	failing   = request{method: "POST", path: base + "invocation/id-1/error", body: "{}"}
	initFails = request{method: "POST", path: base + "init/error", body: "{}"}
)

// starting, running and the others bring a runtime into a state.
func starting(*testing.T, *Session, client) {}

func running(t *testing.T, session *Session, c client) {
	t.Helper()
	got := make(chan struct{})
	go func() { defer close(got); c.do(next) }()
	<-session.Initialized
	exchange := NewExchange()
	exchange.RequestID, exchange.InvocationID, exchange.Event = "id-1", "attempt-1", []byte(`{"n":1}`)
	if err := session.Deliver(exchange); err != nil {
		t.Fatal(err)
	}
	<-got
}

func responded(t *testing.T, session *Session, c client) {
	t.Helper()
	running(t, session, c)
	if status, body := c.do(answer); status != 202 || body != `{"status":"OK"}` {
		t.Fatal(status, body)
	}
}

func initFailed(t *testing.T, _ *Session, c client) {
	t.Helper()
	if status, body := c.do(initFails); status != 202 || body != `{"status":"OK"}` {
		t.Fatal(status, body)
	}
}

func ready(t *testing.T, session *Session, c client) {
	t.Helper()
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		if response, err := http.Get(c.url + next.path); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-session.Initialized
	t.Cleanup(func() { session.End(); <-polled })
}

func transition(from, to string) string {
	return `{"errorType":"InvalidStateTransition","errorMessage":"State transition from ` + from + ` to ` + to +
		` failed for runtime. Error: State transition is not allowed"}`
}

const invalidID = `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`

func TestWrongCallsAreAnsweredAsLambdaAnswersThem(t *testing.T) {
	with := func(r request, name, value string) request {
		r.header = map[string]string{name: value}
		return r
	}
	at := func(r request, method, path string) request {
		r.method, r.path = method, path
		return r
	}
	rows := []struct {
		reason string
		bring  func(*testing.T, *Session, client)
		call   request
		status int
		body   string
	}{
		{"an answer before the first next", starting, answer, 400, invalidID},
		{"an error before the first next", starting, failing, 400, invalidID},
		{"next after an init error", initFailed, next, 403, transition("InitError", "Ready")},
		{"a second init error", initFailed, initFails, 403, transition("InitError", "InitError")},
		{"an init error while it waits", ready, initFails, 403, transition("Ready", "InitError")},
		{"an answer while it waits", ready, answer, 400, invalidID},
		{"an init error while it works", running, initFails, 403, transition("Running", "InitError")},
		{"next while it works", running, next, 200, `{"n":1}`},
		{"an answer for another id", running, at(answer, "POST", base+"invocation/id-2/response"), 400, invalidID},
		{"an error for another id", running, at(failing, "POST", base+"invocation/id-2/error"), 400, invalidID},
		{"an answer for another attempt", running, with(answer, invocationHeader, "attempt-2"), 400, invalidID},
		{"an answer for this attempt", running, with(answer, invocationHeader, "attempt-1"), 202, `{"status":"OK"}`},
		{"an unknown response mode", running, with(answer, modeHeader, "buffered"), 400,
			`{"errorType":"InvalidFunctionResponseMode","errorMessage":"Invalid function response mode"}`},
		{"a second answer", responded, answer, 403, transition("RuntimeResponseSentState", "InvocationResponse")},
		{"an error after the answer", responded, failing, 403, transition("RuntimeResponseSentState", "InvocationErrorResponse")},
		{"an init error after the answer", responded, initFails, 403, transition("RuntimeResponseSentState", "InitError")},
		{"a restore, without SnapStart", starting, at(next, "GET", base+"restore/next"), 404, "404 page not found"},
		{"an error of a restore, without SnapStart", starting, at(failing, "POST", base+"restore/error"), 404, "404 page not found"},
		{"an unknown path", starting, at(next, "GET", base+"invocations"), 404, "404 page not found"},
		{"a wrong method", starting, at(next, "POST", next.path), 405, "Method Not Allowed"},
		{"a claim of a runtime that has its function", running, at(next, "GET", "/kappa/v1/claim"), 403, transition("Running", "Claim")},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			session, c := serve(t)
			row.bring(t, session, c)
			before := session.State()
			status, body := c.do(row.call)
			if status != row.status || body != row.body {
				t.Errorf("%d %s, want %d %s", status, body, row.status, row.body)
			}
			if status != 202 && row.body != "" && row.call.header[modeHeader] == "" && session.State() != before {
				t.Errorf("%s after a refused call in %s", session.State(), before)
			}
		})
	}
}

func TestACauseIsNotForTheCaller(t *testing.T) {
	for body, want := range map[string]Answer{
		`{"errorMessage":"m","errorType":"T","stackTrace":["a"],"errorCause":{"paths":[]}}`: {
			ContentType: "application/json", Body: []byte(`{"errorMessage":"m","errorType":"T","stackTrace":["a"]}`),
		},
		`nonsense`: {ContentType: "application/octet-stream", Body: []byte(`"Invalid error body"`)},
	} {
		session, c := serve(t)
		running(t, session, c)
		exchange := session.current
		call := failing
		call.body, call.header = body, map[string]string{"Content-Type": errorCauseType, errorTypeHeader: "Function.Broken"}
		if status, text := c.do(call); status != 202 {
			t.Fatal(status, text)
		}
		got := <-exchange.Answered
		if got.ContentType != want.ContentType || string(got.Body) != string(want.Body) || got.ErrorType != "Function.Broken" {
			t.Errorf("%s: %+v %s", body, got, got.Body)
		}
	}
}
