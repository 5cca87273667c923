package session

import "time"

// unopened are the connections that have not been opened yet, in the order in
// which their time for that ends, as all have the same. One timer serves them
// all: most connections are opened at once, and a timer for each would be most of
// what waiting costs them. Guarded by Server.mu.
type unopened struct {
	first, last *Conn
	timer       *time.Timer
	armed       bool
}

// place is a connection's place among them.
type place struct {
	in         bool
	prev, next *Conn
}

func (u *unopened) add(c *Conn) {
	c.unopenedAt = place{in: true, prev: u.last}
	if u.last != nil {
		u.last.unopenedAt.next = c
	} else {
		u.first = c
	}
	u.last = c
}

// remove reports whether it was there.
func (u *unopened) remove(c *Conn) bool {
	at := c.unopenedAt
	if !at.in {
		return false
	}
	if at.prev != nil {
		at.prev.unopenedAt.next = at.next
	} else {
		u.first = at.next
	}
	if at.next != nil {
		at.next.unopenedAt.prev = at.prev
	} else {
		u.last = at.prev
	}
	c.unopenedAt = place{}
	return true
}

// arm has expire called when the time of the first ends.
func (u *unopened) arm(s *Server) {
	if u.armed || u.first == nil {
		return
	}
	u.armed = true
	left := time.Until(u.first.connected.Add(s.Config.HandshakeTimeout))
	if u.timer == nil {
		u.timer = time.AfterFunc(left, s.expire)
	} else {
		u.timer.Reset(left)
	}
}

// expire ends the reading of those whose time is over.
func (s *Server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &s.unopened
	u.armed = false
	now := time.Now()
	for c := u.first; c != nil && now.Sub(c.connected) >= s.Config.HandshakeTimeout; c = u.first {
		u.remove(c)
		c.nc.SetReadDeadline(now)
	}
	u.arm(s)
}

// isOpen says that a connection is open. Its reading does not end any more.
func (s *Server) isOpen(c *Conn) {
	s.mu.Lock()
	inTime := s.unopened.remove(c)
	s.mu.Unlock()
	if !inTime { // just not: let it be
		c.nc.SetReadDeadline(time.Time{})
	}
}
