package store

import (
	"fmt"
	"os"
	"time"

	"github.com/warrenmq/warren/internal/vfs"
)

const (
	firstZone = 256 << 10 // room made ahead in a young segment; doubles as it fills
	zeroSlice = 256 << 10 // bytes of zeros written at a time
)

var zeros [zeroSlice]byte // only read

func (l *Log) preparer() {
	defer l.bg.Done()
	var retry *time.Timer
	defer func() {
		if retry != nil {
			retry.Stop()
		}
	}()
	for {
		select {
		case <-l.prepWake:
		case <-l.stopping.Done():
			return
		}
		if err := l.prepare(); isNoSpace(err) {
			if retry != nil {
				retry.Stop()
			}
			retry = time.AfterFunc(l.opt.RetryInterval, func() { signal(l.prepWake) })
		}
	}
}

// prepare makes room ahead of the committer. When it cannot, publishers are
// blocked while there still is room for what consumers settle.
func (l *Log) prepare() error {
	if l.failed.Load() {
		return nil
	}
	err := l.prepareOnce()
	switch {
	case err == nil:
		if l.full.Load() && !l.stuck.Load() {
			l.setBlocked("")
		}
	case isNoSpace(err):
		l.setBlocked("no space for the next segment: " + err.Error())
		signal(l.keepWake) // perhaps something can be given back
	case l.stopping.Err() != nil:
	default:
		l.opt.Logger.Warn("cannot prepare room for the log", "dir", l.opt.Dir, "err", err)
	}
	return err
}

func (l *Log) prepareOnce() error {
	at := Position(l.written.Load())
	s := l.table.Load().get(at.Segment())
	if s == nil {
		return nil
	}
	if err := l.grow(s, int64(at.Offset())); err != nil {
		return err
	}
	if int64(at.Offset()) > s.cap/2 {
		if err := l.prepareNext(s.num + 1); err != nil {
			return err
		}
		if len(l.table.Load().list) > 1 {
			return l.reserve()
		}
	}
	return nil
}

// reserve keeps one file of full size in hand. When it cannot be had,
// publishers are stopped, with the rest of this segment and the next still
// free for what consumers settle, and something to give up for a checkpoint.
func (l *Log) reserve() error {
	l.prepMu.Lock()
	have := len(l.spares) > 0
	l.prepMu.Unlock()
	if have {
		return nil
	}
	name, err := l.makeSpare()
	if err != nil {
		return err
	}
	l.prepMu.Lock()
	l.spares = append(l.spares, name)
	l.prepMu.Unlock()
	return nil
}

// grow zero-fills the segment being written ahead of its tail, so that a
// sync need not record new sizes and extents each time.
func (l *Log) grow(s *seg, tail int64) error {
	h := s.h.Load()
	if h == nil || !s.pinned.Load() || s.noGrow.Load() || s.cap > l.opt.SegmentSize {
		return nil
	}
	if tail <= s.prepared.Load()/2 {
		return nil
	}
	target := int64(firstZone)
	for target < 2*tail {
		target *= 2
	}
	target = min(target, s.cap)
	for n := 0; s.prepared.Load() < target && !l.failed.Load() && l.stopping.Err() == nil; n++ {
		if err := s.zeroSlice(h, target); err != nil {
			if !isNoSpace(err) {
				s.noGrow.Store(true)
			}
			return err
		}
		if n%4 == 3 {
			if err := l.syncGrown(s, h); err != nil {
				return err
			}
		}
	}
	if s.prepared.Load() >= s.cap {
		s.noGrow.Store(true)
	}
	return l.syncGrown(s, h)
}

// syncGrown syncs the live segment from the preparer. Its failure may be the
// only report of a page that the committer wrote: it is final.
func (l *Log) syncGrown(s *seg, h *handle) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if !s.pinned.Load() {
		return nil // sealed and synced meanwhile, the handle may be closed
	}
	err := h.Sync()
	if err != nil {
		err = fatal{err}
		l.fail(err)
	}
	return err
}

func (s *seg) zeroSlice(h *handle, target int64) error {
	s.growMu.Lock()
	defer s.growMu.Unlock()
	p := s.prepared.Load()
	n := min(zeroSlice, target-p)
	if n <= 0 {
		return nil
	}
	if err := h.Preallocate(p, n); err != nil {
		return err
	}
	if _, err := h.WriteAt(zeros[:n], p); err != nil {
		return err
	}
	s.prepared.Store(p + n)
	s.grown(p + n)
	return nil
}

// prepareNext puts a full-sized file in the place of segment num.
func (l *Log) prepareNext(num uint32) error {
	l.prepMu.Lock()
	if l.nextFile != nil || l.claimed >= num {
		l.prepMu.Unlock()
		return nil
	}
	var name string
	if n := len(l.spares); n > 0 {
		name = l.spares[n-1]
		l.spares = l.spares[:n-1]
	}
	l.prepMu.Unlock()
	if name == "" {
		var err error
		if name, err = l.makeSpare(); err != nil {
			return err
		}
	}
	l.prepMu.Lock()
	defer l.prepMu.Unlock()
	if l.claimed >= num { // the committer did not wait
		l.spares = append(l.spares, name)
		return nil
	}
	if err := l.opt.FS.Rename(name, l.segPath(num)); err != nil {
		return err
	}
	if err := l.opt.FS.SyncDir(l.opt.Dir); err != nil {
		err = fatal{err}
		l.fail(err)
		return err
	}
	f, err := l.opt.FS.OpenFile(l.segPath(num), os.O_RDWR)
	if err != nil {
		return err
	}
	l.nextNum, l.nextFile = num, &handle{f}
	l.ready.Store(num)
	return nil
}

func (l *Log) spareName() string {
	l.spareSeq++
	return l.path(fmt.Sprintf("%s%d%s", SparePrefix, l.spareSeq, segSuffix))
}

// makeSpare writes a file of zeros as large as a segment.
func (l *Log) makeSpare() (string, error) {
	l.prepMu.Lock()
	name := l.spareName()
	l.prepMu.Unlock()
	f, err := l.opt.FS.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return "", err
	}
	err = l.fillZeros(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		l.opt.FS.Remove(name) // what it reports says less than err
		return "", err
	}
	return name, nil
}

func (l *Log) fillZeros(f vfs.File) error {
	if err := f.Preallocate(0, l.opt.SegmentSize); err != nil {
		return err
	}
	for off := int64(0); off < l.opt.SegmentSize; off += zeroSlice {
		if err := l.stopping.Err(); err != nil {
			return err
		}
		if _, err := f.WriteAt(zeros[:min(zeroSlice, l.opt.SegmentSize-off)], off); err != nil {
			return err
		}
		if off/zeroSlice%16 == 15 {
			if err := f.Sync(); err != nil {
				return err
			}
		}
	}
	return f.Sync()
}

// dropSpares gives up the files that hold nothing yet, when the disk is full,
// and reports whether there were any. The reserve exists for this: the room
// lets a checkpoint be written, which gives dead segments back.
func (l *Log) dropSpares() bool {
	l.prepMu.Lock()
	defer l.prepMu.Unlock()
	names := l.spares
	l.spares = nil
	if l.nextFile != nil {
		l.nextFile.Close()
		l.nextFile = nil
		l.ready.Store(l.claimed)
		names = append(names, l.segPath(l.nextNum))
	}
	for _, name := range names {
		if err := l.opt.FS.Remove(name); err != nil {
			l.opt.Logger.Warn("cannot remove an empty segment", "file", name, "err", err)
		}
	}
	return len(names) > 0
}
