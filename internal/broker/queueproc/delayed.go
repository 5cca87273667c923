package queueproc

import (
	"encoding/binary"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
)

// Messages of quorum queues that came back and wait for their next try: until
// when is in the record that says that they came back, and at the end of the
// queue's part of a checkpoint.

// appendDelayed appends them to a checkpoint, if there are any.
func (q *Queue) appendDelayed(dst []byte) []byte {
	if q.m.Delayed() == 0 {
		return dst
	}
	var es []queue.Entry
	q.m.Walk(func(e queue.Entry) bool {
		if e.State == queue.Delayed && e.Item.Flags&queue.Persistent != 0 && e.Item.Pos != 0 {
			es = append(es, e)
		}
		return true
	})
	dst = binary.AppendUvarint(dst, uint64(len(es)))
	for _, e := range es {
		dst = binary.AppendUvarint(dst, e.Item.Seq)
		dst = binary.AppendVarint(dst, e.Due)
	}
	return dst
}

func (r *Recovery) parseDelayed(rd *reader) {
	n := rd.uvarint()
	if n > uint64(len(rd.b)) {
		rd.bad = true
		return
	}
	for range n {
		seq := rd.uvarint()
		r.delay(seq, rd.varint())
	}
}

// restoreDelayed hands the delayed ones of the items to the machine and returns
// the others.
func (q *Queue) restoreDelayed(r *Recovery, items []queue.Item) []queue.Item {
	if len(r.delayed) == 0 {
		return items
	}
	return slices.DeleteFunc(items, func(it queue.Item) bool {
		due := r.delayed[it.Seq]
		if due != 0 {
			q.m.RestoreDelayed(it, due)
		}
		return due != 0
	})
}

// splitDelayed moves the delayed items of a page, that a recovery has found at
// pos, to items. A page of their own, that only another recovery looks at, keeps
// them until the next checkpoint. One of the two replaces the old page.
func (q *Queue) splitDelayed(r *Recovery, p page, pos uint64, items []queue.Item) (page, []queue.Item) {
	p.replaces = pos
	if len(r.delayed) == 0 {
		return p, items
	}
	var late, rest []queue.Item
	for _, it := range p.items {
		if r.delayed[it.Seq] != 0 {
			late = append(late, it)
		} else {
			rest = append(rest, it)
		}
	}
	if len(late) == 0 {
		return p, items
	}
	q.scratch = appendPage(q.scratch[:0], p.level, p.epoch, pos, late)
	q.Log.Append(KindPage, q.ID, false, q.scratch, nil, nil)
	p.items, p.replaces = rest, 0
	return p, append(items, late...)
}
