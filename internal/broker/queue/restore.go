package queue

// Restore adds ready messages that were found on disk to an empty machine:
// pages, then items behind them, in their order. It may be called several times
// for a level; each call adds behind what is there. Item.Seq is kept.
func (m *Machine) Restore(prio uint8, pages []PageRef, items []Item) {
	prio = min(prio, m.cfg.MaxPriority)
	l := m.level(int(prio))
	for i := range pages {
		if len(l.tail) > 0 {
			m.spill(l, prio)
		}
		p := pages[i]
		p.Level = prio
		l.pages.pushBack(&p)
		l.n += int(p.Count)
		m.pages++
		m.ready += int(p.Count)
		m.bytes += int64(p.Bytes)
		m.mark(int(prio))
		m.seq = max(m.seq, p.Last+1)
	}
	for i := range items {
		it := items[i]
		it.Prio = prio
		m.seq = max(m.seq, it.Seq+1)
		if m.log != nil {
			m.pushItem(&it)
			m.tidy()
			continue
		}
		m.push(&it)
	}
}

// RestoreDying is Restore for a message that was dead-lettered and is to be
// buried still.
func (m *Machine) RestoreDying(it Item, why Reason) Slot {
	it.Prio = min(it.Prio, m.cfg.MaxPriority)
	m.seq = max(m.seq, it.Seq+1)
	s := m.held.put(&it, nil, Dying)
	m.dies(&m.held.entries[s], why)
	return s
}

// RestoreDone ends recovery. nextSeq is the lowest sequence number that may be
// given from now on (it is raised above what was restored).
func (m *Machine) RestoreDone(nextSeq uint64, now int64, eff *[]Effect) {
	m.begin(now)
	m.seq = max(m.seq, nextSeq)
	m.used = now
	if m.log != nil {
		m.restored()
	}
	m.settleDown(eff)
}

// Each calls f for every item that the machine holds in memory, in the order of
// Walk, until f returns false.
func (m *Machine) Each(f func(State, *Item) bool) {
	m.Walk(func(e Entry) bool { return e.Item == nil || f(e.State, e.Item) })
}

// EachPage calls f for every page, until f returns false.
func (m *Machine) EachPage(f func(*PageRef) bool) {
	for p := m.top(); p >= 0; p = m.below(p) {
		for l, i := m.level(p), 0; i < l.pages.n; i++ {
			if !f(l.pages.at(i)) {
				return
			}
		}
	}
}

// Walk calls f for everything that the machine holds until f returns false:
// the ready items in the order in which they will leave, from the highest
// priority down, with pages where they stand, then the delayed ones in theirs,
// then unacknowledged and dying ones in no order. f must not call the machine.
func (m *Machine) Walk(f func(Entry) bool) {
	walk := func(r *ring[Item]) bool {
		for i := range r.n {
			if !f(Entry{State: Ready, Item: r.at(i)}) {
				return false
			}
		}
		return true
	}
	if !walk(&m.returns) {
		return
	}
	for p := m.top(); p >= 0; p = m.below(p) {
		l := m.level(p)
		if l.back != nil {
			l.back.settle()
			if !walk(&l.back.run) {
				return
			}
		}
		if m.log == nil && !walk(&l.head) {
			return
		}
		for i := range l.pages.n {
			if !f(Entry{State: Paged, Page: l.pages.at(i)}) {
				return
			}
		}
		if m.log != nil && !walk(&l.head) {
			return
		}
		for i := range l.tail {
			if !f(Entry{State: Ready, Item: &l.tail[i]}) {
				return
			}
		}
	}
	if m.delays != nil {
		m.delays.sort()
		for i := range m.delays.heap {
			if !f(Entry{State: Delayed, Item: &m.delays.heap[i].it, Due: m.delays.heap[i].due}) {
				return
			}
		}
	}
	for i := range m.held.entries {
		h := &m.held.entries[i]
		if h.state != Ready && !f(Entry{State: h.state, Item: &h.it, Slot: Slot(i), Reason: h.why}) {
			return
		}
	}
}
