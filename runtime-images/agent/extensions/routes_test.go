package extensions

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kappa.dev/agent/limits"
)

// api is a set behind its routes.
type api struct {
	t      *testing.T
	set    *Set
	server *httptest.Server
	// alarms are the functions that the set wants to be called later.
	alarms chan func()
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{t: t, alarms: make(chan func(), 99)}
	a.set = NewSet(func(_ time.Duration, f func()) { a.alarms <- f }, nil)
	mux := http.NewServeMux()
	AddRoutes(mux, func(*http.Request) *Set { return a.set })
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	t.Cleanup(a.set.End) // first: open requests end
	return a
}

func (a *api) opened() *api {
	a.set.Open(Function{Name: "f", Version: "7", Handler: "index.h", AccountID: "123456789012"})
	return a
}

// send makes a request. header is a list of names and values.
func (a *api) send(method, path, body string, header ...string) (*http.Response, string) {
	a.t.Helper()
	request, err := http.NewRequest(method, a.server.URL+"/2020-01-01/extension/"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Error(err)
		return &http.Response{Header: http.Header{}}, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response, string(text)
}

func (a *api) register(name string, events ...string) (id string) {
	a.t.Helper()
	body, _ := json.Marshal(map[string]any{"events": events})
	response, text := a.send("POST", "register", string(body), nameHeader, name)
	if response.StatusCode != http.StatusOK {
		a.t.Fatal(text)
	}
	return response.Header.Get(identifierHeader)
}

type answer struct {
	status int
	header http.Header
	body   string
}

// next asks in a goroutine of its own, and returns when the set has the request.
func (a *api) next(id string) <-chan answer {
	a.t.Helper()
	answered := make(chan answer, 1)
	go func() {
		response, body := a.send("GET", "event/next", "", identifierHeader, id)
		answered <- answer{response.StatusCode, response.Header, body}
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		a.set.mu.Lock()
		x := a.set.identified(id)
		isPolling := x != nil && x.polling
		a.set.mu.Unlock()
		if isPolling || len(answered) > 0 {
			return answered
		}
		if time.Now().After(end) {
			a.t.Fatal("the request has not come")
		}
	}
}

const strange = "11111111-2222-4333-8444-555555555555"

func TestWrongCallsAreAnsweredAsLambdaDoes(t *testing.T) {
	internal := func(a *api) string { return a.opened().register("internal", "INVOKE") }
	rows := []struct {
		reason       string
		prepare      func(a *api) (id string)
		method, path string
		body         string
		header       []string
		status       int
		want         string
	}{
		{"no name", nil, "POST", "register", `{"events":[]}`, nil, 403, `{"errorMessage":"Empty extension name","errorType":"Extension.InvalidExtensionName"}`},
		{"no JSON", nil, "POST", "register", `{"events":`, []string{nameHeader, "x"}, 403, `{"errorMessage":"unexpected end of JSON input","errorType":"InvalidRequestFormat"}`},
		{"no body", nil, "POST", "register", ``, []string{nameHeader, "x"}, 403, `{"errorMessage":"unexpected end of JSON input","errorType":"InvalidRequestFormat"}`},
		{"a body without end", nil, "POST", "register", strings.Repeat(" ", limits.ExtensionBodyBytes+1), []string{nameHeader, "x"}, 403, `{"errorMessage":"http: request body too large","errorType":"InvalidRequestFormat"}`},
		{"configuration keys", nil, "POST", "register", `{"events":[],"configurationKeys":["A"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"configurationKeys are deprecated; use environment variables instead","errorType":"InvalidRequestFormat"}`},
		{"an unknown event", func(a *api) string { a.opened(); return "" }, "POST", "register", `{"events":["INVOKE","abc"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"abc: ErrorInvalidEventType","errorType":"Extension.InvalidEventType"}`},
		{"INVOKE where several invocations run at once", func(a *api) string { a.set.Open(Function{Several: true}); return "" }, "POST", "register", `{"events":["INVOKE"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"INVOKE: InvokeEventNotSupportedForConcurrentInvocations","errorType":"Extension.InvalidEventType"}`},
		{"SHUTDOWN for an internal one", func(a *api) string { a.opened(); return "" }, "POST", "register", `{"events":["SHUTDOWN"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension","errorType":"Extension.InvalidEventType"}`},
		{"before the function is there", nil, "POST", "register", `{"events":["INVOKE"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"Extension registration closed already","errorType":"Extension.RegistrationClosed"}`},
		{"after init", func(a *api) string { a.opened(); a.set.Close(); return "" }, "POST", "register", `{"events":["INVOKE"]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"Extension registration closed already","errorType":"Extension.RegistrationClosed"}`},
		{"the same internal name", internal, "POST", "register", `{"events":["INVOKE"]}`, []string{nameHeader, "internal"}, 403, `{"errorMessage":"Extension with this name already registered","errorType":"Extension.InvalidExtensionState"}`},
		{"an external one twice", func(a *api) string { _ = a.set.Launching("x"); a.opened(); return a.register("x") }, "POST", "register", `{"events":[]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"State transition from Registered to Registered failed for extension x. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"the eleventh", func(a *api) string {
			a.opened()
			for n := range limits.Extensions {
				a.register(fmt.Sprint(n))
			}
			return ""
		}, "POST", "register", `{"events":[]}`, []string{nameHeader, "x"}, 403, `{"errorMessage":"Extension limit (10) reached","errorType":"Extension.TooManyExtensions"}`},
		{"next without an id", nil, "GET", "event/next", "", nil, 403, `{"errorMessage":"Missing Lambda-Extension-Identifier header","errorType":"Extension.MissingExtensionIdentifier"}`},
		{"next with a broken id", nil, "GET", "event/next", "", []string{identifierHeader, "abc"}, 403, `{"errorMessage":"Invalid Lambda-Extension-Identifier","errorType":"Extension.InvalidExtensionIdentifier"}`},
		{"next with a strange id", nil, "GET", "event/next", "", []string{identifierHeader, strange}, 403, `{"errorMessage":"Unknown extension ` + strange + `","errorType":"Extension.UnknownExtensionIdentifier"}`},
		{"next after exit/error", func(a *api) string {
			id := internal(a)
			a.send("POST", "exit/error", "", identifierHeader, id, errorTypeHeader, "A.B")
			return id
		}, "GET", "event/next", "", nil, 403, `{"errorMessage":"State transition from ExitError to Ready failed for extension ID. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"next while one is open", func(a *api) string { id := internal(a); a.next(id); return id }, "GET", "event/next", "", nil, 403, `{"errorMessage":"State transition from Ready to Ready failed for extension ID. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"init/error without an id", nil, "POST", "init/error", "", nil, 403, `{"errorMessage":"Missing Lambda-Extension-Identifier header","errorType":"Extension.MissingExtensionIdentifier"}`},
		{"init/error without a type", internal, "POST", "init/error", "", nil, 403, `{"errorMessage":"Lambda-Extension-Function-Error-Type not found","errorType":"Extension.MissingHeader"}`},
		{"init/error with a strange id", nil, "POST", "init/error", "", []string{identifierHeader, strange, errorTypeHeader, "A.B"}, 403, `{"errorMessage":"Unknown Lambda-Extension-Identifier","errorType":"Extension.UnknownExtensionIdentifier"}`},
		{"init/error", internal, "POST", "init/error", "{}", []string{errorTypeHeader, "A.B"}, 202, `{"status":"OK"}`},
		{"init/error after init", func(a *api) string { id := internal(a); a.next(id); return id }, "POST", "init/error", "", []string{errorTypeHeader, "A.B"}, 403, `{"errorMessage":"State transition from Ready to InitError failed for extension ID. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
		{"exit/error without a type", internal, "POST", "exit/error", "", nil, 403, `{"errorMessage":"Lambda-Extension-Function-Error-Type not found","errorType":"Extension.MissingHeader"}`},
		{"exit/error", func(a *api) string { id := internal(a); a.next(id); return id }, "POST", "exit/error", "", []string{errorTypeHeader, "A.B"}, 202, `{"status":"OK"}`},
		{"exit/error after init/error", func(a *api) string {
			id := internal(a)
			a.send("POST", "init/error", "", identifierHeader, id, errorTypeHeader, "A.B")
			return id
		}, "POST", "exit/error", "", []string{errorTypeHeader, "A.B"}, 403, `{"errorMessage":"State transition from InitError to Exited failed for extension ID. Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}`},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			a, id := newAPI(t), ""
			if row.prepare != nil {
				id = row.prepare(a)
			}
			header := row.header
			if id != "" {
				header = append([]string{identifierHeader, id}, header...)
			}
			response, body := a.send(row.method, row.path, row.body, header...)
			want := strings.ReplaceAll(row.want, "extension ID.", "extension "+id+".") + "\n"
			if response.StatusCode != row.status || body != want || response.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s\nwant %d %s", response.StatusCode, body, row.status, want)
			}
		})
	}
}

func TestARegistrationTellsOfTheFunction(t *testing.T) {
	a := newAPI(t).opened()
	for feature, want := range map[string]string{
		"":                  `{"functionName":"f","functionVersion":"7","handler":"index.h"}`,
		"other":             `{"functionName":"f","functionVersion":"7","handler":"index.h"}`,
		"other , accountId": `{"accountId":"123456789012","functionName":"f","functionVersion":"7","handler":"index.h"}`,
	} {
		response, body := a.send("POST", "register", `{"events":["INVOKE"]}`, nameHeader, "x"+feature, featureHeader, feature)
		if body != want+"\n" || !isIdentifier(response.Header.Get(identifierHeader)) {
			t.Errorf("%q: %s", feature, body)
		}
	}
}

func FuzzRegister(f *testing.F) {
	for _, body := range []string{`{"events":["INVOKE","SHUTDOWN"]}`, `{"events":null}`, `null`, `[]`, `{"events":[1]}`, `{"configurationKeys":["a"]}`, "\x00"} {
		f.Add("name", body)
	}
	f.Fuzz(func(t *testing.T, name, body string) {
		set := NewSet(func(time.Duration, func()) {}, nil)
		set.Open(Function{})
		mux := http.NewServeMux()
		AddRoutes(mux, func(*http.Request) *Set { return set })
		request := httptest.NewRequest("POST", "/2020-01-01/extension/register", strings.NewReader(body))
		request.Header[nameHeader] = []string{name}
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, request)
		if !json.Valid(recorder.Body.Bytes()) || recorder.Code != 200 && recorder.Code != 403 {
			t.Fatalf("%d %s", recorder.Code, recorder.Body)
		}
		if infos := set.Infos(); (recorder.Code == 200) != (len(infos) == 1) {
			t.Fatalf("%d, but %+v", recorder.Code, infos)
		}
	})
}
