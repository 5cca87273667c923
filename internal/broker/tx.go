package broker

import (
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// transaction holds back what a channel publishes and settles (AMQP 0-9-1
// class tx). Publishes are routed when they are made; the queues see them at
// the commit.
type transaction struct {
	pubs    []txPub
	settles []txSettle
	bytes   int64
}

// maxTransaction bounds the messages of a transaction that is not committed, in
// bytes. RabbitMQ has no bound.
const maxTransaction = 256 << 20

type txPub struct {
	x      *Exchange // nil: the default one
	queues []*Queue
	reply  string
	pub    queueproc.Pub
}

type txSettle struct {
	q       *queueproc.Queue
	settle  []queueproc.Settle
	outcome queue.Outcome
}

// SelectTx makes the channel transactional.
func (ch *Channel) SelectTx() error {
	if ch.confirming {
		return errf(PreconditionFailed, "cannot switch from confirm to tx mode")
	}
	if ch.tx == nil {
		ch.tx = &transaction{}
	}
	return nil
}

// InTx reports whether the channel is transactional.
func (ch *Channel) InTx() bool { return ch.tx != nil }

func (ch *Channel) txPublish(r *route, more [][]byte, headers []byte, pub queueproc.Pub) (bool, error) {
	c := ch.c
	if ch.tx.bytes > maxTransaction {
		return false, errf(PreconditionFailed, "transaction is larger than %d bytes", maxTransaction)
	}
	t := txPub{pub: pub, x: r.x}
	if r.reply && len(more) == 0 {
		t.reply = string(pub.Msg.RoutingKey)
	} else {
		t.queues = append(t.queues, c.route.route(c.vhost, r.x, pub.Msg.RoutingKey, more, c.route.headers(headers))...)
	}
	ch.count(r, len(pub.Msg.Body), len(t.queues), nil)
	if c.vhost.traces(pub.Msg.Exchange) {
		ch.tracePublish(&pub.Msg, more, t.queues)
	}
	stored := pub.Msg.Append(make([]byte, 0, pub.Msg.StoredSize()))
	t.pub.Msg, _ = message.Parse(stored)
	ch.tx.pubs = append(ch.tx.pubs, t)
	ch.tx.bytes += int64(len(stored))
	return len(t.queues) > 0 || t.reply != "", nil
}

// Settle ends deliveries of one queue, at the commit if the channel is
// transactional.
func (ch *Channel) Settle(q *queueproc.Queue, s []queueproc.Settle, o queue.Outcome) {
	if ch.tx != nil {
		ch.tx.settles = append(ch.tx.settles, txSettle{q, append([]queueproc.Settle(nil), s...), o})
		return
	}
	q.Settle(s, o)
}

// Commit makes the transaction's publishes and acknowledgements happen and
// waits until they are safe on disk.
func (ch *Channel) Commit() error {
	if ch.tx == nil {
		return errf(PreconditionFailed, "channel is not transactional")
	}
	t := ch.tx
	ch.tx = &transaction{}
	b := ch.c.b
	var pos store.Position
	refused := false
	for i := range t.pubs {
		p := &t.pubs[i]
		if p.reply != "" {
			b.deliverReply(p.reply, &p.pub.Msg)
			continue
		}
		one := []queueproc.Pub{p.pub}
		if _, full := b.fanOut(p.queues, one); full != nil {
			ch.c.pressed = full
		}
		if t := ch.c.tally.pairs; t != nil {
			t.arrived(ch.c.vhost.counted(p.x), p.x, p.queues)
		}
		pos, refused = max(pos, one[0].Pos), refused || one[0].Refused
	}
	for _, s := range t.settles {
		s.q.Settle(s.settle, s.outcome)
	}
	if len(t.settles) > 0 {
		// Whatever was logged of the acknowledgements must be safe, too.
		pos = b.log.Append(kindMark, 0, true, nil, nil, nil)
	}
	if pos != 0 {
		if err := b.sync(pos); err != nil {
			return err
		}
	}
	if refused {
		return errf(PreconditionFailed, "partial tx completion")
	}
	return nil
}

// Rollback forgets the transaction. Acknowledgements that it held are undone:
// the caller takes the deliveries back into its list of outstanding ones.
func (ch *Channel) Rollback() error {
	if ch.tx == nil {
		return errf(PreconditionFailed, "channel is not transactional")
	}
	ch.tx = &transaction{}
	return nil
}
