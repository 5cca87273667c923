// Package queue is the queue machine: it decides which message goes to which
// consumer, which one expires, overflows or is dead-lettered. It has no
// goroutine, no clock, no lock and no file: time arrives inside the commands,
// what is to be done leaves as effects, and bytes are somebody else's. The
// process that owns a machine (package queueproc) serialises the calls.
package queue

import (
	"math"

	"github.com/warrenmq/warren/internal/message"
)

// Kind is the queue type (argument x-queue-type).
type Kind uint8

const (
	Classic Kind = iota
	Quorum
	Stream // a log: items stay, consumers are cursors
)

// Overflow is what happens to a message for which there is no room (x-overflow).
type Overflow uint8

const (
	DropHead         Overflow = iota // the oldest ready message leaves (dead-lettered as maxlen)
	RejectPublish                    // the new message is refused
	RejectPublishDLX                 // refused, and dead-lettered
)

// None says that a limit of Config is not set.
const None int64 = math.MinInt64

// Config is what is in force for a queue: its arguments merged with policies.
// It may change while the queue lives (Machine.Configure).
type Config struct {
	Kind          Kind
	MessageTTL    int64 // ms, or None
	Expires       int64 // ms of disuse after which the queue goes, or None
	MaxLength     int64 // ready messages, or None
	MaxBytes      int64 // body bytes of ready messages, or None
	Overflow      Overflow
	DeadLetter    bool   // a dead-letter exchange is set
	KeepDead      bool   // dead letters count as long as they are not buried
	DeliveryLimit int64  // quorum: counted returns before the message goes, or None
	Retry         *Retry // quorum: what came back waits; nil: it does not. Never changed
	MaxPriority   uint8  // classic: number of the highest level; 0 = no levels
	SingleActive  bool   // one consumer at a time (x-single-active-consumer)
	AutoDelete    bool   // the queue goes with its last consumer

	// Of streams, where MaxBytes is the limit of what is kept.
	MaxAge       int64 // ms after which whole segments go, or None
	SegmentBytes int64 // what fills a segment, or None
	Window       int64 // bytes of the newest messages that stay in memory
}

// Unlimited returns the configuration of a classic queue without arguments.
// (The zero Config is none: a limit of 0 is a limit.)
func Unlimited() Config {
	return Config{MessageTTL: None, Expires: None, MaxLength: None, MaxBytes: None, DeliveryLimit: None,
		MaxAge: None, SegmentBytes: None}
}

// Flags of an Item.
type Flags uint8

const (
	Redelivered Flags = 1 << iota // was delivered before
	Persistent                    // must survive a restart
)

// Item is what a machine knows of a message: where its bytes are, not what they say.
type Item struct {
	Seq    uint64      // order in the queue, given by the machine, from 1
	Pos    uint64      // position of its record in the node's log; 0 = not on disk
	Mem    message.Ref // resident bytes; zero = not in memory
	Expiry int64       // ms since 1970 at which it expires; 0 = never
	Time   int64       // ms since 1970 at which it was enqueued
	Size   uint32      // bytes of the body
	Count  uint32      // quorum: counted deliveries that failed (x-delivery-count)
	// Acquired counts a quorum queue's deliveries that came back (x-acquired-count).
	Acquired uint32
	Prio     uint8 // priority as published; the machine clamps it
	Flags    Flags
}

// Slot names an unacknowledged message of a machine until it is settled.
type Slot uint32

// Gate says whether a consumer's side has room: its connection's outbox and,
// with a global prefetch, its channel. Take is called just before a delivery is
// decided; after it said false the machine leaves the consumer alone until
// Machine.Unblock.
type Gate interface {
	Take(noAck bool) bool
}

// Consumer is one basic.consume. The exported fields are set before Attach and
// do not change, the others belong to the machine.
type Consumer struct {
	Tag       string
	NoAck     bool
	Exclusive bool
	Prefetch  uint32 // unacknowledged messages at most; 0 = no limit
	Priority  int64  // x-priority; higher first
	Gate      Gate
	Owner     any     // the process's own record of it
	Cursor    *Cursor // of a stream; nil: from the next message on

	next, prev *Consumer // neighbours in the queue of its group, while queued
	group      *group    // consumers of the same priority; nil: not attached
	age        uint64    // order of attaching
	unacked    uint32
	queued     bool // stands in its group's queue: may get the next message
	gated      bool // its Gate refused; set aside until Unblock
}

// Unacked returns how many deliveries to c are not settled yet.
func (c *Consumer) Unacked() int { return int(c.unacked) }

// Outcome is how a delivery is settled.
type Outcome uint8

const (
	Ack            Outcome = iota
	Reject                 // do not requeue: dead-letter as rejected, or drop
	Requeue                // back to its place; counts as a failed delivery (basic.reject, lost channel)
	RequeueNoCount         // back to its place; does not count (basic.nack since 4.3)
	Unread                 // back to its place; nobody has seen it
)

// Reason says why a message left (the reason of x-death).
type Reason uint8

const (
	ReasonNone Reason = iota
	Rejected
	Expired
	MaxLen
	DeliveryLimit
	Reasons // how many there are
)

// String returns the word that x-death carries.
func (r Reason) String() string {
	return [...]string{"none", "rejected", "expired", "maxlen", "delivery_limit"}[r]
}

// PageRef is a run of ready items that were written to the log and are no
// longer in memory.
type PageRef struct {
	Pos         uint64 // position of the page's record
	First, Last uint64 // sequence numbers, inclusive
	Count       uint32 // items
	Persistent  uint32 // of them persistent (for recovery)
	Bytes       uint64 // body bytes
	// FirstTime and LastTime are when the first and the last item came, in a
	// stream the oldest and the newest.
	FirstTime, LastTime int64
	Level               uint8 // priority level
	Ext                 any   // the process's own notes
}

// Storage keeps bytes for the machine. Its methods are called in the middle of
// a command, must not block and must not call back into the machine.
type Storage interface {
	// Keep is called once for each published item that the machine is about
	// to hold. Storage sets it.Pos and it.Mem so that the bytes outlive the
	// call. delivered: it goes straight to a consumer that will acknowledge
	// it. At least one of Pos and Mem is set afterwards.
	Keep(it *Item, delivered bool)
	// WritePage writes the items of one page, which all leave memory (their
	// Mem is released by Storage), and returns where it is.
	WritePage(level uint8, items []Item) PageRef
	// Cool releases bytes of a stream that the machine needs no more; what it
	// belongs to is on disk.
	Cool(mem message.Ref)
}

// EffectKind says what is to be done.
type EffectKind uint8

const (
	// Deliver: hand Item to Consumer. With NoAck it is settled by this.
	// Item.Mem is set, or it is the message of the Publish under way.
	// Otherwise Slot names it; when Item.Pos is set the machine has forgotten
	// Item.Mem, and whoever does the effect releases it after the delivery.
	Deliver EffectKind = iota
	// Settled: Item is done with (acknowledged, dropped, expired without a
	// dead-letter exchange, purged). Release its memory, log it.
	Settled
	// DeadLettered: Item left for Reason. The machine keeps it under Slot (not
	// counted) until Machine.Buried, so that no crash can lose it in between.
	DeadLettered
	// PageDropped: all items of Page are done with (purge, delete).
	PageDropped
	// Returned: Item is ready again with one more in Count (quorum only), which
	// is to be logged where the count must last. At: it is delayed until then; 0:
	// it is not.
	Returned
	// WantLoad: something on disk is needed, now or soon; see Machine.Wanted.
	// There is no second one before Machine.PageLoaded or Machine.BodiesLoaded.
	WantLoad
	// SetTimer: call Machine.Tick at At (ms since 1970); replaces an earlier
	// one; At 0 = none needed.
	SetTimer
	// Gone: the queue must be deleted: its last consumer left (Reason None) or
	// it expired (Reason Expired).
	Gone
)

// Effect is one thing that the owner of a machine must do, in order. Then it
// asks Machine.More whether there is more to come.
type Effect struct {
	Kind     EffectKind
	Reason   Reason
	Slot     Slot
	Consumer *Consumer
	Item     Item
	Page     *PageRef // of PageDropped
	At       int64    // of SetTimer and Returned
}

// SlotSeq names an unacknowledged message; the sequence number guards against
// a slot that was used again.
type SlotSeq struct {
	Slot Slot
	Seq  uint64
}

// GetStatus is the outcome of Machine.Get.
type GetStatus uint8

const (
	Empty    GetStatus = iota
	Got                // there is a message
	NeedLoad           // the next message's page is on disk: load it, then ask again
)

// State is where in a machine an item is.
type State uint8

const (
	Ready   State = iota // waits for a consumer
	Unacked              // delivered, not settled
	Dying                // dead-lettered, not yet buried
	Paged                // ready, a whole page
	Delayed              // came back, waits for its next try
)

// String returns the state in a word.
func (s State) String() string {
	return [...]string{"ready", "unacked", "dying", "paged", "delayed"}[s]
}

// Entry is what Machine.Walk shows.
type Entry struct {
	State State
	Item  *Item    // nil if Paged; only Pos may be changed
	Page  *PageRef // of Paged; only Pos and Ext may be changed
	Slot  Slot     // of Unacked and Dying
	Due   int64    // of Delayed
	// Reason for which one that is dying was dead-lettered; none: an operator took it.
	Reason Reason
}

// Move says that the record of an item is now at another position of the log.
type Move struct {
	Seq uint64
	Pos uint64
}
