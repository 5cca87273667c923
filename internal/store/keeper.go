package store

import (
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
)

// slackSegments is how many segments the log may hold in vain.
const slackSegments = 4

// keeper writes checkpoints and gives dead segments back.
func (l *Log) keeper() {
	defer l.bg.Done()
	var retry *time.Timer
	defer func() {
		if retry != nil {
			retry.Stop()
		}
	}()
	for {
		select {
		case <-l.keepWake:
		case <-l.stopping.Done():
			return
		}
		if err := l.keep(); err != nil && l.stopping.Err() == nil && !l.failed.Load() {
			if retry != nil {
				retry.Stop()
			}
			l.ckptWanted.Store(true)
			retry = time.AfterFunc(l.opt.RetryInterval, func() { signal(l.keepWake) })
			select { // do not let other pokes make it a busy loop
			case <-time.After(l.opt.RetryInterval):
			case <-l.stopping.Done():
				return
			}
		}
	}
}

// keep does what is due.
func (l *Log) keep() error {
	l.keepMu.Lock()
	defer l.keepMu.Unlock()
	for !l.failed.Load() && l.stopping.Err() == nil {
		switch {
		case l.ckptWanted.Load(), l.sinceCkpt.Load() > l.opt.CheckpointBytes, l.worthwhile():
			if err := l.checkpoint(l.stopping); err != nil {
				return err
			}
		case l.evacuate():
			l.ckptWanted.Store(true)
		default:
			return nil
		}
	}
	return nil
}

// worthwhile reports whether a checkpoint would give back much, or anything
// when the disk is full.
func (l *Log) worthwhile() bool {
	dead := l.deadBytes()
	return dead >= slackSegments*l.opt.SegmentSize || dead > 0 && l.full.Load()
}

// deadBytes returns what a checkpoint now would give back.
func (l *Log) deadBytes() (n int64) {
	tail := l.End().Segment()
	for _, s := range l.table.Load().list {
		if s != nil && s.num < tail && s.live.Load() <= 0 {
			n += s.size.Load()
		}
	}
	return n
}

// recordCost is about what a record takes on disk beside the bytes that its
// owner retains. Without it a log of small records would look mostly dead, and
// would be copied for ever.
const recordCost = 64

// living is about what of a segment is live, in bytes on disk.
func (s *seg) living() int64 {
	return min(max(0, s.liveBytes.Load())+max(0, s.live.Load())*recordCost, s.size.Load())
}

// evacuate lets the owner move what lives in the emptiest old segments, when
// more than half of the disk space is dead. It reports whether something
// became free.
func (l *Log) evacuate() bool {
	start := Position(l.ckptStart.Load())
	tail := l.End().Segment()
	var disk, live int64
	var old []*seg
	for _, s := range l.table.Load().list {
		if s == nil || s.num >= tail {
			continue
		}
		disk += s.size.Load()
		live += s.living()
		n := s.live.Load()
		if s.num < start.Segment() && n > 0 && n != s.triedAt && s.living() < s.size.Load()*3/4 {
			old = append(old, s)
		}
	}
	if disk <= 2*live+slackSegments*l.opt.SegmentSize || len(old) == 0 {
		return false
	}
	slices.SortStableFunc(old, func(a, b *seg) int {
		// least live share first; older first among equals
		x, y := a.living()*b.size.Load(), b.living()*a.size.Load()
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	freed := false
	for _, s := range old[:min(len(old), slackSegments)] {
		if l.failed.Load() || l.full.Load() || l.stopping.Err() != nil {
			break
		}
		groups, err := l.groupsOf(s)
		if err == nil {
			err = l.owner.Evacuate(s.num, groups)
		}
		if err != nil {
			l.opt.Logger.Warn("evacuation failed", "dir", l.opt.Dir, "segment", s.num, "err", err)
		}
		s.triedAt = s.live.Load()
		l.stat.evacuated.Add(1)
		freed = freed || s.triedAt <= 0
		if err := l.Throttle(l.stopping); err != nil { // copies must not outrun the disk
			break
		}
	}
	return freed
}

// groupsOf returns the groups that have records in a segment, sorted.
func (l *Log) groupsOf(s *seg) ([]uint64, error) {
	h, err := l.handle(s)
	if err != nil {
		return nil, err
	}
	sc := segment.NewScanner(h, s.size.Load(), s.seed, segment.HeaderSize)
	seen := map[uint64]struct{}{}
	for {
		for sc.Next() {
			if r := sc.Record(); r.Kind <= segment.MaxKind {
				seen[r.Group] = struct{}{}
			}
		}
		// Beyond damage there may be more.
		if sc.Err() != nil || sc.Sealed() || !sc.Resync(sc.Offset()+segment.Align) {
			break
		}
	}
	groups := make([]uint64, 0, len(seen))
	for g := range seen {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	return groups, sc.Err()
}

// giveBack frees the segments that were dead when the checkpoint began and
// still are. Called with keepMu held.
func (l *Log) giveBack(start Position) (n int) {
	var free []*seg
	l.mu.Lock()
	l.table.Store(l.table.Load().without(func(s *seg) bool {
		if !s.deadAt || s.live.Load() > 0 || s.num >= start.Segment() {
			return false
		}
		free = append(free, s)
		return true
	}))
	l.mu.Unlock()
	if len(free) == 0 {
		return 0
	}
	l.prepMu.Lock()
	defer l.prepMu.Unlock()
	for _, s := range free {
		l.forget(s)
		var err error
		if s.size.Load() == l.opt.SegmentSize && len(l.spares) < l.opt.Spares && !l.full.Load() {
			name := l.spareName()
			if err = l.opt.FS.Rename(l.segPath(s.num), name); err == nil {
				l.spares = append(l.spares, name)
			}
		} else {
			err = l.opt.FS.Remove(l.segPath(s.num))
		}
		if err != nil {
			l.opt.Logger.Warn("cannot give a segment back", "dir", l.opt.Dir, "segment", s.num, "err", err)
			continue
		}
		n++
	}
	l.stat.freed.Add(uint64(n))
	signal(l.prepWake)
	return n
}
