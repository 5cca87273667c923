package broker

import (
	"errors"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// ConsumeSpec is a request to consume.
type ConsumeSpec struct {
	Queue     string
	Tag       string
	NoAck     bool
	Exclusive bool
	Prefetch  uint32 // 0: no limit
	GlobalQoS bool   // the channel has a prefetch of its own
	Args      wire.Table
	Gate      queue.Gate // nil: always room
	User      any        // the caller's record
}

// Consume starts a consumer. attached is called with it before its first
// delivery and before Consume returns without error.
func (ch *Channel) Consume(s ConsumeSpec, attached func(c *queueproc.Consumer)) (*queueproc.Consumer, error) {
	c := ch.c
	c.Flush()
	if err := c.allowed(auth.Queue, s.Queue, auth.Read); err != nil {
		return nil, c.refused(AuditEntry{Action: "consume", VHost: c.VHost, Object: s.Queue}, err)
	}
	q, err := c.open(s.Queue)
	if err != nil {
		return nil, err
	}
	if q.Stream {
		if err := q.checkStream(&s); err != nil {
			return nil, err
		}
	} else if _, ok := s.Args.Get("x-stream-offset"); ok {
		return nil, errf(PreconditionFailed, "invalid arg 'x-stream-offset' for %s of queue type rabbit_%s_queue", q.label(), q.Definition().Type)
	}
	if s.GlobalQoS && q.Definition().Type == "quorum" {
		return nil, errf(NotImplemented, "queue '%s' in vhost '%s' does not support global qos", s.Queue, c.vhost.Name)
	}
	cons := &queueproc.Consumer{Sink: ch.out, User: s.User, Channel: ch}
	cons.Tag, cons.NoAck, cons.Prefetch, cons.Gate = s.Tag, s.NoAck, s.Prefetch, s.Gate
	// Only classic queues know exclusive consumers; RabbitMQ takes the flag and forgets it.
	cons.Exclusive = s.Exclusive && q.Definition().Type == meta.Classic
	if q.Stream {
		if cons.Cursor, err = q.cursor(&s); err != nil {
			return nil, err
		}
	}
	if v, ok := s.Args.Get("x-priority"); ok {
		n, ok := wire.AsInt64(v)
		if !ok {
			return nil, errf(PreconditionFailed, "invalid arg 'x-priority' for queue '%s' in vhost '%s': \"expected integer, got %s\"", s.Queue, c.vhost.Name, wire.TypeName(v))
		}
		cons.Priority = n
	}
	if cons.Timeout, err = c.b.consumerTimeout(q, s); err != nil {
		return nil, err
	}
	err = q.Attach(cons, func() {
		if attached != nil {
			attached(cons)
		}
	})
	switch {
	case errors.Is(err, queueproc.ErrExclusive):
		return nil, errf(AccessRefused, "queue '%s' in vhost '%s' in exclusive use", s.Queue, c.vhost.Name)
	case errors.Is(err, queueproc.ErrDeleted):
		return nil, noQueue(s.Queue, c.vhost.Name)
	case err != nil:
		return nil, err
	}
	return cons, nil
}

// consumerTimeout is how long a delivery to a consumer may stay unsettled, in ms;
// 0: for ever. Only quorum queues have it, as in RabbitMQ 4.3.
func (b *Broker) consumerTimeout(q *Queue, s ConsumeSpec) (int64, error) {
	d := q.Definition()
	if d.Type != meta.Quorum {
		return 0, nil
	}
	timeout := d.Effective.ConsumerTimeout
	if timeout == meta.None {
		timeout = max(0, b.cfg.ConsumerTimeout.Milliseconds())
	}
	if v, ok := s.Args.Get("x-consumer-timeout"); ok {
		n, ok := wire.AsInt64(v)
		if !ok {
			return 0, errf(PreconditionFailed, "invalid arg 'x-consumer-timeout' for %s: \"expected integer, got %s\"", q.label(), wire.TypeName(v))
		}
		if n < 0 {
			return 0, errf(PreconditionFailed, "invalid arg 'x-consumer-timeout' for %s: {value_negative,%d}", q.label(), n)
		}
		timeout = n
	}
	if s.NoAck {
		return 0, nil
	}
	return timeout, nil
}

// Cancel ends a consumer; no delivery comes after it. What is unacknowledged
// stays so.
func (ch *Channel) Cancel(cons *queueproc.Consumer) {
	ch.c.Flush()
	cons.Queue.Detach(cons)
}

// Get takes one message off a queue. use gets it, with the queue to settle it
// with and the number of messages left; it must copy what it needs, not block
// and not call the core. Get reports false when the queue is empty.
func (ch *Channel) Get(name string, noAck bool, use func(q *queueproc.Queue, d queueproc.Delivery, m *message.Message, left int)) (bool, error) {
	c := ch.c
	c.Flush()
	if err := c.allowed(auth.Queue, name, auth.Read); err != nil {
		return false, c.refused(AuditEntry{Action: "get", VHost: c.VHost, Object: name}, err)
	}
	q, err := c.open(name)
	if err != nil {
		return false, err
	}
	if err := q.NotForStreams("basic.get"); err != nil {
		return false, err
	}
	if d := q.Definition(); d.Type == "quorum" && d.Effective.SingleActive {
		return false, errf(ResourceLocked, "cannot obtain access to queue '%s' in vhost '%s'. basic.get operations are not supported by quorum queues with single active consumer", name, c.vhost.Name)
	}
	var copied *message.Message
	again := false
	ok, err := q.Get(noAck, func(d queueproc.Delivery, m *message.Message, left int) {
		if c.vhost.traces(m.Exchange) {
			stored, _ := message.Parse(m.Append(nil))
			copied, again = &stored, d.Redelivered
		}
		use(q.Queue, d, m, left)
	})
	if copied != nil {
		ch.traceDelivery(name, again, copied)
	}
	if errors.Is(err, queueproc.ErrDeleted) {
		return false, noQueue(name, c.vhost.Name)
	}
	if err != nil {
		return false, errf(InternalError, "%v", err)
	}
	return ok, nil
}

// open finds a queue that this client may use: one that exists and is not
// another client's exclusive one.
func (c *Client) open(name string) (*Queue, error) {
	q := c.vhost.Queue(name)
	if q == nil {
		return nil, noQueue(name, c.vhost.Name)
	}
	if q.owner != nil && q.owner != c {
		return nil, locked(name, c.vhost.Name)
	}
	return q, nil
}

func locked(name, vhost string) *Error {
	return errf(ResourceLocked, "cannot obtain exclusive access to locked queue '%s' in vhost '%s'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.", name, vhost)
}
