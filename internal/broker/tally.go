package broker

import (
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// Counting costs a publish a few additions to numbers that only its
// connection's reader touches. When a run of input is done (Client.Settle) they
// are copied to where others may look. Sums over objects are made when somebody
// asks; what objects that are gone had counted is kept, so that sums never go
// down.

// Sent counts what was published.
type Sent struct {
	Published, Routed uint64 // messages; ways into queues
	Confirming        uint64 // published on channels with confirms
	Confirmed         uint64
	Dropped, Returned uint64 // no queue took them
	Bytes             uint64 // of bodies
	Sizes             [SizeBuckets]uint64
}

// SizeBuckets is the length of Sent.Sizes.
const SizeBuckets = 9

// SizeBounds are the upper bounds of Sent.Sizes in bytes; the last is open.
func SizeBounds() [SizeBuckets - 1]int {
	return [...]int{100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000, 100_000_000}
}

func sizeBucket(n int) int {
	switch {
	case n <= 100:
		return 0
	case n <= 1000:
		return 1
	case n <= 10_000:
		return 2
	case n <= 100_000:
		return 3
	}
	b := SizeBounds()
	for i := 4; i < len(b); i++ {
		if n <= b[i] {
			return i
		}
	}
	return SizeBuckets - 1
}

// Add adds up.
func (s *Sent) Add(o *Sent) {
	s.Published += o.Published
	s.Routed += o.Routed
	s.Confirming += o.Confirming
	s.Confirmed += o.Confirmed
	s.Dropped += o.Dropped
	s.Returned += o.Returned
	s.Bytes += o.Bytes
	for i := range s.Sizes {
		s.Sizes[i] += o.Sizes[i]
	}
}

// Traffic counts what passed a connection's socket.
type Traffic struct {
	RecvBytes, RecvCount, SendBytes, SendCount uint64
	SendPending                                int64 // bytes that wait now
}

// Add adds up.
func (t *Traffic) Add(o *Traffic) {
	t.RecvBytes += o.RecvBytes
	t.RecvCount += o.RecvCount
	t.SendBytes += o.SendBytes
	t.SendCount += o.SendCount
	t.SendPending += o.SendPending
}

// QueueKind is a type of queue, as counters tell them apart.
type QueueKind uint8

const (
	ClassicQueue QueueKind = iota
	QuorumQueue
	StreamQueue
	QueueKinds // how many there are
)

// Totals are sums over a virtual host or the node. Its counts never go down.
type Totals struct {
	Sent
	Traffic
	Queues [QueueKinds]queueproc.Counters
}

// Add adds up.
func (t *Totals) Add(o *Totals) {
	t.Sent.Add(&o.Sent)
	t.Traffic.Add(&o.Traffic)
	for i := range t.Queues {
		t.Queues[i].Add(&o.Queues[i])
	}
}

// AllQueues is the sum over the kinds of queues.
func (t *Totals) AllQueues() (c queueproc.Counters) {
	for i := range t.Queues {
		c.Add(&t.Queues[i])
	}
	return c
}

// exchangeCount counts what came to an exchange and what left it for queues.
type exchangeCount struct {
	in, out atomic.Uint64
	pairs   exchangePairs
}

// tally is a Client's counting.
type tally struct {
	// The reader's own.
	dirty   []*Channel // that published since the last show
	x       *exchangeCount
	in, out uint64     // of x, not added to it yet
	pairs   *pairTally // nil: pairs are not counted

	mu    sync.Mutex
	chans []*Channel // open; each knows its place
	gone  Sent       // of channels that are closed
}

// count notes a publish that takes so many ways, and the queues that get it now:
// none if that is with a commit.
func (ch *Channel) count(r *route, size, ways int, queues []*Queue) {
	t := &ch.c.tally
	if !ch.dirty {
		ch.dirty = true
		t.dirty = append(t.dirty, ch)
	}
	s := &ch.sent
	s.Published++
	s.Routed += uint64(ways)
	s.Bytes += uint64(size)
	s.Sizes[sizeBucket(size)]++
	if ch.confirming {
		s.Confirming++
	}
	x := ch.c.vhost.counted(r.x)
	if t.x != x {
		t.flush()
		t.x = x
	}
	t.in++
	t.out += uint64(ways)
	if t.pairs != nil {
		t.pairs.count(ch, x, r.x, queues)
	}
}

func (t *tally) flush() {
	if t.x != nil {
		t.x.in.Add(t.in)
		t.x.out.Add(t.out)
	}
	t.x, t.in, t.out = nil, 0, 0
}

// show lets others see what was counted. Called by the reader.
func (t *tally) show() {
	t.flush()
	if t.pairs != nil {
		t.pairs.flush()
	}
	t.mu.Lock()
	for i, ch := range t.dirty {
		ch.shown = ch.sent
		ch.dirty = false
		t.dirty[i] = nil
	}
	t.mu.Unlock()
	t.dirty = t.dirty[:0]
}

func (t *tally) enter(ch *Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.chans = append(t.chans, ch)
	ch.place = len(t.chans)
}

// leave ends a channel: what it counted stays with the client.
func (t *tally) leave(ch *Channel) (was bool) {
	confirmed, _ := ch.confirm.counts()
	t.show()
	if t.pairs != nil {
		t.pairs.leave(ch)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if was = ch.place > 0; was {
		n := len(t.chans) - 1
		t.chans[ch.place-1] = t.chans[n]
		t.chans[n].place = ch.place
		t.chans[n] = nil
		t.chans, ch.place = t.chans[:n], 0
		ch.shown.Confirmed = confirmed
		t.gone.Add(&ch.shown)
	}
	return was
}

// sum is all that the client has published. Anybody may call it.
func (t *tally) sum() Sent {
	s, _, _ := t.look(nil)
	return s
}

// look is sum with the client's open channels, appended to dst, and how many of
// them have published.
func (t *tally) look(dst []*Channel) (s Sent, chans []*Channel, publishers int) {
	t.mu.Lock()
	s = t.gone
	at := len(dst)
	for _, ch := range t.chans {
		s.Add(&ch.shown)
		if ch.shown.Published > 0 {
			publishers++
		}
		dst = append(dst, ch)
	}
	t.mu.Unlock()
	for _, ch := range dst[at:] {
		n, _ := ch.confirm.counts()
		s.Confirmed += n
	}
	return s, dst, publishers
}

// counts returns how many publishes were confirmed, and how many wait for it.
func (c *confirms) counts() (confirmed, waiting uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told, c.seq - c.told - c.refused
}

// ledger is what objects that are gone have counted, and who is connected.
type ledger struct {
	mu       sync.Mutex // taken before Broker.mu and VHost.mu
	gone     Totals
	sessions map[Session]struct{}
}

// Churn counts what comes and goes.
type Churn struct {
	ConnectionsCreated, ConnectionsClosed, ChannelsCreated, ChannelsClosed uint64
	QueuesDeclared, QueuesCreated, QueuesDeleted                           uint64
}

type churn struct {
	connsMade, connsEnded, chansMade, chansEnded atomic.Uint64
	queuesDeclared, queuesCreated, queuesDeleted atomic.Uint64
}

// Churn returns what has come and gone since the node started.
func (b *Broker) Churn() Churn {
	c := &b.churn
	return Churn{
		ConnectionsCreated: c.connsMade.Load(), ConnectionsClosed: c.connsEnded.Load(),
		ChannelsCreated: c.chansMade.Load(), ChannelsClosed: c.chansEnded.Load(),
		QueuesDeclared: c.queuesDeclared.Load(), QueuesCreated: c.queuesCreated.Load(), QueuesDeleted: c.queuesDeleted.Load(),
	}
}
