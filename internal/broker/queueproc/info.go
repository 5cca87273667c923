package queueproc

import (
	"math/bits"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
)

// Counters of a queue, all counts of messages since the node started.
type Counters struct {
	Published, Delivered, DeliveredNoAck, Got, GotNoAck, GotEmpty, Acked, Redelivered uint64
	// Dead counts those that left otherwise, by reason: dropped ([0]), or
	// handed to a dead-letter exchange ([1]).
	Dead                  [2][queue.Reasons]uint64
	Lost                  uint64 // could not be read back
	DiskReads, DiskWrites uint64
}

// Add adds up.
func (c *Counters) Add(o *Counters) { c.add(o, 1) }

// Sub takes away what was added.
func (c *Counters) Sub(o *Counters) { c.add(o, ^uint64(0)) }

// add adds o n times; n may be -1, as numbers wrap around.
func (c *Counters) add(o *Counters, n uint64) {
	c.Published += n * o.Published
	c.Delivered += n * o.Delivered
	c.DeliveredNoAck += n * o.DeliveredNoAck
	c.Got += n * o.Got
	c.GotNoAck += n * o.GotNoAck
	c.GotEmpty += n * o.GotEmpty
	c.Acked += n * o.Acked
	c.Redelivered += n * o.Redelivered
	for i := range c.Dead {
		for j := range c.Dead[i] {
			c.Dead[i][j] += n * o.Dead[i][j]
		}
	}
	c.Lost += n * o.Lost
	c.DiskReads += n * o.DiskReads
	c.DiskWrites += n * o.DiskWrites
}

// DeliverGet is the number of all deliveries.
func (c *Counters) DeliverGet() uint64 {
	return c.Delivered + c.DeliveredNoAck + c.Got + c.GotNoAck
}

// kept is what a queue holds of persistent messages. Bytes are an estimate
// after a page of mixed messages was dropped.
type kept struct{ count, bytes int64 }

func (k *kept) dropPage(p *queue.PageRef) {
	k.count -= int64(p.Persistent)
	if p.Count > 0 {
		k.bytes -= int64(p.Bytes) * int64(p.Persistent) / int64(p.Count)
	}
}

// stall adds up the time in which messages and consumers are there, and no
// consumer can take one.
type stall struct {
	on    bool
	since int64 // ms since 1970
	total int64 // ms
}

// noteStall is called with the lock held, at the end of a command.
func (q *Queue) noteStall() {
	if on := q.m.Stalled(); on != q.stall.on {
		now := nowMillis()
		if q.stall.on {
			q.stall.total += now - q.stall.since
		}
		q.stall.on, q.stall.since = on, now
	}
}

func (q *Queue) stalled() int64 {
	if q.stall.on {
		return q.stall.total + nowMillis() - q.stall.since
	}
	return q.stall.total
}

// Info is a queue's state at one moment.
type Info struct {
	Ready, Unacked, Consumers  int
	ReadyBytes, UnackedBytes   int64
	ReadyInMemory              int   // ready messages whose bytes are in memory
	Persistent                 int64 // messages that survive a restart
	PersistentBytes            int64
	Memory                     int64 // bytes of messages held in memory
	Delayed                    int   // came back and wait for their next try; ReadyBytes has their bytes
	DelayedFirst, DelayedLast  int64 // when they are due, ms since 1970
	Dead                       int   // dead letters that must arrive and have not yet
	DeadBytes                  int64
	OldestReady, OldestUnacked int64 // ms since 1970; 0 = none, or on disk
	Stalled                    int64 // ms in which no consumer could take what was ready
	ActiveTag, ExclusiveTag    string
	NextSeq                    uint64
	Stream                     *StreamInfo // of a stream
	Counters                   Counters
}

// Info returns the queue's state.
func (q *Queue) Info() (i Info) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i.Ready, i.Unacked, i.Consumers = q.m.Ready(), q.m.Unacked(), q.m.Consumers()
	i.ReadyBytes, i.UnackedBytes = q.m.ReadyBytes(), q.m.UnackedBytes()
	i.Delayed = q.m.Delayed()
	i.DelayedFirst, i.DelayedLast = q.m.DelayedAt()
	i.Dead, i.DeadBytes = q.deadLetters()
	i.ReadyInMemory = q.m.InMemory()
	i.Persistent, i.PersistentBytes = max(q.kept.count, 0), max(q.kept.bytes, 0)
	i.Memory = q.arena.Held()
	i.OldestReady, _ = q.m.HeadTime()
	i.OldestUnacked = q.oldestUnacked()
	i.Stalled = q.stalled()
	if c := q.m.Active(); c != nil {
		i.ActiveTag = c.Tag
	}
	if q.exclus {
		q.m.EachConsumer(func(c *queue.Consumer) bool {
			i.ExclusiveTag = c.Tag
			return false
		})
	}
	i.NextSeq = q.m.NextSeq()
	if q.Stream {
		i.Stream = q.streamInfo()
	}
	i.Counters = q.counters()
	return i
}

// Depths are the figures of Info that go up and down and can be added up.
type Depths struct {
	Ready, Unacked, Consumers   int
	Delayed, Dead               int
	Consumed                    int // 1: it has consumers
	ReadyInMemory               int
	ReadyBytes, UnackedBytes    int64
	DeadBytes                   int64
	RAMBytes                    int64 // of ready messages whose bytes are in memory; as if all were of one size
	Persistent, PersistentBytes int64
	Memory                      int64
}

// Add adds up.
func (d *Depths) Add(o *Depths) { d.add(o, 1) }

// Sub takes away.
func (d *Depths) Sub(o *Depths) { d.add(o, -1) }

func (d *Depths) add(o *Depths, n int) {
	d.Ready += n * o.Ready
	d.Unacked += n * o.Unacked
	d.Delayed += n * o.Delayed
	d.Dead += n * o.Dead
	d.Consumers += n * o.Consumers
	d.Consumed += n * o.Consumed
	d.ReadyInMemory += n * o.ReadyInMemory
	d.ReadyBytes += int64(n) * o.ReadyBytes
	d.UnackedBytes += int64(n) * o.UnackedBytes
	d.DeadBytes += int64(n) * o.DeadBytes
	d.RAMBytes += int64(n) * o.RAMBytes
	d.Persistent += int64(n) * o.Persistent
	d.PersistentBytes += int64(n) * o.PersistentBytes
	d.Memory += int64(n) * o.Memory
}

// Backlog is what of Info is looked at in very many queues.
type Backlog struct {
	Depths
	OldestReady int64 // ms since 1970; 0 = none, or on disk
	Stalled     int64 // ms in which no consumer could take what was ready
	Stalling    bool  // and none can now
	Counters    Counters
}

// Backlog returns the most wanted figures.
func (q *Queue) Backlog() (b Backlog) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.Ready, b.Unacked, b.Consumers = q.m.Ready(), q.m.Unacked(), q.m.Consumers()
	b.Delayed = q.m.Delayed()
	b.Dead, b.DeadBytes = q.deadLetters()
	if b.Consumers > 0 {
		b.Consumed = 1
	}
	b.ReadyInMemory, b.ReadyBytes, b.UnackedBytes = q.m.InMemory(), q.m.ReadyBytes(), q.m.UnackedBytes()
	if b.Ready > 0 {
		b.RAMBytes = int64(float64(b.ReadyBytes) / float64(b.Ready) * float64(b.ReadyInMemory))
	}
	b.Persistent, b.PersistentBytes = max(q.kept.count, 0), max(q.kept.bytes, 0)
	b.Memory = q.arena.Held()
	b.OldestReady, _ = q.m.HeadTime()
	b.Stalled, b.Stalling = q.stalled(), q.stall.on
	b.Counters = q.counters()
	return b
}

// deadLetters counts the dead letters that stay with the queue until they have
// arrived. Those of other queues are gone in a moment, and are not seen.
func (q *Queue) deadLetters() (n int, bytes int64) {
	if !q.cfg.KeepDead {
		return 0, 0
	}
	return q.m.DeadLetters()
}

// Messages returns the number of all messages.
func (d *Depths) Messages() int { return d.Ready + d.Unacked + d.Aside() }

// Aside returns how many messages are neither ready nor with a consumer.
func (d *Depths) Aside() int { return d.Delayed + d.Dead }

// Bytes returns the body bytes of all messages.
func (d *Depths) Bytes() int64 { return d.ReadyBytes + d.UnackedBytes + d.DeadBytes }

// Aside returns how many messages are neither ready nor with a consumer.
func (i *Info) Aside() int { return i.Delayed + i.Dead }

// Bytes returns the body bytes of all messages.
func (i *Info) Bytes() int64 { return i.ReadyBytes + i.UnackedBytes + i.DeadBytes }

// Depth returns the numbers of ready and unacknowledged messages.
func (q *Queue) Depth() (ready, unacked int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.m.Ready(), q.m.Unacked()
}

func (q *Queue) counters() Counters {
	c := q.stats
	c.DiskReads = q.reads.Load()
	return c
}

// Levels returns the number of ready messages by priority.
func (q *Queue) Levels() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.m.LevelLengths()
}

// manyUnacked is how many unacknowledged messages are looked through each time
// that somebody asks for the oldest; with more the answer is kept for a while.
const (
	manyUnacked = 2048
	keepOldest  = 5000 // ms
)

func (q *Queue) oldestUnacked() int64 {
	if q.m.Unacked() <= manyUnacked {
		return q.m.OldestUnacked()
	}
	if now := nowMillis(); now-q.oldest.asked > keepOldest {
		q.oldest.asked, q.oldest.time = now, q.m.OldestUnacked()
	}
	return q.oldest.time
}

// Head hands the message that leaves next to use, if it is in memory. use must
// be quick and must not call the queue.
func (q *Queue) Head(use func(*message.Message)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it := q.m.Head(); it != nil && !it.Mem.IsZero() {
		if m, ok := message.Parse(it.Mem.Bytes()); ok {
			use(&m)
		}
	}
}

// ConsumerInfo is a consumer as an operator sees it, with what keeps it from
// being given messages.
type ConsumerInfo struct {
	*Consumer
	Active  bool // may be given messages by the rule of the single active consumer
	Unacked int
	Full    bool // has as many unacknowledged messages as it wants
	Gated   bool // its connection or channel had no room
	// NextOffset is what a reader of a stream looks at next.
	NextOffset int64
}

// EachConsumer calls f for the consumers of the queue, in the order in which
// they came. f is called with the lock held: it must be quick.
func (q *Queue) EachConsumer(f func(ConsumerInfo)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return
	}
	q.m.EachConsumer(func(c *queue.Consumer) bool {
		i := ConsumerInfo{Consumer: c.Owner.(*Consumer), Active: q.m.IsActive(c), Unacked: c.Unacked(), Full: c.Full(), Gated: c.Gated()}
		if c.Cursor != nil {
			i.NextOffset = int64(c.Cursor.Next()) - 1
		}
		f(i)
		return true
	})
}

// HeadOnDisk reports whether the message that leaves next must be read first.
func (q *Queue) HeadOnDisk() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.m.Head()
	return q.m.Ready() > 0 && (it == nil || it.Mem.IsZero())
}

// waitSample: of so many deliveries (a power of two, less one) one is timed.
const waitSample = 63

// WaitBuckets are the upper bounds of Waits, in ms; the last one is open.
const WaitBuckets = 24

// Waits counts how long messages waited in their queues: bucket i those that
// waited less than 1<<i ms. Of a queue's deliveries it sees every 64th.
type Waits struct {
	Buckets [WaitBuckets]atomic.Uint64
	Sum     atomic.Uint64 // ms
}

func (w *Waits) observe(ms int64) {
	if w == nil {
		return
	}
	ms = max(ms, 0)
	w.Buckets[min(bits.Len64(uint64(ms)), WaitBuckets-1)].Add(1)
	w.Sum.Add(uint64(ms))
}
