package broker

import (
	"bytes"
	"slices"
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
	Number     uint16 // of the channel in its connection, for traces
	counted    bool   // against the limits of user and node
	confirming bool
	confirm    confirms
	listed     bool          // on Client.waiting; guarded by its waitMu
	sent       Sent          // counted so far
	dirty      bool          // on tally.dirty
	shown      Sent          // a copy of sent for others; guarded by tally.mu
	place      int           // in tally.chans, from 1; 0: closed; guarded by tally.mu
	feeds      *channelFeeds // nil: pairs are not counted
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
	if c.tally.pairs != nil {
		ch.feeds = &channelFeeds{}
		ch.confirm.feeds = ch.feeds
	}
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
	mode, hasMode := props.DeliveryMode()
	if hasMode && mode != 1 && mode != 2 {
		ch.c.Flush()
		return false, errf(PreconditionFailed, "invalid message: {delivery_mode_unknown,%d}", mode)
	}
	if props.Flags()&closerLook == 0 && r.fixed && len(r.queues) > 0 && ch.tx == nil && !r.reply {
		ch.count(r, len(m.Body), len(r.queues), r.queues)
		p := ch.c.add(ch, r.queues)
		p.Msg = *m
		p.Persistent, p.Awaited = mode == 2, ch.confirming
		p.Priority, _ = props.Priority()
		return true, nil
	}
	pub := queueproc.Pub{Msg: *m, Awaited: ch.confirming && ch.tx == nil}
	if err := ch.inspect(props, &pub); err != nil {
		ch.c.Flush()
		return false, err
	}
	return ch.dispatch(r, m, pub)
}

// closerLook are the properties that mean something to the broker beyond
// what every message has.
const closerLook = wire.FlagHeaders | wire.FlagUserID | wire.FlagExpiration | wire.FlagReplyTo

// add gathers a publish for queues and returns the place to write it to.
func (c *Client) add(ch *Channel, queues []*Queue) *queueproc.Pub {
	t := &c.batch
	if len(t.pubs) >= t.room || !t.goesTo(queues) {
		c.Flush()
		t.queues = append(t.queues[:0], queues...)
		t.room = min(max(maxDeliveries/len(queues), minBatch), maxBatch)
	}
	if len(t.pubs) == cap(t.pubs) {
		t.pubs = append(t.pubs, queueproc.Pub{})
	} else {
		t.pubs = t.pubs[:len(t.pubs)+1] // what was there is cleared
	}
	t.chans = append(t.chans, ch)
	return &t.pubs[len(t.pubs)-1]
}

func (t *batch) goesTo(queues []*Queue) bool {
	return len(t.queues) == len(queues) && (t.queues[0] == queues[0]) && (len(queues) == 1 || slices.Equal(t.queues, queues))
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
		if more, pub.Msg.Hidden, strip, err = copies(headers); err != nil {
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
		ch.count(r, len(m.Body), 0, nil)
		if c.vhost.traces(m.Exchange) {
			ch.tracePublish(&msg, more, nil)
		}
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
	ch.count(r, len(m.Body), len(queues), queues)
	if c.vhost.traces(m.Exchange) {
		ch.tracePublish(&pub.Msg, more, queues)
	}
	if len(queues) == 0 {
		c.Flush()
		return false, nil
	}
	*c.add(ch, queues) = pub
	return true, nil
}

// Unroutable counts a message that no queue took.
func (ch *Channel) Unroutable(returned bool) {
	if returned {
		ch.sent.Returned++
	} else {
		ch.sent.Dropped++
	}
	if p := ch.c.tally.pairs; p != nil {
		p.unroutable(returned)
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

// fanOut puts messages into one or several queues, all into the first, then all
// into the second, and says in each Pub what became of it. behind: consumers'
// connections have much to send; full: this queue, and most of the others, would
// rather have no more for a moment, or this one has none until there is room.
func (b *Broker) fanOut(queues []*Queue, pubs []queueproc.Pub) (behind bool, full *Queue) {
	if len(queues) > 1 {
		if bodies := b.shareBodies(queues, pubs); len(bodies) > 0 {
			// Held until the queues hold them.
			defer func() {
				for _, s := range bodies {
					b.log.Release(s.pos, s.size)
				}
			}()
		}
	}
	now := nowMillis()
	n := 0
	var over *Queue
	for _, q := range queues {
		is := q.Publish(now, pubs)
		behind = behind || is.Behind
		if is.Full {
			full = q
			n++
		}
		if is.Over {
			over = q
		}
	}
	if 2*n <= len(queues) {
		full = nil // one slow consumer of many does not hold up the others
	}
	if over != nil {
		full = over
	}
	return behind, full
}

// sharedBody is a record of a message that several queues refer to.
type sharedBody struct {
	pos  store.Position
	size uint32
}

// shareBodies writes the messages that several durable queues will write to
// the log as records of their own.
func (b *Broker) shareBodies(queues []*Queue, pubs []queueproc.Pub) (bodies []sharedBody) {
	durable := 0
	for _, q := range queues {
		if q.Durable {
			durable++
		}
	}
	if durable < 2 {
		return nil
	}
	var head []byte
	for i := range pubs {
		p := &pubs[i]
		if !p.Persistent || len(p.Msg.Body) < shareBody {
			continue
		}
		head = p.Msg.AppendHead(head[:0])
		if p.Body = b.log.AppendLive(queueproc.KindBody, bodyGroup, true, head, p.Msg.Body, nil); p.Body != 0 {
			bodies = append(bodies, sharedBody{p.Body, store.LiveSize(len(head) + len(p.Msg.Body))})
		}
	}
	return bodies
}

func exchangeLabel(name string) string {
	if name == "" {
		return "amq.default"
	}
	return name
}
