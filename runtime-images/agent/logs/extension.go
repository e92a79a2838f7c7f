package logs

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Line takes a line of an extension; it shares the bounds of the function's output. It does not keep text.
func (s *Stream) Line(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.admit(len(text) + 1) {
		s.dropping = true
		s.dropped += int64(len(text) + 1)
		return
	}
	s.line(text)
}

// Extension writes how init has gone for an extension. errorType is empty when there is none.
func (s *Stream) Extension(name, state string, events []string, errorType string) {
	if s.isJSON() {
		s.event(extensionLevel(errorType), "platform.extension", ExtensionRecord(name, state, events, errorType))
		return
	}
	line := fmt.Appendf(nil, "EXTENSION\tName: %s\tState: %s\tEvents: [%s]", name, state, strings.Join(events, ", "))
	if errorType != "" {
		line = fmt.Appendf(line, "\tError Type: %s", errorType)
	}
	s.Platform(line)
}

func extensionLevel(errorType string) string {
	if errorType == "" {
		return "INFO"
	}
	return "WARN"
}

// ExtensionRecord is the record of platform.extension.
func ExtensionRecord(name, state string, events []string, errorType string) []byte {
	if events == nil {
		events = []string{}
	}
	record, _ := json.Marshal(struct { // strings always can be written
		Name      string   `json:"name"`
		State     string   `json:"state"`
		Events    []string `json:"events"`
		ErrorType string   `json:"errorType,omitempty"`
	}{name, state, events, errorType})
	return record
}

// Subscribed writes that an extension has subscribed to the Telemetry API or the Logs API, api is Telemetry or Logs. types are Platform, Function
// and Extension.
func (s *Stream) Subscribed(api, name string, types []string) {
	if !s.isJSON() {
		s.Platform(fmt.Appendf(nil, "%s\tName: %s\tState: Subscribed\tTypes: [%s]", strings.ToUpper(api), name, strings.Join(types, ", ")))
		return
	}
	record, _ := json.Marshal(struct { // strings always can be written
		Name  string   `json:"name"`
		State string   `json:"state"`
		Types []string `json:"types"`
	}{name, "Subscribed", strings.Split(strings.ToLower(strings.Join(types, " ")), " ")})
	s.event("INFO", "platform."+strings.ToLower(api)+"Subscription", record)
}
