package queue

import (
	"github.com/warrenmq/warren/internal/message"
)

// dispatch delivers as long as there are a message and a consumer for it.
func (m *Machine) dispatch(eff *[]Effect) {
	for m.ready > 0 {
		c := m.next()
		if c == nil {
			return
		}
		if len(*eff) >= m.sz.step {
			m.more = true
			return
		}
		head := m.front()
		if head == nil {
			m.want(eff)
			return
		}
		if m.expired(head) {
			if m.budget == 0 {
				return // rearm asks for a Tick at once
			}
			m.budget--
			var it Item
			m.pop(&it)
			m.bury(&it, Expired, eff)
			continue
		}
		if head.Mem.IsZero() {
			m.want(eff)
			return
		}
		if m.take(c) {
			var it Item
			m.pop(&it)
			m.deliver(c, &it, eff)
		}
	}
}

// deliver gives an item that is not among the ready ones to c.
func (m *Machine) deliver(c *Consumer, it *Item, eff *[]Effect) {
	e := add(eff, Deliver)
	e.Consumer = c
	e.Item = *it
	if !c.NoAck {
		e.Slot = m.hold(it, c)
		c.unacked++
	}
	if g := c.group; c.full() {
		g.leave(c)
	} else if g.first != g.last {
		g.leave(c)
		g.join(c)
	}
}

// hold makes an item unacknowledged.
func (m *Machine) hold(it *Item, c *Consumer) Slot {
	s := m.held.put(it, c, Unacked)
	if it.Pos != 0 {
		m.held.entries[s].it.Mem = message.Ref{} // whoever delivers it releases it
	}
	m.unacked++
	m.unackedB += int64(it.Size)
	return s
}

// Get takes the next message, for basic.get; of a stream it takes none. Without noAck it is
// unacknowledged under the slot, with noAck it is done with. If its Mem is
// zero, the bytes are at Pos; if both are set, the caller releases Mem.
func (m *Machine) Get(now int64, noAck bool, eff *[]Effect) (it Item, s Slot, st GetStatus) {
	m.begin(now)
	m.used = now
	for m.ready > 0 && m.log == nil {
		head := m.front()
		if head == nil {
			m.want(eff)
			return it, 0, NeedLoad
		}
		expired := m.expired(head)
		m.pop(&it)
		if expired {
			m.bury(&it, Expired, eff)
			continue
		}
		if !noAck {
			s = m.hold(&it, nil)
		}
		m.rest(eff)
		return it, s, Got
	}
	m.rest(eff)
	return Item{}, 0, Empty
}
