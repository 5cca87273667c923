package session

import (
	"fmt"
	"math"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

func (ch *channel) qos(m *wire.BasicQos) error {
	if m.PrefetchSize != 0 {
		return &closeError{code: wire.NotImplemented, text: fmt.Sprintf("prefetch_size!=0 (%d)", m.PrefetchSize), conn: true}
	}
	c := ch.conn
	if !m.Global {
		// As in RabbitMQ, this takes the limit of the whole channel away.
		ch.prefetch = uint32(m.PrefetchCount)
		c.out.mu.Lock()
		ch.shownPrefetch = ch.prefetch
		had := ch.limit > 0
		ch.limit = 0
		c.out.mu.Unlock()
		c.answer(ch.id, wire.BasicQosOk{})
		if had {
			c.unblock()
		}
		return nil
	}
	c.out.mu.Lock()
	if ch.limit == 0 {
		// What is outstanding now counts, basic.get included (as in RabbitMQ,
		// acknowledging that frees nothing).
		ch.limited = uint32(ch.unacked.alive)
	}
	ch.limit = uint32(m.PrefetchCount)
	ch.hasLimit.Store(true)
	c.out.mu.Unlock()
	c.answer(ch.id, wire.BasicQosOk{})
	c.unblock()
	return nil
}

func (ch *channel) consume(m *wire.BasicConsume) error {
	c := ch.conn
	tag := m.ConsumerTag
	if tag == "" {
		tag = generatedTag()
	}
	k := &consumer{ch: ch, tag: tag, noAck: m.NoAck, args: m.Arguments}
	ok := func(pc *queueproc.Consumer) {
		k.proc = pc
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		if ch.consumers == nil {
			ch.consumers = map[string]*consumer{}
		}
		ch.consumers[tag] = k
		if pc.Queue != nil {
			k.tally = ch.tallyOf(pc.Queue)
		}
		if !m.NoWait {
			c.sendLocked(ch.id, wire.BasicConsumeOk{ConsumerTag: tag})
		}
	}
	c.out.mu.Lock()
	_, taken := ch.consumers[tag]
	limit, consumers := ch.limit, len(ch.consumers)
	c.out.mu.Unlock()
	if max := c.srv.Broker.ConsumersPerChannel(); !taken && max > 0 && consumers >= max {
		return &closeError{code: wire.NotAllowed, text: fmt.Sprintf("reached maximum (%d) of consumers per channel", max), conn: true}
	}
	if broker.IsReplyQueue(m.Queue) {
		k.reply = true
		_, err := ch.core.ConsumeReplies(tag, m.NoAck, k, ok)
		return err
	}
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	if taken {
		return &closeError{code: wire.NotAllowed, text: fmt.Sprintf("attempt to reuse consumer tag '%s'", tag), conn: true}
	}
	_, err = ch.core.Consume(broker.ConsumeSpec{
		Queue: name, Tag: tag, NoAck: m.NoAck, Exclusive: m.Exclusive, Prefetch: ch.prefetch,
		GlobalQoS: limit > 0, Args: m.Arguments, Gate: k, User: k,
	}, ok)
	if err == nil && k.proc.Timeout > 0 {
		ch.watch(k, time.Duration(min(k.proc.Timeout, math.MaxInt64/int64(time.Millisecond)))*time.Millisecond)
	}
	return err
}

func (ch *channel) cancel(m *wire.BasicCancel) error {
	c := ch.conn
	c.out.mu.Lock()
	k := ch.consumers[m.ConsumerTag]
	delete(ch.consumers, m.ConsumerTag)
	if k != nil && k.tally != nil {
		k.tally.uses--
	}
	c.out.mu.Unlock()
	if k != nil && k.reply {
		ch.core.CancelReplies()
	} else if k != nil {
		ch.core.Cancel(k.proc)
	}
	return ch.reply(m.NoWait, wire.BasicCancelOk{ConsumerTag: m.ConsumerTag}, nil)
}

func (ch *channel) get(m *wire.BasicGet) error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	c := ch.conn
	got, err := ch.core.Get(name, m.NoAck, func(q *queueproc.Queue, d queueproc.Delivery, msg *message.Message, left int) {
		o := &c.out
		o.mu.Lock()
		defer o.mu.Unlock()
		var tag wire.DeliveryTag
		if m.NoAck {
			tag = ch.unacked.skip()
		} else {
			tag = ch.unacked.push(delivery{queue: q, seq: d.Seq, slot: d.Slot})
		}
		ch.countGet(q, m.NoAck, d.Redelivered)
		if o.closed {
			return
		}
		o.add(wire.AppendBasicGetOkFrames(o.room(contentRoom(msg)), ch.id, tag, d.Redelivered, msg.Exchange, msg.RoutingKey, uint32(left), ch.withCount(q, d, msg.Props), msg.Body, c.frameMax))
		o.poke()
	})
	if err == nil && !got {
		ch.countEmpty(name)
		c.answer(ch.id, wire.BasicGetEmpty{})
	}
	return err
}

func unknownTag(tag wire.DeliveryTag) error {
	return softf(wire.PreconditionFailed, "unknown delivery tag %d", tag)
}

// pendingAcks gathers acknowledgements of one queue that follow each other.
type pendingAcks struct {
	queue *queueproc.Queue
	s     []queueproc.Settle
}

// flushAcks settles what has gathered.
func (c *Conn) flushAcks() {
	a := &c.acks
	if len(a.s) == 0 {
		return
	}
	a.queue.Settle(a.s, queue.Ack)
	a.queue, a.s = nil, a.s[:0]
	if cap(a.s) > 4096 {
		a.s = nil
	}
}

// ack handles basic.ack.
func (ch *channel) ack(tag wire.DeliveryTag, multiple bool) error {
	c := ch.conn
	if ch.core.InTx() {
		return ch.txSettle(tag, multiple, queue.Ack)
	}
	freed := false
	c.out.mu.Lock()
	if !multiple {
		d := ch.unacked.at(tag)
		if d == nil {
			c.out.mu.Unlock()
			return unknownTag(tag)
		}
		freed = ch.credit(d)
		ch.countAck(d)
		c.gatherAck(d)
		ch.unacked.remove(d)
	} else {
		if tag != 0 && ch.unacked.at(tag) == nil {
			c.out.mu.Unlock()
			return unknownTag(tag)
		}
		ch.unacked.upTo(tag, func(d *delivery) {
			freed = ch.credit(d) || freed
			ch.countAck(d)
			c.gatherAck(d)
			*d = delivery{}
			ch.unacked.alive--
		})
		ch.unacked.trim()
	}
	c.out.mu.Unlock()
	if len(c.late) > 0 {
		c.settleLate()
	}
	if freed {
		c.flushAcks()
		c.unblock()
	}
	return nil
}

// gatherAck notes an acknowledgement. Called with the outbox locked, so that
// another queue's acknowledgements, which would have to be settled first, are
// put aside.
func (c *Conn) gatherAck(d *delivery) {
	a := &c.acks
	if len(a.s) == 0 {
		a.queue = d.queue
	}
	if a.queue == d.queue && len(c.late) == 0 {
		a.s = append(a.s, queueproc.Settle{Slot: d.slot, Seq: d.seq})
		return
	}
	c.late = append(c.late, *d)
}

// settleLate settles what gatherAck put aside.
func (c *Conn) settleLate() {
	c.flushAcks()
	late := c.late
	c.late = c.late[:0]
	for i := range late {
		d := &late[i]
		if c.acks.queue != d.queue {
			c.flushAcks()
			c.acks.queue = d.queue
		}
		c.acks.s = append(c.acks.s, queueproc.Settle{Slot: d.slot, Seq: d.seq})
		*d = delivery{}
	}
}

// credit gives back what a delivery took of the channel's prefetch. It reports
// whether consumers that wait for it must be told. Called with the outbox locked.
func (ch *channel) credit(d *delivery) bool {
	if d.consumer == nil || ch.limit == 0 {
		return false
	}
	if ch.limited > 0 {
		ch.limited--
	}
	return true
}

// nack handles basic.nack and basic.reject.
func (ch *channel) nack(tag wire.DeliveryTag, multiple, requeue, reject bool) error {
	o := queue.Reject
	if requeue {
		if o = queue.RequeueNoCount; reject {
			o = queue.Requeue
		}
	}
	if err := ch.noStream(tag, multiple, "basic.nack and basic.reject"); err != nil {
		return err
	}
	if ch.core.InTx() {
		return ch.txSettle(tag, multiple, o)
	}
	c := ch.conn
	var ds []delivery
	freed := false
	c.out.mu.Lock()
	if !multiple || tag != 0 {
		if ch.unacked.at(tag) == nil {
			c.out.mu.Unlock()
			return unknownTag(tag)
		}
	}
	take := func(d *delivery) {
		freed = ch.credit(d) || freed
		ds = append(ds, *d)
		*d = delivery{}
		ch.unacked.alive--
	}
	if multiple {
		ch.unacked.upTo(tag, take)
	} else {
		take(ch.unacked.at(tag))
	}
	ch.unacked.trim()
	c.out.mu.Unlock()
	ch.settleGroups(ds, o)
	if freed {
		c.unblock()
	}
	return nil
}

// noStream refuses an operation if one of the deliveries that it is about is of
// a stream.
func (ch *channel) noStream(tag wire.DeliveryTag, multiple bool, what string) (err error) {
	look := func(d *delivery) {
		if d.queue.Stream && err == nil {
			err = d.queue.Owner.(*broker.Queue).NotForStreams(what)
		}
	}
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if multiple {
		ch.unacked.upTo(tag, look)
	} else if d := ch.unacked.at(tag); d != nil {
		look(d)
	}
	return err
}

// recover puts everything unacknowledged back (basic.recover). As with
// basic.nack it does not count as a failed delivery.
func (ch *channel) recover(requeue, answer bool) error {
	if !requeue {
		return &closeError{code: wire.NotImplemented, text: "requeue=false", conn: true}
	}
	if err := ch.noStream(0, true, "basic.recover"); err != nil {
		return err
	}
	c := ch.conn
	if answer {
		c.answer(ch.id, wire.BasicRecoverOk{}) // before what is delivered again
	}
	var ds []delivery
	freed := false
	c.out.mu.Lock()
	ch.unacked.upTo(0, func(d *delivery) {
		freed = ch.credit(d) || freed
		ds = append(ds, *d)
		*d = delivery{}
		ch.unacked.alive--
	})
	ch.unacked.trim()
	c.out.mu.Unlock()
	ch.settleGroups(ds, queue.RequeueNoCount)
	if freed {
		c.unblock()
	}
	return nil
}

// txSettle notes an acknowledgement or rejection for the commit.
func (ch *channel) txSettle(tag wire.DeliveryTag, multiple bool, o queue.Outcome) error {
	c := ch.conn
	c.out.mu.Lock()
	if (!multiple || tag != 0) && ch.unacked.at(tag) == nil {
		c.out.mu.Unlock()
		return unknownTag(tag)
	}
	var ds []delivery
	take := func(d *delivery) {
		d.pending = true
		ch.uncommitted.acks++
		if o == queue.Ack {
			ch.countAck(d)
		}
		ds = append(ds, *d)
	}
	if multiple {
		ch.unacked.upTo(tag, take)
	} else {
		take(ch.unacked.at(tag))
	}
	c.out.mu.Unlock()
	for _, d := range ds {
		ch.core.Settle(d.queue, []queueproc.Settle{{Slot: d.slot, Seq: d.seq}}, o)
	}
	return nil
}

// commit handles tx.commit.
func (ch *channel) commit() error {
	c := ch.conn
	for _, stored := range ch.returns {
		if m, ok := message.Parse(stored); ok {
			ch.giveBack(&m)
		}
	}
	ch.returns = nil
	if err := ch.core.Commit(); err != nil {
		return err
	}
	freed := false
	c.out.mu.Lock()
	ch.uncommitted = uncommitted{}
	ch.unacked.eachPending(func(d *delivery) {
		freed = ch.credit(d) || freed
		*d = delivery{}
		ch.unacked.alive--
	})
	ch.unacked.trim()
	c.out.mu.Unlock()
	c.answer(ch.id, wire.TxCommitOk{})
	if freed {
		c.unblock()
	}
	return nil
}

// rollback handles tx.rollback.
func (ch *channel) rollback() error {
	if err := ch.core.Rollback(); err != nil {
		return err
	}
	ch.returns = nil
	c := ch.conn
	c.out.mu.Lock()
	ch.uncommitted = uncommitted{}
	ch.unacked.eachPending(func(d *delivery) { d.pending = false })
	c.out.mu.Unlock()
	c.answer(ch.id, wire.TxRollbackOk{})
	return nil
}
