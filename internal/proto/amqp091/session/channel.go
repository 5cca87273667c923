package session

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// channel is one open channel. It is the broker.Outlet of its core.
type channel struct {
	id   wire.ChannelID
	conn *Conn
	core *broker.Channel

	// The reader's own.
	closing   bool // channel.close sent, waiting for close-ok
	released  bool
	content   content
	lastQueue string // of the last queue.declare; what an empty name means
	prefetch  uint32 // of consumers to come
	settles   []queueproc.Settle
	returns   [][]byte // mandatory messages of a transaction that no queue took

	// Guarded by conn.out.mu.
	unacked               unacked
	headers, props        []byte // scratch
	consumers             map[string]*consumer
	tallies               []*queueTally
	shownPrefetch         uint32 // what others see of prefetch
	shownTx, shownConfirm bool
	uncommitted           uncommitted
	received              broker.Received
	limit                 uint32        // prefetch of the whole channel; 0: none
	limited               uint32        // deliveries that count against limit
	hasLimit              atomic.Bool   // limit was ever set
	timed                 []*timed      // consumers with a timeout
	timer                 *time.Timer   // runs while there are such
	overdue               time.Duration // the timeout that a delivery has exceeded; 0: none
	deaf                  bool          // released: deliveries are dropped (their queue has them back)
}

// consumer is a basic.consume. It is the queue.Gate of its core consumer.
type consumer struct {
	ch      *channel
	tag     string
	noAck   bool
	args    wire.Table
	tally   *queueTally // of its queue; nil for replies
	reply   bool        // of direct replies
	proc    *queueproc.Consumer
	refused bool // waits for room; guarded by conn.out.mu
}

// Take implements queue.Gate. Called with the queue's lock held.
func (k *consumer) Take(noAck bool) bool {
	c := k.ch.conn
	if c.out.isFull() {
		c.out.mu.Lock()
		k.wait()
		c.out.mu.Unlock()
		c.refused.Store(true)
		if c.out.isFull() {
			return false
		}
		// Drained in between: whoever did may have missed the flag. That k
		// waits although it has room does no harm.
	}
	if !k.ch.hasLimit.Load() {
		return true
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	switch l := k.ch.limit; {
	case l == 0:
	case k.ch.limited >= l: // stops those without acknowledgements, too
		k.wait()
		return false
	case !noAck:
		k.ch.limited++
	}
	return true
}

// unopened answers a frame on a channel that is not open.
func (c *Conn) unopened(f *wire.Frame) error {
	if !f.Type.Known() {
		return unknownFrame(f)
	}
	if f.Type != wire.FrameMethod {
		return &closeError{code: wire.ChannelError, text: "expected 'channel.open'", conn: true}
	}
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return methodError(f.Payload, err)
	}
	if _, ok := m.(*wire.ChannelOpen); !ok {
		return &closeError{code: wire.ChannelError, text: "expected 'channel.open'", method: m.ID(), conn: true}
	}
	if c.channelMax > 0 && len(c.channels) >= int(c.channelMax) {
		return &closeError{code: wire.NotAllowed, conn: true,
			text: "number of channels opened (" + itoa(uint64(len(c.channels))) + ") has reached the negotiated channel_max (" + itoa(uint64(c.channelMax)) + ")"}
	}
	ch := &channel{id: f.Channel, conn: c}
	if n := uint32(c.srv.Config.Prefetch); n > 0 && c.srv.Config.PrefetchGlobal {
		ch.limit = n
		ch.hasLimit.Store(true)
	} else if n > 0 {
		ch.prefetch, ch.shownPrefetch = n, n
	}
	if ch.core, err = c.client.OpenChannel(ch); err != nil {
		e := toClose(err)
		e.conn, e.method = true, noMethod
		return e
	}
	ch.core.Number = uint16(f.Channel)
	ch.unacked.next = 1
	c.channels[f.Channel] = ch
	c.answer(ch.id, wire.ChannelOpenOk{})
	return nil
}

// frame handles a frame on the channel.
func (ch *channel) frame(f *wire.Frame) error {
	var err error
	switch f.Type {
	case wire.FrameMethod:
		err = ch.method(f.Payload)
	case wire.FrameHeader:
		err = ch.header(f)
	case wire.FrameBody:
		err = ch.body(f.Payload)
	case wire.FrameHeartbeat:
		err = &closeError{code: wire.UnexpectedFrame, text: "heartbeat on a channel", conn: true}
	default:
		return unknownFrame(f)
	}
	if err == nil {
		return nil
	}
	if err == errHangUp {
		return err
	}
	e := toClose(err)
	if e.method == 0 {
		e.method = ch.conn.methodID
	}
	if e.conn || e.code.Hard() {
		return e
	}
	ch.fail(e)
	return nil
}

// fail closes the channel for a mistake of its client.
func (ch *channel) fail(e *closeError) {
	c := ch.conn
	c.log().Warn("channel error", "category", "channel", "user", c.user, "vhost", c.vhostName(), "channel", int(ch.id), "code", int(e.code), "reason", e.text)
	ch.closing = true
	ch.dropContent()
	ch.release()
	c.answer(ch.id, wire.ChannelClose{
		ReplyCode: e.code, ReplyText: e.code.Text(e.text),
		ClassID: closeClass(e.method), MethodID: closeMethod(e.method),
	})
}

// release gives back what the channel holds in the core: its consumers end,
// what is unacknowledged goes back to the queues.
func (ch *channel) release() {
	if ch.released {
		return
	}
	ch.released = true
	c := ch.conn
	c.flushAcks()
	c.client.Flush()
	c.out.mu.Lock()
	ks := make([]*consumer, 0, len(ch.consumers))
	for _, k := range ch.consumers {
		ks = append(ks, k)
	}
	ch.consumers = nil
	c.out.mu.Unlock()
	ch.core.CancelReplies()
	for _, k := range ks {
		if !k.reply {
			ch.core.Cancel(k.proc)
		}
	}
	c.out.mu.Lock()
	ch.deaf = true
	if ch.timed = nil; ch.timer != nil {
		ch.timer.Stop()
	}
	rest := ch.unacked.all(nil)
	ch.unacked = unacked{next: ch.unacked.next}
	c.out.mu.Unlock()
	ch.settleAll(rest, queue.Requeue)
	ch.core.Close()
}

// settleAll settles deliveries of any queues, those of one queue together.
func (ch *channel) settleAll(ds []delivery, o queue.Outcome) {
	for len(ds) > 0 {
		q := ds[0].queue
		ch.settles = ch.settles[:0]
		rest := ds[:0]
		for _, d := range ds {
			if d.queue == q {
				ch.settles = append(ch.settles, queueproc.Settle{Slot: d.slot, Seq: d.seq})
			} else {
				rest = append(rest, d)
			}
		}
		q.Settle(ch.settles, o)
		ds = rest
	}
	if cap(ch.settles) > 4096 {
		ch.settles = nil
	}
}

// settleGroups settles deliveries as RabbitMQ does when they are many: queue by
// queue, those of basic.get first, then consumer by consumer in the order of
// their tags. The queue delivers what it can after each.
func (ch *channel) settleGroups(ds []delivery, o queue.Outcome) {
	tag := func(d *delivery) string {
		if d.consumer == nil {
			return ""
		}
		return d.consumer.tag
	}
	slices.SortStableFunc(ds, func(a, b delivery) int {
		if c := strings.Compare(a.queue.Name, b.queue.Name); c != 0 {
			return c
		}
		return strings.Compare(tag(&a), tag(&b))
	})
	for len(ds) > 0 {
		n := 1
		for n < len(ds) && ds[n].queue == ds[0].queue && ds[n].consumer == ds[0].consumer {
			n++
		}
		ch.settleAll(ds[:n:n], o)
		ds = ds[n:]
	}
}

// Deliver implements queueproc.Sink.
func (ch *channel) Deliver(pc *queueproc.Consumer, d queueproc.Delivery, m *message.Message) {
	k := pc.User.(*consumer)
	c := ch.conn
	o := &c.out
	o.mu.Lock()
	var tag wire.DeliveryTag
	if k.noAck {
		tag = ch.unacked.skip()
	} else {
		tag = ch.unacked.push(delivery{queue: pc.Queue, consumer: k, seq: d.Seq, slot: d.Slot})
	}
	ch.countDelivery(k, d.Redelivered)
	if !o.closed {
		o.add(wire.AppendBasicDeliverFrames(o.room(contentRoom(m)), ch.id, k.tag, tag, d.Redelivered, m.Exchange, m.RoutingKey, ch.withCount(pc.Queue, d, m.Props), m.Body, c.frameMax))
	}
	o.mu.Unlock()
}

// withCount adds what quorum queues tell from the second delivery on: how many
// failed (x-delivery-count), and how many there were (x-acquired-count), and what
// streams tell of each: the offset (x-stream-offset). Called with the outbox locked.
func (ch *channel) withCount(q *queueproc.Queue, d queueproc.Delivery, props []byte) []byte {
	if q != nil && q.Stream {
		return ch.withOffset(d.Seq-1, props)
	}
	if d.Acquired == 0 || q == nil {
		return props
	}
	p, err := wire.ParseProperties(props)
	if err != nil {
		return props
	}
	p.Headers.Set("x-delivery-count", wire.Int64(d.Count))
	p.Headers.Set("x-acquired-count", wire.Int64(d.Acquired))
	return p.Append(nil)
}

// withOffset adds a header to a message without asking for memory.
func (ch *channel) withOffset(offset uint64, props []byte) []byte {
	const key = "x-stream-offset"
	var v wire.PropertiesView
	if v.Parse(props) != nil {
		return props
	}
	headers, _ := v.Headers()
	h := ch.headers[:0]
	if _, has := headers.Lookup(key); has {
		h = headers.AppendWithout(h, key)
	} else {
		h = append(h, headers...)
	}
	h = append(append(h, byte(len(key))), key...)
	h = binary.BigEndian.AppendUint64(append(h, wire.Int64(0).Code()), offset)
	out, err := wire.AppendEditedProperties(ch.props[:0], props, wire.PropertyEdit{Headers: wire.TableView(h)})
	if ch.headers, ch.props = h, out; cap(h)+cap(out) > 8<<10 {
		ch.headers, ch.props = nil, nil
	}
	if err != nil {
		return props
	}
	return out
}

// Flush implements queueproc.Sink.
func (ch *channel) Flush() (behind bool) {
	o := &ch.conn.out
	o.poke()
	return o.size.Load() > behindAt
}

// Cancel implements queueproc.Sink: the queue is gone.
func (ch *channel) Cancel(pc *queueproc.Consumer) {
	k := pc.User.(*consumer)
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if ch.consumers[k.tag] != k {
		return
	}
	delete(ch.consumers, k.tag)
	k.tally.uses--
	if c.caps.consumerCancelNotify {
		c.sendLocked(ch.id, wire.BasicCancel{ConsumerTag: k.tag, NoWait: true})
	}
}

// Confirm implements broker.Outlet.
func (ch *channel) Confirm(seq uint64, multiple bool) {
	o := &ch.conn.out
	o.mu.Lock()
	if !o.closed && !ch.deaf {
		o.add(wire.AppendBasicAckFrame(o.room(64), ch.id, wire.DeliveryTag(seq), multiple))
	}
	o.mu.Unlock()
}

// Refuse implements broker.Outlet. The form is RabbitMQ's.
func (ch *channel) Refuse(seq uint64) {
	o := &ch.conn.out
	o.mu.Lock()
	if !o.closed && !ch.deaf {
		o.add(wire.AppendBasicNackFrame(o.room(64), ch.id, wire.DeliveryTag(seq), true, true))
	}
	o.mu.Unlock()
}

// Overdue implements broker.Outlet.
func (ch *channel) Overdue() bool { return ch.conn.out.size.Load() > maxOverdue }

// wait puts a consumer on the list of those that wait for room. Called with the
// outbox locked.
func (k *consumer) wait() {
	if !k.refused {
		k.refused = true
		k.ch.conn.waiting = append(k.ch.conn.waiting, k)
	}
}

// unblock tells queues whose consumers waited for room that there is some.
// Called by the writer, and by the reader when a channel's prefetch allows more.
func (c *Conn) unblock() {
	c.refused.Store(false)
	c.out.mu.Lock()
	ks := c.waiting
	c.waiting = nil
	for _, k := range ks {
		k.refused = false
	}
	c.out.mu.Unlock()
	for len(ks) > 0 {
		q := ks[0].proc.Queue
		var mine []*queueproc.Consumer
		rest := ks[:0]
		for _, k := range ks {
			if k.proc.Queue == q {
				mine = append(mine, k.proc)
			} else {
				rest = append(rest, k)
			}
		}
		q.Unblock(mine...)
		ks = rest
	}
}

func generatedTag() string {
	var raw [16]byte
	rand.Read(raw[:])
	return "amq.ctag-" + base64.RawURLEncoding.EncodeToString(raw[:])
}
