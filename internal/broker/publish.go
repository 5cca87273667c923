package broker

import (
	"bytes"
	"strconv"

	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
)

// Outlet is where what the core has to tell a channel goes. Its methods may be
// called from any goroutine, with locks of the core held: they must not block
// and must not call the core.
type Outlet interface {
	queueproc.Sink
	// Confirm: publish number seq (all up to it, if multiple) is safe.
	Confirm(seq uint64, multiple bool)
	// Refuse: publish number seq was not accepted.
	Refuse(seq uint64)
	// Overdue reports whether the peer has left far too much unread.
	Overdue() bool
}

// Channel is an order of publishes and a set of consumers of a Client.
type Channel struct {
	c          *Client
	out        Outlet
	counted    bool // against the limits of user and node
	confirming bool
	confirm    confirms
	listed     bool // on Client.waiting; guarded by its waitMu
	sent       Sent // counted so far
	dirty      bool // on tally.dirty
	shown      Sent // a copy of sent for others; guarded by tally.mu
	cache      routeCache
	props      wire.PropertiesView // of the publish under way
	tx         *transaction
	reply      *replyTarget // its direct reply-to consumer
}

// NewChannel opens a channel that no limit counts, for what is no connection.
// Unasked-for news go to out.
func (c *Client) NewChannel(out Outlet) *Channel { return c.newChannel(out, false) }

func (c *Client) newChannel(out Outlet, counted bool) *Channel {
	ch := &Channel{c: c, out: out, counted: counted}
	c.tally.enter(ch)
	c.b.churn.chansMade.Add(1)
	return ch
}

// SelectConfirm makes the channel confirm its publishes, numbered from 1.
func (ch *Channel) SelectConfirm() error {
	if ch.tx != nil {
		return errf(PreconditionFailed, "cannot switch from tx to confirm mode")
	}
	ch.confirming = true
	return nil
}

// Publish takes a message in. The bytes of m must stay until Client.Flush. It
// reports whether it was routed to a queue; one that was not is the caller's to
// return, if it was mandatory, and then to end with Unrouted.
func (ch *Channel) Publish(m *message.Message) (routed bool, err error) {
	r, err := ch.find(m)
	if err != nil {
		ch.c.Flush()
		return false, err
	}
	props := &ch.props
	if err = props.Parse(m.Props); err != nil {
		return false, errf(Malformed, "%v", err)
	}
	pub := queueproc.Pub{Msg: *m}
	mode, hasMode := props.DeliveryMode()
	if hasMode && mode != 1 && mode != 2 {
		ch.c.Flush()
		return false, errf(PreconditionFailed, "invalid message: {delivery_mode_unknown,%d}", mode)
	}
	if props.Flags()&closerLook == 0 {
		pub.Persistent = props.Persistent()
		pub.Priority, _ = props.Priority()
		if r.fixed && len(r.queues) == 1 && ch.tx == nil && !r.reply {
			ch.count(r, len(m.Body), 1)
			ch.c.add(ch, r.queues[0], pub)
			return true, nil
		}
	} else if err := ch.inspect(props, &pub); err != nil {
		ch.c.Flush()
		return false, err
	}
	return ch.dispatch(r, m, pub)
}

// closerLook are the properties that mean something to the broker beyond
// what every message has.
const closerLook = wire.FlagHeaders | wire.FlagUserID | wire.FlagExpiration | wire.FlagReplyTo

// add gathers a publish for one queue.
func (c *Client) add(ch *Channel, q *Queue, pub queueproc.Pub) {
	t := &c.batch
	if t.queue != q || len(t.pubs) >= maxBatch {
		c.Flush()
		t.queue = q
	}
	t.pubs = append(t.pubs, pub)
	t.chans = append(t.chans, ch)
}

// inspect checks the properties that mean something to the broker.
func (ch *Channel) inspect(props *wire.PropertiesView, pub *queueproc.Pub) error {
	pub.Persistent = props.Persistent()
	pub.Priority, _ = props.Priority()
	if h, ok := props.Headers(); ok {
		if err := wire.ValidateTable(h); err != nil {
			return errf(Malformed, "headers: %v", err)
		}
	}
	if id, ok := props.UserID(); ok && string(id) != ch.c.User && !ch.c.Impersonator {
		return errf(PreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", id, ch.c.User)
	}
	if s, ok := props.Expiration(); ok {
		ms, err := parseExpiration(s)
		if err != nil {
			return err
		}
		pub.Expiry = nowMillis() + ms
	}
	return nil
}

// maxExpiration is ten years in milliseconds, RabbitMQ's upper bound of all times.
const maxExpiration = 315_360_000_000

func parseExpiration(s []byte) (int64, error) {
	n, err := strconv.ParseInt(string(s), 10, 64)
	switch {
	case err != nil && bytes.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0 && len(s) > 0:
		return 0, errf(PreconditionFailed, "invalid expiration '%s': {value_too_large,%s}", s, s)
	case err != nil && len(s) > 0 && s[0] >= '0' && s[0] <= '9':
		i := bytes.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		return 0, errf(PreconditionFailed, "invalid expiration '%s': {leftover_string,%q}", s, s[i:])
	case err != nil:
		return 0, errf(PreconditionFailed, "invalid expiration '%s': no_integer", s)
	case n < 0:
		return 0, errf(PreconditionFailed, "invalid expiration '%s': {value_negative,%d}", s, n)
	case n > maxExpiration:
		return 0, errf(PreconditionFailed, "invalid expiration '%s': {value_too_large,%d}", s, n)
	}
	return n, nil
}

// dispatch is the way of a message that does not simply go to one known queue.
func (ch *Channel) dispatch(r *route, m *message.Message, pub queueproc.Pub) (bool, error) {
	c, props := ch.c, &ch.props
	var more [][]byte
	headers, hasHeaders := props.Headers()
	if hasHeaders {
		var strip bool
		var err error
		if more, strip, err = copies(headers); err != nil {
			c.Flush()
			return false, err
		}
		if strip {
			if m.Props, err = withoutHeader(m.Props, "BCC"); err != nil {
				return false, err
			}
			pub.Msg.Props = m.Props
		}
	}
	if to, ok := props.ReplyTo(); ok && string(to) == replyQueue {
		if ch.reply == nil {
			c.Flush()
			return false, errf(PreconditionFailed, "fast reply consumer does not exist")
		}
		var err error
		if pub.Msg.Props, err = withReplyTo(pub.Msg.Props, ch.reply.address); err != nil {
			return false, err
		}
	}
	if ch.tx != nil {
		return ch.txPublish(r, more, headers, pub)
	}
	if r.reply && len(more) == 0 {
		c.Flush()
		msg := pub.Msg // a copy of its own: it goes to the heap
		ch.count(r, len(m.Body), 0)
		if !c.b.deliverReply(string(m.RoutingKey), &msg) {
			return false, nil
		}
		ch.decided(0, false)
		return true, nil
	}
	queues := r.queues
	if !r.fixed || len(more) > 0 {
		queues = c.route.route(c.vhost, r.x, m.RoutingKey, more, c.route.headers(headers))
	}
	ch.count(r, len(m.Body), len(queues))
	switch len(queues) {
	case 0:
		c.Flush()
		return false, nil
	case 1:
		c.add(ch, queues[0], pub)
		return true, nil
	}
	c.Flush()
	pos, refused := c.b.fanOut(queues, &pub, &c.one)
	ch.decided(pos, refused)
	return true, nil
}

// Unroutable counts a message that no queue took.
func (ch *Channel) Unroutable(returned bool) {
	if returned {
		ch.sent.Returned++
	} else {
		ch.sent.Dropped++
	}
}

// Unrouted ends a publish that no queue took: it is confirmed all the same.
func (ch *Channel) Unrouted() { ch.decided(0, false) }

// Close ends the channel: nothing is told to its Outlet any more.
func (ch *Channel) Close() {
	c := ch.c
	if c.tally.leave(ch) {
		c.b.churn.chansEnded.Add(1)
	}
	ch.uncount()
	c.waitMu.Lock()
	defer c.waitMu.Unlock()
	for i, w := range c.waiting {
		if w == ch {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			break
		}
	}
	ch.listed = true // never again
}

// decided notes the fate of a publish that was not batched.
func (ch *Channel) decided(pos store.Position, refused bool) {
	if ch.confirming && ch.tx == nil {
		ch.confirm.add(1, pos, refused)
		ch.touch()
	}
}

// shareBody is the size from which a body that goes to several queues is
// written to the log once and referred to. Below, a copy costs less.
const shareBody = 512

// fanOut puts one message into several queues. It returns the position up to
// which the log must be durable, and whether any queue refused. one is scratch.
func (b *Broker) fanOut(queues []*Queue, pub *queueproc.Pub, one *[1]queueproc.Pub) (pos store.Position, refused bool) {
	durable := 0
	if pub.Persistent && len(pub.Msg.Body) >= shareBody {
		for _, q := range queues {
			if q.Durable {
				durable++
			}
		}
	}
	if durable > 1 {
		head := pub.Msg.AppendHead(make([]byte, 0, 512))
		pub.Body = b.log.AppendLive(queueproc.KindBody, bodyGroup, true, head, pub.Msg.Body, nil)
		if pub.Body != 0 {
			// Held until the queues hold it.
			defer b.log.Release(pub.Body, store.LiveSize(len(head)+len(pub.Msg.Body)))
		}
	}
	for _, q := range queues {
		one[0] = *pub
		if !q.Durable {
			one[0].Body = 0
		}
		q.Publish(one[:])
		pos = max(pos, one[0].Pos)
		refused = refused || one[0].Refused
	}
	one[0] = queueproc.Pub{}
	return pos, refused
}

func exchangeLabel(name string) string {
	if name == "" {
		return "amq.default"
	}
	return name
}
