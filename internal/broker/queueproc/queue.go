// Package queueproc does what queue machines decide. A Queue owns one machine,
// its lock, its timer and the bytes of its waiting messages.
//
// Whoever brings a command (a connection's reader with publishes or acks, a
// timer, a loader) runs the machine under the queue's lock and carries out the
// effects: deliveries are written straight into the consumers' outboxes,
// records are appended to the node's log (a copy in memory). What would take
// time or another queue's lock (dead letters, reads from disk, deletion) is
// noted and done after the lock is dropped. No two queue locks are ever held
// at once, and nothing waits under one.
package queueproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Host is what a queue needs of the broker that it lives in. Its methods are
// called without the queue's lock.
type Host interface {
	// DeadLetter publishes m, which left q, to the queue's dead-letter
	// exchange. It returns when that is safe in the log's pending batch.
	// again: it has not arrived everywhere and has to; sent, which the queue
	// keeps for the next try, says where it has.
	// depth goes into the Pubs that it makes.
	DeadLetter(q *Queue, reason queue.Reason, it *queue.Item, m *message.Message, sent *[]uint64, depth uint8) (again bool)
	// Gone deletes q: its last consumer left, or it expired.
	Gone(q *Queue, expired bool)
	// Go runs f on a goroutine that the broker waits for when it stops.
	Go(f func())
	// Failed tells of a message that could not be read back.
	Failed(q *Queue, err error)
	// Delivered tells of a delivery by a queue that is traced, after it.
	Delivered(q *Queue, c *Consumer, redelivered bool, m *message.Message)
}

// Sink is a consumer's side: the channel that its deliveries go to. Deliver,
// Flush and Cancel are called with the queue's lock held: they must not block
// and must not call the queue.
type Sink interface {
	Deliver(c *Consumer, d Delivery, m *message.Message)
	// Flush follows after the last Deliver of a batch. It reports whether much
	// has gathered that is to be sent.
	Flush() (behind bool)
	// Cancel tells that the queue was deleted.
	Cancel(c *Consumer)
}

// Consumer is one consumer of a Queue.
type Consumer struct {
	queue.Consumer
	Queue *Queue
	Sink  Sink
	// User is the sink's own record of the consumer, Channel the host's.
	User, Channel any
	// Timeout is how long, in ms, a delivery may stay unsettled; 0: for ever. It
	// is the sink's to see to it.
	Timeout int64
}

// Delivery names an outstanding delivery; with it the sink settles.
type Delivery struct {
	Seq         uint64
	Slot        queue.Slot
	Count       uint32 // quorum: failed deliveries before this one
	Acquired    uint32 // quorum: deliveries before this one
	Redelivered bool
}

// Settle says how one delivery ends.
type Settle = queue.SlotSeq

// Pub is one message on its way into a queue, and what became of it.
type Pub struct {
	Msg        message.Message
	Expiry     int64 // ms since 1970, 0 = none
	Priority   uint8
	Persistent bool
	// Awaited: somebody waits until it is durable, and asks the log to see to it.
	Awaited bool
	// Body is the position of a KindBody record that already holds the
	// message, or 0. Used when it goes to several queues.
	Body store.Position
	// Depth is how many dead letters this one is nested in: a message that
	// dies as soon as it comes sends the next before it is through.
	Depth uint8

	// Out, added up over all queues that it goes to:
	Refused bool           // a queue is full and rejects
	Pos     store.Position // safe when the log is durable up to here; 0 = nothing to wait for
}

// Pressure is why a publisher may want to make a pause.
type Pressure struct {
	Behind bool // consumers' connections have much to send
	Full   bool // the queue would rather have no more for a moment, see Await
	Over   bool // publishers have to wait for room, see Queue.Full
}

// Options are fixed when a Queue is made.
type Options struct {
	ID      uint64 // of the queue's definition; the group of its records
	Name    string
	VHost   string
	Durable bool
	Quorum  bool
	Stream  bool   // a log that is read without being consumed
	Epoch   uint64 // of this run of the node
	Window  int64  // bytes of waiting messages kept in memory
	Host    Host
	Log     *store.Log
	Budget  *message.Budget
	Meter   *Meter   // of the bytes in the virtual host; may be nil
	Owner   any      // the broker's own record of the queue
	Waits   *Waits   // told how long messages waited; nil: nobody is
	Changes *Changes // told that figures have changed; nil: nobody is
}

// Queue is a queue at work.
type Queue struct {
	Options

	mu       sync.Mutex
	m        *queue.Machine
	cfg      queue.Config
	arena    *message.Arena
	deleted  bool
	stopped  bool
	loading  bool
	loader   *loader         // of the load under way, or the last one
	cur      *Pub            // the message that is being enqueued
	item     queue.Item      // scratch: what the machine is told of it
	out      message.Message // scratch: one that is being delivered
	eff      []queue.Effect  // reused
	settled  []uint64        // sequence numbers for the next settle record; reused
	released segLive         // records of one segment that are done with, see release
	scratch  []byte          // reused
	sinks    []Sink          // to be flushed; reused
	timer    *time.Timer
	retry    *time.Timer // of a failed load
	timerAt  int64
	exclus   bool // an exclusive consumer is attached
	stats    Counters
	kept     kept
	stall    stall
	oldest   struct{ asked, time int64 } // the oldest of many unacknowledged messages
	relief   chan struct{}               // closed when publishers that wait may go on; nil: none wait

	stuck    stuck
	traced   bool          // the host is told of deliveries
	metered  int64         // bytes that the meter has of this queue
	pushback int64         // bytes from which on publishers wait; 0: never
	room     chan struct{} // closed when there are fewer; nil: nobody waits

	log *follower // of a stream; else nil

	reads     atomic.Uint64 // messages read from disk
	changed   atomic.Bool   // on Changes
	trimmedAt uint64        // sum of counters at the last Trim
}

// Errors of queue operations.
var (
	ErrDeleted   = errors.New("queue is deleted")
	ErrInUse     = errors.New("queue has consumers")
	ErrNotEmpty  = errors.New("queue has messages")
	ErrExclusive = errors.New("queue is in exclusive use")
	errNoLoad    = errors.New("message could not be read back")
)

// windowItems bounds how many waiting messages stay in memory whatever their size.
const windowItems = 8192

// New makes an empty queue.
func New(o Options, cfg queue.Config) *Queue {
	if cfg.Window = 0; o.Stream {
		cfg.Window = o.Window
	}
	q := &Queue{Options: o, cfg: cfg}
	if o.Stream {
		q.log = newFollower(q)
	}
	q.arena = message.NewArena(o.Budget)
	q.m = queue.New(cfg, q, nowMillis())
	return q
}

func nowMillis() int64 { return time.Now().UnixMilli() }

// after is what remains to be done once the lock is dropped.
type after struct {
	traced  []traced
	dead    []dead
	gone    bool
	expired bool
	load    bool
	behind  bool // a consumer's connection has much to send
	goOn    bool // a stream has more to deliver
	depth   uint8
}

type dead struct {
	sent   []uint64 // ids of the queues that have it
	reason queue.Reason
	slot   queue.Slot
	item   queue.Item
	depth  uint8
}

// maxNested bounds how deep dead letters are sent from within the sending of
// dead letters; each holds its message with a longer history. Beyond, a goroutine
// of its own goes on.
const maxNested = 16

// unlock carries out the machine's effects, drops the lock and does the rest.
// Every public method that changes something ends with it.
func (q *Queue) unlock() {
	var a after
	q.do(&a)
	q.finish(&a)
}

// finish is unlock with effects already carried out into a.
func (q *Queue) finish(a *after) {
	q.logSettled()
	q.releaseAll()
	for i, s := range q.sinks {
		a.behind = s.Flush() || a.behind
		q.sinks[i] = nil
	}
	q.sinks = q.sinks[:0]
	if cap(q.eff) > 4096 {
		q.eff = nil
	}
	if a.load = a.load && !q.loading && !q.deleted; a.load {
		q.loading = true
	}
	if f := q.log; f != nil && q.m.More() && !f.going && !q.deleted {
		f.going, a.goOn = true, true
	}
	q.relieve()
	q.measure()
	q.giveRoom()
	q.noteStall()
	q.noteChange()
	q.mu.Unlock()
	q.afterwards(a)
}

func (q *Queue) afterwards(a *after) {
	if a.traced != nil {
		q.tell(a.traced)
	}
	if ds := a.dead; a.depth < maxNested {
		for i := range ds {
			ds[i].depth = a.depth + 1
			q.bury(&ds[i])
		}
	} else if len(ds) > 0 {
		q.Host.Go(func() {
			for i := range ds {
				q.bury(&ds[i])
			}
		})
	}
	if a.load {
		q.Host.Go(q.load)
	}
	if a.goOn {
		q.Host.Go(q.log.more)
	}
	if a.gone {
		q.Host.Gone(q, a.expired)
	}
}

// do carries out the effects of the last command, and lets the machine go on
// with what it has left undone. Called with the lock held.
func (q *Queue) do(a *after) {
	q.carryOut(a)
	for n := 0; q.m.More() && (q.log == nil || n < atOnce); n++ {
		q.m.Continue(nowMillis(), &q.eff)
		q.carryOut(a)
	}
}

func (q *Queue) carryOut(a *after) {
	eff := q.eff
	for i := range eff {
		e := &eff[i]
		switch e.Kind {
		case queue.Deliver:
			if q.traced {
				q.trace(a, e)
			}
			q.deliver(e)
		case queue.Settled:
			if e.Reason != queue.ReasonNone {
				q.stats.Dead[0][e.Reason]++
			}
			q.settle(&e.Item)
		case queue.DeadLettered:
			q.stats.Dead[1][e.Reason]++
			if q.cfg.KeepDead {
				q.logReturned(&e.Item, 0, e.Reason)
			}
			a.dead = append(a.dead, dead{reason: e.Reason, slot: e.Slot, item: e.Item})
		case queue.PageDropped:
			if e.Reason != queue.ReasonNone {
				q.stats.Dead[0][e.Reason] += uint64(e.Page.Count)
			}
			q.dropPage(e.Page, true)
		case queue.Returned:
			q.logReturned(&e.Item, e.At, queue.ReasonNone)
		case queue.WantLoad:
			a.load = true
		case queue.SetTimer:
			q.setTimer(e.At)
		case queue.Gone:
			a.gone, a.expired = true, e.Reason == queue.Expired
		}
	}
	q.eff = q.eff[:0]
}

func (q *Queue) deliver(e *queue.Effect) {
	c := e.Consumer.Owner.(*Consumer)
	d := Delivery{Seq: e.Item.Seq, Slot: e.Slot, Count: e.Item.Count, Acquired: e.Item.Acquired, Redelivered: e.Item.Flags&queue.Redelivered != 0}
	if d.Redelivered {
		q.stats.Redelivered++
	}
	if e.Item.Mem.IsZero() {
		c.Sink.Deliver(c, d, &q.cur.Msg)
	} else {
		q.out, _ = message.Parse(e.Item.Mem.Bytes())
		c.Sink.Deliver(c, d, &q.out)
	}
	q.touch(c.Sink)
	if (q.stats.Delivered+q.stats.DeliveredNoAck)&waitSample == 0 && !q.Stream {
		q.Waits.observe(nowMillis() - e.Item.Time)
	}
	if c.NoAck {
		q.stats.DeliveredNoAck++
		q.settle(&e.Item)
		return
	}
	q.stats.Delivered++
	if e.Item.Pos != 0 && !q.Stream {
		q.arena.Release(e.Item.Mem)
	}
}

func (q *Queue) touch(s Sink) {
	for _, t := range q.sinks {
		if t == s {
			return
		}
	}
	q.sinks = append(q.sinks, s)
}

// settle forgets an item that is done with.
func (q *Queue) settle(it *queue.Item) {
	q.arena.Release(it.Mem)
	if it.Pos == 0 {
		return
	}
	q.release(store.Position(it.Pos), it.Size)
	if it.Flags&queue.Persistent != 0 {
		q.settled = append(q.settled, it.Seq)
		q.kept.count--
		q.kept.bytes -= int64(it.Size)
	}
}

// release gathers what is to be released of one segment of the log; finish
// sees to the last.
func (q *Queue) release(pos store.Position, bytes uint32) {
	r := &q.released
	if r.count > 0 && r.seg != pos.Segment() {
		q.releaseAll()
	}
	r.seg = pos.Segment()
	r.count++
	r.bytes += uint64(bytes)
}

func (q *Queue) releaseAll() {
	if r := &q.released; r.count > 0 {
		q.Log.ReleaseN(r.seg, r.count, r.bytes)
		*r = segLive{}
	}
}

func (q *Queue) logSettled() {
	if len(q.settled) == 0 {
		return
	}
	q.scratch = appendRuns(append(q.scratch[:0], recordVersion), q.settled)
	q.Log.Append(KindSettle, q.ID, false, q.scratch, nil, nil)
	if q.settled = q.settled[:0]; cap(q.settled) > 4096 {
		q.settled = nil
	}
}

// logReturned notes that a delivery has come back; due: the message is delayed
// until then; dead: it is a dead letter that must arrive.
func (q *Queue) logReturned(it *queue.Item, due int64, dead queue.Reason) {
	if it.Flags&queue.Persistent == 0 || it.Pos == 0 {
		return
	}
	q.scratch = append(q.scratch[:0], recordVersion)
	q.scratch = appendUvarints(q.scratch, it.Seq, uint64(it.Count), uint64(it.Acquired))
	if due != 0 || dead != queue.ReasonNone {
		q.scratch = binary.AppendVarint(q.scratch, due)
	}
	if dead != queue.ReasonNone {
		q.scratch = append(q.scratch, byte(dead))
	}
	q.Log.Append(KindReturned, q.ID, false, q.scratch, nil, nil)
}

// Keep implements queue.Storage: an item's bytes must outlive the call that
// brought them. What must survive a restart goes to the log; what waits stays
// in memory while there is room, and goes to the log otherwise.
func (q *Queue) Keep(it *queue.Item, delivered bool) {
	p := q.cur
	if it.Flags&queue.Persistent != 0 {
		q.write(it, p)
		if delivered {
			return
		}
	}
	if q.Stream {
		if it.Pos == 0 || !q.Budget.Exhausted() {
			it.Mem = q.arena.Put(&p.Msg)
		}
		return
	}
	if q.m.Ready() < windowItems && q.arena.Held() < q.Window && !q.Budget.Exhausted() {
		it.Mem = q.arena.Put(&p.Msg)
		return
	}
	if it.Pos == 0 {
		q.write(it, p)
	}
	if it.Pos == 0 {
		// The log has failed: memory is all there is.
		it.Mem = q.arena.Put(&p.Msg)
	}
}

// write appends the message under way to the log.
func (q *Queue) write(it *queue.Item, p *Pub) {
	q.scratch = appendHead(q.scratch[:0], it)
	urgent := it.Flags&queue.Persistent != 0
	var pos store.Position
	if p.Body != 0 && q.Durable {
		q.scratch = appendUvarints(q.scratch, uint64(p.Body), uint64(it.Size))
		pos = q.Log.Append(KindRef, q.ID, urgent, q.scratch, nil, nil)
		it.Pos = uint64(p.Body)
	} else {
		q.scratch = p.Msg.AppendHead(q.scratch)
		pos = q.Log.Append(KindPublish, q.ID, urgent, q.scratch, p.Msg.Body, nil)
		it.Pos = uint64(pos)
	}
	if pos == 0 {
		it.Pos = 0
		p.Refused = true
		return
	}
	q.Log.Retain(store.Position(it.Pos), it.Size)
	q.stats.DiskWrites++
	if urgent {
		q.kept.count++
		q.kept.bytes += int64(it.Size)
		p.Pos = max(p.Pos, pos)
	}
	if q.log != nil {
		q.log.last = pos
	}
}

// Publish puts messages into the queue, in order, and says in each Pub what
// became of it. The bytes behind Pub.Msg are not used after the call. now is in
// ms since 1970.
func (q *Queue) Publish(now int64, pubs []Pub) (is Pressure) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return is
	}
	var a after
	for i := range pubs {
		p := &pubs[i]
		it := &q.item
		*it = queue.Item{Expiry: p.Expiry, Time: now, Size: uint32(len(p.Msg.Body)), Prio: p.Priority}
		if (p.Persistent || q.Quorum || q.Stream) && q.Durable {
			it.Flags = queue.Persistent
		}
		q.cur = p
		if !q.m.Enqueue(now, it, &q.eff) {
			p.Refused = true
		}
		q.stats.Published++
		a.depth = max(a.depth, p.Depth)
		if q.log != nil {
			q.carryOut(&a) // what is left is not the publisher's to do
			continue
		}
		q.do(&a)
	}
	q.cur = nil
	if q.log != nil {
		q.follow(now, len(pubs) > 0 && !pubs[len(pubs)-1].Awaited)
		q.carryOut(&a)
	}
	is.Full, is.Over = q.pressed(), q.full()
	q.finish(&a)
	is.Behind = a.behind
	return is
}

// bury hands a dead letter to the broker and then forgets it. It reports false
// if it is to be tried again.
func (q *Queue) bury(d *dead) bool {
	var buf []byte
	m, err := q.bytes(&d.item, &buf)
	for try := 0; errors.Is(err, store.ErrGone) && try < 3 && q.findDying(&d.item); try++ {
		m, err = q.bytes(&d.item, &buf) // moved by the log's compaction in between
	}
	switch {
	case err == nil:
		if q.Host.DeadLetter(q, d.reason, &d.item, &m, &d.sent, d.depth) {
			d.depth = 0
			q.keepDead(*d)
			return false
		}
	case errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrGone):
		q.Host.Failed(q, fmt.Errorf("dead letter given up: %w", err))
	default:
		q.Host.Failed(q, err)
		again := *d
		again.depth = 0
		time.AfterFunc(retryLoad, func() { q.Host.Go(func() { q.bury(&again) }) })
		return false
	}
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return true
	}
	q.m.Buried(d.slot, &q.eff)
	q.unlock()
	return true
}

// findDying looks up where a dead letter is now. It reports whether the queue
// still has it.
func (q *Queue) findDying(it *queue.Item) (found bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.m.Each(func(s queue.State, now *queue.Item) bool {
		if s == queue.Dying && now.Seq == it.Seq {
			it.Pos, found = now.Pos, true
		}
		return !found
	})
	return found
}

// bytes finds the message of an item that the machine still holds. Called
// without the lock.
func (q *Queue) bytes(it *queue.Item, buf *[]byte) (message.Message, error) {
	if !it.Mem.IsZero() {
		m, ok := message.Parse(it.Mem.Bytes())
		if !ok {
			return m, errRecord
		}
		return m, nil
	}
	q.reads.Add(1)
	q.noteChange()
	payload, kind, _, err := q.Log.Read(store.Position(it.Pos), *buf)
	if err != nil {
		return message.Message{}, err
	}
	*buf = payload
	return parseMessage(kind, payload)
}

// Attach adds a consumer. ErrExclusive: somebody consumes exclusively, or c
// wants to and is not alone. attached, if given, is called once nothing can go
// wrong any more and before the first delivery.
func (q *Queue) Attach(c *Consumer, attached func()) error {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return ErrDeleted
	}
	if q.exclus || (c.Exclusive && (q.m.Consumers() > 0 || q.cfg.SingleActive)) {
		q.mu.Unlock()
		return ErrExclusive
	}
	q.exclus = c.Exclusive
	c.Queue, c.Consumer.Owner = q, c
	if attached != nil {
		attached()
	}
	if q.log != nil {
		q.advance(nowMillis())
	}
	q.m.Attach(nowMillis(), &c.Consumer, &q.eff)
	if q.log != nil {
		q.follow(nowMillis(), true)
	}
	q.unlock()
	return nil
}

// Detach removes a consumer; what it has not acknowledged stays with it.
func (q *Queue) Detach(c *Consumer) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	if c.Exclusive {
		q.exclus = false
	}
	q.m.Detach(nowMillis(), &c.Consumer, &q.eff)
	q.unlock()
}

// Unblock tells that consumers whose gate refused may have room again.
func (q *Queue) Unblock(cs ...*Consumer) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	ms := make([]*queue.Consumer, len(cs))
	for i, c := range cs {
		ms[i] = &c.Consumer
	}
	q.m.UnblockAll(nowMillis(), ms, &q.eff)
	q.unlock()
}

// maxSettle bounds the acknowledgements that the machine is given at a time, as
// each has an effect.
const maxSettle = 256

// Settle ends deliveries. Those that the queue does not know (it was deleted
// and declared anew) are passed over.
func (q *Queue) Settle(s []Settle, o queue.Outcome) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	var a after
	now := nowMillis()
	if o == queue.Ack {
		q.stats.Acked += uint64(len(s))
		for ; len(s) > maxSettle; s = s[maxSettle:] {
			q.m.SettleBatch(now, s[:maxSettle], o, &q.eff)
			q.do(&a)
		}
	}
	q.m.SettleBatch(now, s, o, &q.eff)
	q.do(&a)
	q.finish(&a)
}

// Get takes the message at the head, if there is one, and hands it to use
// together with the number of messages left. use is called with or without the
// queue's lock and must not call the queue.
func (q *Queue) Get(noAck bool, use func(d Delivery, m *message.Message, left int)) (bool, error) {
	for {
		q.mu.Lock()
		if q.deleted {
			q.mu.Unlock()
			return false, ErrDeleted
		}
		now := nowMillis()
		it, slot, st := q.m.Get(now, false, &q.eff)
		switch st {
		case queue.Empty:
			q.stats.GotEmpty++
			q.unlock()
			return false, nil
		case queue.NeedLoad:
			q.unlock()
			if err := q.loadPage(); err != nil {
				return false, err
			}
			continue
		}
		left := q.m.Ready()
		q.Waits.observe(now - it.Time)
		d := Delivery{Seq: it.Seq, Slot: slot, Count: it.Count, Acquired: it.Acquired, Redelivered: it.Flags&queue.Redelivered != 0}
		if d.Redelivered {
			q.stats.Redelivered++
		}
		if noAck {
			q.stats.GotNoAck++
		} else {
			q.stats.Got++
		}
		if !it.Mem.IsZero() {
			m, _ := message.Parse(it.Mem.Bytes())
			use(d, &m, left)
			if it.Pos != 0 {
				q.arena.Release(it.Mem)
			}
			if noAck {
				q.m.Settle(now, slot, it.Seq, queue.Ack, &q.eff)
			}
			q.unlock()
			return true, nil
		}
		q.unlock()
		var buf []byte
		m, err := q.bytes(&it, &buf)
		if err == nil {
			use(d, &m, left)
		}
		one := []Settle{{Slot: slot, Seq: it.Seq}}
		if err != nil {
			q.Settle(one, queue.Unread)
			if errors.Is(err, store.ErrGone) {
				continue // moved by the log's compaction in between
			}
			q.Host.Failed(q, err)
			return false, err
		}
		if noAck {
			q.Settle(one, queue.Ack)
		}
		return true, nil
	}
}

// Purge drops all ready and delayed messages and returns their number.
func (q *Queue) Purge() int {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return 0
	}
	n := q.m.Purge(nowMillis(), &q.eff)
	q.unlock()
	return n
}

// Touch tells that the queue was declared again (x-expires).
func (q *Queue) Touch() {
	q.mu.Lock()
	if !q.deleted {
		q.m.Touch(nowMillis(), &q.eff)
	}
	q.unlock()
}

// Configure puts other settings into force.
func (q *Queue) Configure(cfg queue.Config) {
	q.mu.Lock()
	if !q.deleted {
		cfg.Window = q.cfg.Window
		q.cfg = cfg
		q.m.Configure(nowMillis(), cfg, &q.eff)
		q.retrySoon()
	}
	q.unlock()
}

// Delete ends the queue and returns how many messages were ready. It does not
// touch the definition. Consumers are told by CancelConsumers.
func (q *Queue) Delete(ifUnused, ifEmpty bool) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return 0, ErrDeleted
	}
	if ifUnused && q.m.Consumers() > 0 {
		return 0, ErrInUse
	}
	if ifEmpty && q.m.Ready() > 0 {
		return 0, ErrNotEmpty
	}
	n := q.m.Ready()
	q.deleted = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		if it.Pos != 0 {
			q.Log.Release(store.Position(it.Pos), it.Size)
		}
		return true
	})
	q.m.EachPage(func(p *queue.PageRef) bool {
		q.dropPage(p, false)
		return true
	})
	q.arena.Drop()
	q.relieve()
	q.measure()
	q.giveRoom()
	return n, nil
}

// CancelConsumers tells the consumers of a deleted queue, in the order of their
// tags.
func (q *Queue) CancelConsumers() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted {
		return
	}
	var cs []*Consumer
	q.m.EachConsumer(func(c *queue.Consumer) bool {
		cs = append(cs, c.Owner.(*Consumer))
		return true
	})
	slices.SortStableFunc(cs, func(a, b *Consumer) int { return strings.Compare(a.Tag, b.Tag) })
	for _, c := range cs {
		c.Sink.Cancel(c)
	}
}

// Deleted reports whether Delete was called.
func (q *Queue) Deleted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.deleted
}

func (q *Queue) setTimer(at int64) {
	if at == q.timerAt && at != 0 {
		return
	}
	q.timerAt = at
	if at == 0 {
		if q.timer != nil {
			q.timer.Stop()
		}
		return
	}
	d := max(time.Duration(at-nowMillis())*time.Millisecond, 0)
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.tick)
		return
	}
	q.timer.Reset(d)
}

// Trim gives back memory that was not needed since the call before.
func (q *Queue) Trim() {
	q.mu.Lock()
	defer q.mu.Unlock()
	quiet := q.trimmedAt == q.stats.Published+q.stats.Acked+q.stats.Delivered
	q.trimmedAt = q.stats.Published + q.stats.Acked + q.stats.Delivered
	if q.deleted {
		return
	}
	held := q.arena.Held()
	if q.Stream && quiet {
		q.m.Rest()
	}
	q.m.Trim()
	q.arena.DropBlocks()
	if quiet && (q.Stream || q.m.Ready()+q.m.Delayed()+q.m.Unacked()+q.m.Dying() == 0) && !q.loading {
		q.arena.Trim()
		q.eff, q.settled, q.scratch, q.loader = nil, nil, nil, nil
		if q.log != nil {
			q.log.forget()
		}
	}
	if q.arena.Held() != held {
		q.noteChange()
	}
}

// Stop ends the queue's own activity: the node stops.
func (q *Queue) Stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	for _, t := range []*time.Timer{q.timer, q.retry, q.stuck.timer} {
		if t != nil {
			t.Stop()
		}
	}
}

func (q *Queue) tick() {
	q.mu.Lock()
	if q.deleted || q.stopped {
		q.mu.Unlock()
		return
	}
	q.timerAt = 0
	q.m.Tick(nowMillis(), &q.eff)
	q.unlock()
}
