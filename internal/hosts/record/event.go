package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kind of an event: the type of the message that carries it.
type Kind string

// Events of a record, by who publishes them.
const (
	// The console that runs a task.
	Created    Kind = "created"    // the task; always the first
	Dispatched Kind = "dispatched" // with batches: these hosts have been asked
	Lapsed     Kind = "lapsed"     // with batches: these hosts may not begin any more
	Stopped    Kind = "stopped"    // with batches: these hosts will not be asked
	// Any console.
	Cancelling Kind = "cancel" // somebody wants the task to end; Hosts have no agent and will not begin
	Silent     Kind = "silent" // the agents of these hosts have said nothing for a Lease
	// The agents; the first two before anything runs.
	Accepted Kind = "accepted" // I have it, and shall begin
	Returned Kind = "returned" // I have given it back
	Running  Kind = "running"
	Output   Kind = "output"
	Finished Kind = "finished"
	Refused  Kind = "refused" // also by consoles, for hosts that nobody knows
	// The broker's clock, see topology.Timer.
	Expire Kind = "expire" // hosts that have not accepted may not begin any more
	Close  Kind = "close"  // the deadline
)

// OfHost says whether an event is about the one host that it names. The others
// are for consoles and the broker's clock alone to publish.
func (k Kind) OfHost() bool {
	switch k {
	case Accepted, Returned, Running, Output, Finished, Refused:
		return true
	}
	return false
}

// Event is one entry of a record. What is not used by its kind is empty.
type Event struct {
	Version int       `json:"v"`
	Kind    Kind      `json:"kind"`
	Task    ID        `json:"task"`
	Nonce   string    `json:"nonce,omitempty"`
	Host    string    `json:"host,omitempty"`
	Seq     int64     `json:"seq,omitempty"`  // of a host's events, from 1
	Boot    string    `json:"boot,omitempty"` // which life of the agent
	At      time.Time `json:"at"`             // by the sender's clock: to be shown, never to decide
	Spec    *Task     `json:"spec,omitempty"` // Created
	Hosts   []string  `json:"hosts,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`
	From    string    `json:"from,omitempty"`
	Outcome *Outcome  `json:"outcome,omitempty"` // Finished
	Stream  string    `json:"stream,omitempty"`  // Output: stdout or stderr
	Offset  int64     `json:"offset"`            // Output: where it stands in the host's output as kept
	Data    []byte    `json:"-"`                 // Output: the message's body
}

// Outcome is how a command ended.
type Outcome struct {
	State      State  `json:"state"`
	Exit       *int   `json:"exit,omitempty"`
	Signal     string `json:"signal,omitempty"`
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"duration_ms"`
	Stdout     int64  `json:"stdout_bytes"` // all that was written
	Stderr     int64  `json:"stderr_bytes"`
	Kept       int64  `json:"kept_bytes"` // of both
}

// ended says whether a command may end in a state.
func (s State) ended() bool {
	switch s {
	case OK, Failed, TimedOut, Cancelled, Lost:
		return true
	}
	return false
}

// eventHeader carries the event beside an output's bytes.
const eventHeader = "event"

// Encode returns the headers and the body of the event's message; its type is
// the kind. Output travels as it is, with the event in a header.
func (e *Event) Encode() (headers map[string]any, body []byte, err error) {
	e.Version = Version
	raw, err := json.Marshal(e)
	if err != nil || e.Kind != Output {
		return nil, raw, err
	}
	return map[string]any{eventHeader: string(raw)}, e.Data, nil
}

// DecodeEvent reads what Encode has written.
func DecodeEvent(kind string, headers map[string]any, body []byte) (Event, error) {
	var e Event
	raw := body
	if Kind(kind) == Output {
		s, ok := headers[eventHeader].(string)
		if !ok {
			return e, errors.New("output without its header")
		}
		raw = []byte(s)
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("not an event: %w", err)
	}
	if e.Version > Version {
		return e, fmt.Errorf("event of version %d; this program knows %d", e.Version, Version)
	}
	if e.Kind == Output {
		e.Data = body
	}
	if string(e.Kind) != kind {
		return e, fmt.Errorf("message of type %q with an event %q", kind, e.Kind)
	}
	return e, nil
}
