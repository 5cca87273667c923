package session

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// What an operator sees of connections and channels. The reader shows a new
// SessionInfo whenever it gets further; what changes all the time is counted in
// places that others may read.

// show lets others see how far the connection is. Called by the reader.
func (c *Conn) show(state string) {
	var st *tls.ConnectionState
	if t, ok := c.nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
		if now := t.ConnectionState(); now.HandshakeComplete {
			st = &now
		}
	}
	c.shownMu.Lock()
	defer c.shownMu.Unlock()
	c.shown = broker.SessionInfo{
		ID: c.id, Name: c.name, UserName: c.user, Protocol: "AMQP 0-9-1", State: state, Mechanism: c.mechanism,
		Host: c.local.host, Port: c.local.port, PeerHost: c.peer.host, PeerPort: c.peer.port, Direct: !c.peer.network,
		ChannelMax: int(c.channelMax), FrameMax: int(c.frameMax), Timeout: c.timeout,
		ConnectedAt: c.connected, Properties: c.props, TLS: st, Opened: c.opened != nil, Client: c.opened,
	}
	if c.opened != nil {
		c.shown.VHost = c.opened.VHostName()
	}
	if c.old {
		c.shown.Protocol = "AMQP 0-8"
	}
}

// endpoint is one end of a connection.
type endpoint struct {
	host, text string
	port       int
	network    bool
}

func endpointOf(a net.Addr) endpoint {
	t, tcp := a.(*net.TCPAddr)
	text := ""
	if tcp && len(t.IP) > 0 {
		at := t.AddrPort()
		text = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String() // as t's, in fewer steps
	} else {
		text = a.String()
	}
	e := endpoint{host: text, text: text}
	if tcp {
		e.host = strings.Trim(text[:strings.LastIndexByte(text, ':')], "[]")
		e.port, e.network = t.Port, true
	} else if h, p, err := net.SplitHostPort(text); err == nil {
		e.host = h
		e.port, _ = strconv.Atoi(p)
	}
	return e
}

// leave takes the connection off the broker's list.
func (c *Conn) leave() { c.srv.Broker.Leave(c, c.opened) }

// Info implements broker.Session.
func (c *Conn) Info() broker.SessionInfo {
	c.shownMu.Lock()
	i := c.shown
	c.shownMu.Unlock()
	if i.State != "running" {
		return i
	}
	full := c.srv.Broker.Blocked() != ""
	paused := c.paused.Load()
	switch {
	case c.forced.Load():
		i.State = "closing"
	case full && paused:
		i.State = "blocked"
	case full:
		i.State = "blocking"
	case paused:
		i.State = "flow"
	}
	return i
}

// VHost implements broker.Session.
func (c *Conn) VHost() (name string, opened bool) {
	c.shownMu.Lock()
	defer c.shownMu.Unlock()
	return c.shown.VHost, c.shown.Opened
}

// Traffic implements broker.Session.
func (c *Conn) Traffic() broker.Traffic {
	return broker.Traffic{
		RecvBytes: c.recvBytes.Load(), RecvCount: c.recvCount.Load(),
		SendBytes: c.sentBytes.Load(), SendCount: c.sentCount.Load(), SendPending: c.out.size.Load(),
	}
}

// Kick implements broker.Session.
func (c *Conn) Kick(kind broker.Kind, text string) { c.Force(codes[kind], text) }

// uncommitted counts what a transaction holds. Guarded by the outbox's lock.
type uncommitted struct{ messages, acks int }

func (ch *channel) countUncommitted() {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	ch.uncommitted.messages++
}

// queueTally counts what a channel was given of one queue. Guarded by the
// outbox's lock.
type queueTally struct {
	queue *queueproc.Queue
	uses  int // consumers
	broker.Received
}

// maxTallies bounds the queues that a channel tells apart, apart from those that
// it consumes from.
const maxTallies = 128

func (ch *channel) findTally(q *queueproc.Queue) *queueTally {
	for _, t := range ch.tallies {
		if t.queue == q {
			return t
		}
	}
	if len(ch.tallies) >= maxTallies && len(ch.tallies)%maxTallies == 0 {
		kept := ch.tallies[:0]
		for _, t := range ch.tallies {
			if t.uses > 0 {
				kept = append(kept, t)
			}
		}
		clear(ch.tallies[len(kept):])
		ch.tallies = kept
	}
	t := &queueTally{queue: q}
	ch.tallies = append(ch.tallies, t)
	return t
}

// tallyOf returns the tally for a new consumer of q.
func (ch *channel) tallyOf(q *queueproc.Queue) *queueTally {
	t := ch.findTally(q)
	t.uses++
	return t
}

// countDelivery, countGet and countAck are called with the outbox locked.
func (ch *channel) countDelivery(k *consumer, redelivered bool) {
	t := k.tally
	if t == nil {
		return // a direct reply
	}
	if k.noAck {
		ch.received.DeliveredNoAck++
		t.DeliveredNoAck++
	} else {
		ch.received.Delivered++
		t.Delivered++
	}
	if redelivered {
		ch.received.Redelivered++
		t.Redelivered++
	}
}

func (ch *channel) countGet(q *queueproc.Queue, noAck, redelivered bool) {
	t := ch.findTally(q)
	if noAck {
		ch.received.GotNoAck++
		t.GotNoAck++
	} else {
		ch.received.Got++
		t.Got++
	}
	if redelivered {
		ch.received.Redelivered++
		t.Redelivered++
	}
}

// countEmpty counts a basic.get that found nothing.
func (ch *channel) countEmpty(queue string) {
	var q *broker.Queue
	if v := ch.conn.srv.Broker.VHost(ch.conn.client.VHostName()); v != nil {
		q = v.Queue(queue)
	}
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	ch.received.GotEmpty++
	if q != nil {
		ch.findTally(q.Queue).GotEmpty++
	}
}

func (ch *channel) countAck(d *delivery) {
	ch.received.Acked++
	if d.consumer != nil {
		d.consumer.tally.Acked++
	} else {
		ch.findTally(d.queue).Acked++
	}
}

// Number implements broker.ChannelSession.
func (ch *channel) Number() int { return int(ch.id) }

// Info implements broker.ChannelSession.
func (ch *channel) Info() broker.ChannelInfo {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	i := broker.ChannelInfo{
		Number: int(ch.id), Prefetch: int(ch.shownPrefetch), GlobalPrefetch: int(ch.limit),
		Consumers: len(ch.consumers), Unacked: ch.unacked.alive, Received: ch.received,
		Transactional: ch.shownTx, Confirm: ch.shownConfirm,
		UncommittedMessages: ch.uncommitted.messages, UncommittedAcks: ch.uncommitted.acks,
	}
	return i
}

// ByQueue implements broker.ChannelSession. f is called without a lock.
func (ch *channel) ByQueue(f func(q *queueproc.Queue, r broker.Received)) {
	ch.conn.out.mu.Lock()
	ts := make([]queueTally, len(ch.tallies))
	for i, t := range ch.tallies {
		ts[i] = *t
	}
	ch.conn.out.mu.Unlock()
	for i := range ts {
		f(ts[i].queue, ts[i].Received)
	}
}

// showMode lets others see the channel's mode. Called by the reader.
func (ch *channel) showMode(confirm, tx bool) {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	ch.shownConfirm = ch.shownConfirm || confirm
	ch.shownTx = ch.shownTx || tx
}

// Channel implements broker.ConsumerSession.
func (k *consumer) Channel() (int, *broker.Channel) { return int(k.ch.id), k.ch.core }

// Arguments implements broker.ConsumerSession.
func (k *consumer) Arguments() wire.Table { return k.args }
