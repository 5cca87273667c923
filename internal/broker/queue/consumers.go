package queue

import "slices"

// A group is the consumers of one priority. Those that can take a message
// stand in a queue: the first gets the next one and goes to the back.
type group struct {
	prio        int64
	all         int // attached consumers
	first, last *Consumer
}

func (g *group) join(c *Consumer) {
	c.prev, c.next = g.last, nil
	if g.last == nil {
		g.first = c
	} else {
		g.last.next = c
	}
	g.last = c
	c.queued = true
}

func (g *group) leave(c *Consumer) {
	if c.prev == nil {
		g.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		g.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	c.queued = false
}

// full reports whether c has as many unsettled messages as it wants.
func (c *Consumer) full() bool {
	return c.Prefetch != 0 && !c.NoAck && c.unacked >= c.Prefetch
}

// next returns the consumer whose turn it is.
func (m *Machine) next() *Consumer {
	for i := range m.groups {
		if c := m.groups[i].first; c != nil {
			return c
		}
	}
	return nil
}

// take asks c's gate; a consumer without room is set aside.
func (m *Machine) take(c *Consumer) bool {
	if c.Gate == nil || c.Gate.Take(c.NoAck) {
		return true
	}
	c.gated = true
	c.group.leave(c)
	return false
}

// enter lets c stand in its queue if it may have messages.
func (m *Machine) enter(c *Consumer) {
	if c.group == nil || c.queued || c.gated || c.full() {
		return
	}
	if m.cfg.SingleActive && (c != m.active || m.yielding) {
		return
	}
	c.group.join(c)
}

// Attach adds a consumer. That an exclusive consumer stays alone is the
// caller's business.
func (m *Machine) Attach(now int64, c *Consumer, eff *[]Effect) {
	m.begin(now)
	if m.log != nil {
		m.attachCursor(c, eff)
		return
	}
	i, ok := slices.BinarySearchFunc(m.groups, c.Priority, func(g *group, p int64) int {
		switch {
		case g.prio > p:
			return -1
		case g.prio < p:
			return 1
		}
		return 0
	})
	if !ok {
		m.groups = slices.Insert(m.groups, i, &group{prio: c.Priority})
	}
	c.group = m.groups[i]
	c.group.all++
	m.ages++
	c.age = m.ages
	c.gated = false
	m.consumers = append(m.consumers, c)
	if m.cfg.SingleActive {
		m.elect(c)
	}
	m.enter(c)
	m.settleDown(eff)
}

// Detach removes a consumer. What it has not settled stays unacknowledged.
func (m *Machine) Detach(now int64, c *Consumer, eff *[]Effect) {
	if c.group == nil {
		return
	}
	m.begin(now)
	if m.log != nil {
		m.detachCursor(c, eff)
		return
	}
	g := c.group
	if c.queued {
		g.leave(c)
	}
	c.group = nil
	if g.all--; g.all == 0 {
		m.groups = slices.DeleteFunc(m.groups, func(x *group) bool { return x == g })
	}
	m.consumers = slices.DeleteFunc(m.consumers, func(x *Consumer) bool { return x == c })
	if m.active == c {
		m.active, m.yielding = nil, false
		m.promote()
	} else if m.yielding {
		// The consumer that the active one made room for may have left.
		m.elect(nil)
		m.enter(m.active)
	}
	if len(m.consumers) == 0 {
		m.consumers, m.groups = nil, nil
		m.used = now
		if m.cfg.AutoDelete {
			m.goneFor(ReasonNone, eff)
			return
		}
	}
	m.settleDown(eff)
}

// Unblock says that the gate of c may have room again.
func (m *Machine) Unblock(now int64, c *Consumer, eff *[]Effect) {
	one := [1]*Consumer{c}
	m.UnblockAll(now, one[:], eff)
}

// UnblockAll is Unblock for several consumers: all of them have their turn
// before anything is delivered.
func (m *Machine) UnblockAll(now int64, cs []*Consumer, eff *[]Effect) {
	m.begin(now)
	if m.log != nil {
		m.unblockCursors(cs, eff)
		return
	}
	any := false
	for _, c := range cs {
		if c.gated {
			c.gated, any = false, true
			m.enter(c)
		}
	}
	if any {
		m.settleDown(eff)
	}
}

// elect decides whether the newcomer c changes which consumer is active
// (x-single-active-consumer). On a classic queue the first one stays, whatever
// the priorities; on a quorum queue one with a higher priority takes over, as
// soon as the active one has settled what it holds.
func (m *Machine) elect(c *Consumer) {
	if m.active == nil {
		m.active = c
		return
	}
	if m.cfg.Kind != Quorum {
		return
	}
	if best := m.eldest(); best != nil && best.Priority > m.active.Priority {
		if m.active.queued {
			m.active.group.leave(m.active)
		}
		m.yielding = true
		m.yield()
		return
	}
	m.yielding = false
}

// yield hands over from an active consumer that has nothing unsettled.
func (m *Machine) yield() {
	if m.yielding && m.active.unacked == 0 {
		m.active, m.yielding = nil, false
		m.promote()
	}
}

// promote makes the eldest consumer of the highest priority active.
func (m *Machine) promote() {
	if !m.cfg.SingleActive {
		return
	}
	if m.active = m.eldest(); m.active != nil {
		m.enter(m.active)
	}
}

func (m *Machine) eldest() *Consumer {
	var best *Consumer
	for _, c := range m.consumers {
		if best == nil || c.Priority > best.Priority || c.Priority == best.Priority && c.age < best.age {
			best = c
		}
	}
	return best
}

// Consumers returns how many consumers are attached.
func (m *Machine) Consumers() int { return len(m.consumers) }

// EachConsumer calls f for the consumers in the order of attaching, until it
// returns false. f must not attach or detach.
func (m *Machine) EachConsumer(f func(*Consumer) bool) {
	for _, c := range m.consumers {
		if !f(c) {
			return
		}
	}
}

// IsActive reports whether c may be given messages by the rule of the single
// active consumer.
func (m *Machine) IsActive(c *Consumer) bool {
	return c.group != nil && (!m.cfg.SingleActive || c == m.active)
}

// Active returns the single active consumer, nil if there is none or the queue
// is not of that kind.
func (m *Machine) Active() *Consumer { return m.active }

// Starved reports whether what is ready waits for acknowledgements (prefetch)
// or for nobody, rather than for a consumer's connection or for the disk.
func (m *Machine) Starved() bool {
	for _, c := range m.consumers {
		if c.gated || c.queued {
			return false
		}
	}
	return true
}
