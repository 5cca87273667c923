package queueproc

import (
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/store"
)

// windowItems bounds how many waiting messages stay in memory whatever their size.
const windowItems = 8192

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
