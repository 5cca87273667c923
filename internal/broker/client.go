package broker

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/store"
)

// ClientInfo says who opens a Client.
type ClientInfo struct {
	ID   string // unique in this node
	User string // already authenticated
	// Impersonator: the user may publish with anybody's user-id.
	Impersonator bool
	VHost        string
	Name         string // "peer:port -> host:port" for a connection
	// Brief: no connection, but one deed of a user of the HTTP API. It counts
	// against no limit.
	Brief bool
	// Operator: whoever owns the node. Nothing is forbidden to them; User need
	// not exist. Implies Brief.
	Operator bool
	// Kick ends the connection from outside (its vhost was deleted, an
	// operator closed it). Called on any goroutine, must not block.
	Kick func(kind Kind, text string)
}

// Client is a user at work in a virtual host: what a connection is to the
// core. Its methods and those of its Channels are called by one goroutine at a
// time, unless said otherwise.
type Client struct {
	ClientInfo
	b      *Broker
	vhost  *VHost
	access *auth.Checker

	route   router
	batch   batch
	entered bool                // counted against limits
	Held    atomic.Bool         // its publishes wait now (Hold); for its protocol to set
	pressed *Queue              // would rather have no more publishes for a moment
	queues  map[*Queue]struct{} // exclusive ones; guarded by Broker.defs

	tally   tally
	retired bool // guarded by ledger.mu

	// Channels with publishes that wait for the log. Guarded by waitMu.
	waitMu  sync.Mutex
	waiting []*Channel
	asked   bool // registered with the log
	closed  bool
}

// batch gathers consecutive publishes that go to the same queues, so that their
// locks are taken once for all of them.
type batch struct {
	queues []*Queue
	room   int // publishes that go in
	pubs   []queueproc.Pub
	chans  []*Channel
}

// Bounds of a batch. With many queues it is smaller, as what it becomes lies in
// the outboxes at once.
const (
	maxBatch      = 256
	minBatch      = 4
	maxDeliveries = 2048
)

// Connect opens a Client. The user has been authenticated by the caller.
func (b *Broker) Connect(info ClientInfo) (*Client, error) {
	info.Brief = info.Brief || info.Operator
	c := &Client{ClientInfo: info, b: b}
	if err := c.enter(); err != nil {
		return nil, c.refused(AuditEntry{Action: "open connection", VHost: info.VHost, Object: info.VHost}, err)
	}
	v := c.vhost
	if v.pairs != nil {
		c.tally.pairs = &pairTally{p: v.pairs}
	}
	v.mu.Lock()
	v.clients[c.ID] = c
	v.mu.Unlock()
	if !info.Brief {
		b.churn.connsMade.Add(1)
	}
	if b.VHost(info.VHost) != v {
		c.Close() // deleted in between
		return nil, errf(NotAllowed, "vhost %s not found", info.VHost)
	}
	return c, nil
}

// enter finds the virtual host and checks, in RabbitMQ's order, limits and access.
func (c *Client) enter() (err error) {
	if c.vhost = c.b.VHost(c.VHost); c.vhost == nil {
		return errf(NotAllowed, "vhost %s not found", c.VHost)
	}
	if c.Operator {
		return nil
	}
	if !c.Brief {
		if err := c.b.enterConnection(c.User, c.VHost); err != nil {
			return err
		}
	}
	if c.access, err = c.b.auth.Checker(c.User, c.VHost, nil); err != nil {
		if !c.Brief {
			c.b.leaveConnection(c.User, c.VHost)
		}
		return coreAuthError(err)
	}
	c.entered = !c.Brief
	return nil
}

// VHostName is the name of the client's virtual host.
func (c *Client) VHostName() string { return c.vhost.Name }

// Close ends the client: its exclusive queues are deleted. Channels are closed
// by the caller before.
func (c *Client) Close() {
	c.waitMu.Lock()
	c.closed, c.waiting = true, nil
	c.waitMu.Unlock()
	c.b.retireClient(c)
	if c.entered {
		c.entered = false
		c.b.leaveConnection(c.User, c.VHost)
	}
	c.b.defs.Lock()
	mine := make([]*Queue, 0, len(c.queues))
	for q := range c.queues {
		mine = append(mine, q)
	}
	c.b.defs.Unlock()
	for _, q := range mine {
		c.b.deleteQueue(q)
	}
}

// Flush puts the gathered publishes into their queue. The reader calls it
// before the bytes of the publishes go away, and before anything that must
// come after them.
func (c *Client) Flush() {
	t := &c.batch
	if len(t.pubs) == 0 {
		return
	}
	behind, full := c.b.fanOut(t.queues, t.pubs)
	if full != nil {
		c.pressed = full
	}
	for i := 0; i < len(t.pubs); {
		ch, p := t.chans[i], &t.pubs[i]
		n, pos := 1, p.Pos
		if !ch.confirming {
			i++
			continue
		}
		// Publishes that follow each other on a channel share their fate with
		// the last of them, unless they were refused.
		for !p.Refused && i+n < len(t.pubs) && t.chans[i+n] == ch && !t.pubs[i+n].Refused {
			pos = max(pos, t.pubs[i+n].Pos)
			n++
		}
		ch.confirm.add(n, pos, p.Refused)
		ch.touch()
		i += n
	}
	clear(t.pubs)
	clear(t.chans)
	clear(t.queues)
	t.queues, t.pubs, t.chans = t.queues[:0], t.pubs[:0], t.chans[:0]
	if behind {
		// Let the consumers' writers have their turn while what they are to
		// write is still in the processor's cache.
		runtime.Gosched()
	}
}

// Settle is called when a run of input is done: publishes are flushed, and
// publishers are told what is decided. What must wait for the disk is told by
// the log's committer; but a single publish has nobody to share a sync with,
// and is committed here if the committer is idle.
//
// It reports whether an outlet was told something, which the caller sees sent
// then, and whether it has waited for the disk.
func (c *Client) Settle() (told, committed bool) {
	c.Flush()
	if len(c.tally.dirty) > 0 {
		c.tally.show()
	}
	c.waitMu.Lock()
	idle := len(c.waiting) == 0
	lone := len(c.waiting) == 1 && !c.asked && c.waiting[0].confirm.lone()
	c.waitMu.Unlock()
	switch {
	case idle:
		return false, false
	case lone:
		committed = c.b.log.CommitHere()
	default:
		c.b.log.Commit()
	}
	told, register := c.tellDecided(false)
	if register {
		c.b.log.Notify((*clientWaiter)(c))
	}
	return told, committed
}

// Await holds the reader back while a queue that it published to is behind with
// its deliveries.
func (c *Client) Await(stop <-chan struct{}) {
	if q := c.pressed; q != nil {
		c.pressed = nil
		q.Await(stop)
	}
}

// tellDecided confirms what is decided. It reports whether there was anything,
// and whether the client must register with the log for the rest.
func (c *Client) tellDecided(flush bool) (told, register bool) {
	c.waitMu.Lock()
	defer c.waitMu.Unlock()
	durable := c.b.log.Durable()
	kept := c.waiting[:0]
	for _, ch := range c.waiting {
		some, waits := ch.confirm.settle(durable, ch.out)
		if some && flush {
			ch.out.Flush()
		}
		told = told || some
		if waits {
			kept = append(kept, ch)
		} else {
			ch.listed = false
		}
	}
	clear(c.waiting[len(kept):])
	c.waiting = kept
	register = len(kept) > 0 && !c.asked && !c.closed
	c.asked = c.asked || register
	return told, register
}

// clientWaiter is a Client as the log's committer sees it.
type clientWaiter Client

// Committed implements store.Waiter.
func (w *clientWaiter) Committed(_ store.Position, err error) {
	c := (*Client)(w)
	c.waitMu.Lock()
	c.asked = false
	c.waitMu.Unlock()
	if err != nil {
		return
	}
	if _, register := c.tellDecided(true); register {
		c.b.log.Notify(w)
	}
}

// touch puts the channel on the list of those with something to tell.
func (ch *Channel) touch() {
	c := ch.c
	c.waitMu.Lock()
	if !ch.listed && !c.closed {
		ch.listed = true
		c.waiting = append(c.waiting, ch)
	}
	c.waitMu.Unlock()
}
