package queueproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// What a load reads at a time.
const (
	loadItems = 1024
	loadBytes = message.BlockSize * 3 / 4 // with what lies around the bodies it is mostly one block
)

func appendUvarints(dst []byte, vs ...uint64) []byte {
	for _, v := range vs {
		dst = binary.AppendUvarint(dst, v)
	}
	return dst
}

// WritePage implements queue.Storage: the items leave memory. Those that are
// not in the log yet are appended to it first.
func (q *Queue) WritePage(level uint8, items []queue.Item) queue.PageRef {
	for i := range items {
		it := &items[i]
		if it.Pos == 0 {
			q.scratch = appendHead(q.scratch[:0], it)
			it.Pos = uint64(q.Log.Append(KindPublish, q.ID, false, q.scratch, it.Mem.Bytes(), nil))
			q.Log.Retain(store.Position(it.Pos), it.Size)
		}
		q.arena.Release(it.Mem)
	}
	return q.writePage(page{level: level, epoch: q.Epoch, items: items})
}

func (q *Queue) writePage(p page) queue.PageRef {
	q.scratch = appendPage(q.scratch[:0], p.level, p.epoch, p.replaces, p.items)
	pos := q.Log.Append(KindPage, q.ID, false, q.scratch, nil, nil)
	ref := pageRef(uint64(pos), len(q.scratch), &p, q.Epoch)
	q.Log.Retain(pos, uint32(len(q.scratch)))
	if cap(q.scratch) > 64<<10 {
		q.scratch = nil
	}
	return ref
}

// splitPage writes a page anew, in place of the one that p replaces, without
// the items that are to be in memory (out). Those get a page of their own in the
// log that only a recovery looks at, so that a crash before they are settled
// brings them back. It is written last, and only then the old page is replaced:
// a log that ends between the two holds all of them still. ok is false if there
// is no rest.
func (q *Queue) splitPage(p page, rest, out []queue.Item) (ref queue.PageRef, ok bool) {
	old, lasting := p.replaces, persistentOnly(slices.Clone(out))
	if p.items, ok = rest, len(rest) > 0; ok {
		if len(lasting) > 0 {
			p.replaces = 0
		}
		ref = q.writePage(p)
	}
	if len(lasting) > 0 {
		q.scratch = appendPage(q.scratch[:0], p.level, p.epoch, old, lasting)
		q.Log.Append(KindPage, q.ID, false, q.scratch, nil, nil)
	}
	return ref, ok
}

// dropPage lets go of a page and of all its items.
func (q *Queue) dropPage(p *queue.PageRef, logIt bool) {
	ext := p.Ext.(*pageExt)
	for _, s := range ext.segs {
		q.Log.ReleaseN(s.seg, s.count, s.bytes)
	}
	q.Log.Release(store.Position(p.Pos), ext.size)
	q.kept.dropPage(p)
	if logIt && p.Persistent > 0 {
		q.scratch = appendUvarints(append(q.scratch[:0], recordVersion), p.Pos)
		q.Log.Append(KindPageDrop, q.ID, false, q.scratch, nil, nil)
	}
}

// load brings in what dispatch waits for, until nothing more is wanted. One
// load runs at a time (Queue.loading). After a failed read it is tried again.
func (q *Queue) load() {
	for gone := 0; ; {
		more, err := q.loadOnce(gone > 2)
		switch {
		case errors.Is(err, store.ErrGone) && gone <= 2:
			gone++ // moved by the log's compaction in between: look again
		case err != nil:
			q.Host.Failed(q, err)
			q.loadLater()
			return
		case !more:
			return
		default:
			gone = 0
		}
	}
}

// retryLoad is how long a failed read is left alone.
const retryLoad = time.Second

func (q *Queue) loadLater() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.stopped && !q.deleted {
		q.retry = time.AfterFunc(retryLoad, func() { q.Host.Go(q.load) })
	}
}

// loadPage brings in the page at the head for somebody who waits for it.
func (q *Queue) loadPage() error {
	q.mu.Lock()
	pg, _ := q.m.Wanted(0, 0, nil)
	if pg == nil || q.deleted {
		q.mu.Unlock()
		return nil
	}
	ref := *pg
	q.mu.Unlock()
	return q.readPage(&loader{}, ref)
}

func (q *Queue) readPage(ld *loader, ref queue.PageRef) error {
	size := int(store.LiveSize(int(ref.Ext.(*pageExt).size)))
	payload, _, _, err := q.Log.Read(store.Position(ref.Pos), slices.Grow(ld.raw[:0], size))
	p := page{items: ld.page[:0]}
	if err == nil {
		ld.raw = payload
		err = p.parse(payload)
	}
	ld.page = p.items
	items := p.items
	if err == nil && p.epoch != q.Epoch {
		items = persistentOnly(items)
	}
	if ref.Ext.(*pageExt).redelivered {
		for i := range items {
			items[i].Flags |= queue.Redelivered
		}
	}
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return nil
	}
	if err != nil {
		q.mu.Unlock()
		return err
	}
	if q.m.PageLoaded(nowMillis(), ref, items, &q.eff) {
		q.Log.Release(store.Position(ref.Pos), ref.Ext.(*pageExt).size)
	}
	q.unlock()
	return nil
}

func persistentOnly(items []queue.Item) []queue.Item {
	kept := items[:0]
	for i := range items {
		if items[i].Flags&queue.Persistent != 0 {
			kept = append(kept, items[i])
		}
	}
	return kept
}

// loadOnce loads one page or one run of bodies. It reports whether to go on.
// takeLoss: what is not there will not come back.
func (q *Queue) loadOnce(takeLoss bool) (bool, error) {
	if q.Stream {
		return q.loadRun(takeLoss)
	}
	q.mu.Lock()
	if q.deleted {
		q.loading = false
		q.mu.Unlock()
		return false, nil
	}
	n, bytes := loadItems, int64(loadBytes)
	if q.Budget.Exhausted() {
		n, bytes = loadItems/16, loadBytes/16
	}
	if q.loader == nil {
		q.loader = &loader{}
	}
	ld := q.loader
	pg, items := q.m.Wanted(n, bytes, ld.items[:0])
	ld.items = items
	if pg == nil && len(items) == 0 {
		q.loading = false
		q.mu.Unlock()
		return false, nil
	}
	var ref queue.PageRef
	if pg != nil {
		ref = *pg
	}
	q.mu.Unlock()
	if pg != nil {
		return true, q.readPage(ld, ref)
	}
	err := q.loadBodies(ld, items)
	if errors.Is(err, store.ErrCorrupt) || takeLoss && errors.Is(err, store.ErrGone) {
		err = q.loadSingly(ld, items, err)
	}
	return true, err
}

// loadSingly finds the message that cannot be read. Those before it are
// delivered; when it is at the head and damaged for good, it is given up, so
// that the queue goes on.
func (q *Queue) loadSingly(ld *loader, items []queue.Item, cause error) error {
	for i := range items {
		err := q.loadBodies(ld, items[i:i+1])
		if err == nil {
			continue
		}
		if i > 0 {
			return nil // those before it go out first
		}
		q.giveUp(items[i].Seq)
		q.Host.Failed(q, fmt.Errorf("message given up: %w", err))
		return nil
	}
	return cause
}

// giveUp drops the message at the head of the queue, if it is the one with seq.
func (q *Queue) giveUp(seq uint64) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	now := nowMillis()
	if it, slot, st := q.m.Get(now, false, &q.eff); st == queue.Got {
		o := queue.Unread
		if it.Seq == seq {
			o = queue.Ack
			q.stats.Lost++
		}
		q.m.Settle(now, slot, it.Seq, o, &q.eff)
	}
	q.unlock()
}
