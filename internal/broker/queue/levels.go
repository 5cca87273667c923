package queue

import (
	"math"
	"math/bits"
)

// level returns a level; there is none above MaxPriority.
func (m *Machine) level(prio int) *level {
	if m.cfg.MaxPriority == 0 {
		return &m.base
	}
	if m.levels == nil {
		m.levels = make([]level, int(m.cfg.MaxPriority)+1)
	}
	return &m.levels[prio]
}

// top returns the highest level that is not empty, or -1.
func (m *Machine) top() int { return m.below(256) }

// below returns the highest level under prio that is not empty, or -1.
func (m *Machine) below(prio int) int {
	if m.cfg.MaxPriority == 0 {
		if prio > 0 && m.base.n > 0 {
			return 0
		}
		return -1
	}
	for w := (prio - 1) >> 6; w >= 0; w-- {
		set := m.bits[w]
		if w == (prio-1)>>6 {
			set &= ^uint64(0) >> (63 - (prio-1)&63)
		}
		if set != 0 {
			return w<<6 + 63 - bits.LeadingZeros64(set)
		}
	}
	return -1
}

func (m *Machine) mark(prio int) { m.bits[prio>>6] |= 1 << (prio & 63) }

func (m *Machine) unmark(prio int) { m.bits[prio>>6] &^= 1 << (prio & 63) }

// count counts an item that becomes ready.
func (m *Machine) count(it *Item) {
	m.ready++
	m.bytes += int64(it.Size)
	if it.Expiry != 0 {
		m.mortal = true
	}
}

func (m *Machine) uncount(prio, n int, bytes int64) {
	m.ready -= n
	m.bytes -= bytes
	if m.level(prio).n == 0 {
		m.unmark(prio)
	}
}

// push adds an item behind all others of its level.
func (m *Machine) push(it *Item) {
	l := m.level(int(it.Prio))
	m.mark(int(it.Prio))
	m.count(it)
	if it.Mem.IsZero() {
		m.cold++
	}
	l.n++
	if l.pages.n == 0 && len(l.tail) == 0 && l.head.n < m.sz.head {
		l.head.pushBack(it)
		if l.lead == l.head.n-1 && !it.Mem.IsZero() {
			l.lead++
		}
		return
	}
	if l.tail = append(l.tail, *it); len(l.tail) >= m.sz.page {
		if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
			l.unwind()
		} else {
			m.spill(l, it.Prio)
		}
	}
}

// spill writes the tail of a level as a page.
func (m *Machine) spill(l *level, prio uint8) {
	ref := m.st.WritePage(prio, l.tail)
	ref.Level = prio
	ref.First, ref.Last = math.MaxUint64, 0
	ref.Count, ref.Persistent, ref.Bytes = uint32(len(l.tail)), 0, 0
	for i := range l.tail {
		it := &l.tail[i]
		ref.First, ref.Last = min(ref.First, it.Seq), max(ref.Last, it.Seq)
		ref.Bytes += uint64(it.Size)
		if it.Flags&Persistent != 0 {
			ref.Persistent++
		}
		if it.Mem.IsZero() {
			m.cold--
		}
	}
	ref.FirstTime, ref.LastTime = l.tail[0].Time, l.tail[len(l.tail)-1].Time
	l.pages.pushBack(&ref)
	m.pages++
	l.clearTail()
}

// front returns the next item to leave; nil if there is none or it is in a page.
func (m *Machine) front() *Item {
	if m.returns.n > 0 {
		return m.returns.at(0)
	}
	if m.ready == 0 {
		return nil
	}
	return m.level(m.top()).front()
}

// pop removes the item that front returned.
func (m *Machine) pop(dst *Item) {
	if m.returns.n > 0 {
		m.popReturned(dst)
		return
	}
	m.popLevel(m.top(), dst)
}

func (m *Machine) popLevel(prio int, dst *Item) {
	m.level(prio).pop(dst, &m.sz)
	if dst.Mem.IsZero() {
		m.cold--
	}
	m.uncount(prio, 1, int64(dst.Size))
}

func (m *Machine) popReturned(dst *Item) {
	m.returns.popFront(dst)
	if dst.Mem.IsZero() {
		m.cold--
	}
	m.ready--
	m.bytes -= int64(dst.Size)
}
