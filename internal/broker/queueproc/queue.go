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
	"errors"
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
