package session

import (
	"fmt"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Deliveries of quorum queues must be settled in time. Nothing is noted with a
// delivery: a timer of the channel notes now and then, for each consumer with a
// timeout, which delivery tag comes next. What is below a mark that is old
// enough and still there has been there for too long.

// markParts is how many marks there are in the time of one timeout, and so how
// exact it is.
const markParts = 16

const (
	leastTick = 20 * time.Millisecond
	mostTick  = time.Minute
)

type mark struct {
	at  time.Time
	tag wire.DeliveryTag // of the next delivery
}

// timed is a consumer with a timeout.
type timed struct {
	k       *consumer
	timeout time.Duration
	marks   []mark
}

// watch begins to look after a consumer. Called by the reader.
func (ch *channel) watch(k *consumer, timeout time.Duration) {
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	ch.timed = append(ch.timed, &timed{k: k, timeout: timeout, marks: []mark{{time.Now(), ch.unacked.next}}})
	if ch.timer == nil {
		ch.timer = time.AfterFunc(ch.tick(), ch.look)
	} else {
		ch.timer.Reset(ch.tick())
	}
}

// tick is how often to look. Called with the outbox locked.
func (ch *channel) tick() time.Duration {
	d := mostTick
	for _, t := range ch.timed {
		d = min(d, t.timeout/markParts)
	}
	return max(d, leastTick)
}

// look is called by the timer.
func (ch *channel) look() {
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if ch.deaf || c.out.closed {
		return
	}
	now := time.Now()
	kept := ch.timed[:0]
	for _, t := range ch.timed {
		if ch.late(t, now) {
			ch.overdue = t.timeout
			c.overdue.Store(true)
			c.nc.SetReadDeadline(now) // wakes the reader, see settleOverdue
			return
		}
		if ch.consumers[t.k.tag] == t.k || ch.owes(t.k) {
			kept = append(kept, t)
		}
	}
	clear(ch.timed[len(kept):])
	if ch.timed = kept; len(kept) > 0 {
		ch.timer.Reset(ch.tick())
	} else {
		ch.timer = nil
	}
}

// late notes how far deliveries have got, and reports whether one of the
// consumer's is older than its timeout. Called with the outbox locked.
func (ch *channel) late(t *timed, now time.Time) bool {
	if last := t.marks[len(t.marks)-1]; now.Sub(last.at) >= t.timeout/markParts {
		t.marks = append(t.marks, mark{now, ch.unacked.next})
	}
	old := -1
	for i, m := range t.marks {
		if now.Sub(m.at) >= t.timeout {
			old = i
		}
	}
	if old < 0 {
		return false
	}
	t.marks = t.marks[old:]
	return ch.unacked.owed(t.k, t.marks[0].tag)
}

// owes reports whether a consumer that was cancelled has deliveries left.
func (ch *channel) owes(k *consumer) bool { return ch.unacked.owed(k, ch.unacked.next) }

// owed reports whether a delivery to k with a tag below limit is not settled.
func (u *unacked) owed(k *consumer, limit wire.DeliveryTag) bool {
	first := u.next - wire.DeliveryTag(u.n)
	for i := range u.n {
		if first+wire.DeliveryTag(i) >= limit {
			return false
		}
		if d := &u.ring[(u.head+i)&(len(u.ring)-1)]; d.queue != nil && !d.pending && d.consumer == k {
			return true
		}
	}
	return false
}

// settleOverdue closes the channels with a delivery that was not settled in
// time. Called by the reader that was woken for it. It reports whether it was.
func (c *Conn) settleOverdue() bool {
	if !c.overdue.CompareAndSwap(true, false) || c.state != running {
		return false
	}
	c.nc.SetReadDeadline(time.Time{})
	if c.forced.Load() {
		c.nc.SetReadDeadline(time.Unix(0, c.until.Load()))
	}
	for _, ch := range c.channels {
		c.out.mu.Lock()
		timeout := ch.overdue
		c.out.mu.Unlock()
		if timeout > 0 && !ch.closing {
			ch.fail(&closeError{code: wire.PreconditionFailed, method: noMethod, text: fmt.Sprintf(
				"delivery acknowledgement on channel %d timed out. Timeout value used: %d ms. This timeout value can be configured, see consumers doc guide to learn more",
				ch.id, timeout.Milliseconds())})
		}
	}
	if c.unsent {
		c.sendNow() // no frame of the client's comes before it
	}
	return true
}
