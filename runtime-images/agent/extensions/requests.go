package extensions

import (
	"context"
	"fmt"

	"kappa.dev/agent/limits"
)

// Kinds of events.
const (
	invoke   = "INVOKE"
	shutdown = "SHUTDOWN"
)

var internalEvents = map[string]string{invoke: "", shutdown: "ShutdownEventNotSupportedForInternalExtension"}
var externalEvents = map[string]string{invoke: "", shutdown: ""}

// An event for each of several invocations would make them wait for each other.
const invokeRefused = "InvokeEventNotSupportedForConcurrentInvocations"

// register is an extension's first request. Whoever does not have the name of an external one is internal.
func (s *Set) register(name string, events []string) (id string, function Function, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.named(name)
	isExternal := x != nil && !x.isInternal
	if err := checkEvents(events, isExternal, s.function.Several); err != nil {
		return "", Function{}, err
	}
	if !isExternal {
		if x, err = s.makeInternal(name); err != nil {
			return "", Function{}, err
		}
	}
	if err := x.move(registers, x.name); err != nil {
		return "", Function{}, err
	}
	if !isExternal {
		s.all = append(s.all, x)
	}
	for _, event := range events {
		if !x.wants(event) {
			x.events = append(x.events, event)
		}
	}
	s.openGates()
	return x.id, s.function, nil
}

func checkEvents(events []string, isExternal, several bool) error {
	allowed := internalEvents
	if isExternal {
		allowed = externalEvents
	}
	for _, event := range events {
		problem, ok := allowed[event]
		if !ok {
			problem = "ErrorInvalidEventType"
		}
		if event == invoke && several {
			problem = invokeRefused
		}
		if problem != "" {
			return &Refusal{"Extension.InvalidEventType", event + ": " + problem}
		}
	}
	return nil
}

func (s *Set) makeInternal(name string) (*extension, error) {
	switch {
	case !s.open:
		return nil, &Refusal{"Extension.RegistrationClosed", "Extension registration closed already"}
	case len(s.all) >= limits.Extensions:
		return nil, &Refusal{"Extension.TooManyExtensions", fmt.Sprintf("Extension limit (%d) reached", limits.Extensions)}
	case s.named(name) != nil:
		return nil, &Refusal{"Extension.InvalidExtensionState", "Extension with this name already registered"}
	default:
		return &extension{name: name, id: newID(), isInternal: true, state: Started, deliver: make(chan []byte, 1)}, nil
	}
}

// report is an extension's own word on its failure, e says of which kind. Only the first counts. It may end by itself, which says more.
func (s *Set) report(e event, fatal, id, errorType string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.identified(id)
	if x == nil {
		return &Refusal{"Extension.UnknownExtensionIdentifier", "Unknown " + identifierHeader}
	}
	if err := x.move(e, x.id); err != nil {
		return err
	}
	if x.errorType != "" {
		return nil
	}
	x.errorType = errorType
	if s.errorType == "" {
		s.errorType = fatal
	}
	if s.shutdown == nil {
		s.after(limits.ReportGrace, func() { s.failReported(x.name, fatal, errorType) })
	}
	return nil
}

func (s *Set) failReported(name, fatal, errorType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shutdown == nil {
		s.fail(Failure{fatal, "extension " + name + " reported " + errorType})
	}
}

// nameOf gives the name of a registered extension.
func (s *Set) nameOf(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.identified(id)
	if x == nil {
		return "", unknown(id)
	}
	return x.name, nil
}

func unknown(id string) error {
	return &Refusal{"Extension.UnknownExtensionIdentifier", "Unknown extension " + id}
}

// named and identified find an extension; the caller holds mu.
func (s *Set) named(name string) *extension {
	for _, x := range s.all {
		if x.name == name {
			return x
		}
	}
	return nil
}

func (s *Set) identified(id string) *extension {
	for _, x := range s.all {
		if x.id == id && x.state != Started { // nobody has been told the id yet
			return x
		}
	}
	return nil
}

// next is an extension's request for an event. It blocks until there is one.
func (s *Set) next(ctx context.Context, id string) ([]byte, error) {
	x, err := s.beginNext(id)
	if err != nil {
		return nil, err
	}
	defer s.endPoll(x)
	select {
	case body := <-x.deliver:
		return body, nil
	case <-s.ended:
		return nil, errEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ending:
	}
	if body := s.takeLast(x); body != nil {
		return body, nil
	}
	select { // it did not ask for SHUTDOWN, or has had it
	case <-s.ended:
		return nil, errEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// takeLast is what an extension gets of a shutdown: an INVOKE that it has not read, then SHUTDOWN.
func (s *Set) takeLast(x *extension) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case body := <-x.deliver:
		return body
	default:
	}
	if !x.wants(shutdown) || x.told || x.move(isDelivered, x.id) != nil {
		return nil
	}
	x.told = true
	return s.shutdown
}

func (s *Set) beginNext(id string) (*extension, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.identified(id)
	if x == nil {
		return nil, unknown(id)
	}
	unread := x.state == Running && len(x.deliver) > 0
	repeated := !x.polling && (x.state == Ready || unread) // the connection of the first request was lost
	switch {
	case repeated:
	case unread:
		return nil, x.refuse(asksNext, x.id)
	default:
		if err := x.move(asksNext, x.id); err != nil {
			return nil, err
		}
	}
	x.polling = true
	s.openGates()
	return x, nil
}

func (s *Set) endPoll(x *extension) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.polling = false
}
