// Package telemetry serves Lambda's Telemetry API and the older Logs API: it tells extensions what happens in their execution environment.
package telemetry

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"kappa.dev/agent/logs"
)

// Settings are what a Hub needs.
type Settings struct {
	// Host is where extensions listen: what sandbox.localdomain stands for.
	Host string
	Now  func() time.Time
	// After runs f in a goroutine of its own after a time, as time.AfterFunc.
	After func(d time.Duration, f func())
	// Listen makes the function's output come to the given function, or no more when it is nil.
	Listen func(output func(p []byte))
	// Subscribed notes in the log that an extension has subscribed. types are Platform, Function, Extension.
	Subscribed func(api, name string, types []string)
}

// Hub tells the extensions of one execution environment. Until init is over it keeps what it has told, so that a subscriber misses nothing. It
// is safe for use by several goroutines; a nil hub tells nobody.
type Hub struct {
	Settings
	mu sync.Mutex
	// json says that the function's log format is JSON.
	json        bool
	closed      bool
	collecting  bool
	subscribers []*subscriber
	backlog     []told
	size        int
	// first is platform.initStart, kept from the beginning.
	first  *told
	output logs.Lines
	ended  chan struct{}
}

// told is one event with its time and its category.
type told struct {
	at       time.Time
	category string
	event    event
}

// Bounds of what is kept for those that subscribe late, and of how often they may.
const (
	backlogItems = 10000
	backlogBytes = 256 << 10
	// maxSubscriptions is how often an extension may change its mind: each time all of it is told again.
	maxSubscriptions = 10
)

// NewHub makes a hub without subscribers.
func NewHub(settings Settings) *Hub {
	h := &Hub{Settings: settings, ended: make(chan struct{})}
	h.output.Emit = func(text []byte) { h.tellLine(function, text) }
	return h
}

// Begin tells the first event. json is the function's log format.
func (h *Hub) Begin(start InitStart, json bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.json = json
	h.first = &told{h.Now(), platform, start}
	if h.collecting {
		h.backlog = append(h.backlog, *h.first)
	}
}

// Collect begins to keep what happens: there may be subscribers soon.
func (h *Hub) Collect() {
	h.mu.Lock()
	started := !h.collecting && !h.closed
	if started {
		h.collecting = true
		if h.first != nil {
			h.backlog = append(h.backlog, *h.first)
		}
	}
	h.mu.Unlock()
	if started {
		h.Listen(h.tellOutput) // not under mu: it takes the log's lock, under which output comes
	}
}

// Close ends the time of subscriptions and says whether there are any.
func (h *Hub) Close() bool {
	h.mu.Lock()
	isUsed := len(h.subscribers) > 0
	wasCollecting := h.collecting
	h.closed, h.collecting = true, isUsed
	h.backlog = nil
	h.mu.Unlock()
	if wasCollecting && !isUsed {
		h.Listen(nil)
	}
	return isUsed
}

// Subscribe takes a request of a registered extension and gives the answer.
func (h *Hub) Subscribe(api *API, name string, body []byte) (status int, answer any) {
	h.Collect()
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return http.StatusForbidden, refusal{api.closed, api.prefix + ".SubscriptionClosed"}
	}
	wanted, err := api.parse(body)
	if err != nil {
		h.mu.Unlock()
		return http.StatusBadRequest, refusal{err.Error(), api.prefix + ".ValidationError"}
	}
	var old *subscriber
	before := slices.IndexFunc(h.subscribers, func(s *subscriber) bool { return s.name == name })
	if before >= 0 {
		old = h.subscribers[before]
		switch {
		case old.api != api:
			h.mu.Unlock()
			return http.StatusBadRequest, refusal{"the extension has subscribed by the " + old.api.prefix + " API", api.prefix + ".ValidationError"}
		case old.sink.equals(wanted):
			h.mu.Unlock()
			return http.StatusOK, "OK"
		case old.nth == maxSubscriptions:
			h.mu.Unlock()
			return http.StatusBadRequest, refusal{"the extension has subscribed too often", api.prefix + ".ValidationError"}
		}
		h.subscribers = slices.Delete(h.subscribers, before, before+1)
	}
	h.add(api, name, wanted, old)
	h.mu.Unlock()
	if old != nil {
		old.stop()
	}
	h.tell(platform, subscribed{name, "Subscribed", wanted.types})
	h.Subscribed(api.prefix, name, titles(wanted.types))
	return http.StatusOK, "OK"
}

type refusal struct {
	ErrorMessage string `json:"errorMessage"`
	ErrorType    string `json:"errorType"`
}

func titles(types []string) []string {
	var written []string
	for _, name := range types {
		written = append(written, strings.ToUpper(name[:1])+name[1:])
	}
	return written
}

// add starts a subscriber with what has happened so far, in the place of old unless that is nil; the caller holds mu.
func (h *Hub) add(api *API, name string, wanted subscription, old *subscriber) {
	s := &subscriber{
		name: name, api: api, sink: newSink(wanted, net.JoinHostPort(h.Host, wanted.port)),
		after: h.After, now: h.Now, ended: make(chan struct{}), due: make(chan struct{}, 1),
	}
	if s.nth = 1; old != nil {
		s.nth += old.nth
	}
	h.subscribers = append(h.subscribers, s)
	for _, t := range h.backlog {
		if s.wants(t.category) {
			s.add(t)
		}
	}
	go s.run()
}

// Flush lets everything be sent now, and waits until it is, no longer than limit.
func (h *Hub) Flush(limit time.Duration) {
	expired := make(chan struct{})
	for i, done := range h.flushAll() {
		if i == 0 {
			h.After(limit, func() { close(expired) })
		}
		select {
		case <-done:
		case <-expired:
			return
		}
	}
}

func (h *Hub) flushAll() (all []<-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.output.Flush()
	for _, s := range h.subscribers {
		all = append(all, s.flush())
	}
	return all
}

// End stops sending.
func (h *Hub) End() {
	h.mu.Lock()
	wasCollecting := h.collecting
	h.closed, h.collecting, h.backlog = true, false, nil
	stopped := h.subscribers
	h.subscribers = nil
	h.mu.Unlock()
	for _, s := range stopped {
		s.stop()
	}
	if wasCollecting {
		h.Listen(nil)
	}
}

// Tell passes on an event of the platform.
func (h *Hub) Tell(e interface{ record(schema) (string, any) }) {
	if h != nil {
		h.tell(platform, e)
	}
}

// Extension tells how init has gone for an extension. record is that of platform.extension.
func (h *Hub) Extension(record []byte) {
	if h != nil {
		h.tell(platform, ready(json.RawMessage(record)))
	}
}

// Ended tells subscribers of the Logs API the end of an invocation. problem is empty unless the platform ended it.
func (h *Hub) Ended(requestID, problem string) {
	if problem != "" {
		h.tell(platform, fault("RequestId: "+requestID+" "+problem))
	}
	h.tell(platform, end{requestID})
}

// Line takes a line that an extension has printed, and does not keep it.
func (h *Hub) Line(text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tellLine(extension, text)
}

func (h *Hub) tellOutput(p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.output.Write(p)
}

func (h *Hub) tell(category string, e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pass(told{h.Now(), category, e}, 0)
}

// tellLine passes on a line; the caller holds mu.
func (h *Hub) tellLine(category string, text []byte) {
	if h.collecting {
		h.pass(told{h.Now(), category, line{category, slices.Clone(text), h.json}}, len(text))
	}
}

// pass gives an event to those that want it, and keeps it for those that come; the caller holds mu.
func (h *Hub) pass(t told, size int) {
	if !h.collecting {
		return
	}
	for _, s := range h.subscribers {
		if s.wants(t.category) {
			s.add(t)
		}
	}
	if !h.closed && len(h.backlog) < backlogItems && h.size+size <= backlogBytes {
		h.backlog = append(h.backlog, t)
		h.size += size
	}
}
