package broker

import (
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// The firehose: while a virtual host is traced, each message that is published
// or delivered in it is copied to the exchange amq.rabbitmq.trace, with a
// routing key "publish.EXCHANGE" or "deliver.QUEUE" and headers that tell the
// rest. Copies are not traced themselves.
const traceExchange = "amq.rabbitmq.trace"

// tracing reports whether messages of an exchange are copied now.
func (v *VHost) traces(exchange []byte) bool {
	return v.tracing.Load() && string(exchange) != traceExchange
}

// tracePublish copies a message that a channel publishes.
func (ch *Channel) tracePublish(m *message.Message, more [][]byte, queues []*Queue) {
	names := make(wire.Array, len(queues))
	for i, q := range queues {
		names[i] = wire.String(q.Name)
	}
	ch.trace("publish."+string(m.Exchange), m, more, wire.Field{Key: "routed_queues", Value: names})
}

// Delivered implements queueproc.Host: a queue that is traced has delivered.
func (b *Broker) Delivered(q *queueproc.Queue, c *queueproc.Consumer, redelivered bool, m *message.Message) {
	if ch, ok := c.Channel.(*Channel); ok {
		ch.traceDelivery(q.Name, redelivered, m)
	}
}

func (ch *Channel) traceDelivery(queue string, redelivered bool, m *message.Message) {
	if !ch.c.vhost.traces(m.Exchange) || wasCopy(m) {
		return
	}
	again := wire.Int32(0)
	if redelivered {
		again = 1
	}
	ch.trace("deliver."+queue, m, nil, wire.Field{Key: "redelivered", Value: again})
}

// wasCopy reports whether m is a copy that was dead-lettered. To copy it again
// could go on for ever: the queue of copies that gave it away would be given
// another for it.
func wasCopy(m *message.Message) bool {
	props, err := wire.ParseProperties(m.Props)
	return err == nil && firstDeath(&props) == traceExchange
}

// firstDeath is the exchange that a dead letter was published to at first.
func firstDeath(props *wire.Properties) string {
	v, _ := props.Headers.Get("x-first-death-exchange")
	x, _ := wire.AsString(v)
	return x
}

// trace publishes the copy. more are routing keys besides the message's own;
// nil: those of its CC header.
func (ch *Channel) trace(key string, m *message.Message, more [][]byte, last wire.Field) {
	props, err := wire.ParseProperties(m.Props)
	if err != nil {
		return
	}
	keys := wire.Array{wire.String(m.RoutingKey)}
	for _, k := range more {
		keys = append(keys, wire.String(k))
	}
	if more == nil {
		for _, k := range headerStrings(&props.Headers, "CC") {
			keys = append(keys, wire.String(k))
		}
	}
	c, v := ch.c, ch.c.vhost
	out := wire.Properties{Headers: wire.Table{
		{Key: "exchange_name", Value: wire.String(m.Exchange)},
		{Key: "routing_keys", Value: keys},
		{Key: "properties", Value: propertyTable(&props)},
		{Key: "node", Value: wire.String(c.b.cfg.NodeName)},
		{Key: "vhost", Value: wire.String(v.Name)},
		{Key: "connection", Value: wire.String(c.Name)},
		{Key: "channel", Value: wire.Int32(ch.Number)},
		{Key: "user", Value: wire.String(c.User)},
		last,
	}}
	x := v.Exchange(traceExchange)
	if x == nil {
		return
	}
	const longest = 255 // of a routing key
	one := []queueproc.Pub{{Msg: message.Message{Exchange: []byte(traceExchange), RoutingKey: []byte(key[:min(len(key), longest)]),
		Props: out.Append(nil), Body: m.Body}}}
	var r router
	if queues := r.route(v, x, one[0].Msg.RoutingKey, nil, noHeaders{}); len(queues) > 0 {
		c.b.fanOut(queues, one)
	}
}

// propertyTable is a message's properties as the firehose shows them.
func propertyTable(p *wire.Properties) wire.Table {
	t := wire.Table{}
	text := func(flag wire.PropertyFlags, key, value string) {
		if p.Has(flag) {
			t.Set(key, wire.String(value))
		}
	}
	text(wire.FlagContentType, "content_type", p.ContentType)
	text(wire.FlagContentEncoding, "content_encoding", p.ContentEncoding)
	if p.Has(wire.FlagHeaders) {
		t.Set("headers", p.Headers)
	}
	if p.Has(wire.FlagDeliveryMode) {
		t.Set("delivery_mode", wire.Int32(p.DeliveryMode))
	}
	if p.Has(wire.FlagPriority) {
		t.Set("priority", wire.Int32(p.Priority))
	}
	text(wire.FlagCorrelationID, "correlation_id", p.CorrelationID)
	text(wire.FlagReplyTo, "reply_to", p.ReplyTo)
	text(wire.FlagExpiration, "expiration", p.Expiration)
	text(wire.FlagMessageID, "message_id", p.MessageID)
	if p.Has(wire.FlagTimestamp) {
		t.Set("timestamp", p.Timestamp)
	}
	text(wire.FlagType, "type", p.Type)
	text(wire.FlagUserID, "user_id", p.UserID)
	text(wire.FlagAppID, "app_id", p.AppID)
	text(wire.FlagClusterID, "cluster_id", p.ClusterID)
	return t
}
