package queueproc

import (
	"errors"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Attach adds a consumer. ErrExclusive: somebody consumes exclusively, or c
// wants to and is not alone. attached, if given, is called once nothing can go
// wrong any more and before the first delivery.
func (q *Queue) Attach(c *Consumer, attached func()) error {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return ErrDeleted
	}
	if q.exclus || (c.Exclusive && (q.m.Consumers() > 0 || q.cfg.SingleActive)) {
		q.mu.Unlock()
		return ErrExclusive
	}
	q.exclus = c.Exclusive
	c.Queue, c.Consumer.Owner = q, c
	if attached != nil {
		attached()
	}
	if q.log != nil {
		q.advance(nowMillis())
	}
	q.m.Attach(nowMillis(), &c.Consumer, &q.eff)
	if q.log != nil {
		q.follow(nowMillis(), true)
	}
	q.unlock()
	return nil
}

// Detach removes a consumer; what it has not acknowledged stays with it.
func (q *Queue) Detach(c *Consumer) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	if c.Exclusive {
		q.exclus = false
	}
	q.m.Detach(nowMillis(), &c.Consumer, &q.eff)
	q.unlock()
}

// Unblock tells that consumers whose gate refused may have room again.
func (q *Queue) Unblock(cs ...*Consumer) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	ms := make([]*queue.Consumer, len(cs))
	for i, c := range cs {
		ms[i] = &c.Consumer
	}
	q.m.UnblockAll(nowMillis(), ms, &q.eff)
	q.unlock()
}

// maxSettle bounds the acknowledgements that the machine is given at a time, as
// each has an effect.
const maxSettle = 256

// Settle ends deliveries. Those that the queue does not know (it was deleted
// and declared anew) are passed over.
func (q *Queue) Settle(s []Settle, o queue.Outcome) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	var a after
	now := nowMillis()
	if o == queue.Ack {
		q.stats.Acked += uint64(len(s))
		for ; len(s) > maxSettle; s = s[maxSettle:] {
			q.m.SettleBatch(now, s[:maxSettle], o, &q.eff)
			q.do(&a)
		}
	}
	q.m.SettleBatch(now, s, o, &q.eff)
	q.do(&a)
	q.finish(&a)
}

// Get takes the message at the head, if there is one, and hands it to use
// together with the number of messages left. use is called with or without the
// queue's lock and must not call the queue.
func (q *Queue) Get(noAck bool, use func(d Delivery, m *message.Message, left int)) (bool, error) {
	for {
		q.mu.Lock()
		if q.deleted {
			q.mu.Unlock()
			return false, ErrDeleted
		}
		now := nowMillis()
		it, slot, st := q.m.Get(now, false, &q.eff)
		switch st {
		case queue.Empty:
			q.stats.GotEmpty++
			q.unlock()
			return false, nil
		case queue.NeedLoad:
			q.unlock()
			if err := q.loadPage(); err != nil {
				return false, err
			}
			continue
		}
		left := q.m.Ready()
		q.Waits.observe(now - it.Time)
		d := Delivery{Seq: it.Seq, Slot: slot, Count: it.Count, Acquired: it.Acquired, Redelivered: it.Flags&queue.Redelivered != 0}
		if d.Redelivered {
			q.stats.Redelivered++
		}
		if noAck {
			q.stats.GotNoAck++
		} else {
			q.stats.Got++
		}
		if !it.Mem.IsZero() {
			m, _ := message.Parse(it.Mem.Bytes())
			use(d, &m, left)
			if it.Pos != 0 {
				q.arena.Release(it.Mem)
			}
			if noAck {
				q.m.Settle(now, slot, it.Seq, queue.Ack, &q.eff)
			}
			q.unlock()
			return true, nil
		}
		q.unlock()
		var buf []byte
		m, err := q.bytes(&it, &buf)
		if err == nil {
			use(d, &m, left)
		}
		one := []Settle{{Slot: slot, Seq: it.Seq}}
		if err != nil {
			q.Settle(one, queue.Unread)
			if errors.Is(err, store.ErrGone) {
				continue // moved by the log's compaction in between
			}
			q.Host.Failed(q, err)
			return false, err
		}
		if noAck {
			q.Settle(one, queue.Ack)
		}
		return true, nil
	}
}
