package queue

// What an operator sees of a machine. Nothing here changes anything.

// Gated reports whether c's side had no room when it was last asked.
func (c *Consumer) Gated() bool { return c.gated }

// Full reports whether c has as many unacknowledged messages as it wants.
func (c *Consumer) Full() bool { return c.full() }

// Stalled reports whether messages and consumers are there but none of the
// consumers can take one.
func (m *Machine) Stalled() bool {
	return m.log == nil && m.ready > 0 && len(m.consumers) > 0 && m.next() == nil
}

// InMemory returns how many ready messages lie in memory with their bytes.
func (m *Machine) InMemory() int {
	n := m.returns.n - m.cold
	if m.cfg.MaxPriority == 0 {
		return max(n+m.base.inMemory(), 0)
	}
	for i := range m.levels {
		n += m.levels[i].inMemory()
	}
	return max(n, 0)
}

func (l *level) inMemory() int {
	n := l.head.n + len(l.tail)
	if l.back != nil {
		n += l.back.len()
	}
	return n
}

// LevelLengths returns the number of ready messages by priority.
func (m *Machine) LevelLengths() []int {
	if m.cfg.MaxPriority == 0 {
		return []int{m.ready}
	}
	ns := make([]int, int(m.cfg.MaxPriority)+1)
	for i := range m.levels {
		ns[i] = m.levels[i].n
	}
	return ns
}

// Head returns the next message to leave; nil if there is none or it is not
// known yet because it is on disk. It is good until the next command.
func (m *Machine) Head() *Item {
	if m.log != nil && m.pages > 0 {
		return nil
	}
	return m.front()
}

// OldestUnacked returns when the oldest of the unacknowledged messages came
// into the queue, 0 if there are none. It looks at all of them.
func (m *Machine) OldestUnacked() int64 {
	oldest := int64(0)
	if m.unacked == 0 {
		return 0
	}
	for i := range m.held.entries {
		if h := &m.held.entries[i]; h.state == Unacked && (oldest == 0 || h.it.Time < oldest) {
			oldest = h.it.Time
		}
	}
	return oldest
}
