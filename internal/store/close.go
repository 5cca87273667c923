package store

import (
	"context"

	"github.com/warrenmq/warren/internal/store/segment"
)

// Close writes what is pending, a last checkpoint and the mark of an orderly
// stop, and ends the goroutines. It returns the first thing that went wrong;
// the log is closed in any case. Owner.Checkpoint is called once more, from
// here.
func (l *Log) Close() error {
	l.closeOne.Do(func() { l.closeErr = l.close() })
	return l.closeErr
}

func (l *Log) close() error {
	l.stop()
	l.bg.Wait()
	err := l.Err()
	if err == nil {
		err = l.lastWords()
	}
	if serr := l.shutdown(); err == nil {
		err = serr
	}
	return err
}

// lastWords writes the final checkpoint and the close record.
func (l *Log) lastWords() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.giveUp.Store(&cancel)
	l.keepMu.Lock()
	defer l.keepMu.Unlock()
	if l.End() == l.info.End && l.info.Clean {
		return nil // nothing was appended: the close record still stands
	}
	if err := l.checkpoint(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return l.Err()
	}
	l.closing = true
	l.makeRoom(segment.RecordHeader)
	off := l.End().Offset()
	segment.PutRecord(l.take(segment.RecordHeader), l.tailSeg.seed, off, segment.KindClose, 0, 0)
	s, end := l.tailSeg, l.End()
	l.mu.Unlock()
	if err := l.syncTo(ctx, end-1, true); err != nil {
		return err
	}
	// Room that was made ahead is of no use to a stopped node.
	h := s.h.Load()
	if h == nil {
		return nil
	}
	if err := h.Truncate(int64(end.Offset())); err != nil {
		return err
	}
	return h.Sync()
}

// shutdown ends what runs and closes what is open.
func (l *Log) shutdown() error {
	l.mu.Lock()
	if l.err == nil {
		l.err = ErrClosed
		l.failed.Store(true)
	}
	l.wakeThrottled()
	l.mu.Unlock()
	l.stop()
	l.bg.Wait()
	close(l.stopComm)
	l.comm.Wait()
	l.turn <- struct{}{} // for good
	if l.flush != nil {
		l.flush.Stop()
	}
	l.release(l.Err())
	l.prepMu.Lock()
	if l.nextFile != nil {
		l.nextFile.Close()
		l.opt.FS.Remove(l.segPath(l.nextNum)) // empty; recovery would drop it
		l.nextFile = nil
	}
	for _, name := range l.spares {
		l.opt.FS.Remove(name)
	}
	l.prepMu.Unlock()
	for _, s := range l.table.Load().list {
		if s != nil {
			l.forget(s)
		}
	}
	return l.lock.Close()
}
