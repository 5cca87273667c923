package queueproc

import (
	"cmp"
	"errors"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Taken is a ready message that was taken out of a queue, from wherever it
// was. It is still the queue's, and comes back after a crash, until Bury.
type Taken struct {
	q    *Queue
	slot queue.Slot
	Item queue.Item
	buf  []byte
}

// Take takes ready messages out, those with the given sequence numbers, which
// must be sorted. What is not there, or not ready, is passed over. Each must be
// ended with Bury or PutBack.
func (q *Queue) Take(seqs []uint64) ([]*Taken, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	left := slices.Clone(seqs)
	var out []*Taken
	tries := 0 // in a row that got nothing
	for again := true; again && len(left) > 0; tries++ {
		var err error
		var ts []*Taken
		if ts, again, err = q.takeSome(left, tries >= maxTries); err != nil {
			for _, t := range out {
				t.PutBack()
			}
			return nil, err
		}
		if len(ts) > 0 {
			tries = 0
		}
		for _, t := range ts {
			i, _ := slices.BinarySearch(left, t.Item.Seq)
			left = slices.Delete(left, i, i+1)
		}
		out = append(out, ts...)
	}
	slices.SortFunc(out, func(a, b *Taken) int { return cmp.Compare(a.Item.Seq, b.Item.Seq) })
	return out, nil
}

// maxTries is how often a page that cannot be found is looked for again.
const maxTries = 10

// takeSome takes what is in memory and then what is in pages. It reports whether
// pages came into memory in between. last: what is not there will not come back.
func (q *Queue) takeSome(seqs []uint64, last bool) (out []*Taken, again bool, err error) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return nil, false, ErrDeleted
	}
	ts := q.m.Take(nowMillis(), func(it *queue.Item) bool {
		_, ok := slices.BinarySearch(seqs, it.Seq)
		return ok
	}, nil, &q.eff)
	var pages []queue.PageRef
	if len(ts) < len(seqs) {
		q.m.EachPage(func(p *queue.PageRef) bool {
			i, _ := slices.BinarySearch(seqs, p.First)
			if i < len(seqs) && seqs[i] <= p.Last {
				pages = append(pages, *p)
			}
			return true
		})
	}
	q.unlock()
	out = q.taken(nil, ts)
	for _, ref := range pages {
		ts, there, err := q.takePaged(ref, seqs)
		again = again || !there
		if errors.Is(err, store.ErrGone) && !last {
			again = true
		} else if err != nil {
			for _, t := range out {
				t.PutBack()
			}
			return nil, false, err
		}
		out = q.taken(out, ts)
	}
	return out, again, nil
}

func (q *Queue) taken(dst []*Taken, ts []queue.Taken) []*Taken {
	for i := range ts {
		dst = append(dst, &Taken{q: q, slot: ts[i].Slot, Item: ts[i].Item})
	}
	return dst
}

// takePaged takes messages out of a page on disk. The page is written anew
// without them. there is
// false if the page has come into memory meanwhile.
func (q *Queue) takePaged(ref queue.PageRef, seqs []uint64) (ts []queue.Taken, there bool, err error) {
	items, err := q.pageItems(ref)
	if err != nil {
		return nil, true, err
	}
	var out, rest []queue.Item
	for i := range items {
		if _, ok := slices.BinarySearch(seqs, items[i].Seq); ok {
			out = append(out, items[i])
		} else {
			rest = append(rest, items[i])
		}
	}
	if len(out) == 0 {
		return nil, true, nil
	}
	ext := ref.Ext.(*pageExt)
	q.mu.Lock()
	if q.deleted || !q.hasPage(ref.Pos) {
		q.mu.Unlock()
		return nil, q.deleted, nil
	}
	if err := q.Log.Err(); err != nil {
		q.mu.Unlock()
		return nil, true, err
	}
	var next *queue.PageRef
	if n, ok := q.splitPage(page{level: ref.Level, epoch: ext.epoch, replaces: ref.Pos}, rest, out); ok {
		n.Ext.(*pageExt).redelivered = ext.redelivered
		next = &n
	}
	ts, _ = q.m.TakePaged(nowMillis(), ref, next, out, nil, &q.eff)
	q.Log.Release(store.Position(ref.Pos), ext.size)
	q.unlock()
	return ts, true, nil
}

// Message returns the message. It is valid until Bury or PutBack.
func (t *Taken) Message() (message.Message, error) {
	m, err := t.q.bytes(&t.Item, &t.buf)
	for try := 0; errors.Is(err, store.ErrGone) && try < 3 && t.q.findDying(&t.Item); try++ {
		m, err = t.q.bytes(&t.Item, &t.buf) // moved by the log's compaction in between
	}
	return m, err
}

// Bury ends it: it is done with, or safe elsewhere.
func (t *Taken) Bury() {
	q := t.q
	q.mu.Lock()
	if !q.deleted {
		q.m.Buried(t.slot, &q.eff)
	}
	q.unlock()
}

// PutBack makes it ready again, in its old place if that is not on disk.
func (t *Taken) PutBack() {
	q := t.q
	q.mu.Lock()
	if !q.deleted {
		q.m.PutBack(nowMillis(), t.slot, &q.eff)
	}
	q.unlock()
}
