package broker

import (
	"cmp"
	"crypto/tls"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
)

// What an operator sees. Lists are made of copies: the registers of objects are
// locked for as long as it takes to copy pointers, each object for as long as
// it takes to copy its figures, and nothing while all are gone through.

// Session is the protocol's side of a connection. Its methods are called by any
// goroutine and do not wait for the connection.
type Session interface {
	// Info says who is connected and how things stand.
	Info() SessionInfo
	// VHost is the name of the virtual host, once the connection is open.
	VHost() (name string, opened bool)
	// Traffic is what has passed the socket.
	Traffic() Traffic
	// Kick closes the connection with a reason.
	Kick(kind Kind, text string)
}

// SessionInfo describes a connection.
type SessionInfo struct {
	ID, Name          string
	UserName, VHost   string // "" before it is open
	Protocol          string // "AMQP 0-9-1"
	State             string // starting, tuning, opening, running, flow, blocking, blocked, closing
	Mechanism         string
	Host, PeerHost    string
	Port, PeerPort    int
	Direct            bool // within the process, without a network
	ChannelMax        int
	FrameMax, Timeout int // bytes, seconds
	ConnectedAt       time.Time
	Properties        wire.Table           // the client's
	TLS               *tls.ConnectionState // nil: plain
	Opened            bool                 // has got as far as its virtual host
	Client            *Client              // nil before that
}

// Enter puts a session on the list of those that are there.
func (b *Broker) Enter(s Session) {
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	if b.ledger.sessions == nil {
		b.ledger.sessions = map[Session]struct{}{}
	}
	b.ledger.sessions[s] = struct{}{}
}

// Leave takes it off. c is its client, nil if it never got one.
func (b *Broker) Leave(s Session, c *Client) {
	t := s.Traffic()
	t.SendPending = 0
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	delete(b.ledger.sessions, s)
	b.ledger.gone.Traffic.Add(&t)
	if c != nil {
		c.vhost.gone.Traffic.Add(&t)
	}
}

// retireClient takes a client off its virtual host and keeps what it counted.
func (b *Broker) retireClient(c *Client) {
	s := c.tally.sum()
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	c.vhost.mu.Lock()
	if c.vhost.clients[c.ID] == c {
		delete(c.vhost.clients, c.ID)
	}
	c.vhost.mu.Unlock()
	if !c.retired {
		c.retired = true
		b.ledger.gone.Sent.Add(&s)
		c.vhost.gone.Sent.Add(&s)
		if !c.Brief {
			b.churn.connsEnded.Add(1)
		}
	}
}

// retireQueue takes a deleted queue off its virtual host and keeps what it
// counted. Called with defs held.
func (b *Broker) retireQueue(v *VHost, q *Queue) {
	b.churn.queuesDeleted.Add(1)
	b.survey.mu.Lock()
	defer b.survey.mu.Unlock()
	n := q.Backlog().Counters
	kind := q.Kind()
	b.survey.forget(q)
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	v.mu.Lock()
	delete(v.queues, q.Name)
	v.mu.Unlock()
	b.ledger.gone.Queues[kind].Add(&n)
	v.gone.Queues[kind].Add(&n)
	if v.pairs != nil {
		v.pairs.dropQueue(q)
	}
}

func kindOfQueue(d *meta.Queue) QueueKind {
	if d.Type == "quorum" {
		return QuorumQueue
	}
	if d.Type == meta.Stream {
		return StreamQueue
	}
	return ClassicQueue
}

// Kind is the queue's type.
func (q *Queue) Kind() QueueKind { return kindOfQueue(q.Definition()) }

// Owner is the connection of an exclusive queue, nil otherwise.
func (q *Queue) Owner() *Client { return q.owner }

// Definition returns the exchange's definition.
func (x *Exchange) Definition() *meta.Exchange { return x.def.Load() }

// Passed returns how many messages came to the exchange, and how many ways they
// took into queues.
func (x *Exchange) Passed() (in, out uint64) { return x.count.in.Load(), x.count.out.Load() }

// DefaultPassed is Exchange.Passed of the default exchange.
func (v *VHost) DefaultPassed() (in, out uint64) { return v.count.in.Load(), v.count.out.Load() }

// Exchanges returns all exchanges but the default one, in no order.
func (v *VHost) Exchanges() []*Exchange {
	v.mu.RLock()
	defer v.mu.RUnlock()
	xs := make([]*Exchange, 0, len(v.exchanges))
	for _, x := range v.exchanges {
		xs = append(xs, x)
	}
	return xs
}

// VHosts returns all virtual hosts, by name.
func (b *Broker) VHosts() []*VHost {
	b.mu.RLock()
	vs := make([]*VHost, 0, len(b.vhosts))
	for _, v := range b.vhosts {
		vs = append(vs, v)
	}
	b.mu.RUnlock()
	slices.SortFunc(vs, func(x, y *VHost) int { return cmp.Compare(x.Name, y.Name) })
	return vs
}

// Clients returns the clients of a virtual host, in no order.
func (v *VHost) Clients() []*Client {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.AppendSeq(make([]*Client, 0, len(v.clients)), maps.Values(v.clients))
}

// client returns one of them, nil if it is not there.
func (v *VHost) client(id string) *Client {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.clients[id]
}

// allClients returns those of all virtual hosts, in no order.
func (b *Broker) allClients() (cs []*Client) {
	for _, v := range b.VHosts() {
		cs = append(cs, v.Clients()...)
	}
	return cs
}

// Sent is what the client has published.
func (c *Client) Sent() Sent { return c.tally.sum() }

// Channels returns the client's open channels, in no order.
func (c *Client) Channels() []*Channel {
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	return slices.Clone(c.tally.chans)
}

// ChannelCount is how many channels are open.
func (c *Client) ChannelCount() int {
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	return len(c.tally.chans)
}

// Client is who the channel belongs to.
func (ch *Channel) Client() *Client { return ch.c }

// Outlet is the protocol's side of the channel.
func (ch *Channel) Outlet() Outlet { return ch.out }

// Sent is what the channel has published, and how many of its publishes wait to
// be confirmed. Anybody may call it.
func (ch *Channel) Sent() (s Sent, unconfirmed uint64) {
	ch.c.tally.mu.Lock()
	s = ch.shown
	ch.c.tally.mu.Unlock()
	var waiting uint64
	s.Confirmed, waiting = ch.confirm.counts()
	return s, waiting
}

// Received counts what a channel was given.
type Received struct {
	Delivered, DeliveredNoAck, Got, GotNoAck, GotEmpty, Redelivered, Acked uint64
}

// Add adds up.
func (r *Received) Add(o *Received) {
	r.Delivered += o.Delivered
	r.DeliveredNoAck += o.DeliveredNoAck
	r.Got += o.Got
	r.GotNoAck += o.GotNoAck
	r.GotEmpty += o.GotEmpty
	r.Redelivered += o.Redelivered
	r.Acked += o.Acked
}

// DeliverGet is the number of all deliveries.
func (r *Received) DeliverGet() uint64 { return r.Delivered + r.DeliveredNoAck + r.Got + r.GotNoAck }

// ChannelInfo is the protocol's side of a channel.
type ChannelInfo struct {
	Number                   int
	Prefetch, GlobalPrefetch int
	Consumers, Unacked       int
	Transactional, Confirm   bool
	UncommittedMessages      int
	UncommittedAcks          int
	Received                 Received
}

// ChannelSession is what an Outlet may be beyond itself, for those who look.
type ChannelSession interface {
	// Number is the channel's.
	Number() int
	// Info describes the channel.
	Info() ChannelInfo
	// ByQueue calls f with what was received of each queue.
	ByQueue(f func(q *queueproc.Queue, r Received))
}

// ConsumerInfo is a consumer of a queue.
type ConsumerInfo struct {
	queueproc.ConsumerInfo
	Queue   *Queue
	Channel *Channel // nil: the consumer's channel is not known
	Session ConsumerSession
}

// ConsumerSession is what Consumer.User may be, for those who look.
type ConsumerSession interface {
	// Channel is the number of the consumer's channel, and its core.
	Channel() (number int, core *Channel)
	// Arguments are those that the consumer came with.
	Arguments() wire.Table
}

// Consumers returns a queue's consumers in the order in which they came.
func (q *Queue) Consumers() []ConsumerInfo {
	var out []ConsumerInfo
	q.EachConsumer(func(i queueproc.ConsumerInfo) {
		c := ConsumerInfo{ConsumerInfo: i, Queue: q}
		if s, ok := i.User.(ConsumerSession); ok {
			c.Session = s
			_, c.Channel = s.Channel()
		}
		out = append(out, c)
	})
	return out
}

// Sessions returns all that are connected, also those that are still shaking
// hands, in no order.
func (b *Broker) Sessions() []Session {
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	ss := make([]Session, 0, len(b.ledger.sessions))
	for s := range b.ledger.sessions {
		ss = append(ss, s)
	}
	return ss
}

// Waits returns the node's histogram of how long messages waited in queues of a
// kind.
func (b *Broker) Waits(k QueueKind) *queueproc.Waits { return &b.waits[k] }

// StoreStats returns the figures of the node's log.
func (b *Broker) StoreStats() store.Stats { return b.log.Stats() }

// StoreSegments lists the segments of the node's log, oldest first.
func (b *Broker) StoreSegments() []store.SegmentStats { return b.log.Segments() }

// NodeID is the node's identity, in words that outlive its names.
func (b *Broker) NodeID() string {
	id, err := b.identity()
	if err != nil {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Started is when the node's core was opened.
func (b *Broker) Started() time.Time { return b.started }

// MemoryHeld is how many bytes of waiting messages are in memory.
func (b *Broker) MemoryHeld() int64 { return b.budget.Used() }

// CloseConnectionAs closes the connection of a name on an operator's behalf; no
// reason: RabbitMQ's. It reports whether there was one.
func (b *Broker) CloseConnectionAs(a Actor, name, reason string) bool {
	n := b.closeSessions(a, reason, func(i *SessionInfo) bool { return i.Name == name })
	return n > 0
}

// CloseConnectionsAs closes those that match and returns how many they were.
// Empty user or vhost: any.
func (b *Broker) CloseConnectionsAs(a Actor, user, vhost, reason string) int {
	return b.closeSessions(a, reason, func(i *SessionInfo) bool {
		return i.Opened && (user == "" || i.UserName == user) && (vhost == "" || i.VHost == vhost)
	})
}

func (b *Broker) closeSessions(a Actor, reason string, match func(*SessionInfo) bool) (n int) {
	if reason == "" {
		reason = "Closed via management plugin"
	}
	for _, s := range b.Sessions() {
		i := s.Info()
		if !match(&i) {
			continue
		}
		n++
		s.Kick(ConnectionForced, reason)
		b.Audit(AuditEntry{Actor: a, Action: "close connection", VHost: i.VHost, Object: i.Name, Result: AuditOK, Detail: reason})
	}
	return n
}
