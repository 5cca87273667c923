package broker

import (
	"context"
	"fmt"

	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// sender returns how a message is sent to t.
func (b *Broker) sender(from *Queue, t MessageTarget) (func(*message.Message) (*queueproc.Pub, []*Queue, error), error) {
	v := from.vhost
	if t.VHost != "" {
		if v = b.VHost(t.VHost); v == nil {
			return nil, errf(NotFound, "vhost '%s' not found", t.VHost)
		}
	}
	if t.Queue != "" {
		q := v.Queue(t.Queue)
		if q == nil {
			return nil, noQueue(t.Queue, v.Name)
		}
		return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
			pub, err := republished(m)
			return pub, []*Queue{q}, err
		}, nil
	}
	var x *Exchange
	if t.Exchange != "" {
		if x = v.Exchange(t.Exchange); x == nil {
			return nil, noExchange(t.Exchange, v.Name)
		}
	}
	return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
		pub, err := republished(m)
		if err != nil {
			return nil, nil, err
		}
		pub.Msg.Exchange = []byte(t.Exchange)
		if t.SetKey {
			pub.Msg.RoutingKey = []byte(t.RoutingKey)
		}
		view, err := wire.ParsePropertiesView(m.Props)
		if err != nil {
			return nil, nil, err
		}
		table, _ := view.Headers()
		var r router
		return pub, r.route(v, x, pub.Msg.RoutingKey, nil, r.headers(table)), nil
	}, nil
}

// republished is m as it is published anew. Its own time to live begins again.
func republished(m *message.Message) (*queueproc.Pub, error) {
	view, err := wire.ParsePropertiesView(m.Props)
	if err != nil {
		return nil, err
	}
	pub := &queueproc.Pub{Msg: *m, Persistent: view.Persistent()}
	pub.Priority, _ = view.Priority()
	if s, ok := view.Expiration(); ok {
		ms, err := parseExpiration(s)
		if err != nil {
			return nil, err
		}
		pub.Expiry = nowMillis() + ms
	}
	return pub, nil
}

// returner sends a dead letter back to the queue in which it died last, as it
// was published then. Its history stays with it.
func (b *Broker) returner(from *Queue) func(*message.Message) (*queueproc.Pub, []*Queue, error) {
	return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
		props, err := wire.ParseProperties(m.Props)
		if err != nil {
			return nil, nil, err
		}
		history := deaths(&props.Headers)
		if len(history) == 0 {
			return nil, nil, errf(PreconditionFailed, "the message is no dead letter")
		}
		d := history[0]
		q := from.vhost.Queue(d.queue)
		if q == nil {
			return nil, nil, noQueue(d.queue, from.VHost)
		}
		if s, ok := d.raw.Get("original-expiration"); ok {
			props.Expiration, _ = wire.AsString(s)
		}
		back := *m
		back.Props = props.Append(nil)
		pub, err := republished(&back)
		if err != nil {
			return nil, nil, err
		}
		if s, ok := d.raw.Get("exchange"); ok {
			x, _ := wire.AsString(s)
			pub.Msg.Exchange = []byte(x)
		}
		if keys := headerStrings(d.raw, "routing-keys"); len(keys) > 0 {
			pub.Msg.RoutingKey = []byte(keys[0])
		}
		return pub, []*Queue{q}, nil
	}
}

// EditMessage puts another message in the place of a ready one: it is published to the
// target (the queue itself if that is empty), and then the old one goes.
func (b *Broker) EditMessage(ctx context.Context, a Actor, vhost, name string, seq uint64, props wire.Properties, body []byte, t MessageTarget) error {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return err
	}
	err = b.editMessage(a, q, seq, props, body, t)
	e := AuditEntry{Actor: a, Action: "edit message", VHost: vhost, Object: name, Result: AuditOK, Detail: fmt.Sprintf("message %d%s", seq, t.describe())}
	if err != nil {
		e.Result, e.Reason = AuditRefused, err.Error()
	}
	b.Audit(e)
	if err != nil {
		return err
	}
	return b.barrier()
}

func (b *Broker) editMessage(a Actor, q *Queue, seq uint64, props wire.Properties, body []byte, t MessageTarget) error {
	if q.Stream {
		return errf(PreconditionFailed, "%s is a stream: its messages cannot be changed", q.label())
	}
	if int64(len(body)) > b.cfg.MaxMessageSize {
		return errf(PreconditionFailed, "message size %d is larger than configured max size %d", len(body), b.cfg.MaxMessageSize)
	}
	if t == (MessageTarget{}) {
		t.Queue = q.Name
	}
	send, err := b.sender(q, t)
	if err != nil {
		return err
	}
	taken, err := q.Take([]uint64{seq})
	if err != nil {
		return coreQueueError(q, err)
	}
	if len(taken) == 0 {
		return errf(NotFound, "no ready message %d in %s", seq, q.label())
	}
	old, err := taken[0].Message()
	if err == nil {
		err = mayClaim(a, &props, &old)
	}
	if err == nil {
		err = b.sendTo(send, &message.Message{Exchange: old.Exchange, RoutingKey: old.RoutingKey, Props: props.Append(nil), Body: body, Hidden: old.Hidden})
	}
	if err != nil {
		taken[0].PutBack()
		return err
	}
	taken[0].Bury()
	return nil
}

// barrier returns when everything that was appended before is durable.
func (b *Broker) barrier() error {
	pos := b.log.Append(kindMark, 0, true, nil, nil, nil)
	if pos == 0 {
		return errf(InternalError, "the store has failed: %v", b.log.Err())
	}
	return b.sync(pos)
}

// mayClaim refuses a user-id that neither was the message's nor is the editor's.
func mayClaim(a Actor, props *wire.Properties, old *message.Message) error {
	if !props.Has(wire.FlagUserID) || props.UserID == a.User {
		return nil
	}
	if was, err := wire.ParseProperties(old.Props); err == nil && was.UserID == props.UserID {
		return nil
	}
	return errf(PreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", props.UserID, a.User)
}
