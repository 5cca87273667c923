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
	cursors                     map[Slot]*Consumer
	slots                       Slot

	runs  []*run // in the order of the log, not overlapping
	clock uint64 // counts what happens to runs

	lead int   // items at the front of the window that have no bytes in memory
	hot  int64 // bytes of the others

	// Retention cuts whole segments, which are whole pages; of the items in
	// the window, what will be a page.
	segs      ring[section] // full ones
	open      section       // the one being filled, without page
	page      section       // the page being filled
	segWeight int64         // what fills a segment
}

// section is a run of items as retention sees it.
type section struct {
	count    int
	weight   int64
	last     uint64 // sequence number
	lastTime int64
}

// itemWeight is what a message counts for retention beside its body.
const itemWeight = 48

// defaultSegment is the size of a segment if nothing is said.
const defaultSegment = 500_000_000

func (s *section) add(count int, bytes int64, last uint64, lastTime int64) {
	s.count += count
	s.weight += bytes + int64(count)*itemWeight
	s.last, s.lastTime = last, lastTime
}

func newStream(cfg *Config) *stream {
	s := &stream{cursors: map[Slot]*Consumer{}}
	s.setSegment(cfg)
	return s
}

func (s *stream) setSegment(cfg *Config) {
	s.segWeight = defaultSegment
	if cfg.SegmentBytes != None {
		s.segWeight = max(1, cfg.SegmentBytes)
	}
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

// fill counts an item in the page and the segment that are being filled.
func (s *stream) fill(it *Item, page int) {
	s.page.add(1, int64(it.Size), it.Seq, it.Time)
	if s.page.count < page && s.page.weight < s.segWeight {
		return
	}
	s.fillPage(s.page)
	s.page = section{}
}

// fillPage adds a whole page to the segment that is being filled.
func (s *stream) fillPage(p section) {
	s.open.count += p.count
	s.open.weight += p.weight
	s.open.last, s.open.lastTime = p.last, p.lastTime
	if s.open.weight >= s.segWeight {
		s.segs.pushBack(&s.open)
		s.open = section{}
	}
}

// measureSegments groups what is there anew.
func (m *Machine) measureSegments() {
	s, l := m.log, &m.base
	s.segs, s.open, s.page = ring[section]{}, section{}, section{}
	for i := range l.pages.n {
		p := l.pages.at(i)
		var sec section
		sec.add(int(p.Count), int64(p.Bytes), p.Last, p.LastTime)
		s.fillPage(sec)
	}
	for i := range l.head.n {
		s.fill(l.head.at(i), m.sz.page)
	}
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

// retain cuts segments off at the head: while there is more than may be, and
// those that are too old. The newest one stays.
func (m *Machine) retain(eff *[]Effect) {
	s := m.log
	for s.segs.n > 0 && (s.segs.n > 1 || s.open.count+s.page.count > 0) {
		why := ReasonNone
		switch old := s.segs.at(0); {
		case m.cfg.MaxBytes != None && m.weight() > m.cfg.MaxBytes:
			why = MaxLen
		case m.cfg.MaxAge != None && old.lastTime+m.cfg.MaxAge <= m.now:
			why = Expired
		default:
			return
		}
		var seg section
		s.segs.popFront(&seg)
		m.truncate(seg.last, why, eff)
	}
}

// weight is what all items of a stream count for retention.
func (m *Machine) weight() int64 { return m.bytes + int64(m.ready)*itemWeight }

// truncate removes the items up to a sequence number, the last of a page.
func (m *Machine) truncate(last uint64, why Reason, eff *[]Effect) {
	s, l := m.log, &m.base
	for l.pages.n > 0 && l.pages.at(0).Last <= last {
		m.popPage(0, eff)
		(*eff)[len(*eff)-1].Reason = why
	}
	for l.head.n > 0 && l.head.at(0).Seq <= last {
		e := add(eff, Settled)
		e.Reason = why
		l.head.popFront(&e.Item)
		l.n--
		s.lead = max(0, s.lead-1)
		s.hot -= int64(e.Item.Mem.Len())
		if e.Item.Mem.IsZero() {
			m.cold--
		}
		m.uncount(0, 1, int64(e.Item.Size))
	}
}

// settleStream ends a command that may have changed what is kept.
func (m *Machine) settleStream(eff *[]Effect) {
	m.retain(eff)
	m.rearmStream(eff)
	m.flow(eff)
}

// rearmStream asks for a Tick when the oldest segment comes of age.
func (m *Machine) rearmStream(eff *[]Effect) {
	s := m.log
	if m.cfg.MaxAge == None || s.segs.n == 0 || s.segs.n == 1 && s.open.count+s.page.count == 0 {
		return
	}
	at := max(s.segs.at(0).lastTime+m.cfg.MaxAge, m.now+1)
	if m.timer != 0 && m.timer <= at {
		return
	}
	m.timer = at
	add(eff, SetTimer).At = at
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

// Segments returns how many segments retention sees.
func (m *Machine) Segments() int {
	n := m.log.segs.n
	if m.log.open.count+m.log.page.count > 0 || n == 0 {
		n++
	}
	return n
}

// Want is what a cursor needs from disk: items of a page, or items that the
// window knows.
type Want struct {
	Page     *PageRef
	From, To uint64 // sequence numbers wanted of the page; From may be missing in it
	Items    []Item
}

// manyRuns is how many runs are kept at most; fewRuns of those that no cursor
// is in.
const (
	manyRuns = 64
	fewRuns  = 4
)

// WantedRun says, after WantLoad, what is to be loaded for the cursor that has
// waited longest: at most maxItems and about maxBytes (at least one), appended to
// dst. Answer with RunLoaded or RunLost. If ok is false nothing is needed any
// more.
func (m *Machine) WantedRun(now int64, maxItems int, maxBytes int64, dst []Item, eff *[]Effect) (w Want, ok bool) {
	m.begin(now)
	s := m.log
	m.loading = true
	for s.hungry.first != nil {
		c := s.hungry.first
		if c.full() {
			s.put(c, &s.idle)
			continue
		}
		it, list := m.look(c.Cursor)
		if it != nil || list != &s.hungry {
			s.put(c, &s.ready) // it has come meanwhile
			continue
		}
		if s.hungry.all+len(s.runs) > manyRuns/2 {
			// Too many to keep much for each.
			maxItems = min(maxItems, max(16, int(c.Prefetch)-int(c.unacked)))
		}
		w = m.wantFor(c.Cursor, maxItems, maxBytes, dst)
		if s.findRun(c.Cursor.next) != nil { // behind a gap
			s.put(c, &s.ready)
			continue
		}
		m.flow(eff)
		return w, true
	}
	m.loading = false
	m.flow(eff)
	return w, false
}

// wantFor says what a cursor needs. Where messages are missing the cursor moves
// on to the first that is there.
func (m *Machine) wantFor(k *Cursor, maxItems int, maxBytes int64, dst []Item) (w Want) {
	s, l := m.log, &m.base
	page := searchRing(&l.pages, func(p *PageRef) bool { return p.Last >= k.next })
	if page < l.pages.n {
		k.next = max(k.next, l.pages.at(page).First)
	} else {
		k.next = m.inWindow(k.next).Seq
	}
	w.From, w.To = k.next, max(min(s.committed, k.next+uint64(maxItems)-1), k.next)
	if i := s.runBefore(k.next) + 1; i < len(s.runs) {
		w.To = min(w.To, s.runs[i].first-1)
	}
	if page < l.pages.n {
		p := *l.pages.at(page)
		w.Page, w.To = &p, min(w.To, p.Last)
		return w
	}
	i := searchRing(&l.head, func(it *Item) bool { return it.Seq >= w.From })
	for ; i < l.head.n && maxBytes > 0; i++ {
		it := l.head.at(i)
		if !it.Mem.IsZero() || it.Seq > w.To {
			break
		}
		maxBytes -= int64(it.Size)
		dst = append(dst, *it)
	}
	w.Items, w.To = dst, dst[len(dst)-1].Seq
	return w
}

// RunLoaded brings items that WantedRun named, ascending, with Mem; they answer
// for the sequence numbers from first to last. keep is how many runs may stay.
func (m *Machine) RunLoaded(now int64, items []Item, first, last uint64, keep int, eff *[]Effect) {
	m.begin(now)
	s := m.log
	m.loading = false
	if len(items) > 0 {
		s.forget(m.st, min(keep, manyRuns)-1)
		s.clock++
		r := &run{items: append(make([]Item, 0, len(items)), items...), first: first, last: last, used: s.clock}
		i := s.runBefore(first) + 1
		s.runs = append(s.runs, nil)
		copy(s.runs[i+1:], s.runs[i:])
		s.runs[i] = r
		for c := s.hungry.first; c != nil; {
			next := c.next
			if r.has(c.Cursor.next) {
				s.put(c, &s.ready)
			}
			c = next
		}
	}
	m.flow(eff)
}

// RunLost says that items of a stream, from one sequence number to another,
// cannot be read any more: cursors pass over them.
func (m *Machine) RunLost(now int64, from, to uint64, eff *[]Effect) {
	m.begin(now)
	m.loading = false
	s := m.log
	for c := s.hungry.first; c != nil; {
		next := c.next
		if k := c.Cursor; from <= k.next && k.next <= to {
			k.next = to + 1
			s.put(c, &s.ready)
		}
		c = next
	}
	m.flow(eff)
}

// forget drops runs that nobody needs, and of the others those that were not
// used for longest, until n are left.
func (s *stream) forget(st Storage, n int) {
	for {
		victim, spare := -1, 0
		for i, r := range s.runs {
			if r.users == 0 {
				spare++
			}
			if victim < 0 || (r.users == 0) != (s.runs[victim].users == 0) && r.users == 0 ||
				(r.users == 0) == (s.runs[victim].users == 0) && r.used < s.runs[victim].used {
				victim = i
			}
		}
		if spare <= fewRuns && len(s.runs) <= max(n, 0) {
			return
		}
		s.drop(st, victim)
	}
}

func (s *stream) drop(st Storage, i int) {
	r := s.runs[i]
	for j := range r.items {
		st.Cool(r.items[j].Mem)
	}
	r.items, r.gone = nil, true
	s.runs = append(s.runs[:i], s.runs[i+1:]...)
	s.runs[:len(s.runs)+1][len(s.runs)] = nil
}

// Rest gives back what a stream that is not used for a while does not need in
// memory: bytes, runs and full pages.
func (m *Machine) Rest() {
	s, h := m.log, &m.base.head
	for len(s.runs) > 0 {
		s.drop(m.st, len(s.runs)-1)
	}
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
