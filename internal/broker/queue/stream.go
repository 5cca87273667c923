package queue

import "github.com/warrenmq/warren/internal/message"

// A machine of Kind Stream is a log: its items stay until retention cuts them
// off at the head. They lie in one level, oldest first:
//
//	pages  runs of items on disk
//	head   the window: the newest, in memory; the newest of these with their bytes
//
// The items that cursors read are in the window, or in runs that were read from
// disk for them.
type stream struct {
	committed uint64 // the last sequence number that may be delivered
	lastTime  int64  // of the newest item; times do not go back

	// Cursors with credit and room: those that can go on, that wait for the
	// end of the log to move, that wait for the disk; and all others.
	ready, parked, hungry, idle group
	looks                       int // at messages, in this command
	cursors                     map[Slot]*Consumer
	slots                       Slot

	runs     []*run // in the order of the log, not overlapping
	runBytes int64
	room     []Item // of a run that is gone, for the next
	clock    uint64 // counts what happens to runs

	lead int   // items at the front of the window that have no bytes in memory
	hot  int64 // bytes of the others

	// Retention cuts whole segments, which are whole pages; of the items in
	// the window, what will be a page.
	segs      ring[section] // full ones
	open      section       // the one being filled, without page
	page      section       // the page being filled
	segWeight int64         // what fills a segment
}

func newStream(cfg *Config) *stream {
	s := &stream{cursors: map[Slot]*Consumer{}}
	s.setSegment(cfg)
	return s
}

// First returns the sequence number of the oldest item of a stream, or that of
// the next one if there are none.
func (m *Machine) First() uint64 {
	switch l := &m.base; {
	case l.pages.n > 0:
		return l.pages.at(0).First
	case l.head.n > 0:
		return l.head.at(0).Seq
	}
	return m.seq
}

// appendItem is Enqueue of a stream.
func (m *Machine) appendItem(it *Item, eff *[]Effect) {
	s := m.log
	it.Time = max(m.now, s.lastTime)
	it.Expiry, it.Prio = 0, 0
	m.st.Keep(it, false)
	m.pushItem(it)
	m.tidy()
	begins := s.open.count+s.page.count == 0 && s.segs.n > 0
	if s.fill(it, m.sz.page); begins { // a new segment
		m.retain(eff)
		m.rearmStream(eff)
	}
}

// pushItem adds an item to the window.
func (m *Machine) pushItem(it *Item) {
	s, l := m.log, &m.base
	s.lastTime = max(s.lastTime, it.Time)
	m.mark(0)
	m.count(it)
	if it.Mem.IsZero() {
		m.cold++
		if s.lead == l.head.n {
			s.lead++
		}
	} else {
		s.hot += int64(it.Mem.Len())
	}
	l.n++
	l.head.pushBack(it)
}

// tidy keeps the window within its bounds: the bytes of the oldest items leave
// memory first, then whole pages.
func (m *Machine) tidy() {
	s, h := m.log, &m.base.head
	for s.hot > m.cfg.Window && s.lead < h.n {
		m.cool(s.lead)
		s.lead++
	}
	for h.n > m.sz.head {
		m.pageOut()
	}
}

// cool takes the bytes of an item of the window out of memory.
func (m *Machine) cool(i int) {
	if it := m.base.head.at(i); !it.Mem.IsZero() && it.Pos != 0 {
		m.log.hot -= int64(it.Mem.Len())
		m.cold++
		m.st.Cool(it.Mem)
		it.Mem = message.Ref{}
	}
}

// pageOut writes the oldest items of the window as a page.
func (m *Machine) pageOut() {
	s, l := m.log, &m.base
	var p section
	for i := 0; i < l.head.n && p.count < m.sz.page && p.weight < s.segWeight; i++ {
		it := l.head.at(i)
		p.add(1, int64(it.Size), it.Seq, it.Time)
		s.hot -= int64(it.Mem.Len())
		l.tail = append(l.tail, *it)
	}
	m.spill(l, 0)
	var gone Item
	for range p.count {
		l.head.popFront(&gone)
	}
	s.lead = max(0, s.lead-p.count)
}

// settleStream ends a command that may have changed what is kept.
func (m *Machine) settleStream(eff *[]Effect) {
	m.retain(eff)
	m.rearmStream(eff)
	m.flow(eff)
}

// Commit says that the items up to seq are safe and may be delivered.
func (m *Machine) Commit(now int64, seq uint64, eff *[]Effect) {
	s := m.log
	if seq <= s.committed {
		return
	}
	m.begin(now)
	s.committed = seq
	for s.parked.first != nil {
		s.put(s.parked.first, &s.ready)
	}
	m.flow(eff)
}

// Committed returns the last sequence number that may be delivered.
func (m *Machine) Committed() uint64 { return m.log.committed }

// Waiting reports whether a cursor waits for Commit.
func (m *Machine) Waiting() bool { return m.log.parked.first != nil }

// Rest gives back what a stream that is not used for a while does not need in
// memory: bytes, runs and full pages.
func (m *Machine) Rest() {
	s, h := m.log, &m.base.head
	for len(s.runs) > 0 {
		s.drop(m.st, len(s.runs)-1)
	}
	s.room = nil
	for i := s.lead; i < h.n; i++ {
		m.cool(i)
	}
	s.lead = h.n
	for h.n >= 2*m.sz.page {
		m.pageOut()
	}
}

// restored ends the recovery of a stream: what was found is safe.
func (m *Machine) restored() {
	s, l := m.log, &m.base
	s.committed = m.seq - 1
	if l.pages.n > 0 {
		s.lastTime = max(s.lastTime, l.pages.at(l.pages.n-1).LastTime)
	}
	m.measureSegments()
}
