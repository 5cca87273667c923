package broker

import (
	"slices"
	"sync"
	"sync/atomic"
)

// With Config.Detailed publishes are counted by the pairs of objects that they
// pass between as well: channel and exchange (a Feed), exchange and queue (a
// Flow). A reader counts what follows each other between the same objects as
// one number of its own and adds it to the pairs when that changes, or its run
// of input is done. Pairs are found without a lock; they are made, and end with
// either of their objects, under pairs.mu.

// Feed is what a channel has published to an exchange. It ends with either.
type Feed struct {
	Channel  *Channel
	Exchange *Exchange // nil: the default one

	published, confirmed, dropped, returned atomic.Uint64
}

// Sent returns what was counted: Published, Confirmed, Dropped and Returned.
func (f *Feed) Sent() Sent {
	return Sent{Published: f.published.Load(), Confirmed: f.confirmed.Load(), Dropped: f.dropped.Load(), Returned: f.returned.Load()}
}

// Flow is what came from an exchange into a queue: of messages that were
// published to this exchange, whatever others they went through, as RabbitMQ
// counts. It ends with either, and outlives channels.
type Flow struct {
	Exchange *Exchange // nil: the default one
	Queue    *Queue

	published atomic.Uint64
}

// Published returns how many messages those were.
func (f *Flow) Published() uint64 { return f.published.Load() }

// pairs are a virtual host's.
type pairs struct{ mu sync.Mutex }

// exchangePairs are an exchange's part in them.
type exchangePairs struct {
	flows sync.Map           // *Queue -> *Flow
	feeds map[*Channel]*Feed // guarded by pairs.mu
	gone  bool               // the exchange is deleted; guarded by pairs.mu
}

// channelFeeds are a channel's, and what waits to be confirmed.
type channelFeeds struct {
	to      sync.Map // *exchangeCount -> *Feed
	pending feedRuns // what confirms.pending is about; guarded by confirms.mu
	ahead   feedRuns // what comes next; the reader's own
}

// feed finds or makes a pair. Called by the channel's reader.
func (p *pairs) feed(ch *Channel, x *exchangeCount, of *Exchange) *Feed {
	if f, ok := ch.feeds.to.Load(x); ok {
		return f.(*Feed)
	}
	f := &Feed{Channel: ch, Exchange: of}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !x.pairs.gone { // else it counts for nobody
		if x.pairs.feeds == nil {
			x.pairs.feeds = map[*Channel]*Feed{}
		}
		x.pairs.feeds[ch] = f
		ch.feeds.to.Store(x, f)
	}
	return f
}

// flow finds or makes a pair.
func (p *pairs) flow(x *exchangeCount, of *Exchange, q *Queue) *Flow {
	if f, ok := x.pairs.flows.Load(q); ok {
		return f.(*Flow)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := x.pairs.flows.Load(q); ok {
		return f.(*Flow)
	}
	f := &Flow{Exchange: of, Queue: q}
	if !x.pairs.gone && !q.unpaired {
		if q.flows == nil {
			q.flows = map[*exchangeCount]*Flow{}
		}
		q.flows[x] = f
		x.pairs.flows.Store(q, f)
	}
	return f
}

// dropChannel ends a channel's pairs.
func (p *pairs) dropChannel(ch *Channel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch.feeds.to.Range(func(x, _ any) bool {
		delete(x.(*exchangeCount).pairs.feeds, ch)
		return true
	})
	ch.feeds.to.Clear()
}

// dropQueue ends those of a queue.
func (p *pairs) dropQueue(q *Queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for x := range q.flows {
		x.pairs.flows.Delete(q)
	}
	q.flows, q.unpaired = nil, true
}

// dropExchange ends those of an exchange.
func (p *pairs) dropExchange(x *exchangeCount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ch := range x.pairs.feeds {
		ch.feeds.to.Delete(x)
	}
	x.pairs.feeds, x.pairs.gone = nil, true
	x.pairs.flows.Range(func(q, _ any) bool {
		delete(q.(*Queue).flows, x)
		return true
	})
	x.pairs.flows.Clear()
}

// pairTally is what a client's reader counts: publishes that follow each other
// on a channel, to an exchange, and from there to the same queues.
type pairTally struct {
	p      *pairs
	ch     *Channel
	x      *exchangeCount
	feed   *Feed
	queues []*Queue
	flows  []*Flow
	n      uint64 // not added to feed and flows yet
}

// count notes a publish. of is the exchange, nil for the default one.
func (t *pairTally) count(ch *Channel, x *exchangeCount, of *Exchange, queues []*Queue) {
	if t.ch != ch || t.x != x || !slices.Equal(t.queues, queues) {
		t.turn(ch, x, of, queues)
	}
	t.n++
	if ch.confirming {
		ch.feeds.ahead.push(t.feed, 1)
	}
}

// turn begins to count something else.
func (t *pairTally) turn(ch *Channel, x *exchangeCount, of *Exchange, queues []*Queue) {
	t.flush()
	if t.ch != ch || t.x != x {
		t.ch, t.x, t.feed = ch, x, t.p.feed(ch, x, of)
	}
	clear(t.queues)
	clear(t.flows)
	t.queues, t.flows = append(t.queues[:0], queues...), t.flows[:0]
	for _, q := range queues {
		t.flows = append(t.flows, t.p.flow(x, of, q))
	}
}

func (t *pairTally) flush() {
	if t.n == 0 {
		return
	}
	t.feed.published.Add(t.n)
	for _, f := range t.flows {
		f.published.Add(t.n)
	}
	t.n = 0
}

// unroutable notes that the publish counted last went nowhere.
func (t *pairTally) unroutable(returned bool) {
	switch {
	case t.feed == nil:
	case returned:
		t.feed.returned.Add(1)
	default:
		t.feed.dropped.Add(1)
	}
}

// arrived notes that a transaction's publish has gone to its queues.
func (t *pairTally) arrived(x *exchangeCount, of *Exchange, queues []*Queue) {
	for _, q := range queues {
		t.p.flow(x, of, q).published.Add(1)
	}
}

// leave ends a channel. Called by the reader, with everything flushed.
func (t *pairTally) leave(ch *Channel) {
	t.p.dropChannel(ch)
	if t.ch == ch {
		*t = pairTally{p: t.p}
	}
}

// feedRun is a run of publishes to the same exchange that wait to be decided.
type feedRun struct {
	feed *Feed
	n    uint64
}

// feedRuns are such runs in the order of the publishes.
type feedRuns struct {
	runs []feedRun
	head int
}

func (r *feedRuns) push(f *Feed, n uint64) {
	if k := len(r.runs); k > r.head && r.runs[k-1].feed == f {
		r.runs[k-1].n += n
		return
	}
	if r.head > 1024 && r.head > len(r.runs)/2 {
		k := copy(r.runs, r.runs[r.head:])
		clear(r.runs[k:])
		r.runs, r.head = r.runs[:k], 0
	}
	r.runs = append(r.runs, feedRun{f, n})
}

// pop takes the first n publishes off and calls each with their feeds.
func (r *feedRuns) pop(n uint64, each func(f *Feed, n uint64)) {
	for n > 0 && r.head < len(r.runs) {
		first := &r.runs[r.head]
		k := min(n, first.n)
		each(first.feed, k)
		n -= k
		if first.n -= k; first.n == 0 {
			first.feed = nil
			r.head++
		}
	}
	if r.head == len(r.runs) {
		r.runs, r.head = r.runs[:0], 0
		if cap(r.runs) > 4096 {
			r.runs = nil
		}
	}
}

// take moves n publishes from the reader's to those that wait for a decision.
// Called by the reader with confirms.mu held.
func (c *channelFeeds) take(n int) { c.ahead.pop(uint64(n), c.pending.push) }

// credit counts n publishes that were decided, with confirms.mu held.
func (c *channelFeeds) credit(n uint32, refused bool) {
	c.pending.pop(uint64(n), func(f *Feed, n uint64) {
		if !refused {
			f.confirmed.Add(n)
		}
	})
}

// Feeds returns what the channel has published, by exchanges, in no order;
// nothing without Config.Detailed.
func (ch *Channel) Feeds() (fs []*Feed) {
	if ch.feeds == nil {
		return nil
	}
	ch.feeds.to.Range(func(_, f any) bool {
		fs = append(fs, f.(*Feed))
		return true
	})
	return fs
}

// Incoming returns what was published to the exchange, by channels that are
// open, in no order. x nil: the default exchange.
func (v *VHost) Incoming(x *Exchange) (fs []*Feed) {
	if v.pairs == nil {
		return nil
	}
	v.pairs.mu.Lock()
	defer v.pairs.mu.Unlock()
	for _, f := range v.counted(x).pairs.feeds {
		fs = append(fs, f)
	}
	return fs
}

// Outgoing returns what came from the exchange into queues, in no order.
func (v *VHost) Outgoing(x *Exchange) (fs []*Flow) {
	if v.pairs == nil {
		return nil
	}
	v.counted(x).pairs.flows.Range(func(_, f any) bool {
		fs = append(fs, f.(*Flow))
		return true
	})
	return fs
}

// Incoming returns what came into the queue, by exchanges, in no order.
func (q *Queue) Incoming() (fs []*Flow) {
	p := q.vhost.pairs
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range q.flows {
		fs = append(fs, f)
	}
	return fs
}

// counted is where what passes an exchange is counted; x nil: the default one.
func (v *VHost) counted(x *Exchange) *exchangeCount {
	if x == nil {
		return &v.count
	}
	return &x.count
}
