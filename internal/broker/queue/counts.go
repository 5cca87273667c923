package queue

// Ready returns how many messages wait for a consumer.
func (m *Machine) Ready() int { return m.ready }

// ReadyBytes returns the body bytes of the ready and the delayed messages.
func (m *Machine) ReadyBytes() int64 { return m.bytes }

// Unacked returns how many messages are delivered and not settled; of a stream,
// whose messages stay ready, none.
func (m *Machine) Unacked() int { return m.unacked }

// UnackedBytes returns the body bytes of the unacknowledged messages.
func (m *Machine) UnackedBytes() int64 { return m.unackedB }

// Dying returns how many dead-lettered messages are not buried yet.
func (m *Machine) Dying() int {
	if m.log != nil {
		return 0
	}
	return m.held.used - m.unacked
}

// DeadLetters returns how many of them are dead letters (the others were taken
// out by an operator), and their body bytes.
func (m *Machine) DeadLetters() (n int, bytes int64) { return m.dead, m.deadB }

// Paged returns how many pages of ready messages are on disk.
func (m *Machine) Paged() int { return m.pages }

// Cold returns how many ready messages outside of pages have no bytes in memory.
func (m *Machine) Cold() int { return m.cold }

// NextSeq returns the sequence number that the next message gets.
func (m *Machine) NextSeq() uint64 { return m.seq }

// Timer returns when Tick is due; 0 = it is not needed.
func (m *Machine) Timer() int64 { return m.timer }

// HeadTime returns when the next message to leave was enqueued; ok is false
// when there is none or it is not known because it is on disk.
func (m *Machine) HeadTime() (at int64, ok bool) {
	if m.log != nil && m.pages > 0 {
		return m.base.pages.at(0).FirstTime, true
	}
	if it := m.front(); it != nil {
		return it.Time, true
	}
	return 0, false
}

// Idle reports whether the queue holds no message and has no consumer.
func (m *Machine) Idle() bool {
	return m.ready == 0 && m.held.used == 0 && m.delays == nil && len(m.consumers) == 0
}
