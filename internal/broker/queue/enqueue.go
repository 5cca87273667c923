package queue

// Enqueue takes a published message. It completes it (Seq, Time, Expiry as the
// earlier of it.Expiry and the queue's TTL) and reports whether it was
// accepted. A refused message is gone, unless it.Pos or it.Mem is set: then it
// is being dead-lettered (reject-publish-dlx). So is one that expired at once.
func (m *Machine) Enqueue(now int64, it *Item, eff *[]Effect) bool {
	m.begin(now)
	it.Seq = m.seq
	m.seq++
	it.Time = now
	if m.log != nil {
		m.appendItem(it, eff)
		return true
	}
	if it.Prio > m.cfg.MaxPriority {
		it.Prio = m.cfg.MaxPriority
	}
	if m.cfg.Overflow != DropHead && m.over(1, int64(it.Size)) {
		if m.cfg.Overflow == RejectPublishDLX && m.cfg.DeadLetter {
			m.st.Keep(it, false)
			m.deadLetter(it, MaxLen, eff)
		}
		return false
	}
	if ttl := m.cfg.MessageTTL; ttl != None && (it.Expiry == 0 || now+ttl < it.Expiry) {
		it.Expiry = now + ttl
	}
	if m.isNext(it.Prio) {
		for c := m.next(); c != nil; c = m.next() {
			if !m.take(c) {
				continue
			}
			if !c.NoAck {
				m.st.Keep(it, true)
			}
			m.deliver(c, it, eff)
			return true
		}
		if m.expired(it) {
			// It has come to the head and nobody takes it.
			if m.cfg.DeadLetter {
				m.st.Keep(it, false)
				m.deadLetter(it, Expired, eff)
			}
			return true
		}
	}
	m.st.Keep(it, false)
	m.push(it)
	if m.limit(eff) {
		m.rest(eff)
	}
	return true
}

// isNext reports whether a new item of a priority would be the next to leave.
func (m *Machine) isNext(prio uint8) bool {
	if m.ready == 0 {
		return true
	}
	return m.levels != nil && m.returns.n == 0 && m.top() < int(prio)
}

// over reports whether n more ready messages with b bytes would break a limit.
// Delayed ones count as if they were ready.
func (m *Machine) over(n int, b int64) bool {
	if m.cfg.KeepDead {
		n += m.Dying()
		b += m.deadB
	}
	if m.delays != nil {
		n += m.Delayed()
	}
	return m.cfg.MaxLength != None && int64(m.ready+n) > m.cfg.MaxLength ||
		m.cfg.MaxBytes != None && m.bytes+b > m.cfg.MaxBytes
}

// limit drops from the head what is over the limits. On a queue with
// priorities the head is the oldest message of the highest priority, as in
// RabbitMQ. It reports false if it has to wait for a page.
func (m *Machine) limit(eff *[]Effect) bool {
	if m.cfg.Overflow != DropHead {
		return true
	}
	for m.ready > 0 && m.over(0, 0) {
		if m.front() != nil {
			var it Item
			m.pop(&it)
			m.bury(&it, MaxLen, eff)
		} else if !m.dropPage(eff) {
			m.want(eff)
			return false
		}
	}
	return true
}

// dropPage drops the page at the head as a whole if all of it is over the limit
// and nobody wants to see its messages.
func (m *Machine) dropPage(eff *[]Effect) bool {
	p := m.level(m.top()).pages.at(0)
	length := m.cfg.MaxLength != None && int64(m.ready+m.Delayed())-int64(p.Count) >= m.cfg.MaxLength
	bytes := m.cfg.MaxBytes != None && m.bytes-int64(p.Bytes) > m.cfg.MaxBytes
	if m.cfg.DeadLetter || !length && !bytes {
		return false
	}
	m.popPage(m.top(), eff)
	(*eff)[len(*eff)-1].Reason = MaxLen
	return true
}

func (m *Machine) popPage(prio int, eff *[]Effect) {
	l := m.level(prio)
	p := new(PageRef)
	l.pages.popFront(p)
	add(eff, PageDropped).Page = p
	m.pages--
	l.n -= int(p.Count)
	m.uncount(prio, int(p.Count), int64(p.Bytes))
	if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
		l.unwind()
	}
}
