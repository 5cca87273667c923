package session

import (
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// method handles a method frame of the channel.
func (ch *channel) method(payload []byte) error {
	c := ch.conn
	id, ok := wire.PeekMethod(payload)
	if !ok {
		return errHangUp
	}
	if ch.content.state != noContent && !ch.closing {
		if ch.content.state == wantHeader {
			return ch.unexpectedInHeader()
		}
		return ch.unexpectedInBody()
	}
	c.methodID = id
	// The frequent ones, without a struct of their own.
	switch id {
	case wire.MethodBasicPublish:
		if ch.closing {
			return nil
		}
		return ch.publish(payload)
	case wire.MethodBasicAck:
		m, err := wire.ParseBasicAck(payload)
		if err != nil {
			return methodError(payload, err)
		}
		if ch.closing {
			return nil
		}
		return ch.ack(m.DeliveryTag, m.Multiple)
	}
	m, err := wire.ParseMethod(payload)
	if err != nil {
		return methodError(payload, err)
	}
	if ch.closing {
		return ch.methodWhileClosing(m)
	}
	// What follows comes after the publishes and acknowledgements before it.
	c.flushAcks()
	c.client.Flush()
	switch m := m.(type) {
	case *wire.ChannelOpen:
		return &closeError{code: wire.ChannelError, text: "second 'channel.open' seen", conn: true}
	case *wire.ChannelClose:
		ch.release()
		c.client.Settle() // the answer is sent with what it tells
		c.forgetChannel(ch)
		c.answer(ch.id, wire.ChannelCloseOk{})
		return nil
	case *wire.ChannelFlow:
		if !m.Active {
			return &closeError{code: wire.NotImplemented, text: "active=false", conn: true}
		}
		c.answer(ch.id, wire.ChannelFlowOk{Active: true})
		return nil
	case *wire.AccessRequest:
		c.answer(ch.id, wire.AccessRequestOk{})
		return nil
	case *wire.ExchangeDeclare:
		return ch.exchangeDeclare(m)
	case *wire.ExchangeDelete:
		return ch.reply(m.NoWait, wire.ExchangeDeleteOk{}, c.client.DeleteExchange(m.Exchange, m.IfUnused))
	case *wire.ExchangeBind:
		return ch.reply(m.NoWait, wire.ExchangeBindOk{}, c.client.Bind(broker.BindSpec{
			Source: m.Source, DestKind: meta.ToExchange, Dest: m.Destination, Key: m.RoutingKey, Args: args(m.Arguments)}))
	case *wire.ExchangeUnbind:
		return ch.reply(m.NoWait, wire.ExchangeUnbindOk{}, c.client.Unbind(broker.BindSpec{
			Source: m.Source, DestKind: meta.ToExchange, Dest: m.Destination, Key: m.RoutingKey, Args: args(m.Arguments)}))
	case *wire.QueueDeclare:
		return ch.queueDeclare(m)
	case *wire.QueueBind:
		return ch.queueBind(m)
	case *wire.QueueUnbind:
		return ch.queueUnbind(m)
	case *wire.QueuePurge:
		name, err := ch.queueName(m.Queue)
		if err != nil {
			return err
		}
		n, err := c.client.PurgeQueue(name)
		return ch.reply(m.NoWait, wire.QueuePurgeOk{MessageCount: uint32(n)}, err)
	case *wire.QueueDelete:
		return ch.queueDelete(m)
	case *wire.BasicQos:
		return ch.qos(m)
	case *wire.BasicConsume:
		return ch.consume(m)
	case *wire.BasicCancel:
		return ch.cancel(m)
	case *wire.BasicGet:
		return ch.get(m)
	case *wire.BasicReject:
		return ch.nack(m.DeliveryTag, false, m.Requeue, true)
	case *wire.BasicNack:
		return ch.nack(m.DeliveryTag, m.Multiple, m.Requeue, false)
	case *wire.BasicRecover:
		return ch.recover(m.Requeue, true)
	case *wire.BasicRecoverAsync:
		return ch.recover(m.Requeue, false)
	case *wire.ConfirmSelect:
		err := ch.core.SelectConfirm()
		ch.showMode(err == nil, false)
		return ch.reply(m.NoWait, wire.ConfirmSelectOk{}, err)
	case *wire.TxSelect:
		err := ch.core.SelectTx()
		ch.showMode(false, err == nil)
		return ch.reply(false, wire.TxSelectOk{}, err)
	case *wire.TxCommit:
		return ch.commit()
	case *wire.TxRollback:
		return ch.rollback()
	}
	return &closeError{code: wire.CommandInvalid, text: "unimplemented method", conn: true}
}

// methodWhileClosing waits for the answer to channel.close.
func (ch *channel) methodWhileClosing(m wire.Method) error {
	c := ch.conn
	switch m.(type) {
	case *wire.ChannelCloseOk:
		c.forgetChannel(ch)
	case *wire.ChannelClose:
		// Both close at once; the answer to ours is still to come.
		c.answer(ch.id, wire.ChannelCloseOk{})
	case *wire.ChannelOpen:
		return &closeError{code: wire.ChannelError, text: "second 'channel.open' seen", conn: true}
	}
	return nil
}

func (c *Conn) forgetChannel(ch *channel) {
	ch.dropContent()
	delete(c.channels, ch.id)
	if c.last == ch {
		c.last = nil
	}
}

// reply answers a method, or passes on why it failed.
func (ch *channel) reply(noWait bool, ok wire.Method, err error) error {
	if err != nil {
		return err
	}
	if !noWait {
		ch.conn.answer(ch.id, ok)
	}
	return nil
}

func args(t wire.Table) meta.Args { return meta.NewArgs(t) }

func (ch *channel) exchangeDeclare(m *wire.ExchangeDeclare) error {
	err := ch.conn.client.DeclareExchange(broker.ExchangeSpec{
		Name: stripBreaks(m.Exchange), Type: m.Type, Passive: m.Passive, Durable: m.Durable,
		AutoDelete: m.AutoDelete, Internal: m.Internal, Args: args(m.Arguments),
	})
	return ch.reply(m.NoWait, wire.ExchangeDeclareOk{}, err)
}

func (ch *channel) queueDeclare(m *wire.QueueDeclare) error {
	st, err := ch.conn.client.DeclareQueue(broker.QueueSpec{
		Name: stripBreaks(m.Queue), Passive: m.Passive, Durable: m.Durable,
		Exclusive: m.Exclusive, AutoDelete: m.AutoDelete, Args: args(m.Arguments),
	})
	if err != nil {
		return err
	}
	ch.lastQueue = st.Name
	return ch.reply(m.NoWait, wire.QueueDeclareOk{Queue: st.Name, MessageCount: uint32(st.Messages), ConsumerCount: uint32(st.Consumers)}, nil)
}

// stripBreaks removes line breaks from a name, as RabbitMQ does.
func stripBreaks(s string) string {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			b := make([]byte, 0, len(s))
			for _, c := range []byte(s) {
				if c != '\n' && c != '\r' {
					b = append(b, c)
				}
			}
			return string(b)
		}
	}
	return s
}

// queueName says which queue is meant: an empty name is that of the channel's
// last declaration (section 1.7.2.3).
func (ch *channel) queueName(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	if ch.lastQueue == "" {
		return "", softf(wire.NotFound, "no previously declared queue")
	}
	return ch.lastQueue, nil
}

func (ch *channel) bindSpec(queue, exchange, key string, t wire.Table) (broker.BindSpec, error) {
	name, err := ch.queueName(queue)
	if err != nil {
		return broker.BindSpec{}, err
	}
	if queue == "" && key == "" {
		key = name
	}
	return broker.BindSpec{Source: exchange, DestKind: meta.ToQueue, Dest: name, Key: key, Args: args(t)}, nil
}

func (ch *channel) queueBind(m *wire.QueueBind) error {
	s, err := ch.bindSpec(m.Queue, m.Exchange, m.RoutingKey, m.Arguments)
	if err != nil {
		return err
	}
	return ch.reply(m.NoWait, wire.QueueBindOk{}, ch.conn.client.Bind(s))
}

func (ch *channel) queueUnbind(m *wire.QueueUnbind) error {
	s, err := ch.bindSpec(m.Queue, m.Exchange, m.RoutingKey, m.Arguments)
	if err != nil {
		return err
	}
	return ch.reply(false, wire.QueueUnbindOk{}, ch.conn.client.Unbind(s))
}

func (ch *channel) queueDelete(m *wire.QueueDelete) error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	return ch.conn.client.DeleteQueue(name, m.IfUnused, m.IfEmpty, func(n int) {
		if !m.NoWait {
			ch.conn.send(ch.id, wire.QueueDeleteOk{MessageCount: uint32(n)})
		}
	})
}
