package conformance

import (
	"fmt"
)

// consume logs an event and applies the client's automatic reactions.
func (r *Run) consume(e *Event) {
	l, t := r.render(e)
	r.log(l, t)
	r.react(e)
}

func (r *Run) react(e *Event) {
	if e.kind == evEOF {
		e.conn.closed = true
		e.conn.nc.Close()
	}
	if e.kind != evMethod {
		return
	}
	switch e.m.name {
	case "channel.close":
		if !r.manual {
			e.conn.send(methodFrame(e.ch, "channel.close-ok", nil))
		}
		delete(r.chans, fmt.Sprintf("%s.%d", e.conn.name, e.ch))
	case "channel.open-ok":
		r.cs(e.conn.name, e.ch).open = true
	case "connection.close":
		e.conn.gotClose = true
		if !r.manual {
			e.conn.send(methodFrame(0, "connection.close-ok", nil))
		}
	case "channel.flow":
		if !r.manual {
			e.conn.send(methodFrame(e.ch, "channel.flow-ok", e.args))
		}
	case "basic.deliver":
		r.noteReply(e)
		s := r.cs(e.conn.name, e.ch)
		if !s.noack[e.args["consumer-tag"].(string)] {
			s.out = append(s.out, e.args["delivery-tag"].(uint64))
		}
	case "basic.get-ok":
		r.noteReply(e)
		s := r.cs(e.conn.name, e.ch)
		if !s.getNA {
			s.out = append(s.out, e.args["delivery-tag"].(uint64))
		}
	}
}

func (r *Run) noteReply(e *Event) {
	if v, ok := e.props["reply-to"].(string); ok && v != "" {
		r.replyTo = v
	}
}

// take removes from the pending events those that f selects.
func (r *Run) take(f func(*Event) bool) []*Event {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	var got, rest []*Event
	for _, e := range r.hub.evs {
		if f(e) {
			got = append(got, e)
		} else {
			rest = append(rest, e)
		}
	}
	r.hub.evs = rest
	return got
}
