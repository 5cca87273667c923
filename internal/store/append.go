package store

import (
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
)

const (
	chunkSize = 256 << 10
	bigRecord = chunkSize / 2 // from here on a record has a chunk of its own
	pokeBytes = 1 << 20       // pending bytes that wake the committer unasked
	maxRecord = 1<<31 - 1<<20
)

// chunk is a stretch of one segment that waits to be written. Records never
// go over its end.
type chunk struct {
	seg *seg
	off uint32 // of buf[0] in the segment
	buf []byte
	big bool // made for one record; not reused
}

func (c *chunk) start() Position { return segment.At(c.seg.num, c.off) }
func (c *chunk) end() Position   { return segment.At(c.seg.num, c.off+uint32(len(c.buf))) }

// Append copies a record (a, then b, then c) into the pending batch and
// returns its position, or 0 when the log has failed or is closed, or the
// record is too large. It does no I/O and does not wait. An urgent record is
// synced with the commit that Commit asks for; the others are written after
// FlushInterval at the latest and synced when something urgent follows.
func (l *Log) Append(kind Kind, group uint64, urgent bool, a, b, c []byte) Position {
	return l.append(kind, group, urgent, false, a, b, c)
}

// AppendLive is Append and Retain in one step: no checkpoint can come
// between. The retained bytes are segment.Size of the payload's length; give
// the same to Release.
func (l *Log) AppendLive(kind Kind, group uint64, urgent bool, a, b, c []byte) Position {
	return l.append(kind, group, urgent, true, a, b, c)
}

// LiveSize returns the bytes that AppendLive retains for a payload.
func LiveSize(payload int) uint32 { return uint32(segment.Size(payload)) }

func (l *Log) append(kind Kind, group uint64, urgent, live bool, a, b, c []byte) Position {
	n := len(a) + len(b) + len(c)
	if kind == 0 || kind > segment.MaxKind {
		panic("store: record kind out of range")
	}
	if n > maxRecord {
		return 0
	}
	size := segment.Size(n)
	var own []byte
	if size >= bigRecord { // copied before the lock is taken
		own = make([]byte, size)
		fill(own, a, b, c)
	}
	l.mu.Lock()
	if l.err != nil || l.closing {
		l.mu.Unlock()
		return 0
	}
	began := len(l.pending) == 0
	l.makeRoom(size)
	pos := l.End()
	dst := own
	if own == nil {
		dst = l.take(size)
		fill(dst, a, b, c)
	} else {
		l.link(own)
	}
	s := l.tailSeg
	segment.PutRecord(dst, s.seed, pos.Offset(), kind, group, n)
	l.lastEnd = l.End()
	if urgent {
		l.urgent = true
	}
	if live {
		s.liveBytes.Add(int64(size))
		s.live.Add(1)
	}
	if began && l.flush != nil {
		l.flush.Reset(l.opt.FlushInterval)
	}
	l.mu.Unlock()
	l.records.Add(1)
	l.sinceCkpt.Add(int64(size))
	if l.pendingN.Load() >= pokeBytes {
		l.poke()
	}
	return pos
}

// fill lays the payload behind the place of the record header and clears the
// padding.
func fill(dst, a, b, c []byte) {
	n := segment.RecordHeader
	n += copy(dst[n:], a)
	n += copy(dst[n:], b)
	n += copy(dst[n:], c)
	clear(dst[n:])
}

// makeRoom sees to it that the tail segment has room for a record, and that
// a batch begins with a mark. Called under mu.
func (l *Log) makeRoom(size int) {
	need := int64(size)
	if len(l.pending) == 0 {
		need += segment.MarkSize
	}
	if l.tailSeg == nil || int64(l.End().Offset())+need+segment.SealSize > l.tailSeg.cap {
		l.roll(int64(size))
	} else if len(l.pending) == 0 {
		l.putMark()
	}
}

// roll ends the tail segment and begins the next, with a mark and room for
// size bytes. Called under mu.
func (l *Log) roll(size int64) {
	num, prev := l.End().Segment(), l.prevEnd
	if s := l.tailSeg; s != nil {
		if len(l.pending) == 0 {
			// The batch begins with a seal instead of a mark: there may be
			// no room for both.
			l.cur = nil
		}
		off := l.End().Offset()
		segment.PutRecord(l.take(segment.SealSize), s.seed, off, segment.KindSeal, 0, 0)
		num, prev = s.num+1, l.End()
	}
	s := l.newSeg(num, max(l.opt.SegmentSize, segment.HeaderSize+segment.MarkSize+size+segment.SealSize), prev)
	l.table.Store(l.table.Load().with(s))
	l.tailSeg, l.cur = s, nil
	l.tail.Store(uint64(segment.At(num, 0)))
	segment.PutHeader(l.take(segment.HeaderSize), segment.Header{
		Number: num, Identity: l.opt.Identity, Capacity: s.cap, Created: time.Now(), Prev: prev,
	})
	l.putMark()
}

// putMark appends a mark. Called under mu.
func (l *Log) putMark() {
	off := l.End().Offset()
	dst := l.take(segment.MarkSize)
	segment.PutRecord(dst, l.tailSeg.seed, off, segment.KindMark, 0, segment.MarkLen)
	l.marked = Position(l.synced.Load())
	segment.PutMark(dst[segment.RecordHeader:], segment.Mark{Durable: l.marked, Time: time.Now()})
}

// take returns the next size bytes of the tail segment, in a chunk of the
// pending batch. Called under mu.
func (l *Log) take(size int) []byte {
	c := l.cur
	if c == nil || c.seg != l.tailSeg || len(c.buf)+size > cap(c.buf) {
		if n := len(l.free); n > 0 {
			c = l.free[n-1]
			l.free[n-1] = nil
			l.free = l.free[:n-1]
			l.freeLow = min(l.freeLow, n-1)
		} else {
			c = &chunk{buf: make([]byte, 0, chunkSize)}
			l.freeLow = 0
		}
		c.seg, c.off = l.tailSeg, l.End().Offset()
		l.pending = append(l.pending, c)
		l.cur = c
	}
	n := len(c.buf)
	c.buf = c.buf[:n+size]
	l.advance(size)
	return c.buf[n : n+size : n+size]
}

// link appends a record that brings its own buffer. Called under mu.
func (l *Log) link(own []byte) {
	c := &chunk{seg: l.tailSeg, off: l.End().Offset(), buf: own, big: true}
	l.pending = append(l.pending, c)
	l.cur = nil
	l.advance(len(own))
}

func (l *Log) advance(size int) {
	l.tail.Add(uint64(size))
	l.pendingN.Add(int64(size))
	l.appended.Add(uint64(size))
}

// Notify lets w be called once, from the committer, after the next commit,
// which then covers everything appended before; at once when the log has
// failed. Call Commit when done, otherwise that takes up to FlushInterval.
func (l *Log) Notify(w Waiter) { l.notify(w, false) }

func (l *Log) notify(w Waiter, forced bool) {
	l.mu.Lock()
	if l.err == ErrClosed {
		l.mu.Unlock()
		w.Committed(l.Durable(), ErrClosed)
		return
	}
	l.waiters = append(l.waiters, w)
	l.forced = l.forced || forced
	poke := l.err != nil || len(l.pending) == 0
	l.mu.Unlock()
	if poke {
		l.poke()
	}
}

// finish fills in the checksums of a chunk's records. The committer calls it
// without mu: readers of pending records look at payloads, not checksums.
func (c *chunk) finish() {
	b, off := c.buf, c.off
	if off == 0 {
		b, off = b[segment.HeaderSize:], segment.HeaderSize
	}
	for len(b) > 0 {
		n := segment.Finish(b, c.seg.seed, off)
		b, off = b[n:], off+uint32(n)
	}
}

// find returns the record that begins at off. Called under mu.
func (c *chunk) find(off uint32) (kind Kind, group uint64, payload []byte, ok bool) {
	b := c.buf[off-c.off:]
	kind, group, n, _, ok := segment.Peek(b, c.seg.seed, off)
	if !ok || len(b) < segment.RecordHeader+n {
		return 0, 0, nil, false
	}
	return kind, group, b[segment.RecordHeader : segment.RecordHeader+n], true
}
