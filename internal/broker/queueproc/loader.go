package queueproc

import (
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// loader reads the messages of a queue from the log. A run of records is read
// into a block of the queue's arena and stays there: nothing is copied. There is
// one load at a time (Queue.loading), which owns the loader.
type loader struct {
	items []queue.Item
	pos   []store.Position
	msgs  []loaded
	reads []blockRead
	raw   []byte       // a page record
	page  []queue.Item // and what it holds
}

// loaded is a message in its stored form.
type loaded struct {
	bytes []byte
	read  int // index of the read whose block it may lie in; -1: memory of its own
}

// blockRead is a run of records that was read at once.
type blockRead struct {
	block message.Block
	first int // index of the first message
	size  int // bytes that were read
	kept  bool
}

// loadBodies reads the messages of items from the log and hands them to the
// machine, which dispatches them.
func (q *Queue) loadBodies(ld *loader, items []queue.Item) error {
	return q.readBodies(ld, items, q.Budget.Exhausted(), func() {
		for _, r := range q.m.BodiesLoaded(nowMillis(), items, &q.eff) {
			q.arena.Release(r)
		}
	})
}

// readBodies reads the messages of items and calls done, with the lock held,
// once they are in the arena. few: so few that a block is too much for them.
func (q *Queue) readBodies(ld *loader, items []queue.Item, few bool, done func()) error {
	ld.pos, ld.msgs, ld.reads = ld.pos[:0], ld.msgs[:0], ld.reads[:0]
	for i := range items {
		ld.pos = append(ld.pos, store.Position(items[i].Pos))
	}
	room := func(n int) []byte {
		ld.endRead()
		return q.startRead(ld, n)
	}
	if few {
		room = nil
	}
	err := q.Log.ReadMany(ld.pos, message.BlockSize, room, func(_ int, kind store.Kind, _ uint64, payload []byte) error {
		b, err := storedMessage(kind, payload)
		if err == nil {
			ld.msgs = append(ld.msgs, loaded{b, len(ld.reads) - 1})
		}
		return err
	})
	ld.endRead()
	q.mu.Lock()
	if q.deleted {
		q.arena.Drop() // what this load took since
		q.mu.Unlock()
		return nil
	}
	if err != nil {
		for _, r := range ld.reads {
			q.arena.TakeBack(r.block)
		}
		q.noteChange()
		q.mu.Unlock()
		return err
	}
	for i := range items {
		items[i].Mem = q.place(ld, &ld.msgs[i])
	}
	for _, r := range ld.reads {
		q.arena.Adopt(r.block)
	}
	done()
	clear(ld.msgs)
	clear(ld.reads)
	q.unlock()
	return nil
}

// startRead gives the memory that n bytes are read into.
func (q *Queue) startRead(ld *loader, n int) []byte {
	if k := len(ld.reads); k > 0 && !ld.reads[k-1].kept {
		ld.reads[k-1] = blockRead{block: ld.reads[k-1].block, first: len(ld.msgs), size: n}
		return ld.reads[k-1].block.Bytes()[:n]
	}
	q.mu.Lock()
	b := q.arena.Block()
	q.noteChange()
	q.mu.Unlock()
	ld.reads = append(ld.reads, blockRead{block: b, first: len(ld.msgs), size: n})
	return b.Bytes()[:n]
}

// endRead decides whether the messages of the last read stay in its block. Where
// most of what was read belongs to others they are copied, as a few messages
// must not hold a block, and the block serves the next read.
func (ld *loader) endRead() {
	if len(ld.reads) == 0 {
		return
	}
	r := &ld.reads[len(ld.reads)-1]
	msgs := ld.msgs[r.first:]
	used := 0
	for i := range msgs {
		if r.block.Holds(msgs[i].bytes) {
			used += len(msgs[i].bytes)
		}
	}
	if r.kept = used >= r.size/4; r.kept {
		return
	}
	own := make([]byte, 0, used)
	for i := range msgs {
		if r.block.Holds(msgs[i].bytes) {
			at := len(own)
			own = append(own, msgs[i].bytes...)
			msgs[i].bytes = own[at:]
		}
		msgs[i].read = -1
	}
	r.first = len(ld.msgs)
}

// place returns the place of a message in the arena. Called with the lock held.
func (q *Queue) place(ld *loader, m *loaded) message.Ref {
	if m.read >= 0 {
		if r, ok := ld.reads[m.read].block.Ref(m.bytes); ok {
			return r
		}
	}
	return q.arena.PutBytes(m.bytes)
}
