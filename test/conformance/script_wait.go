package conformance

import (
	"sort"
	"time"
)

func isConfirm(e *Event) bool {
	return e.kind == evMethod && (e.m.name == "basic.ack" || e.m.name == "basic.nack")
}

func (r *Run) drainAll() {
	evs := r.take(func(*Event) bool { return true })
	idx := map[string]int{}
	for i, n := range r.order {
		idx[n] = i
	}
	sort.SliceStable(evs, func(i, j int) bool {
		a, b := idx[evs[i].conn.name], idx[evs[j].conn.name]
		if a != b {
			return a < b
		}
		if evs[i].ch != evs[j].ch {
			return evs[i].ch < evs[j].ch
		}
		return !isConfirm(evs[i]) && isConfirm(evs[j]) // deliveries and confirms race
	})
	closing := map[*Conn]bool{}
	for _, e := range evs {
		r.consume(e)
		if e.kind == evMethod && e.m.name == "connection.close" && !r.manual {
			closing[e.conn] = true
		}
		if e.kind == evEOF {
			delete(closing, e.conn)
		}
	}
	for _, n := range r.order {
		if closing[r.conns[n]] {
			r.awaitEOF(r.conns[n], opTimeout)
		}
	}
}

func (r *Run) awaitEOF(c *Conn, d time.Duration) {
	if c.closed {
		return
	}
	ok := r.hub.waitUntil(func() bool {
		for _, e := range r.hub.evs {
			if e.conn == c && e.kind == evEOF {
				return true
			}
		}
		return false
	}, d)
	for _, e := range r.take(func(e *Event) bool { return e.conn == c }) {
		r.consume(e)
	}
	if !ok {
		r.log("< "+c.name+" NOT closed by peer", "")
	}
}

func (r *Run) waitN(n int, d time.Duration) {
	ok := r.hub.waitUntil(func() bool {
		if len(r.hub.evs) >= n {
			return true
		}
		// nothing more can come once every connection is being closed
		for _, c := range r.conns {
			if c.closed {
				continue
			}
			end := false
			for _, e := range r.hub.evs {
				if e.conn == c && (e.kind == evEOF || e.kind == evMethod && e.m.name == "connection.close" && !r.manual) {
					end = true
				}
			}
			if !end {
				return false
			}
		}
		return true
	}, d)
	if ok {
		time.Sleep(30 * time.Millisecond)
	}
	r.drainAll()
	if !ok {
		r.log("TIMEOUT waiting", "")
	}
}

func (r *Run) quietFor(d time.Duration) {
	if d == 0 {
		d = r.quiet
	}
	start := time.Now()
	for time.Since(start) < 10*time.Second {
		r.hub.mu.Lock()
		last := r.hub.last
		r.hub.mu.Unlock()
		if last.Before(start) {
			last = start
		}
		rem := d - time.Since(last)
		if rem <= 0 {
			break
		}
		time.Sleep(rem)
	}
	r.drainAll()
}

// call waits for the reply of a synchronous method.
func (r *Run) await(c *Conn, ch uint16, m *methodSpec) *Event {
	if c.closed {
		r.log("! "+c.name+" is closed", "")
		return nil
	}
	var fin *Event
	match := func(e *Event) bool {
		if e.conn != c {
			return false
		}
		if e.kind == evEOF {
			return true
		}
		if e.kind != evMethod {
			return false
		}
		if e.m.name == "connection.close" || e.ch == ch && e.m.name == "channel.close" {
			return true
		}
		if e.ch != ch {
			return false
		}
		for _, x := range m.reply {
			if x == e.m.name {
				return true
			}
		}
		return false
	}
	ok := r.hub.waitUntil(func() bool {
		for _, e := range r.hub.evs {
			if match(e) {
				fin = e
				return true
			}
		}
		return false
	}, opTimeout)
	lim := 1 << 62
	if fin != nil {
		lim = fin.seq
	}
	for _, e := range r.take(func(e *Event) bool {
		return e.conn == c && e.seq <= lim && (e.ch == ch || e.ch == 0 || e.ch == 65535)
	}) {
		r.consume(e)
		if e.kind == evMethod && e.m.name == "connection.close" && !r.manual {
			r.awaitEOF(c, opTimeout)
		}
	}
	if !ok {
		r.log("TIMEOUT waiting for the reply", "")
	}
	return fin
}

func (r *Run) next(c *Conn, d time.Duration) *Event {
	var got *Event
	r.hub.waitUntil(func() bool {
		for _, e := range r.hub.evs {
			if e.conn == c {
				got = e
				return true
			}
		}
		return false
	}, d)
	if got != nil {
		r.take(func(e *Event) bool { return e == got })
	}
	return got
}
