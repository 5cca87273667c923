package broker

import (
	"cmp"
	"crypto/tls"
	"encoding/hex"
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
	delete(c.vhost.clients, c)
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
	n := q.Backlog().Counters
	kind := kindOfQueue(q.Definition())
	b.churn.queuesDeleted.Add(1)
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	v.mu.Lock()
	delete(v.queues, q.Name)
	v.mu.Unlock()
	b.ledger.gone.Queues[kind].Add(&n)
	v.gone.Queues[kind].Add(&n)
}

func kindOfQueue(d *meta.Queue) QueueKind {
	if d.Type == "quorum" {
		return QuorumQueue
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
	cs := make([]*Client, 0, len(v.clients))
	for c := range v.clients {
		cs = append(cs, c)
	}
	return cs
}

// Sent is what the client has published.
func (c *Client) Sent() Sent { return c.tally.sum() }

// Channels returns the client's open channels, in no order.
func (c *Client) Channels() []*Channel {
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	chs := make([]*Channel, 0, len(c.tally.chans))
	for ch := range c.tally.chans {
		chs = append(chs, ch)
	}
	return chs
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

// Survey is a look at everything that is counted.
type Survey struct {
	Node   Totals
	VHosts []VHostSurvey
}

// VHostSurvey is a virtual host's part in it.
type VHostSurvey struct {
	VHost                     *VHost
	Totals                    Totals
	Ready, Unacked, Consumers int
	QueueCount, Exchanges     int
	Connections, Channels     int
	Publishers                int // channels that have published
}

// Visitor is shown the objects that a survey comes by. Any may be nil.
type Visitor struct {
	Queue   func(q *Queue, b *queueproc.Backlog)
	Client  func(c *Client, s *Sent)
	Session func(s Session, i *SessionInfo, t *Traffic)
}

// Survey goes through all objects and adds up. The sums never go down from one
// survey to the next, whatever is deleted.
func (b *Broker) Survey(v Visitor) *Survey {
	s := &Survey{}
	b.ledger.mu.Lock()
	s.Node = b.ledger.gone
	sessions := make([]Session, 0, len(b.ledger.sessions))
	for ss := range b.ledger.sessions {
		sessions = append(sessions, ss)
	}
	var queues [][]*Queue
	for _, vh := range b.VHosts() {
		queues = append(queues, vh.Queues())
		s.VHosts = append(s.VHosts, VHostSurvey{VHost: vh, Totals: vh.gone})
	}
	var clients []*Client
	b.clients.Range(func(_, c any) bool {
		if c := c.(*Client); !c.retired {
			clients = append(clients, c)
		}
		return true
	})
	b.ledger.mu.Unlock()
	at := make(map[string]*VHostSurvey, len(s.VHosts))
	for i, qs := range queues {
		vs := &s.VHosts[i]
		at[vs.VHost.Name] = vs
		vs.queues(qs, &s.Node, &v)
	}
	for _, c := range clients {
		sent := c.tally.sum()
		s.Node.Sent.Add(&sent)
		if vs := at[c.vhost.Name]; vs != nil && vs.VHost == c.vhost {
			vs.client(c, &sent)
		}
		if v.Client != nil {
			v.Client(c, &sent)
		}
	}
	for _, ss := range sessions {
		info, t := ss.Info(), ss.Traffic()
		s.Node.Traffic.Add(&t)
		if vs := at[info.VHost]; vs != nil && info.Opened {
			vs.Totals.Traffic.Add(&t)
		}
		if v.Session != nil {
			v.Session(ss, &info, &t)
		}
	}
	return s
}

func (vs *VHostSurvey) queues(queues []*Queue, node *Totals, v *Visitor) {
	vs.QueueCount = len(queues)
	vs.VHost.mu.RLock()
	vs.Exchanges = len(vs.VHost.exchanges) + 1
	vs.VHost.mu.RUnlock()
	for _, q := range queues {
		l := q.Backlog()
		kind := q.Kind()
		vs.Ready += l.Ready
		vs.Unacked += l.Unacked
		vs.Consumers += l.Consumers
		vs.Totals.Queues[kind].Add(&l.Counters)
		node.Queues[kind].Add(&l.Counters)
		if v.Queue != nil {
			v.Queue(q, &l)
		}
	}
}

func (vs *VHostSurvey) client(c *Client, sent *Sent) {
	vs.Totals.Sent.Add(sent)
	n, publishers := c.tally.channels()
	vs.Connections++
	vs.Channels += n
	vs.Publishers += publishers
}

// channels returns how many are open, and how many of them have published.
func (t *tally) channels() (n, publishers int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ch := range t.chans {
		if ch.shown.Published > 0 {
			publishers++
		}
	}
	return len(t.chans), publishers
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
