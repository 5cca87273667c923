package queue

import (
	"testing"
	"unsafe"
)

// Many queues are idle, and a backlog is mostly pages: neither may grow unnoticed.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name       string
		size, want uintptr
	}{
		{"Machine", unsafe.Sizeof(Machine{}), 768},
		{"Item", unsafe.Sizeof(Item{}), 64},
		{"PageRef", unsafe.Sizeof(PageRef{}), 80},
		{"held", unsafe.Sizeof(held{}), 80},
	} {
		t.Log(c.name, c.size)
		if c.size > c.want {
			t.Errorf("%s has %d bytes, more than %d", c.name, c.size, c.want)
		}
	}
}

// What a burst took is given back.
func TestTrimmedAfterBurst(t *testing.T) {
	m, _ := newBench()
	var eff []Effect
	for range 20 {
		for range 2000 {
			m.Enqueue(1, &Item{}, &eff)
			eff = eff[:0]
		}
		for m.Ready() > 0 {
			m.Get(1, false, &eff)
		}
		for i := range m.held.entries {
			h := &m.held.entries[i]
			m.Settle(1, Slot(i), h.it.Seq, Ack, &eff)
		}
	}
	m.Trim() // what the last time needed is kept for the next
	if m.base.head.buf == nil || m.held.entries == nil {
		t.Error("a busy queue asks for memory each time")
	}
	for range 10 {
		m.Enqueue(1, &Item{}, &eff)
		it, s, _ := m.Get(1, false, &eff)
		m.Settle(1, s, it.Seq, Ack, &eff)
	}
	m.Trim()
	if n, k := len(m.base.head.buf), cap(m.held.entries); n > 100 || k > 100 {
		t.Error("a queue with little to do holds", n, k)
	}
	m.Trim()
	if m.base.head.buf != nil || m.held.entries != nil {
		t.Error("an idle queue holds memory")
	}
}
