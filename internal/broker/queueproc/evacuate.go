package queueproc

import (
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Evacuate writes whatever the queue still has in segment seg of the log again
// at its tail, so that the segment can go. Reading is done without the lock;
// what was settled meanwhile is dropped again. A body that several queues
// share is written once for each: sharing ends here.
func (q *Queue) Evacuate(seg uint32) error {
	var items []queue.Item
	var pages []queue.PageRef
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return nil
	}
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		if it.Pos != 0 && store.Position(it.Pos).Segment() == seg {
			items = append(items, *it)
		}
		return true
	})
	q.m.EachPage(func(p *queue.PageRef) bool {
		ext := p.Ext.(*pageExt)
		in := func(s segLive) bool { return s.seg == seg }
		if store.Position(p.Pos).Segment() == seg || slices.ContainsFunc(ext.segs, in) {
			pages = append(pages, *p)
		}
		return true
	})
	q.mu.Unlock()
	for len(items) > 0 {
		n := min(len(items), loadItems)
		if err := q.evacuateItems(items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	for i := range pages {
		if err := q.evacuatePage(pages[i], seg); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) evacuateItems(items []queue.Item) error {
	stored := make(map[uint64][]byte, len(items))
	for i := range items {
		payload, kind, _, err := q.Log.Read(store.Position(items[i].Pos), nil)
		if err != nil {
			return err
		}
		b, err := storedMessage(kind, payload)
		if err != nil {
			return err
		}
		stored[items[i].Seq] = b
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return nil
	}
	var err error
	seg := store.Position(items[0].Pos).Segment()
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		b := stored[it.Seq]
		old := store.Position(it.Pos)
		if b == nil || old == 0 || old.Segment() != seg {
			return true
		}
		q.scratch = appendHead(q.scratch[:0], it)
		pos := q.Log.Append(KindPublish, q.ID, false, q.scratch, b, nil)
		if pos == 0 {
			err = q.Log.Err()
			return false
		}
		q.Log.Retain(pos, it.Size)
		q.Log.Release(old, it.Size)
		it.Pos = uint64(pos)
		return true
	})
	return err
}

// evacuatePage writes a page again with those of its items that lie in seg.
func (q *Queue) evacuatePage(ref queue.PageRef, seg uint32) error {
	raw, _, _, err := q.Log.Read(store.Position(ref.Pos), nil)
	if err != nil {
		return err
	}
	p, err := parsePage(raw)
	if err != nil {
		return err
	}
	ext := ref.Ext.(*pageExt)
	if p.epoch != q.Epoch {
		p.items = persistentOnly(p.items)
	}
	bodies := map[int][]byte{}
	for i := range p.items {
		if store.Position(p.items[i].Pos).Segment() != seg {
			continue
		}
		raw, kind, _, err := q.Log.Read(store.Position(p.items[i].Pos), nil)
		if err != nil {
			return err
		}
		b, err := storedMessage(kind, raw)
		if err != nil {
			return err
		}
		bodies[i] = b
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted || !q.hasPage(ref.Pos) {
		return nil // loaded, and so read, meanwhile
	}
	for i := range p.items {
		b, ok := bodies[i]
		if !ok {
			continue
		}
		it := &p.items[i]
		q.scratch = appendHead(q.scratch[:0], it)
		pos := q.Log.Append(KindPublish, q.ID, false, q.scratch, b, nil)
		if pos == 0 {
			return q.Log.Err()
		}
		q.Log.Retain(pos, it.Size)
		q.Log.Release(store.Position(it.Pos), it.Size)
		it.Pos = uint64(pos)
	}
	p.replaces = ref.Pos
	next := q.writePage(p)
	next.Ext.(*pageExt).redelivered = ext.redelivered
	next.Count, next.Bytes = ref.Count, ref.Bytes
	q.m.ReplacePage(ref, next)
	q.Log.Release(store.Position(ref.Pos), ext.size)
	return nil
}

// hasPage reports whether a page is still on disk only.
func (q *Queue) hasPage(pos uint64) (found bool) {
	q.m.EachPage(func(p *queue.PageRef) bool {
		found = p.Pos == pos
		return !found
	})
	return found
}
