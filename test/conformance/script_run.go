package conformance

import (
	"fmt"
	"net/url"
	"time"
)

// Ev is a line of a trace and the reply text in it, which is compared apart.
type Ev [2]string

// chState is what a client knows of its channel.
type chState struct {
	out   []uint64 // unacknowledged delivery tags seen by the client
	noack map[string]bool
	getNA bool
	open  bool
}

// Run is the state of a running script: its connections, what the client
// would know, the trace.
type Run struct {
	ep      *Endpoint
	hub     *Hub
	conns   map[string]*Conn
	order   []string
	chans   map[string]*chState
	prefix  string
	trace   []Ev
	gen     map[string]string
	users   []string
	vhosts  []string
	manual  bool
	quiet   time.Duration
	failed  string
	replyTo string
}

// opTimeout is how long a reply may take.
const opTimeout = 6 * time.Second

func newRun(ep *Endpoint, prefix string) *Run {
	return &Run{ep: ep, hub: newHub(), conns: map[string]*Conn{}, chans: map[string]*chState{}, prefix: prefix, gen: map[string]string{}, quiet: ep.Quiet}
}

func (r *Run) cs(c string, ch uint16) *chState {
	k := fmt.Sprintf("%s.%d", c, ch)
	s := r.chans[k]
	if s == nil {
		s = &chState{noack: map[string]bool{}}
		r.chans[k] = s
	}
	return s
}

func (r *Run) cleanup() {
	for _, c := range r.conns {
		if !c.closed && !c.gotClose {
			c.send(methodFrame(0, "connection.close", Args{"reply-code": uint64(200), "reply-text": "bye"}))
		}
	}
	dl := time.Now().Add(1 * time.Second)
	for _, c := range r.conns {
		if !c.closed && !c.gotClose {
			c := c
			r.hub.waitUntil(func() bool {
				for _, e := range r.hub.evs {
					if e.conn == c && (e.kind == evEOF || e.kind == evMethod && e.m.name == "connection.close-ok") {
						return true
					}
				}
				return false
			}, time.Until(dl))
		}
		c.nc.Close()
	}
	for _, u := range r.users {
		r.ep.api("DELETE", "/api/users/"+u, "")
	}
	for _, v := range r.vhosts {
		r.ep.api("DELETE", "/api/vhosts/"+url.PathEscape(v), "")
	}
}

// steps runs script lines; a panic (a script or dial error) ends the run.
func (r *Run) steps(lines []string) (ok bool) {
	defer func() {
		if x := recover(); x != nil {
			r.log(fmt.Sprintf("ABORTED: %v", x), "")
			r.failed = fmt.Sprint(x)
			ok = false
		}
	}()
	for _, l := range lines {
		r.exec(l)
	}
	return true
}

func (r *Run) finish() {
	defer func() {
		if x := recover(); x != nil {
			r.log(fmt.Sprintf("ABORTED: %v", x), "")
		}
	}()
	if r.failed == "" {
		n := len(r.trace)
		r.quietFor(0)
		if len(r.trace) > n {
			rest := append([]Ev(nil), r.trace[n:]...)
			r.trace = append(append(r.trace[:n], Ev{"(at the end)", ""}), rest...)
		}
	}
	r.cleanup()
}
