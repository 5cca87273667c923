package queue

// Retention: which messages of a stream stay, and how they are grouped.

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

func (s *stream) setSegment(cfg *Config) {
	s.segWeight = defaultSegment
	if cfg.SegmentBytes != None {
		s.segWeight = max(1, cfg.SegmentBytes)
	}
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

// Segments returns how many segments retention sees.
func (m *Machine) Segments() int {
	n := m.log.segs.n
	if m.log.open.count+m.log.page.count > 0 || n == 0 {
		n++
	}
	return n
}
