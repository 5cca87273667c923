package queue

import (
	"cmp"
	"slices"

	"github.com/warrenmq/warren/internal/message"
)

// want asks for a load, unless one is under way.
func (m *Machine) want(eff *[]Effect) {
	if !m.loading {
		m.loading = true
		add(eff, WantLoad)
	}
}

// lookAhead asks for what will be needed before consumers have to wait for it.
func (m *Machine) lookAhead(eff *[]Effect) {
	if m.loading {
		return
	}
	if m.wantedPage(m.sz.page) != nil || m.cold > 0 && m.coldAhead() {
		m.want(eff)
	}
}

// wantedPage returns the next page to load: of the highest level whose head
// holds fewer than n items. With n = 0 only a page that is next to leave.
func (m *Machine) wantedPage(n int) *PageRef {
	if m.pages == 0 {
		return nil
	}
	for p := m.top(); p >= 0; p = m.below(p) {
		if l := m.level(p); l.pages.n > 0 && (l.head.n < n || l.head.n == 0) {
			return l.pages.at(0)
		}
	}
	return nil
}

// coldAhead reports whether consumers will soon come to an item without bytes.
func (m *Machine) coldAhead() bool {
	if len(m.consumers) == 0 {
		return false
	}
	if m.returns.n > 0 && m.returns.at(0).Mem.IsZero() {
		return true
	}
	p := m.top()
	if p < 0 {
		return false
	}
	l := m.level(p)
	if l.back != nil && l.back.front().Mem.IsZero() {
		return true
	}
	return l.lead < l.head.n && l.lead < m.sz.look
}

// Wanted says, after WantLoad, what is to be loaded: either a page of the
// index, or the bodies of items in the order in which they will leave, at most
// maxItems and about maxBytes (at least one), appended to dst. Answer with
// PageLoaded or BodiesLoaded. With neither, the load is not needed any more.
func (m *Machine) Wanted(maxItems int, maxBytes int64, dst []Item) (page *PageRef, items []Item) {
	m.loading = true
	if p := m.wantedPage(m.sz.page / 2); p != nil {
		ref := *p
		return &ref, dst
	}
	if m.cold > 0 && m.coldAhead() {
		items = m.coldItems(maxItems, maxBytes, dst)
		if len(items) > len(dst) {
			return nil, items
		}
	}
	if p := m.wantedPage(m.sz.page); p != nil {
		ref := *p
		return &ref, dst
	}
	m.loading = false
	return nil, dst
}

func (m *Machine) coldItems(maxItems int, maxBytes int64, dst []Item) []Item {
	want := func(r *ring[Item], from int) bool {
		for i := from; i < r.n; i++ {
			it := r.at(i)
			if !it.Mem.IsZero() {
				continue
			}
			if maxItems <= 0 || maxBytes <= 0 {
				return false
			}
			dst = append(dst, *it)
			maxItems--
			maxBytes -= int64(it.Size)
		}
		return true
	}
	if !want(&m.returns, 0) {
		return dst
	}
	for p := m.top(); p >= 0; p = m.below(p) {
		l := m.level(p)
		if l.back != nil {
			l.back.settle()
			if !want(&l.back.run, 0) {
				break
			}
		}
		if !want(&l.head, l.lead) || l.pages.n > 0 {
			break
		}
	}
	return dst
}

// PageLoaded brings the items of a page that Wanted named, in their order,
// with or without Mem. It reports false if the page is not wanted any more:
// then the caller releases what it loaded.
func (m *Machine) PageLoaded(now int64, ref PageRef, items []Item, eff *[]Effect) bool {
	m.begin(now)
	m.loading = false
	ok := m.loaded(ref, items)
	m.settleDown(eff)
	return ok
}

func (m *Machine) loaded(ref PageRef, items []Item) bool {
	if ref.Level > m.cfg.MaxPriority {
		return false
	}
	l := m.level(int(ref.Level))
	if l.pages.n == 0 || l.pages.at(0).Pos != ref.Pos {
		return false
	}
	var p PageRef
	l.pages.popFront(&p)
	m.pages--
	// What was counted is replaced by what came.
	l.n -= int(p.Count)
	m.uncount(int(p.Level), int(p.Count), int64(p.Bytes))
	for i := range items {
		it := &items[i]
		m.count(it)
		if it.Mem.IsZero() {
			m.cold++
		}
		l.n++
		l.follow(it)
	}
	if l.n > 0 {
		m.mark(int(p.Level))
	}
	l.advance()
	if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
		l.unwind()
	}
	return true
}

// BodiesLoaded brings items that Wanted named, with Mem set. It returns what is
// not wanted any more: the caller releases it.
func (m *Machine) BodiesLoaded(now int64, items []Item, eff *[]Effect) (unused []message.Ref) {
	m.begin(now)
	m.loading = false
	hint := 0
	for i := range items {
		it := &items[i]
		have := m.find(it, &hint)
		if have == nil || !have.Mem.IsZero() || it.Mem.IsZero() {
			unused = append(unused, it.Mem)
			continue
		}
		have.Mem = it.Mem
		m.cold--
	}
	for p := m.top(); p >= 0; p = m.below(p) {
		m.level(p).advance()
	}
	m.settleDown(eff)
	return unused
}

// find returns the ready item with the sequence number of it, if it is in
// memory and can be found cheaply. hint is where the search goes on.
func (m *Machine) find(it *Item, hint *int) *Item {
	l := m.level(int(it.Prio))
	if i := *hint; i < l.head.n && l.head.at(i).Seq == it.Seq {
		*hint++
		return l.head.at(i)
	}
	if have := search(&m.returns, it.Seq, hint, false); have != nil {
		return have
	}
	if l.back != nil {
		if have := search(&l.back.run, it.Seq, hint, true); have != nil {
			return have
		}
	}
	return search(&l.head, it.Seq, hint, !l.mixed)
}

func search(r *ring[Item], seq uint64, hint *int, sorted bool) *Item {
	if i := *hint; i < r.n && r.at(i).Seq == seq {
		*hint = i + 1
		return r.at(i)
	}
	if !sorted {
		for i := range r.n {
			if r.at(i).Seq == seq {
				*hint = i + 1
				return r.at(i)
			}
		}
		return nil
	}
	lo, hi := 0, r.n
	for lo < hi {
		mid := (lo + hi) / 2
		if r.at(mid).Seq < seq {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == r.n || r.at(lo).Seq != seq {
		return nil
	}
	*hint = lo + 1
	return r.at(lo)
}

// Evict takes the bytes of up to n ready items out of memory, those first that
// will be needed last, of items that are on disk too. They are appended to dst
// with their Mem, which the caller releases.
func (m *Machine) Evict(n int, dst []Item) []Item {
	evict := func(it *Item) bool {
		if it.Pos != 0 && !it.Mem.IsZero() {
			dst = append(dst, *it)
			it.Mem = message.Ref{}
			m.cold++
			n--
			return true
		}
		return false
	}
	top := 0
	if m.cfg.MaxPriority > 0 {
		top = len(m.levels) - 1
	}
	for p := 0; p <= top && n > 0; p++ {
		l := m.level(p)
		for i := len(l.tail) - 1; i >= 0 && n > 0; i-- {
			evict(&l.tail[i])
		}
		for i := l.head.n - 1; i >= 0 && n > 0; i-- {
			if evict(l.head.at(i)) {
				l.lead = min(l.lead, i)
			}
		}
		if l.back != nil {
			l.back.settle()
			for i := l.back.run.n - 1; i >= 0 && n > 0; i-- {
				evict(l.back.run.at(i))
			}
		}
	}
	for i := m.returns.n - 1; i >= 0 && n > 0; i-- {
		evict(m.returns.at(i))
	}
	return dst
}

// Relocated says that the log moved records, when it was compacted. moves must
// be sorted by Seq. It returns how many of the items were found; the others
// are gone or in pages, which ReplacePage changes.
func (m *Machine) Relocated(moves []Move) (found int) {
	m.Walk(func(e Entry) bool {
		if e.Item != nil {
			i, ok := slices.BinarySearchFunc(moves, e.Item.Seq, func(v Move, seq uint64) int {
				return cmp.Compare(v.Seq, seq)
			})
			if ok && e.Item.Pos != 0 {
				e.Item.Pos = moves[i].Pos
				found++
			}
		}
		return true
	})
	return found
}

// ReplacePage says that a page, known by its position and level, was written
// anew. The new one may hold fewer items. It reports false if there is no such
// page any more.
func (m *Machine) ReplacePage(old, new PageRef) bool {
	if old.Level > m.cfg.MaxPriority {
		return false
	}
	l := m.level(int(old.Level))
	for i := range l.pages.n {
		p := l.pages.at(i)
		if p.Pos != old.Pos {
			continue
		}
		new.Level = old.Level
		l.n += int(new.Count) - int(p.Count)
		m.uncount(int(old.Level), int(p.Count)-int(new.Count), int64(p.Bytes)-int64(new.Bytes))
		*p = new
		return true
	}
	return false
}
