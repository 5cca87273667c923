package queue

// Settle ends a delivery. It reports false if there is no such one.
func (m *Machine) Settle(now int64, s Slot, seq uint64, o Outcome, eff *[]Effect) bool {
	if m.log != nil {
		return m.SettleBatch(now, []SlotSeq{{s, seq}}, o, eff) > 0
	}
	m.begin(now)
	if !m.settle(s, seq, o, eff) {
		return false
	}
	m.settled(o, eff)
	return true
}

// SettleBatch ends several deliveries in the same way and returns how many of
// them there were. What is requeued is back in its place before the next
// delivery is decided.
func (m *Machine) SettleBatch(now int64, batch []SlotSeq, o Outcome, eff *[]Effect) int {
	m.begin(now)
	if m.log != nil {
		return m.settleCursors(batch, eff)
	}
	n := 0
	for _, b := range batch {
		if m.settle(b.Slot, b.Seq, o, eff) {
			n++
		}
	}
	if n > 0 {
		m.settled(o, eff)
	}
	return n
}

func (m *Machine) settled(o Outcome, eff *[]Effect) {
	if o >= Requeue {
		m.settleDown(eff)
	} else if m.ready > 0 {
		m.dispatch(eff)
		m.rest(eff)
	}
}

func (m *Machine) settle(s Slot, seq uint64, o Outcome, eff *[]Effect) bool {
	h := m.held.get(s, Unacked)
	if h == nil || h.it.Seq != seq {
		return false
	}
	m.unacked--
	m.unackedB -= int64(h.it.Size)
	c := h.c
	if o == Ack {
		e := add(eff, Settled)
		e.Item = h.it
		m.held.remove(s)
	} else {
		m.refuse(h, s, o, eff)
	}
	if c != nil {
		c.unacked--
		if c == m.active {
			m.yield()
		}
		m.enter(c)
	}
	return true
}

// refuse settles a delivery that failed.
func (m *Machine) refuse(h *held, s Slot, o Outcome, eff *[]Effect) {
	why := Rejected
	if o == Requeue && m.cfg.Kind == Quorum {
		h.it.Count++
		if lim := m.cfg.DeliveryLimit; lim >= 0 && int64(h.it.Count) > lim {
			o, why = Reject, DeliveryLimit
		}
	}
	if o == Reject && m.cfg.DeadLetter {
		h.state, h.c = Dying, nil
		m.dies(h, why)
		e := add(eff, DeadLettered)
		e.Reason, e.Slot, e.Item = why, s, h.it
		return
	}
	it := h.it
	m.held.remove(s)
	if o == Reject {
		e := add(eff, Settled)
		e.Reason, e.Item = why, it
		return
	}
	it.Flags |= Redelivered
	if m.cfg.Kind == Quorum {
		if o != Unread {
			it.Acquired++
		}
		due := m.retryAt(&it, o)
		e := add(eff, Returned)
		e.Item, e.At = it, due
		if due != 0 {
			m.delay(&it, due)
			return
		}
	}
	m.requeue(&it)
}

// requeue makes an item ready again. On a classic queue it goes back to its
// old place. A quorum queue keeps returned messages in a list of their own that
// is served first, with a delivery limit or without, as RabbitMQ does since 4.3.
// (Before, what was returned without a limit went to the tail.)
func (m *Machine) requeue(it *Item) {
	m.count(it)
	if it.Mem.IsZero() {
		m.cold++
	}
	if m.cfg.Kind == Quorum {
		m.returns.pushBack(it)
		return
	}
	m.level(int(it.Prio)).restore(it)
	m.mark(int(it.Prio))
}
