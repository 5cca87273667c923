package broker

import (
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// DeadLetter implements queueproc.Host: a message left pq for a reason that
// dead-letters it. It is published to the queue's dead-letter exchange, if
// that exists, without confirms: what no queue takes is dropped.
//
// With the strategy at-least-once it has to arrive: as long as there is no
// target, or one that refuses, it is to be tried again.
func (b *Broker) DeadLetter(pq *queueproc.Queue, reason queue.Reason, it *queue.Item, m *message.Message, sent *[]uint64, depth uint8) (again bool) {
	q := pq.Owner.(*Queue)
	to := q.dl.Load()
	if to == nil {
		return false
	}
	sure := q.Definition().Effective.DeadLetterStrategy == atLeastOnce
	v := q.vhost
	var x *Exchange
	if to.exchange != "" {
		if x = v.Exchange(to.exchange); x == nil {
			return sure
		}
	}
	props, err := wire.ParseProperties(m.Props)
	if err != nil {
		b.logger.Error("dead letter with malformed properties dropped", "vhost", v.Name, "queue", q.Name, "err", err)
		return false
	}
	plainInts(props.Headers)
	cc := headerStrings(&props.Headers, "CC")
	death := newDeath(q.Name, reason, m, cc, &props)
	history := deaths(&props.Headers)
	history = death.enter(history)
	props.Remove(wire.FlagExpiration)
	h := &props.Headers
	keys := cc
	key := m.RoutingKey
	if to.hasKey {
		h.Delete("CC")
		key, keys = []byte(to.routingKey), nil
	}
	_, before := h.Get("x-death")
	h.Set("x-death", deathsValue(history))
	if !before {
		h.Set("x-first-death-reason", wire.String(reason.String()))
		h.Set("x-first-death-queue", wire.String(q.Name))
		h.Set("x-first-death-exchange", wire.String(string(m.Exchange)))
	}
	h.Set("x-last-death-reason", wire.String(reason.String()))
	h.Set("x-last-death-queue", wire.String(q.Name))
	h.Set("x-last-death-exchange", wire.String(string(m.Exchange)))

	pub := queueproc.Pub{Priority: it.Prio, Persistent: props.DeliveryMode == 2, Depth: depth}
	pub.Msg = message.Message{Exchange: []byte(to.exchange), RoutingKey: key, Props: props.Append(nil), Body: m.Body}
	view, err := wire.ParsePropertiesView(pub.Msg.Props)
	if err != nil {
		return false
	}
	table, _ := view.Headers()
	more := make([][]byte, len(keys))
	for i, k := range keys {
		more[i] = []byte(k)
	}
	if !to.hasKey {
		pub.Msg.Hidden = m.Hidden
		more = append(more, m.HiddenKeys()...)
	}
	if x == nil && isReplyAddress(string(key)) {
		b.deliverReply(string(key), &pub.Msg)
		return false
	}
	var r router
	targets := r.route(v, x, key, more, r.headers(table))
	if sure && len(targets) == 0 {
		return true
	}
	kept := targets[:0]
	for _, t := range targets {
		if isCycle(t.Name, history) {
			if wasLogged(&props) { // the line would be the next message of the cycle, and so on for ever
				continue
			}
			b.logger.Warn("message dropped: dead-letter cycle", "vhost", v.Name, "queue", q.Name, "target", t.Name)
			continue
		}
		kept = append(kept, t)
	}
	if !sure {
		b.fanOut(kept, []queueproc.Pub{pub})
		return false
	}
	for _, t := range kept {
		if slices.Contains(*sent, t.ID) {
			continue
		}
		one := []queueproc.Pub{pub}
		if b.fanOut([]*Queue{t}, one); one[0].Refused || t.Deleted() {
			again = true
		} else {
			*sent = append(*sent, t.ID)
		}
	}
	return again
}

const atLeastOnce = "at-least-once"

// death is one entry of x-death: the messages that left a queue for a reason.
type death struct {
	queue, reason string
	count         int64
	time          time.Time
	exchange      string
	keys          []string
	expiration    string // original; "" = none
	hasExpiration bool
	raw           *wire.Table // as it came, with whatever else it holds
}

func newDeath(queue string, reason queue.Reason, m *message.Message, cc []string, p *wire.Properties) *death {
	d := &death{queue: queue, reason: reason.String(), count: 1, time: time.Now(), exchange: string(m.Exchange)}
	d.keys = append([]string{string(m.RoutingKey)}, cc...)
	d.expiration, d.hasExpiration = p.Expiration, p.Has(wire.FlagExpiration)
	return d
}

// enter puts d into the history, newest first: an entry of the same queue and
// reason is counted up and moved to the front, its other fields stay.
func (d *death) enter(history []*death) []*death {
	for i, o := range history {
		if o.queue == d.queue && o.reason == d.reason {
			o.count++
			copy(history[1:i+1], history[:i])
			history[0] = o
			return history
		}
	}
	return append([]*death{d}, history...)
}

// isCycle reports whether a message with this history has been in queue before
// and came back without anybody having rejected it on the way.
func isCycle(queue string, history []*death) bool {
	for _, d := range history {
		if d.reason == queueRejected {
			return false
		}
		if d.queue == queue {
			return true
		}
	}
	return false
}

var queueRejected = queue.Rejected.String()

// deaths reads x-death; what is not of its form is left out.
func deaths(h *wire.Table) []*death {
	v, ok := h.Get("x-death")
	if !ok {
		return nil
	}
	elems, ok := v.(wire.Array)
	if !ok {
		return nil
	}
	var ds []*death
	for _, e := range elems {
		t, ok := e.(wire.Table)
		if !ok {
			continue
		}
		d := &death{raw: &t, count: 1}
		if v, ok := t.Get("queue"); ok {
			d.queue, _ = wire.AsString(v)
		}
		if v, ok := t.Get("reason"); ok {
			d.reason, _ = wire.AsString(v)
		}
		if v, ok := t.Get("count"); ok {
			d.count, _ = wire.AsInt64(v)
		}
		ds = append(ds, d)
	}
	return ds
}

func deathsValue(ds []*death) wire.Value {
	elems := make([]wire.Value, 0, len(ds))
	for _, d := range ds {
		if d.raw != nil {
			d.raw.Set("count", wire.Int64(d.count))
			elems = append(elems, *d.raw)
			continue
		}
		var t wire.Table
		t.Set("count", wire.Int64(d.count))
		t.Set("reason", wire.String(d.reason))
		t.Set("queue", wire.String(d.queue))
		t.Set("time", wire.Timestamp(d.time.Unix()))
		t.Set("exchange", wire.String(d.exchange))
		keys := make([]wire.Value, len(d.keys))
		for i, k := range d.keys {
			keys[i] = wire.String(k)
		}
		t.Set("routing-keys", wire.Array(keys))
		if d.hasExpiration {
			t.Set("original-expiration", wire.String(d.expiration))
		}
		elems = append(elems, t)
	}
	return wire.Array(elems)
}

func headerStrings(h *wire.Table, name string) []string {
	v, ok := h.Get(name)
	if !ok {
		return nil
	}
	elems, ok := v.(wire.Array)
	if !ok {
		return nil
	}
	var out []string
	for _, e := range elems {
		if s, ok := wire.AsString(e); ok {
			out = append(out, s)
		}
	}
	return out
}

// plainInts gives 64-bit integers the type that RabbitMQ writes when it encodes
// headers again.
func plainInts(t wire.Table) {
	for i := range t {
		switch v := t[i].Value.(type) {
		case wire.LongInt:
			t[i].Value = wire.Int64(v)
		case wire.Table:
			plainInts(v)
		}
	}
}
