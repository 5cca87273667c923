package queue

// What readers of a stream that are behind have had read from disk.

// A run is neighbouring messages of a stream that were read from disk for
// cursors that are behind.
type run struct {
	items       []Item // ascending by Seq, with Mem
	first, last uint64 // it answers for these sequence numbers and all between them
	users       int    // cursors in it
	used        uint64 // when a cursor last came to it
	bytes       int64
	gone        bool // its bytes are
}

func (r *run) has(seq uint64) bool { return !r.gone && r.first <= seq && seq <= r.last }

// at returns the first item from seq on.
func (r *run) at(seq uint64) *Item {
	if i := seq - r.items[0].Seq; i < uint64(len(r.items)) && r.items[i].Seq == seq {
		return &r.items[i]
	}
	lo, hi := 0, len(r.items)
	for lo < hi {
		if mid := (lo + hi) / 2; r.items[mid].Seq < seq {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(r.items) {
		return nil
	}
	return &r.items[lo]
}

// Want is what a cursor needs from disk: items of a page, or items that the
// window knows.
type Want struct {
	Page     *PageRef
	From, To uint64 // sequence numbers wanted of the page; From may be missing in it
	Items    []Item
}

// manyRuns is how many runs are kept at most, and runBytes how much in them;
// fewRuns how many of those that no cursor is in.
const (
	manyRuns = 64
	runBytes = 16 << 20
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
		r := &run{items: append(s.room, items...), first: first, last: last, used: s.clock}
		s.room = nil
		for i := range items {
			r.bytes += int64(items[i].Mem.Len())
		}
		s.runBytes += r.bytes
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
		if spare <= fewRuns && len(s.runs) <= max(n, 0) && s.runBytes <= runBytes || victim < 0 {
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
	s.runBytes -= r.bytes
	clear(r.items) // they refer to memory
	s.room = r.items[:0]
	r.items, r.gone = nil, true
	s.runs = append(s.runs[:i], s.runs[i+1:]...)
	s.runs[:len(s.runs)+1][len(s.runs)] = nil
}

// findRun returns the run that answers for seq, nil if there is none.
func (s *stream) findRun(seq uint64) *run {
	i := s.runBefore(seq)
	if i < 0 || !s.runs[i].has(seq) {
		return nil
	}
	return s.runs[i]
}

// runBefore returns the index of the last run that begins at seq or before, -1
// if there is none.
func (s *stream) runBefore(seq uint64) int {
	lo, hi := 0, len(s.runs)
	for lo < hi {
		if mid := (lo + hi) / 2; s.runs[mid].first <= seq {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

func (s *stream) enterRun(k *Cursor, r *run) {
	s.clock++
	r.used = s.clock
	r.users++
	k.run = r
}

func (s *stream) leaveRun(k *Cursor) {
	if k.run != nil {
		k.run.users--
		k.run = nil
	}
}
