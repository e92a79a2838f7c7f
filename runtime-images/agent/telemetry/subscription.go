package telemetry

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// API is one of the two ways to subscribe.
type API struct {
	// prefix is what its error types begin with.
	prefix, closed string
	schemas        map[string]schema
	// fallback is the schema of a request that names none; empty when it must.
	fallback string
}

// The two APIs. An extension may use one of them.
var (
	TelemetryAPI = &API{
		prefix: "Telemetry", closed: "Telemetry API subscription is closed",
		schemas: map[string]schema{"2022-07-01": events2022, "2022-12-13": events2022b, "2025-01-29": events2025},
	}
	LogsAPI = &API{
		prefix: "Logs", closed: "Logs API subscription is closed already", fallback: "2020-08-15",
		schemas: map[string]schema{"2020-08-15": logs2020, "2021-03-18": logs2021},
	}
)

// Bounds of a subscription's buffer.
const (
	minItems, maxItems, defaultItems             = 1000, 10000, 10000
	minBytes, maxBytes, defaultBytes             = 262144, 1048576, 262144
	minTimeoutMs, maxTimeoutMs, defaultTimeoutMs = 25, 30000, 1000
	reservedPort                                 = 9001
)

// Categories of events.
const (
	platform  = "platform"
	function  = "function"
	extension = "extension"
)

// subscription is what an extension wants.
type subscription struct {
	schema schema
	types  []string
	// isTCP tells lines on a connection from requests.
	isTCP  bool
	method string
	port   string
	// uri is where requests go to.
	uri                string
	maxItems, maxBytes int
	timeout            time.Duration
}

func (s subscription) equals(other subscription) bool {
	return s.schema == other.schema && slices.Equal(s.types, other.types) && s.isTCP == other.isTCP && s.method == other.method &&
		s.port == other.port && s.uri == other.uri && s.maxItems == other.maxItems && s.maxBytes == other.maxBytes && s.timeout == other.timeout
}

type wireSubscription struct {
	SchemaVersion *string  `json:"schemaVersion"`
	Types         []string `json:"types"`
	Destination   *struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Port     int    `json:"port"`
		Method   string `json:"method"`
	} `json:"destination"`
	Buffering *struct {
		MaxItems  *int `json:"maxItems"`
		MaxBytes  *int `json:"maxBytes"`
		TimeoutMs *int `json:"timeoutMs"`
	} `json:"buffering"`
}

// parse reads a request. Its error names every problem.
func (api *API) parse(body []byte) (subscription, error) {
	var wire wireSubscription
	if err := json.Unmarshal(body, &wire); err != nil {
		return subscription{}, fmt.Errorf("failed to parse JSON: %w", err)
	}
	p := &problems{}
	s := subscription{schema: api.parseSchema(wire.SchemaVersion, p), types: parseTypes(wire.Types, p)}
	s.maxItems, s.maxBytes = defaultItems, defaultBytes
	timeoutMs := defaultTimeoutMs
	if b := wire.Buffering; b != nil {
		s.maxItems = p.bounded("maxItems", b.MaxItems, minItems, maxItems, defaultItems)
		s.maxBytes = p.bounded("maxBytes", b.MaxBytes, minBytes, maxBytes, defaultBytes)
		timeoutMs = p.bounded("timeoutMs", b.TimeoutMs, minTimeoutMs, maxTimeoutMs, defaultTimeoutMs)
	}
	s.timeout = time.Duration(timeoutMs) * time.Millisecond
	switch d := wire.Destination; {
	case d == nil:
		p.add("destination is not provided")
	case d.Protocol == "TCP":
		s.isTCP, s.port = true, p.port(d.Port)
	case d.Protocol == "HTTP":
		s.method = p.method(api, d.Method)
		s.uri, s.port = p.uri(d.URI)
	default:
		p.add("destination protocol should be HTTP or TCP")
	}
	return s, p.err()
}

func (api *API) parseSchema(version *string, p *problems) schema {
	name := api.fallback
	if version != nil {
		name = *version
	}
	s, ok := api.schemas[name]
	if !ok {
		p.add("schemaVersion is not supported")
	}
	return s
}

func parseTypes(types []string, p *problems) []string {
	if len(types) == 0 {
		p.add("types should not be empty")
	}
	var wanted []string
	for _, name := range []string{platform, function, extension} {
		if slices.Contains(types, name) {
			wanted = append(wanted, name)
		}
	}
	for _, name := range types {
		if !slices.Contains(wanted, name) {
			p.add("types has an unknown value")
			break
		}
	}
	return wanted
}

// problems collects what is wrong with a request.
type problems struct{ texts []string }

func (p *problems) add(text string) { p.texts = append(p.texts, text) }

func (p *problems) err() error {
	if len(p.texts) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(p.texts, "; "))
}

func (p *problems) bounded(name string, value *int, low, high, fallback int) int {
	if value == nil {
		return fallback
	}
	if *value < low || *value > high {
		p.add(fmt.Sprintf("%s should be between %d and %d", name, low, high))
	}
	return *value
}

func (p *problems) port(port int) string {
	switch {
	case port == 0:
		p.add("port is not provided")
	case port < 0 || port > 65535:
		p.add("port should be between 1 and 65535")
	case port == reservedPort:
		p.add(fmt.Sprintf("port %d is reserved", reservedPort))
	}
	return strconv.Itoa(port)
}

// method is POST, or what a subscriber of the Logs API wants.
func (p *problems) method(api *API, method string) string {
	switch {
	case api == TelemetryAPI || method == "":
		return "POST"
	case method != "PUT" && method != "POST":
		p.add("destination method should be PUT or POST")
	}
	return method
}

// uri takes addresses within the execution environment only.
func (p *problems) uri(text string) (uri, port string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		p.add("URI is not provided")
		return "", ""
	case err != nil || u.Scheme != "http" || u.User != nil:
		p.add("URI should be an http address")
		return "", ""
	case u.Hostname() != "sandbox.localdomain" && u.Hostname() != "sandbox":
		p.add("URI host should be sandbox.localdomain")
	case u.Port() == "":
		p.add("URI port is not provided")
		return "", ""
	}
	number, err := strconv.Atoi(u.Port())
	if err != nil {
		number = -1
	}
	return text, p.port(number)
}
