package broker

import (
	"github.com/warrenmq/warren/internal/broker/exchange"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

const topicType = exchange.Topic

// derive carries changes of the definitions over to what runs. Called with
// defs held.
func (b *Broker) derive(changes []meta.Change) {
	for i := range changes {
		c := &changes[i]
		switch c.Kind {
		case meta.VHostAdded:
			b.mu.Lock()
			b.vhosts[c.VHost] = b.newVHost(c.VHost)
			b.vhosts[c.VHost].configure(b.state.VHost(c.VHost))
			b.mu.Unlock()
			continue
		case meta.VHostDeleted:
			b.mu.Lock()
			v := b.vhosts[c.VHost]
			delete(b.vhosts, c.VHost)
			b.mu.Unlock()
			v.kickAll("vhost '" + c.VHost + "' is deleted")
			continue
		case meta.UserDeleted, meta.UserChanged, meta.PermissionsChanged:
			if c.Kind == meta.UserDeleted {
				b.kickUser(c.User)
			}
			b.authVersion.Store(b.state.AuthVersion())
			for _, v := range b.allVHosts() {
				v.changed()
			}
			continue
		}
		v := b.vhosts[c.VHost]
		if v == nil {
			continue
		}
		switch c.Kind {
		case meta.VHostChanged:
			if v.configure(b.state.VHost(c.VHost)) {
				b.later = append(b.later, v.retune)
			}
		case meta.ExchangeDeclared:
			v.addExchange(c.Exchange)
		case meta.ExchangeChanged:
			v.changeExchange(c.Exchange)
		case meta.ExchangeDeleted:
			v.removeExchange(c.Exchange.Name)
		case meta.QueueDeclared:
			b.addQueue(v, c.Queue)
			b.churn.queuesCreated.Add(1)
		case meta.QueueChanged:
			if q := v.Queue(c.Queue.Name); q != nil {
				q.configure(c.Queue)
				cfg, pushback := queueConfig(c.Queue), c.Queue.Effective.PushbackBytes
				b.later = append(b.later, func() {
					q.Configure(cfg)
					q.SetPushback(pushback)
				})
			}
		case meta.QueueDeleted:
			b.removeQueue(v, c.Queue)
		case meta.BindingAdded:
			v.bind(c.Binding, true)
		case meta.BindingRemoved:
			v.bind(c.Binding, false)
		default:
			continue
		}
		v.changed()
	}
	b.authVersion.Store(b.state.AuthVersion())
}

// deriveAll builds what runs from the definitions, after a recovery.
func (b *Broker) deriveAll() {
	for vh := range b.state.VHosts() {
		v := b.newVHost(vh.Name)
		v.configure(vh)
		b.vhosts[vh.Name] = v
		for x := range b.state.Exchanges(vh.Name) {
			v.addExchange(x)
		}
		for q := range b.state.Queues(vh.Name) {
			b.addQueue(v, q)
		}
		for bd := range b.state.Bindings(vh.Name) {
			v.bind(bd, true)
		}
	}
	b.nextID.Store(b.state.MaxQueueID())
	b.authVersion.Store(b.state.AuthVersion())
}

// configure puts into force what is said about a virtual host. It reports
// whether its queues have to be told. d is nil if it is gone by now.
func (v *VHost) configure(d *meta.VHost) (retune bool) {
	if d == nil {
		return false
	}
	traced := v.tracing.Swap(d.Tracing)
	limit := max(0, d.Limits[meta.MaxBytes])
	return v.meter.SetLimit(limit) || traced != d.Tracing
}

// retune tells all queues what is in force for their virtual host.
func (v *VHost) retune() {
	for _, q := range v.Queues() {
		q.Measure()
		q.SetTraced(v.tracing.Load())
	}
}

func (v *VHost) addExchange(x *meta.Exchange) {
	typ, _ := exchange.ParseType(x.Type)
	rt := &Exchange{Name: x.Name, Type: typ, Internal: x.Internal}
	rt.table.Store(exchange.NewTable[dest](typ))
	rt.def.Store(x)
	v.mu.Lock()
	v.exchanges[x.Name] = rt
	v.mu.Unlock()
}

func (v *VHost) changeExchange(x *meta.Exchange) {
	if rt := v.Exchange(x.Name); rt != nil {
		rt.def.Store(x)
	}
}

func (v *VHost) removeExchange(name string) {
	v.mu.Lock()
	x := v.exchanges[name]
	delete(v.exchanges, name)
	v.mu.Unlock()
	if x != nil && v.pairs != nil {
		v.pairs.dropExchange(&x.count)
	}
}

// bind adds or removes a binding in its source's routing table.
func (v *VHost) bind(bd *meta.Binding, add bool) {
	src := v.Exchange(bd.Source)
	if src == nil {
		return
	}
	var d dest
	if bd.DestKind == meta.ToExchange {
		d.x = v.Exchange(bd.Dest)
	} else {
		d.q = v.Queue(bd.Dest)
	}
	if d == (dest{}) {
		return
	}
	xb := exchange.Binding[dest]{Dest: d, Key: bd.Key, ID: bd.Args.Identity()}
	if src.Type == exchange.Headers {
		xb.Args = exchangeArgs(bd.Args)
	}
	t := src.table.Load()
	if add {
		t = t.Bind(xb)
	} else {
		t = t.Unbind(xb)
	}
	src.table.Store(t)
}

func (b *Broker) addQueue(v *VHost, d *meta.Queue) {
	q := &Queue{vhost: v}
	q.def.Store(d)
	q.dl.Store(deadLetterOf(d))
	q.Queue = queueproc.New(queueproc.Options{
		ID: d.ID, Name: d.Name, VHost: v.Name, Durable: d.Durable, Quorum: d.Type == meta.Quorum, Stream: d.Type == meta.Stream, Epoch: b.epoch,
		Window: b.cfg.QueueWindow, Host: b, Log: b.log, Budget: &b.budget, Meter: &v.meter, Owner: q, Waits: &b.waits[kindOfQueue(d)], Changes: &b.survey.changes,
	}, queueConfig(d))
	if v.tracing.Load() {
		q.SetTraced(true)
	}
	if n := d.Effective.PushbackBytes; n > 0 {
		q.SetPushback(n)
	}
	if d.Exclusive {
		if q.owner = v.client(d.Owner); q.owner != nil {
			if q.owner.queues == nil {
				q.owner.queues = map[*Queue]struct{}{}
			}
			q.owner.queues[q] = struct{}{}
		}
	}
	b.queues.Store(d.ID, q)
	v.mu.Lock()
	v.queues[d.Name] = q
	v.mu.Unlock()
	q.Announce()
}

func (b *Broker) removeQueue(v *VHost, d *meta.Queue) {
	b.queues.Delete(d.ID)
	q := v.Queue(d.Name)
	if q == nil || q.ID != d.ID {
		return
	}
	if q.owner != nil {
		delete(q.owner.queues, q)
	}
	// Deleted with its virtual host, say: the process may still be at work.
	if _, err := q.Queue.Delete(false, false); err == nil {
		b.Go(q.CancelConsumers)
	}
	b.retireQueue(v, q)
}

func (q *Queue) configure(d *meta.Queue) {
	q.def.Store(d)
	q.dl.Store(deadLetterOf(d))
}

func deadLetterOf(d *meta.Queue) *deadLetterTo {
	e := &d.Effective
	if !e.HasDeadLetter {
		return nil
	}
	return &deadLetterTo{exchange: e.DeadLetterExchange, routingKey: e.DeadLetterRoutingKey, hasKey: e.HasDeadLetterKey}
}

func queueConfig(d *meta.Queue) queue.Config {
	e := &d.Effective
	c := queue.Config{
		MessageTTL: e.MessageTTL, Expires: e.Expires, MaxLength: e.MaxLength, MaxBytes: e.MaxBytes,
		DeadLetter: e.HasDeadLetter, DeliveryLimit: queue.None, MaxPriority: e.MaxPriority,
		SingleActive: e.SingleActive, AutoDelete: d.AutoDelete,
	}
	if d.Type == "quorum" {
		c.Kind = queue.Quorum
		c.DeliveryLimit = e.DeliveryLimit
		if e.RetryType != "" {
			c.Retry = &queue.Retry{Failed: e.RetryType != "returned", Returned: e.RetryType != "failed", Min: e.RetryMin, Max: e.RetryMax}
		}
		c.KeepDead = e.DeadLetterStrategy == atLeastOnce
	}
	c.MaxAge, c.SegmentBytes = queue.None, queue.None
	if d.Type == meta.Stream {
		c.Kind = queue.Stream
		c.SegmentBytes = e.StreamMaxSegmentSize
		if e.MaxAge != meta.None {
			c.MaxAge = e.MaxAge * 1000
		}
	}
	switch e.Overflow {
	case "reject-publish":
		c.Overflow = queue.RejectPublish
	case "reject-publish-dlx":
		c.Overflow = queue.RejectPublishDLX
	}
	return c
}

// kickAll closes the connections of a virtual host.
func (v *VHost) kickAll(text string) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, c := range v.clients {
		if c.Kick != nil {
			c.Kick(ConnectionForced, text)
		}
	}
}

// kickUser closes the connections of a user that is deleted.
func (b *Broker) kickUser(user string) {
	for _, c := range b.allClients() {
		if c.User == user && c.Kick != nil {
			c.Kick(ConnectionForced, "user '"+user+"' is deleted")
		}
	}
}

// exchangeArgs turns a binding's arguments into what headers exchanges compare.
func exchangeArgs(a meta.Args) []exchange.Arg {
	var out []exchange.Arg
	for k, v := range a.All() {
		out = append(out, exchange.Arg{Key: k, Value: exchangeValue(v.ValueView)})
	}
	return out
}

// exchangeValue turns a field value into what headers exchanges compare.
func exchangeValue(v wire.ValueView) exchange.Value {
	switch v.Code() {
	case 't':
		b, _ := v.AsBool()
		return exchange.BoolValue(b)
	case 'f', 'd':
		f, _ := v.AsFloat64()
		return exchange.FloatValue(f)
	case 'S', 'x':
		return exchange.Value{Kind: exchange.String, Data: v.Bytes()}
	case 'F':
		return exchange.Value{Kind: exchange.Fields, Data: v.Bytes()}
	case 'A':
		return exchange.Value{Kind: exchange.Array, Data: v.Bytes()}
	case 'V':
		return exchange.Value{}
	case 'D':
		raw := v.Bytes()
		n := int64(raw[1])<<24 | int64(raw[2])<<16 | int64(raw[3])<<8 | int64(raw[4])
		return exchange.Value{Kind: exchange.Decimal, Scale: raw[0], Int: n}
	case 'T':
		if ts, err := v.Value(); err == nil {
			if t, ok := ts.(wire.Timestamp); ok {
				return exchange.IntValue(int64(t))
			}
		}
	}
	n, _ := v.AsInt64()
	return exchange.IntValue(n)
}
