package queue

import (
	"math"
)

// expireBudget bounds the items that expire in one command, so that a Tick does
// not hold its caller for long.
const expireBudget = 1024

// bury ends a ready item: it is dead-lettered or done with.
func (m *Machine) bury(it *Item, why Reason, eff *[]Effect) {
	if m.cfg.DeadLetter {
		m.deadLetter(it, why, eff)
		return
	}
	e := add(eff, Settled)
	e.Reason = why
	e.Item = *it
}

func (m *Machine) deadLetter(it *Item, why Reason, eff *[]Effect) {
	e := add(eff, DeadLettered)
	e.Reason = why
	e.Slot = m.held.put(it, nil, Dying)
	m.dies(&m.held.entries[e.Slot], why)
	e.Item = *it
}

// dies counts a held item as a dead letter.
func (m *Machine) dies(h *held, why Reason) {
	h.why = why
	m.dead++
	m.deadB += int64(h.it.Size)
}

// Buried says that a dead-lettered item is safe elsewhere, or lost on purpose.
func (m *Machine) Buried(s Slot, eff *[]Effect) {
	h := m.held.get(s, Dying)
	if h == nil {
		return
	}
	e := add(eff, Settled)
	e.Item = h.it
	m.release(h, s)
}

// PurgeDead ends all dead letters and returns their number.
func (m *Machine) PurgeDead(eff *[]Effect) (n int) {
	for i := 0; i < len(m.held.entries); i++ {
		if h := &m.held.entries[i]; h.state == Dying && h.why != ReasonNone {
			m.Buried(Slot(i), eff)
			n++
		}
	}
	return n
}

// IsDying reports whether a dead-lettered item is still to be buried. It may have
// been purged.
func (m *Machine) IsDying(s Slot, seq uint64) bool {
	h := m.held.get(s, Dying)
	return h != nil && h.it.Seq == seq
}

// release lets go of a dying item.
func (m *Machine) release(h *held, s Slot) {
	if h.why != ReasonNone {
		m.dead--
		m.deadB -= int64(h.it.Size)
	}
	m.held.remove(s)
}

func (m *Machine) expired(it *Item) bool { return it.Expiry != 0 && it.Expiry <= m.now }

// expire removes expired items from the head of the queue; a quorum queue has a
// head for each priority. Behind the head nothing expires (head-first expiry is
// what RabbitMQ promises).
func (m *Machine) expire(eff *[]Effect) {
	for m.budget > 0 && m.returns.n > 0 && m.expired(m.returns.at(0)) {
		var it Item
		m.popReturned(&it)
		m.budget--
		m.bury(&it, Expired, eff)
	}
	for p := m.top(); p >= 0 && m.budget > 0; p = m.below(p) {
		for l := m.level(p); m.budget > 0; m.budget-- {
			head := l.front()
			if head == nil || !m.expired(head) {
				break
			}
			var it Item
			m.popLevel(p, &it)
			m.bury(&it, Expired, eff)
		}
		if m.level(p).n > 0 && m.cfg.Kind == Classic {
			return // the head of the whole queue lives; those behind wait
		}
	}
}

// Tick is to be called when the time of the last SetTimer has come.
func (m *Machine) Tick(now int64, eff *[]Effect) {
	m.begin(now)
	m.timer = 0
	if at := m.expiresAt(); at != 0 && at <= now {
		m.goneFor(Expired, eff)
		return
	}
	m.settleDown(eff)
}

// Touch says that the queue was used (declared again): x-expires starts anew.
// Get does the same by itself.
func (m *Machine) Touch(now int64, eff *[]Effect) {
	m.begin(now)
	m.used = now
	m.rest(eff)
}

// expiresAt returns when a queue that stays unused goes; 0: it does not.
func (m *Machine) expiresAt() int64 {
	if m.cfg.Expires == None || len(m.consumers) > 0 || m.gone {
		return 0
	}
	return m.used + m.cfg.Expires
}

func (m *Machine) goneFor(why Reason, eff *[]Effect) {
	if !m.gone {
		m.gone = true
		add(eff, Gone).Reason = why
	}
}

// rearm sees to it that Tick is called in time. A timer that is early is left
// alone: Tick sets it right. So a busy queue does not set one per message.
func (m *Machine) rearm(eff *[]Effect) {
	at := int64(math.MaxInt64)
	if t := m.expiresAt(); t != 0 {
		at = t
	}
	if m.delays != nil {
		at = min(at, m.delays.heap[0].due)
	}
	if m.mortal {
		if m.returns.n > 0 {
			at = sooner(at, m.returns.at(0))
		}
		for p := m.top(); p >= 0; p = m.below(p) {
			at = sooner(at, m.level(p).front())
			if m.cfg.Kind == Classic {
				break
			}
		}
	}
	if at == math.MaxInt64 || m.timer != 0 && m.timer <= at {
		return
	}
	m.timer = max(at, m.now)
	add(eff, SetTimer).At = m.timer
}

func sooner(at int64, it *Item) int64 {
	if it == nil || it.Expiry == 0 {
		return at
	}
	return min(at, it.Expiry)
}
