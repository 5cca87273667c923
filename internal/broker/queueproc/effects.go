package queueproc

import (
	"encoding/binary"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

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
		q.out, _ = message.Parse(e.Item.Mem.Bytes()) // our own bytes: kept in memory, or read from a record whose checksum is right
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
