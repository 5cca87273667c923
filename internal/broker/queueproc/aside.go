package queueproc

import (
	"encoding/binary"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
)

// What lies in a queue, is not ready and nobody has: messages of quorum queues
// that came back and wait for their next try, and dead letters that must arrive
// (dead-letter-strategy at-least-once). Both is said in the record of a return,
// and at the end of the queue's part of a checkpoint.

// aside says why an item is not ready.
type aside struct {
	due  int64        // it is delayed until then
	dead queue.Reason // it was dead-lettered
}

// setAside notes why an item is not ready, or that it is.
func (r *Recovery) setAside(seq uint64, a aside) {
	if a == (aside{}) {
		delete(r.aside, seq)
		return
	}
	if r.aside == nil {
		r.aside = map[uint64]aside{}
	}
	r.aside[seq] = a
}

// appendAside appends them to a checkpoint, if there are any.
func (q *Queue) appendAside(dst []byte) []byte {
	if q.m.Delayed() == 0 && (q.m.Dying() == 0 || !q.cfg.KeepDead) {
		return dst
	}
	var late, dead []queue.Entry
	q.m.Walk(func(e queue.Entry) bool {
		switch {
		case e.Item == nil || e.Item.Flags&queue.Persistent == 0 || e.Item.Pos == 0:
		case e.State == queue.Delayed:
			late = append(late, e)
		case e.State == queue.Dying && e.Reason != queue.ReasonNone && q.cfg.KeepDead:
			dead = append(dead, e)
		}
		return true
	})
	dst = binary.AppendUvarint(dst, uint64(len(late)))
	for _, e := range late {
		dst = binary.AppendUvarint(dst, e.Item.Seq)
		dst = binary.AppendVarint(dst, e.Due)
	}
	if len(dead) == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(dead)))
	for _, e := range dead {
		dst = append(binary.AppendUvarint(dst, e.Item.Seq), byte(e.Reason))
	}
	return dst
}

func (r *Recovery) parseAside(rd *reader) {
	count := func() uint64 {
		n := rd.uvarint()
		rd.bad = rd.bad || n > uint64(len(rd.b))
		return n
	}
	for n := count(); n > 0 && !rd.bad; n-- {
		seq := rd.uvarint()
		r.setAside(seq, aside{due: rd.varint()})
	}
	if len(rd.b) == 0 {
		return
	}
	for n := count(); n > 0 && !rd.bad; n-- {
		seq, why := rd.uvarint(), queue.Reason(rd.byte())
		rd.bad = rd.bad || why >= queue.Reasons
		r.setAside(seq, aside{dead: why})
	}
}

// restoreAside hands those of the items that are not ready to the machine and
// returns the others, and the bytes of the dead letters.
func (q *Queue) restoreAside(r *Recovery, items []queue.Item) (ready []queue.Item, dying int64) {
	if len(r.aside) == 0 {
		return items, 0
	}
	ready = slices.DeleteFunc(items, func(it queue.Item) bool {
		a := r.aside[it.Seq]
		switch {
		case a.dead != queue.ReasonNone:
			s := q.m.RestoreDying(it, a.dead)
			q.stuck.letters = append(q.stuck.letters, dead{reason: a.dead, slot: s, item: it})
			dying += int64(it.Size)
		case a.due != 0:
			q.m.RestoreDelayed(it, a.due)
		default:
			return false
		}
		return true
	})
	return ready, dying
}

// splitAside tells items that are ready from those that are not.
func (r *Recovery) splitAside(items []queue.Item) (ready, out []queue.Item) {
	if len(r.aside) == 0 {
		return items, nil
	}
	for _, it := range items {
		if r.aside[it.Seq] != (aside{}) {
			out = append(out, it)
		} else {
			ready = append(ready, it)
		}
	}
	return ready, out
}
