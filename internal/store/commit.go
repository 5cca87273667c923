package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

// batchState is what the committer remembers of the batch it is writing;
// when the disk is full it takes several attempts.
type batchState struct {
	active  bool
	end     Position
	sync    bool // in the mode's sense
	forced  bool
	waiters []Waiter
}

func (l *Log) committer() {
	defer l.comm.Done()
	for {
		select {
		case <-l.wake:
		case <-l.stopComm:
			return
		}
		l.gather()
		l.turn <- struct{}{}
		l.poked.Store(false)
		goOn := l.commitUntilDone()
		<-l.turn
		if !goOn {
			return
		}
	}
}

// gather lets others who are about to append something have their turn, so that
// one sync serves them all: a goroutine that is woken runs before those that
// were ready first. It reports whether nobody had anything.
func (l *Log) gather() (alone bool) {
	n := l.pendingN.Load()
	for first := true; ; first = false {
		runtime.Gosched()
		m := l.pendingN.Load()
		if m == n || m >= pokeBytes {
			return first && m == n
		}
		n = m
	}
}

// commitUntilDone commits, again and again while the disk is full. It reports
// false when the committer is to end.
func (l *Log) commitUntilDone() bool {
	for {
		err := l.commit()
		if !errors.Is(err, ErrNoSpace) {
			return true
		}
		signal(l.keepWake) // perhaps something can be given back
		t := time.NewTimer(l.opt.RetryInterval)
		select {
		case <-t.C:
		case <-l.stopComm:
			t.Stop()
			return false
		}
	}
}

// CommitHere is Commit for one who has nothing else to do: it commits on the
// caller's goroutine, with its I/O, if nobody else is at it. The caller must
// hold no lock, and must be prepared to be a committer for once: waiters are
// called from here. It reports whether a batch was committed.
func (l *Log) CommitHere() bool {
	if !l.gather() {
		l.poke()
		return false
	}
	select {
	case l.turn <- struct{}{}:
	default:
		l.poke()
		return false
	}
	var err error
	busy := l.batch.active // the committer has not come to the end of it
	if !busy {
		err = l.commit()
	}
	<-l.turn
	if busy || err != nil {
		l.poke()
		return false
	}
	return !l.failed.Load()
}

// commit writes the pending batch, syncs when someone waits for it, and
// calls the waiters. ErrNoSpace: call again later, the batch is kept.
func (l *Log) commit() error {
	b := &l.batch
	if !b.active {
		l.mu.Lock()
		if l.err != nil {
			l.mu.Unlock()
			l.release(l.Err())
			return nil
		}
		if l.idle.Swap(false) && !l.closing && len(l.pending) == 0 && l.tailSeg != nil && l.unmarked() {
			l.makeRoom(0) // the last batch was durable: say so
		}
		l.inflight, l.pending, l.spareBuf = l.pending, l.spareBuf[:0], nil
		l.cur = nil
		b.active, b.end = true, l.End()
		b.waiters, l.waiters, l.waitBuf = l.waiters, l.waitBuf[:0], nil
		b.forced = l.forced
		b.sync = l.urgent || len(b.waiters) > 0 || b.forced
		l.urgent, l.forced = false, false
		l.mu.Unlock()
		for _, c := range l.inflight {
			c.finish()
		}
		if l.opt.Sync == Memory && !b.forced {
			l.callWaiters(nil)
		}
	}
	through, err := l.writeThrough()
	if !through && err == nil {
		err = l.writeBatch()
		if err == nil && (b.forced || b.sync && l.opt.Sync == Disk) {
			err = l.syncDirty(b.end)
		}
	}
	if err == nil && l.failed.Load() {
		err = l.Err()
	}
	if err == nil && l.opt.Sync != Disk {
		l.durable.Store(uint64(b.end))
	}
	switch {
	case err == nil:
		b.active = false
		l.stuck.Store(false)
		l.callWaiters(nil)
		l.afterCommit()
		return nil
	case isNoSpace(err):
		l.stuck.Store(true)
		l.dropSpares()
		if f := l.giveUp.Load(); f != nil {
			(*f)()
		}
		l.setBlocked("the disk is full: " + err.Error())
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	default:
		b.active = false
		l.fail(err)
		l.release(l.Err())
		return err
	}
}

// unmarked reports whether records are synced of which no mark says so.
// Called under mu.
func (l *Log) unmarked() bool {
	return l.marked < l.lastEnd && l.lastEnd <= Position(l.synced.Load())
}

// release tells everyone who waits that the log has failed.
func (l *Log) release(err error) {
	l.callWaiters(err)
	l.mu.Lock()
	l.batch.waiters, l.waiters = l.waiters, nil
	l.mu.Unlock()
	l.callWaiters(err)
}

func (l *Log) callWaiters(err error) {
	ws := l.batch.waiters
	l.batch.waiters = nil
	d := l.Durable()
	for i, w := range ws {
		w.Committed(d, err)
		ws[i] = nil
	}
	if cap(ws) > 0 && cap(ws) <= 1<<16 {
		l.mu.Lock()
		if l.waitBuf == nil {
			l.waitBuf = ws[:0]
		}
		l.mu.Unlock()
	}
}

// writeBatch writes inflight and gives the chunks back.
func (l *Log) writeBatch() error {
	skip, done := l.partial, 0
	for _, c := range l.inflight {
		if skip >= len(c.buf) { // written in an earlier attempt
			skip -= len(c.buf)
			done += len(c.buf)
			continue
		}
		n, err := l.writeChunk(c, skip)
		done += skip + n
		skip = 0
		if err != nil {
			l.partial = done
			return err
		}
	}
	l.partial = 0
	if len(l.inflight) == 0 {
		return nil
	}
	l.wroteBatch()
	return nil
}

// wroteBatch notes that inflight is in the files, and takes its chunks back.
func (l *Log) wroteBatch() {
	l.written.Store(uint64(l.batch.end))
	l.stat.commits.Add(1)
	var n int64
	l.mu.Lock()
	for i, c := range l.inflight {
		n += int64(len(c.buf))
		if !c.big && len(l.free) < int(l.opt.MaxPending/chunkSize)+2 {
			c.seg, c.buf = nil, c.buf[:0]
			l.free = append(l.free, c)
		}
		l.inflight[i] = nil
	}
	l.spareBuf, l.inflight = l.inflight[:0], nil
	if l.pendingN.Add(-n) <= l.opt.MaxPending && l.blocked == "" {
		l.wakeThrottled()
	}
	l.mu.Unlock()
}

// writeChunk writes c.buf[from:] and returns how much of that was written.
func (l *Log) writeChunk(c *chunk, from int) (int, error) {
	h, err := l.openForWrite(c.seg)
	if err != nil {
		return 0, err
	}
	end := int64(c.off) + int64(len(c.buf))
	if end > c.seg.prepared.Load() {
		c.seg.growMu.Lock() // waits for one slice of zeros at most
		if end > c.seg.prepared.Load() {
			c.seg.prepared.Store(end)
		}
		c.seg.growMu.Unlock()
	}
	if n := len(l.dirty); n == 0 || l.dirty[n-1] != c.seg {
		l.dirty = append(l.dirty, c.seg)
	}
	n, err := h.WriteAt(c.buf[from:], int64(c.off)+int64(from))
	c.seg.grown(int64(c.off) + int64(from+n))
	return n, err
}

// openForWrite returns the handle of a segment that is about to be written,
// making its file when the preparer has none ready.
func (l *Log) openForWrite(s *seg) (*handle, error) {
	if h := s.h.Load(); h != nil && s.pinned.Load() {
		return h, nil
	}
	l.prepMu.Lock()
	defer l.prepMu.Unlock()
	if s.num > l.claimed {
		l.claimed = s.num
		l.ready.Store(max(l.ready.Load(), s.num))
	}
	var h *handle
	if l.nextFile != nil && l.nextNum == s.num {
		h = l.nextFile
		l.nextFile = nil
		size, err := h.Size()
		if err != nil {
			return nil, err
		}
		s.prepared.Store(size)
		s.size.Store(size)
	} else {
		f, err := l.opt.FS.OpenFile(l.segPath(s.num), os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		h = &handle{f}
		size, err := h.Size()
		if err != nil {
			f.Close()
			return nil, err
		}
		s.size.Store(size)
		l.dirDirty = true
	}
	s.pinned.Store(true)
	l.adopt(s, h)
	return h, nil
}

// syncDirty makes everything written so far durable, oldest segment first.
func (l *Log) syncDirty(end Position) error {
	if Position(l.synced.Load()) >= end && len(l.dirty) == 0 {
		return nil
	}
	start := time.Now()
	for len(l.dirty) > 0 {
		s := l.dirty[0]
		h := s.h.Load()
		if h == nil {
			return errors.New("handle of a dirty segment was closed")
		}
		s.syncMu.Lock()
		err := h.Sync()
		if l.failed.Load() && err == nil { // the preparer was told what we were not
			err = errors.New("failed before")
		}
		if err == nil && s.num < end.Segment() {
			s.noGrow.Store(true)
			s.pinned.Store(false)
		}
		s.syncMu.Unlock()
		if err != nil {
			return fatal{err}
		}
		l.dirty = append(l.dirty[:0], l.dirty[1:]...)
	}
	if l.dirDirty {
		if err := l.opt.FS.SyncDir(l.opt.Dir); err != nil {
			return fatal{err}
		}
		l.dirDirty = false
	}
	l.synced.Store(uint64(end))
	l.durable.Store(uint64(end))
	l.stat.sync(time.Since(start))
	return nil
}

// afterCommit does what is due when a batch is written.
func (l *Log) afterCommit() {
	end := l.batch.end
	s := l.table.Load().get(end.Segment())
	if off := int64(end.Offset()); s != nil &&
		(!s.noGrow.Load() && off > s.prepared.Load()/2 || off > s.cap/2 && l.ready.Load() <= s.num) {
		signal(l.prepWake)
	}
	if l.full.Load() {
		signal(l.prepWake) // it clears the state when there is room ahead
	}
	if l.sinceCkpt.Load() > l.opt.CheckpointBytes {
		signal(l.keepWake)
	}
	// Chunks that stood unused for a second are given up by halves.
	l.mu.Lock()
	if now := time.Now(); now.Sub(l.trimmed) >= time.Second {
		if len(l.pending) == 0 && l.freeLow > 1 {
			keep := len(l.free) - (l.freeLow+1)/2
			clear(l.free[keep:])
			l.free = l.free[:keep]
		}
		l.trimmed, l.freeLow = now, len(l.free)
	}
	if l.flush != nil && len(l.pending) == 0 && (len(l.free) > 1 || l.unmarked()) {
		l.flush.Reset(l.opt.FlushInterval) // and look again
	}
	l.mu.Unlock()
}
