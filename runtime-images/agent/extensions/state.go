package extensions

import (
	"fmt"
	"slices"
)

// State is where one extension is in its conversation. The names are Lambda's: extensions read them in refusals.
type State string

// The whole life of an extension, as it is seen at the Extensions API.
const (
	// Started: its process has been started; it has not registered.
	Started State = "Started"
	// Registered: it has said which events it wants.
	Registered State = "Registered"
	// Ready: it asks for an event and there is none yet.
	Ready State = "Ready"
	// Running: it works on an event.
	Running State = "Running"
	// InitError: it has reported that it cannot start.
	InitError State = "InitError"
	// ExitError: it has reported that it cannot go on.
	ExitError State = "ExitError"
	// LaunchError: its process could not be started.
	LaunchError State = "LaunchError"
)

type event string

const (
	registers   event = "Registered"
	asksNext    event = "Ready"
	isDelivered event = "Running"
	failsInit   event = "InitError"
	failsExit   event = "Exited"
	failsLaunch event = "LaunchError"
)

// transitions is the whole protocol. What is not listed is refused.
//
//	state      | register   | next  | init/error | exit/error | (an event comes) | (not started)
//	Started    | Registered | 403   | 403        | 403        |                  | LaunchError
//	Registered | 403        | Ready | InitError  | ExitError  |                  |
//	Ready      | 403        | 403   | 403        | ExitError  | Running          |
//	Running    | 403        | Ready | 403        | ExitError  |                  |
//	InitError  | 403        | 403   | InitError  | 403        |                  |
//	ExitError  | 403        | 403   | 403        | ExitError  |                  |
//
// An extension whose process ends keeps its state, which the log shows.
var transitions = map[State]map[event]State{
	Started:     {registers: Registered, failsLaunch: LaunchError},
	Registered:  {asksNext: Ready, failsInit: InitError, failsExit: ExitError},
	Ready:       {isDelivered: Running, failsExit: ExitError},
	Running:     {asksNext: Ready, failsExit: ExitError},
	InitError:   {failsInit: InitError},
	ExitError:   {failsExit: ExitError},
	LaunchError: {},
}

// extension is one extension of an execution environment; guarded by Set.mu.
type extension struct {
	name, id   string
	isInternal bool
	state      State
	events     []string
	// polling is set while a next is open, so that a lost connection may ask again.
	polling bool
	// told says that it has got SHUTDOWN.
	told bool
	// deliver holds the INVOKE that it has not read.
	deliver chan []byte
	// errorType is what it has reported, or why it could not be started.
	errorType string
}

func (x *extension) wants(kind string) bool { return slices.Contains(x.events, kind) }

// move makes one transition. named is what the refusal calls the extension.
func (x *extension) move(e event, named string) error {
	next, ok := transitions[x.state][e]
	if !ok {
		return x.refuse(e, named)
	}
	x.state = next
	return nil
}

func (x *extension) refuse(e event, named string) error {
	return &Refusal{"Extension.InvalidExtensionState", fmt.Sprintf(
		"State transition from %s to %s failed for extension %s. Error: State transition is not allowed", x.state, e, named,
	)}
}

// Refusal is the answer to a wrong call, in Lambda's words.
type Refusal struct{ ErrorType, Message string }

func (r *Refusal) Error() string { return r.ErrorType + ": " + r.Message }
