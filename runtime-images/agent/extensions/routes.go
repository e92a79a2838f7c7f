package extensions

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"kappa.dev/agent/limits"
	"kappa.dev/agent/telemetry"
)

const (
	identifierHeader = "Lambda-Extension-Identifier"
	nameHeader       = "Lambda-Extension-Name"
	errorTypeHeader  = "Lambda-Extension-Function-Error-Type"
	featureHeader    = "Lambda-Extension-Accept-Feature"
)

// AddRoutes adds the Extensions API. setOf gives the set that a request belongs to; nil when there is none.
func AddRoutes(mux *http.ServeMux, setOf func(*http.Request) *Set) {
	add := func(pattern string, handle func(*Set, http.ResponseWriter, *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			set := setOf(r)
			if set == nil {
				writeRefusal(w, &Refusal{"Extension.RegistrationClosed", "Extension registration closed already"})
				return
			}
			handle(set, w, r)
		})
	}
	add("POST /2020-01-01/extension/register", handleRegister)
	add("GET /2020-01-01/extension/event/next", identified(handleNext))
	add("POST /2020-01-01/extension/init/error", identified(handleError(failsInit, "Extension.InitError")))
	add("POST /2020-01-01/extension/exit/error", identified(handleError(failsExit, "Extension.ExitError")))
	add("PUT /2022-07-01/telemetry", identified(handleSubscribe(telemetry.TelemetryAPI)))
	add("PUT /2022-07-01/telemetry/{$}", identified(handleSubscribe(telemetry.TelemetryAPI)))
	add("PUT /2020-08-15/logs", identified(handleSubscribe(telemetry.LogsAPI)))
}

// isIdentifier says whether the text is a UUID.
func isIdentifier(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		if isDash := i == 8 || i == 13 || i == 18 || i == 23; isDash != (c == '-') || !isDash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// identified takes requests of registered extensions only.
func identified(handle func(set *Set, id string, w http.ResponseWriter, r *http.Request)) func(*Set, http.ResponseWriter, *http.Request) {
	return func(set *Set, w http.ResponseWriter, r *http.Request) {
		id := strings.ToLower(r.Header.Get(identifierHeader))
		switch {
		case id == "":
			writeRefusal(w, &Refusal{"Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"})
		case !isIdentifier(id):
			writeRefusal(w, &Refusal{"Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"})
		default:
			handle(set, id, w, r)
		}
	}
}

// handleRegister is POST /extension/register.
func handleRegister(set *Set, w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(nameHeader)
	if name == "" {
		writeRefusal(w, &Refusal{"Extension.InvalidExtensionName", "Empty extension name"})
		return
	}
	events, err := parseRegister(http.MaxBytesReader(w, r.Body, limits.ExtensionBodyBytes))
	if err != nil {
		writeRefusal(w, &Refusal{"InvalidRequestFormat", err.Error()})
		return
	}
	id, function, err := set.register(name, events)
	if err != nil {
		writeRefusal(w, err)
		return
	}
	accountID := ""
	for feature := range strings.SplitSeq(r.Header.Get(featureHeader), ",") {
		if strings.TrimSpace(feature) == "accountId" {
			accountID = function.AccountID
		}
	}
	w.Header()[identifierHeader] = []string{id}
	writeJSON(w, http.StatusOK, struct {
		AccountID       string `json:"accountId,omitempty"`
		FunctionName    string `json:"functionName"`
		FunctionVersion string `json:"functionVersion"`
		Handler         string `json:"handler"`
	}{accountID, function.Name, function.Version, function.Handler})
}

func parseRegister(from io.Reader) ([]string, error) {
	body, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	var request struct {
		Events            []string `json:"events"`
		ConfigurationKeys []string `json:"configurationKeys"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	if len(request.ConfigurationKeys) > 0 {
		return nil, errors.New("configurationKeys are deprecated; use environment variables instead")
	}
	return request.Events, nil
}

// handleNext is GET /extension/event/next: a long poll without a time limit.
func handleNext(set *Set, id string, w http.ResponseWriter, r *http.Request) {
	body, err := set.next(r.Context(), id)
	if err != nil {
		writeRefusal(w, err)
		return
	}
	w.Header()["Lambda-Extension-Event-Identifier"] = []string{newID()}
	write(w, http.StatusOK, body)
}

// handleError is POST /extension/init/error and /extension/exit/error. Their bodies are not used, as on Lambda.
func handleError(e event, fatal string) func(*Set, string, http.ResponseWriter, *http.Request) {
	return func(set *Set, id string, w http.ResponseWriter, r *http.Request) {
		errorType := r.Header.Get(errorTypeHeader)
		if errorType == "" {
			writeRefusal(w, &Refusal{"Extension.MissingHeader", errorTypeHeader + " not found"})
			return
		}
		if err := set.report(e, fatal, id, errorType); err != nil {
			writeRefusal(w, err)
			return
		}
		write(w, http.StatusAccepted, []byte(`{"status":"OK"}`+"\n"))
	}
}

// handleSubscribe is PUT /telemetry and PUT /logs.
func handleSubscribe(api *telemetry.API) func(*Set, string, http.ResponseWriter, *http.Request) {
	return func(set *Set, id string, w http.ResponseWriter, r *http.Request) {
		name, err := set.nameOf(id)
		if err != nil {
			writeRefusal(w, err)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.ExtensionBodyBytes))
		if err != nil {
			writeRefusal(w, err)
			return
		}
		status, answer := set.hub.Subscribe(api, name, body)
		writeJSON(w, status, answer)
	}
}

type errorBody struct {
	ErrorMessage string `json:"errorMessage"`
	ErrorType    string `json:"errorType"`
}

func writeRefusal(w http.ResponseWriter, err error) {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		writeJSON(w, http.StatusForbidden, errorBody{refusal.Message, refusal.ErrorType})
		return
	}
	writeJSON(w, http.StatusInternalServerError, errorBody{"Internal Server Error", "InternalServerError"})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"errorType":"InternalServerError"}`)
	}
	write(w, status, append(body, '\n'))
}

func write(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Date"] = nil
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
