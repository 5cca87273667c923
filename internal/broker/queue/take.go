package queue

import "slices"

// An operator may take ready messages out of the middle of a queue: to move,
// delete or change them. What was taken is held like a dead letter, so that no
// crash loses it: Buried ends it, PutBack undoes the taking.

// Taken is a ready item that was taken out.
type Taken struct {
	Slot Slot
	Item Item
}

// Take takes out the ready and delayed items in memory that want accepts, and appends them
// to dst. Those in pages are taken with TakePaged.
func (m *Machine) Take(now int64, want func(*Item) bool, dst []Taken, eff *[]Effect) []Taken {
	m.begin(now)
	before := len(dst)
	hold := func(it *Item) {
		m.ready--
		m.bytes -= int64(it.Size)
		if it.Mem.IsZero() {
			m.cold--
		}
		dst = append(dst, Taken{m.held.put(it, nil, Dying), *it})
	}
	takeFrom(&m.returns, want, hold)
	for p := m.top(); p >= 0; p = m.below(p) {
		l := m.level(p)
		n := len(dst)
		l.take(want, hold, &m.sz)
		if l.n -= len(dst) - n; l.n == 0 {
			m.unmark(p)
		}
	}
	dst = m.takeDelayed(want, dst)
	if len(dst) > before {
		m.settleDown(eff)
	}
	return dst
}

func (l *level) take(want func(*Item) bool, hold func(*Item), sz *sizes) {
	if l.back != nil {
		l.back.settle()
		if takeFrom(&l.back.run, want, hold); l.back.len() == 0 {
			l.back = nil
		}
	}
	takeFrom(&l.head, want, hold)
	kept := l.tail[:0]
	for i := range l.tail {
		if want(&l.tail[i]) {
			hold(&l.tail[i])
		} else {
			kept = append(kept, l.tail[i])
		}
	}
	clear(l.tail[len(kept):])
	l.tail = kept
	l.lead = 0
	l.advance()
	if l.pages.n == 0 && len(l.tail) > 0 && l.head.n <= sz.head/2 {
		l.unwind()
	}
}

func takeFrom(r *ring[Item], want func(*Item) bool, hold func(*Item)) {
	k := 0
	for i := range r.n {
		it := r.at(i)
		if want(it) {
			hold(it)
			continue
		}
		if k < i {
			*r.at(k) = *it
		}
		k++
	}
	for i := k; i < r.n; i++ {
		*r.at(i) = Item{}
	}
	r.n = k
}

// TakePaged takes items out of a page. rest is the page of those that remain,
// nil if there are none. It reports false, and does nothing, if there is no such
// page any more.
func (m *Machine) TakePaged(now int64, old PageRef, rest *PageRef, items []Item, dst []Taken, eff *[]Effect) ([]Taken, bool) {
	m.begin(now)
	if old.Level > m.cfg.MaxPriority {
		return dst, false
	}
	l := m.level(int(old.Level))
	at := -1
	for i := range l.pages.n {
		if l.pages.at(i).Pos == old.Pos {
			at = i
		}
	}
	if at < 0 {
		return dst, false
	}
	if rest != nil {
		m.ReplacePage(old, *rest)
	} else {
		p := *l.pages.at(at)
		l.pages.remove(at)
		m.pages--
		l.n -= int(p.Count)
		m.uncount(int(p.Level), int(p.Count), int64(p.Bytes))
		if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
			l.unwind()
		}
	}
	for i := range items {
		dst = append(dst, Taken{m.held.put(&items[i], nil, Dying), items[i]})
	}
	m.settleDown(eff)
	return dst, true
}

// PutBack makes a taken item ready again, in its old place. If that is between
// pages on disk, it becomes the next to leave instead.
func (m *Machine) PutBack(now int64, s Slot, eff *[]Effect) {
	m.begin(now)
	h := m.held.get(s, Dying)
	if h == nil {
		return
	}
	it := h.it
	m.release(h, s)
	it.Prio = min(it.Prio, m.cfg.MaxPriority)
	m.count(&it)
	if it.Mem.IsZero() {
		m.cold++
	}
	m.level(int(it.Prio)).putBack(&it)
	m.mark(int(it.Prio))
	m.settleDown(eff)
}

func (l *level) putBack(it *Item) {
	if l.back != nil {
		l.back.settle()
	}
	switch h := &l.head; {
	case l.back != nil && it.Seq < l.back.run.at(l.back.run.n-1).Seq:
	case h.n > 0 && it.Seq < h.at(0).Seq:
	case h.n == 0 && l.pages.n == 0 && len(l.tail) == 0: // what is unacknowledged may be newer
	case h.n > 0 && it.Seq < h.at(h.n-1).Seq, l.pages.n == 0 && (len(l.tail) == 0 || it.Seq < l.tail[0].Seq):
		l.n++
		i := 0
		for i < h.n && h.at(i).Seq < it.Seq {
			i++
		}
		h.insert(i, it)
		l.lead = 0
		l.advance()
		return
	case l.pages.n == 0:
		l.n++
		i := 0
		for i < len(l.tail) && l.tail[i].Seq < it.Seq {
			i++
		}
		l.tail = slices.Insert(l.tail, i, *it)
		return
	}
	l.restore(it)
}

// insert puts v before element i.
func (r *ring[T]) insert(i int, v *T) {
	r.pushBack(v)
	for k := r.n - 1; k > i; k-- {
		*r.at(k) = *r.at(k - 1)
	}
	*r.at(i) = *v
}

// remove takes element i out.
func (r *ring[T]) remove(i int) {
	for ; i < r.n-1; i++ {
		*r.at(i) = *r.at(i + 1)
	}
	var zero T
	*r.at(r.n - 1) = zero
	r.n--
}

// Held calls f for what left the ready ones and is not done with: Unacked and
// Dying, in no order.
func (m *Machine) Held(f func(State, *Item)) {
	for i := range m.held.entries {
		if h := &m.held.entries[i]; h.state != Ready {
			f(h.state, &h.it)
		}
	}
}
