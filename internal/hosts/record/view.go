package record

import (
	"cmp"
	"time"
)

// State of a host in a task.
type State string

// States. The first three go on; the others are final.
const (
	Waiting  State = "waiting"  // nobody has accepted it yet
	Starting State = "starting" // accepted
	InFlight State = "running"

	OK        State = "ok"
	Failed    State = "failed"
	TimedOut  State = "timed out"
	Cancelled State = "cancelled"
	Expired   State = "expired" // no agent took it in time
	Lost      State = "lost"    // it began, and nobody knows how it ended
	Rejected  State = "refused" // it was not run
)

// Final says whether a host stays in this state.
func (s State) Final() bool { return s != Waiting && s != Starting && s != InFlight }

// Chunk is a piece of output, in the order in which it was printed.
type Chunk struct {
	Stream string
	Data   []byte
}

// Host is what is known of one host of a task.
type Host struct {
	Target
	State      State
	Reason     string
	By         string // Cancelled: by whom
	Outcome    *Outcome
	Late       *Outcome // what the agent told after the state was final
	Boot       string
	Began      time.Time // by the host's clock
	Chunks     []Chunk
	Bytes      int64 // of output in the record
	Cut        bool  // Chunks is the beginning of it: there was no room for more
	Dispatched bool
	cancelling bool
}

// View is a task as its record tells it so far. The zero value is empty; feed
// it with Apply, in the record's order. Reading a part of the record twice
// changes nothing.
type View struct {
	Task       Task
	Hosts      []*Host
	Cancelling string // who wanted it to end
	Closed     bool
	// NoOutput leaves the output out, for lists; Only keeps that of one host.
	NoOutput bool
	Only     string
	// Room, if not 0, bounds the output of all hosts together: of each, the
	// beginning is kept.
	Room  int64
	index map[string]*Host
}

// Known says whether the record has begun with a task.
func (v *View) Known() bool { return v.index != nil }

// Host is the host with this agent's name.
func (v *View) Host(name string) *Host { return v.index[name] }

// Final says whether every host has its final state.
func (v *View) Final() bool {
	for _, h := range v.Hosts {
		if !h.State.Final() {
			return false
		}
	}
	return v.Known()
}

// Count tells how many hosts are in each state.
func (v *View) Count() map[State]int {
	n := map[State]int{}
	for _, h := range v.Hosts {
		n[h.State]++
	}
	return n
}

// Apply takes the next entry of the record. It returns the host that the entry
// was about, or nil, and whether anything is different now.
func (v *View) Apply(e Event) (*Host, bool) {
	if e.Kind == Created {
		return nil, v.create(e.Spec)
	}
	if !v.Known() || e.Task != v.Task.ID || e.Nonce != "" && e.Nonce != v.Task.Nonce {
		return nil, false
	}
	switch e.Kind {
	case Dispatched:
		return nil, v.each(e.Hosts, func(h *Host) bool { h.Dispatched = true; return true })
	case Lapsed:
		return nil, v.each(e.Hosts, (*Host).expire)
	case Stopped:
		return nil, v.each(e.Hosts, func(h *Host) bool {
			return !h.Dispatched && h.State == Waiting && h.end(Cancelled, cmp.Or(e.Reason, "not begun"))
		})
	case Silent:
		return nil, v.each(e.Hosts, func(h *Host) bool {
			return (h.State == Starting || h.State == InFlight) && h.Boot == e.Boot && h.end(Lost, e.Reason)
		})
	case Cancelling:
		return nil, v.cancel(e)
	case Expire:
		return nil, v.all((*Host).expire)
	case Close:
		v.Closed = true
		return nil, v.all(func(h *Host) bool {
			return h.expire() || !h.State.Final() && h.end(Lost, "its agent did not tell the end by the deadline")
		})
	}
	h := v.index[e.Host]
	if h == nil {
		return nil, false
	}
	return h, h.apply(e, &v.Task, v.room(h))
}

// room is how much more output of a host is kept.
func (v *View) room(h *Host) int64 {
	switch {
	case v.NoOutput || v.Only != "" && v.Only != h.Name && v.Only != h.As:
		return 0
	case v.Room == 0:
		return MaxOutput
	}
	return max(v.Room/int64(len(v.Hosts))-h.Bytes, 0)
}

func (v *View) create(t *Task) bool {
	if t == nil || v.Known() {
		return false
	}
	v.Task, v.index = *t, make(map[string]*Host, len(t.Hosts))
	for _, target := range t.Hosts {
		if v.index[target.Name] == nil {
			h := &Host{Target: target, State: Waiting, Dispatched: t.Batch == 0}
			v.index[target.Name] = h
			v.Hosts = append(v.Hosts, h)
		}
	}
	return true
}

func (v *View) each(names []string, f func(*Host) bool) (changed bool) {
	for _, name := range names {
		if h := v.index[name]; h != nil && f(h) {
			changed = true
		}
	}
	return changed
}

func (v *View) all(f func(*Host) bool) (changed bool) {
	for _, h := range v.Hosts {
		changed = f(h) || changed
	}
	return changed
}

// cancel: hosts that were never asked, and those without an agent, will not
// begin. The agents of the others answer for themselves.
func (v *View) cancel(e Event) bool {
	v.Cancelling = cmp.Or(e.By, "somebody")
	gone := map[string]bool{}
	for _, name := range e.Hosts {
		gone[name] = true
	}
	v.all(func(h *Host) bool {
		if h.State == Waiting && (gone[h.Name] || !h.Dispatched) {
			h.end(Cancelled, "before it began")
			h.By = e.By
		}
		h.cancelling = true
		return true
	})
	return true
}

// expire: the door is closed for who has not accepted.
func (h *Host) expire() bool {
	switch {
	case h.State != Waiting:
		return false
	case h.cancelling:
		return h.end(Cancelled, "before it began")
	case !h.Dispatched:
		return h.end(Expired, "it was not this host's turn: the console that ran the batches went away")
	}
	return h.end(Expired, "no agent answered in time")
}

func (h *Host) end(s State, reason string) bool {
	h.State, h.Reason = s, reason
	return true
}

// apply takes what an agent says of its own host.
func (h *Host) apply(e Event, t *Task, room int64) bool {
	switch e.Kind {
	case Accepted:
		if h.State != Waiting {
			return false
		}
		h.State, h.Boot = Starting, e.Boot
	case Returned:
		if h.State != Starting || h.Boot != e.Boot {
			return false
		}
		h.State = Waiting
	case Running:
		if h.State != Waiting && h.State != Starting {
			return false
		}
		h.State, h.Boot, h.Began = InFlight, e.Boot, e.At
	case Output:
		return h.output(e, t.OutputLimit, room)
	case Refused:
		return (h.State == Waiting || h.State == Starting) && h.end(Rejected, e.Reason)
	case Finished:
		return h.finish(e)
	default:
		return false
	}
	return true
}

func (h *Host) finish(e Event) bool {
	o := e.Outcome
	if o == nil || !o.State.ended() {
		return false
	}
	if h.State.Final() {
		if h.Outcome != nil || h.Late != nil {
			return false
		}
		h.Late = o
		return true
	}
	h.Outcome = o
	return h.end(o.State, o.Reason)
}

// output appends what continues the output so far. Agents send again what was
// not confirmed, so a piece may come twice, or once too early and then again
// in its turn.
func (h *Host) output(e Event, limit, room int64) bool {
	if e.Offset != h.Bytes || len(e.Data) == 0 || h.Bytes+int64(len(e.Data)) > min(limit, MaxOutput) {
		return false
	}
	h.Bytes += int64(len(e.Data))
	data := e.Data[:min(int64(len(e.Data)), room)]
	if len(data) == 0 {
		return true
	}
	if n := len(h.Chunks); n > 0 && h.Chunks[n-1].Stream == e.Stream {
		h.Chunks[n-1].Data = append(h.Chunks[n-1].Data, data...)
		return true
	}
	h.Chunks = append(h.Chunks, Chunk{e.Stream, append([]byte(nil), data...)})
	return true
}

// Held is how much output is here.
func (h *Host) Held() (n int64) {
	for _, c := range h.Chunks {
		n += int64(len(c.Data))
	}
	return n
}

// Stream is all of stdout or stderr that was kept.
func (h *Host) Stream(name string) []byte {
	var all []byte
	for _, c := range h.Chunks {
		if c.Stream == name {
			all = append(all, c.Data...)
		}
	}
	return all
}

// From is the output behind the first n bytes.
func (h *Host) From(n int64) []Chunk {
	var rest []Chunk
	for _, c := range h.Chunks {
		size := int64(len(c.Data))
		if n < size {
			rest = append(rest, Chunk{c.Stream, c.Data[n:]})
		}
		n = max(n-size, 0)
	}
	return rest
}
