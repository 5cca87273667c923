package queueproc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// A stream delivers what the log has made durable and nothing else: an offset
// that a reader has seen never means another message, whatever crashes.

// follower is what a Queue of type stream has beside the others.
type follower struct {
	q      *Queue
	last   store.Position // of the newest record
	points []point        // what is not known to be durable, in order
	asked  bool           // registered with the log
	going  bool           // more is under way
	run    func()         // delivers when the log is durable
	more   func()         // delivers what was too much at once

	// The loader's own.
	pages [pageCache]cachedPage
	turn  int    // place in pages that is used next
	raw   []byte // a page record
}

// point says that messages up to seq are safe once the log is durable behind pos.
type point struct {
	pos store.Position
	seq uint64
}

// pageCache is how many pages of the index a stream keeps for its loader.
const pageCache = 8

type cachedPage struct {
	pos   uint64
	items []queue.Item
}

func newFollower(q *Queue) *follower {
	f := &follower{q: q}
	f.run = func() { f.goOn(&f.asked) }
	f.more = func() { f.goOn(&f.going) }
	return f
}

// atOnce is how often the machine of a stream is let go on before others have
// the lock: some thousand deliveries.
const atOnce = 4

// follow notes what was appended and delivers what is durable. If readers wait
// for the rest, the log is asked to tell, and to hurry if nobody else sees to it
// (hurry). Called with the lock held.
func (q *Queue) follow(now int64, hurry bool) {
	f := q.log
	if n := len(f.points); f.last != 0 && (n == 0 || f.points[n-1].pos < f.last) {
		f.points = append(f.points, point{f.last, q.m.NextSeq() - 1})
		f.last = 0
	}
	q.advance(now)
	if len(f.points) == 0 || q.m.Consumers() == 0 || q.stopped {
		return
	}
	if !f.asked {
		f.asked = true
		q.Log.Notify(f)
	}
	if hurry && q.m.Waiting() {
		q.Log.Commit()
	}
}

// advance tells the machine what is durable. Called with the lock held.
func (q *Queue) advance(now int64) {
	f := q.log
	durable, n := q.Log.Durable(), 0
	for n < len(f.points) && f.points[n].pos < durable {
		n++
	}
	if n == 0 {
		return
	}
	seq := f.points[n-1].seq
	f.points = f.points[:copy(f.points, f.points[n:])]
	if len(f.points) == 0 && cap(f.points) > 4096 {
		f.points = nil
	}
	q.m.Commit(now, seq, &q.eff)
}

// Committed implements store.Waiter.
func (f *follower) Committed(_ store.Position, err error) {
	if err == nil {
		f.q.Host.Go(f.run)
	}
}

// goOn delivers. why is what it was called for.
func (f *follower) goOn(why *bool) {
	q := f.q
	q.mu.Lock()
	*why = false
	if q.deleted {
		q.mu.Unlock()
		return
	}
	q.follow(nowMillis(), false)
	q.unlock()
}

// StreamInfo is what only streams have.
type StreamInfo struct {
	FirstOffset int64 // of the oldest message that is there
	NextOffset  int64 // of the next one that is published
	Committed   int64 // of the newest message that readers may have; -1: none yet
	FirstTime   int64 // when the oldest one came, ms since 1970; 0: there is none
	Segments    int   // as retention counts them
	Readers     int
}

func (q *Queue) streamInfo() *StreamInfo {
	if !q.deleted && q.m.Consumers() == 0 {
		q.advance(nowMillis()) // which nobody else does now
	}
	i := &StreamInfo{FirstOffset: int64(q.m.First()) - 1, NextOffset: int64(q.m.NextSeq()) - 1,
		Committed: int64(q.m.Committed()) - 1, Segments: q.m.Segments(), Readers: q.m.Consumers()}
	i.FirstTime, _ = q.m.HeadTime()
	return i
}

// Cool implements queue.Storage.
func (q *Queue) Cool(mem message.Ref) { q.arena.Release(mem) }

// Runs of a stream that stay in memory for readers that are behind.
const (
	keepRuns    = 64
	keepRunsLow = 4 // while memory is short
)

// loadRun reads what a reader that is behind needs. It reports whether to go on.
// takeLoss: what is not there will not come back.
func (q *Queue) loadRun(takeLoss bool) (bool, error) {
	q.mu.Lock()
	if q.deleted {
		q.loading = false
		q.mu.Unlock()
		return false, nil
	}
	n, bytes, keep := loadItems, int64(loadBytes), keepRuns
	switch {
	case q.Budget.Exhausted():
		n, bytes, keep = loadItems/16, loadBytes/16, 1
	case q.Budget.Used() > q.Budget.Limit/2:
		keep = keepRunsLow
	}
	if q.loader == nil {
		q.loader = &loader{}
	}
	ld := q.loader
	w, ok := q.m.WantedRun(nowMillis(), n, bytes, ld.items[:0], &q.eff)
	if !ok {
		q.loading = false
	}
	q.unlock()
	if !ok {
		return false, nil
	}
	items, err := q.itemsOf(&w, ld, bytes)
	if err == nil && len(items) > 0 {
		err = q.readRun(ld, items, &w, keep)
	}
	lost := err == nil && len(items) == 0
	if errors.Is(err, store.ErrCorrupt) || takeLoss && errors.Is(err, store.ErrGone) {
		lost = true
		for i := range items {
			// Those before the damaged one are good, and those after it.
			if e := q.readRun(ld, items[i:i+1], &queue.Want{From: items[i].Seq, To: items[i].Seq}, keep); e != nil {
				q.passOver(items[i].Seq, items[i].Seq, fmt.Errorf("message given up: %w", e))
			}
			lost = false
		}
		if lost {
			q.Host.Failed(q, fmt.Errorf("page of messages given up: %w", err))
		}
		err = nil
	}
	if lost {
		q.passOver(w.From, w.To, nil)
	}
	return true, err
}

// itemsOf finds out which items are wanted.
func (q *Queue) itemsOf(w *queue.Want, ld *loader, bytes int64) ([]queue.Item, error) {
	if w.Page == nil {
		ld.items = w.Items
		return w.Items, nil
	}
	all, err := q.log.page(w.Page)
	if err != nil {
		return nil, err
	}
	ld.items = ld.items[:0]
	for i := range all {
		it := &all[i]
		if it.Seq < w.From {
			continue
		}
		if it.Seq > w.To {
			break
		}
		if bytes <= 0 {
			w.To = it.Seq - 1
			break
		}
		bytes -= int64(it.Size)
		ld.items = append(ld.items, *it)
	}
	return ld.items, nil
}

// page returns the items of a page. Only the loader calls it.
func (f *follower) page(ref *queue.PageRef) ([]queue.Item, error) {
	for i := range f.pages {
		if f.pages[i].pos == ref.Pos {
			return f.pages[i].items, nil
		}
	}
	c := &f.pages[f.turn]
	f.turn = (f.turn + 1) % pageCache
	c.pos = 0
	size := int(store.LiveSize(int(ref.Ext.(*pageExt).size)))
	payload, _, _, err := f.q.Log.Read(store.Position(ref.Pos), slices.Grow(f.raw[:0], size))
	if err != nil {
		return nil, err
	}
	f.raw = payload
	p := page{items: c.items[:0]}
	err = p.parse(payload)
	c.items = p.items
	if err == nil {
		c.pos = ref.Pos
	}
	return c.items, err
}

// forget gives the loader's memory back. Called when there is none at work.
func (f *follower) forget() { f.pages, f.raw = [pageCache]cachedPage{}, nil }

func (q *Queue) readRun(ld *loader, items []queue.Item, w *queue.Want, keep int) error {
	size := 0
	for i := range items {
		size += int(items[i].Size)
	}
	few := size < message.BlockSize/4 && len(items) < loadItems/4
	q.reads.Add(uint64(len(items)))
	return q.readBodies(ld, items, few, func() {
		q.m.RunLoaded(nowMillis(), items, w.From, w.To, keep, &q.eff)
	})
}

// passOver lets readers go on behind messages that cannot be read.
func (q *Queue) passOver(from, to uint64, err error) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return
	}
	if err != nil {
		q.stats.Lost++
	}
	q.m.RunLost(nowMillis(), from, to, &q.eff)
	q.unlock()
	if err != nil {
		q.Host.Failed(q, err)
	}
}
