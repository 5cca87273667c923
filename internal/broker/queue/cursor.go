package queue

// Consumers of a stream do not take messages away: each is a cursor that moves
// over the log at its own pace. An acknowledgement only gives credit back.

// StartKind says how Start is meant.
type StartKind uint8

const (
	StartNext   StartKind = iota // behind the last message that is safe
	StartFirst                   // at the oldest message that is there
	StartLast                    // at the newest message that is safe
	StartOffset                  // at Value, or behind it if that is not there any more
	StartTime                    // at the first message that came at Value (ms since 1970) or later
)

// Start is where a cursor begins (x-stream-offset).
type Start struct {
	Kind  StartKind
	Value int64
}

// Filter says, by a message's stored form, whether a cursor wants it. It is
// called in the middle of a command and must not call back into the machine.
type Filter interface {
	Match(stored []byte) bool
}

// Cursor is what a consumer of a stream has beside Consumer. Start and Filter
// are set before Attach and do not change.
type Cursor struct {
	Start  Start
	Filter Filter // nil: every message

	next  uint64 // the sequence number to look at next
	since int64  // messages from before are passed over
	slot  Slot   // what its deliveries are settled with
	run   *run   // where it reads; nil: in the window, or nowhere yet
}

// Next returns the sequence number that the cursor looks at next.
func (k *Cursor) Next() uint64 { return k.next }

// burst is how many messages a cursor looks at before the next has its turn.
const burst = 32

// put moves a cursor to one of the stream's lists.
func (s *stream) put(c *Consumer, g *group) {
	c.group.all--
	if c.queued {
		c.group.leave(c)
	}
	c.group = g
	g.all++
	if g != &s.idle {
		g.join(c)
	}
}

// attachCursor adds a cursor.
func (m *Machine) attachCursor(c *Consumer, eff *[]Effect) {
	s := m.log
	if c.Cursor == nil {
		c.Cursor = new(Cursor)
	}
	k := c.Cursor
	for s.slots++; s.cursors[s.slots] != nil; {
		s.slots++
	}
	k.slot = s.slots
	s.cursors[k.slot] = c
	m.ages++
	c.age, c.gated, c.unacked = m.ages, false, 0
	c.group = &s.idle
	s.idle.all++
	m.consumers = append(m.consumers, c)
	m.seek(k)
	s.put(c, &s.ready)
	m.flow(eff)
}

// detachCursor removes a cursor. What it has not acknowledged is forgotten.
func (m *Machine) detachCursor(c *Consumer, eff *[]Effect) {
	s := m.log
	s.leaveRun(c.Cursor)
	s.put(c, &s.idle)
	s.idle.all--
	c.group = nil
	delete(s.cursors, c.Cursor.slot)
	for i, x := range m.consumers {
		if x == c {
			m.consumers = append(m.consumers[:i], m.consumers[i+1:]...)
			break
		}
	}
	if len(m.consumers) == 0 {
		m.consumers = nil
	}
	m.flow(eff)
}

// seek finds where a cursor begins.
func (m *Machine) seek(k *Cursor) {
	s := m.log
	first := m.First()
	k.next, k.since = s.committed+1, 0
	switch v := k.Start.Value; k.Start.Kind {
	case StartFirst:
		k.next = first
	case StartLast:
		if s.committed >= first {
			k.next = s.committed
		}
	case StartOffset:
		k.next = first
		if v >= 0 && uint64(v)+1 > first {
			k.next = uint64(v) + 1
		}
	case StartTime:
		if seq, ok := m.seqAt(v); ok && seq <= s.committed {
			k.next, k.since = seq, v
		}
	}
}

// seqAt returns a sequence number from which on the first message can be found
// that came at a time or later: that of its page. There may be no such message.
func (m *Machine) seqAt(time int64) (seq uint64, ok bool) {
	l := &m.base
	if i := searchRing(&l.pages, func(p *PageRef) bool { return p.LastTime >= time }); i < l.pages.n {
		return l.pages.at(i).First, true
	}
	if i := searchRing(&l.head, func(it *Item) bool { return it.Time >= time }); i < l.head.n {
		return l.head.at(i).Seq, true
	}
	return 0, false
}

// searchRing returns the index of the first element for which ok is true; it
// must be so for all that follow.
func searchRing[T any](r *ring[T], ok func(*T) bool) int {
	lo, hi := 0, r.n
	for lo < hi {
		if mid := (lo + hi) / 2; ok(r.at(mid)) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// maxLooks bounds the messages that are looked at in one command, as filters may
// pass over many.
const maxLooks = 8192

// flow gives cursors what they can have, and asks for what they need.
func (m *Machine) flow(eff *[]Effect) {
	s := m.log
	for s.ready.first != nil {
		if len(*eff) >= m.sz.step || s.looks >= maxLooks {
			m.more = true
			return
		}
		m.serve(s.ready.first, eff)
	}
	if s.hungry.first != nil {
		m.want(eff)
	}
}

// serve gives one cursor its turn.
func (m *Machine) serve(c *Consumer, eff *[]Effect) {
	s, k := m.log, c.Cursor
	for range burst {
		s.looks++
		if c.full() {
			s.put(c, &s.idle)
			return
		}
		it, list := m.look(k)
		if it == nil {
			s.put(c, list)
			return
		}
		k.next = it.Seq + 1
		if it.Time < k.since || k.Filter != nil && !k.Filter.Match(it.Mem.Bytes()) {
			continue
		}
		if c.Gate != nil && !c.Gate.Take(false) {
			k.next = it.Seq
			c.gated = true
			s.put(c, &s.idle)
			return
		}
		c.unacked++
		e := add(eff, Deliver)
		e.Consumer, e.Slot, e.Item = c, k.slot, *it
	}
	s.put(c, &s.ready) // to the end
}

// look returns the next item of a cursor, with Mem, or the list in which it has
// to wait for it.
func (m *Machine) look(k *Cursor) (*Item, *group) {
	s, h := m.log, &m.base.head
	k.next = max(k.next, m.First())
	if k.next > s.committed {
		s.leaveRun(k)
		return nil, &s.parked
	}
	if h.n > 0 && k.next >= h.at(0).Seq {
		it := m.inWindow(k.next)
		if it == nil || it.Seq > s.committed {
			s.leaveRun(k)
			return nil, &s.parked
		}
		if !it.Mem.IsZero() {
			s.leaveRun(k)
			return it, nil
		}
	}
	r := k.run
	if r == nil || !r.has(k.next) {
		s.leaveRun(k)
		if r = s.findRun(k.next); r == nil {
			return nil, &s.hungry
		}
		s.enterRun(k, r)
	}
	if it := r.at(k.next); it != nil {
		return it, nil
	}
	k.next = r.last + 1 // the rest of it could not be read
	return m.look(k)
}

// inWindow returns the first item of the window from seq on.
func (m *Machine) inWindow(seq uint64) *Item {
	h := &m.base.head
	if i := seq - h.at(0).Seq; i < uint64(h.n) && h.at(int(i)).Seq == seq {
		return h.at(int(i))
	}
	if i := searchRing(h, func(it *Item) bool { return it.Seq >= seq }); i < h.n {
		return h.at(i)
	}
	return nil
}

// settleCursors gives credit back.
func (m *Machine) settleCursors(batch []SlotSeq, eff *[]Effect) (n int) {
	s := m.log
	var c *Consumer
	for i := range batch {
		if slot := batch[i].Slot; c == nil || c.Cursor.slot != slot {
			if c = s.cursors[slot]; c == nil {
				continue // it has left
			}
		}
		if c.unacked == 0 {
			continue
		}
		c.unacked--
		n++
		if !c.queued && !c.gated {
			s.put(c, &s.ready)
		}
	}
	m.flow(eff)
	return n
}

// unblockCursors says that gates may have room again.
func (m *Machine) unblockCursors(cs []*Consumer, eff *[]Effect) {
	s := m.log
	for _, c := range cs {
		if c.gated {
			if c.gated = false; c.group != nil {
				s.put(c, &s.ready)
			}
		}
	}
	m.flow(eff)
}
