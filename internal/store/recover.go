package store

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// Recovery tells what Open found.
type Recovery struct {
	Clean   bool     // the node was stopped in order
	Start   Position // where replay began
	End     Position // where the log goes on
	Records uint64   // handed to Replay
	Bytes   int64    // read from segments
	Torn    int64    // bytes after End that held part of a batch, now cut
	Damaged []Damage
	Took    time.Duration
}

// Open opens or begins the log in o.Dir and lets owner recover. Damage does
// not keep it from opening unless nothing can be told without it (a damaged
// checkpoint); see Recovery.
func Open(o Options, owner Owner) (*Log, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	if err := o.FS.MkdirAll(o.Dir); err != nil {
		return nil, err
	}
	lock, err := o.FS.Lock(path.Join(o.Dir, LockName))
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", o.Dir, err)
	}
	l := &Log{
		opt: o, owner: owner, lock: lock,
		wake: make(chan struct{}, 1), prepWake: make(chan struct{}, 1), keepWake: make(chan struct{}, 1),
		stopComm: make(chan struct{}),
		turn:     make(chan struct{}, 1),
	}
	l.stopping, l.stop = context.WithCancel(context.Background())
	l.table.Store(&segTable{})
	if err := l.open(); err != nil {
		l.fail(err)
		l.shutdown()
		return nil, err
	}
	return l, nil
}

func (l *Log) open() error {
	began := time.Now()
	r := &recovery{l: l}
	if err := r.list(); err != nil {
		return err
	}
	blob, err := r.checkpoint()
	if err != nil {
		return err
	}
	if err := l.owner.Restore(l, blob); err != nil {
		return err
	}
	blob = nil
	if err := r.replay(); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	l.info.Took = time.Since(began)
	lg := l.opt.Logger.With("dir", l.opt.Dir)
	for _, d := range l.info.Damaged {
		lg.Error("the log is damaged", "from", d.From.String(), "to", d.To.String(), "reason", d.Reason, "copy", d.Copy)
	}
	if l.info.Torn > 0 {
		lg.Warn("cut an unfinished batch at the end of the log", "at", l.info.End.String(), "bytes", l.info.Torn)
	}
	lg.Info("log opened", "clean", l.info.Clean, "records", l.info.Records, "bytes", l.info.Bytes, "took", l.info.Took)
	if !l.opt.manual {
		l.flush = time.AfterFunc(time.Hour, func() { l.idle.Store(true); l.poke() })
		l.flush.Stop()
		l.comm.Add(1)
		go l.committer()
		l.bg.Add(1)
		go l.preparer()
	}
	if err := l.owner.Recovered(l.info.Clean); err != nil {
		return err
	}
	// Not before: a checkpoint, or giving segments back, wants an owner that
	// knows what it has.
	if !l.opt.manual {
		l.bg.Add(1)
		go l.keeper()
	}
	if len(l.info.Damaged) > 0 {
		l.RequestCheckpoint() // so that the next recovery need not meet it again
	}
	return nil
}

// recovery is the state of Open.
type recovery struct {
	l     *Log
	files []uint32 // segments on disk, ascending
	size  map[uint32]int64
	ckpt  CheckpointInfo
	found bool // a checkpoint

	p       Position // everything before was read
	durable Position // greatest position that was certainly durable
	looked  bool     // durable includes the marks behind p
	closed  bool     // the last record was a close
	prev    Position // end of the segment before, when it is sealed
}

func (r *recovery) list() error {
	l := r.l
	entries, err := l.opt.FS.ReadDir(l.opt.Dir)
	if err != nil {
		return err
	}
	r.size = map[uint32]int64{}
	for _, e := range entries {
		if num, ok := ParseSegmentName(e.Name); ok && !e.Dir {
			r.files = append(r.files, num)
			r.size[num] = e.Size
			continue
		}
		if strings.HasPrefix(e.Name, SparePrefix) && strings.HasSuffix(e.Name, segSuffix) {
			if e.Size == l.opt.SegmentSize && len(l.spares) < l.opt.Spares {
				// Another name, so that new ones cannot collide.
				l.spares = append(l.spares, l.path(e.Name))
				var n int
				fmt.Sscanf(e.Name, SparePrefix+"%d", &n)
				l.spareSeq = max(l.spareSeq, n)
			} else if err := l.opt.FS.Remove(l.path(e.Name)); err != nil {
				return err
			}
		}
		if e.Name == ckptTemp {
			if err := l.opt.FS.Remove(l.path(e.Name)); err != nil {
				return err
			}
		}
	}
	slices.Sort(r.files)
	t := &segTable{}
	for _, num := range r.files {
		s := l.newSeg(num, l.opt.SegmentSize, 0)
		s.size.Store(r.size[num])
		s.noGrow.Store(true)
		t = t.extend(s)
	}
	l.table.Store(t)
	return nil
}

// extend is with for a table that nobody else has.
func (t *segTable) extend(s *seg) *segTable {
	if len(t.list) == 0 {
		t.base = s.num
	}
	for uint32(len(t.list)) < s.num-t.base {
		t.list = append(t.list, nil)
	}
	t.list = append(t.list, s)
	return t
}

func (r *recovery) checkpoint() (blob []byte, err error) {
	l := r.l
	blob = []byte{}
	r.ckpt, err = ReadCheckpoint(l.opt.FS, l.path(CheckpointName), func(b []byte) error {
		blob = append(blob, b...)
		return nil
	})
	switch {
	case vfs.IsNotExist(err):
		r.p = segment.At(1, 0)
		l.info.Start = r.p
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("store: %s: %w", l.path(CheckpointName), err)
	case r.ckpt.Identity != l.opt.Identity:
		return nil, fmt.Errorf("%w: %s", ErrIdentity, l.path(CheckpointName))
	}
	r.found = true
	r.p, r.durable = r.ckpt.Start, r.ckpt.End
	l.info.Start = r.p
	l.ckptStart.Store(uint64(r.p))
	return blob, nil
}

// finish cuts what is torn, makes durable what was read (a killed process
// leaves it in the system's cache alone), and sets the tail.
func (r *recovery) finish() error {
	l := r.l
	fs := l.opt.FS
	if r.p < r.durable {
		// The log ends before what was durable. Places that something may
		// refer to must not be used again: go on in a segment behind them.
		last := r.durable.Segment()
		if n := len(r.files); n > 0 {
			last = max(last, r.files[n-1])
		}
		if n := len(l.info.Damaged); n == 0 || l.info.Damaged[n-1].To < r.durable {
			r.damage(r.durable, "the end of the log is missing")
		}
		r.p, r.prev, r.closed = segment.At(last+1, 0), 0, false
	}
	// Files behind the tail were begun by a torn batch, or not at all.
	tail := r.p.Segment()
	changed := len(r.files) > 0
	var drop []*seg
	table := l.table.Load().without(func(s *seg) bool {
		if s.num < tail || s.num == tail && r.p.Offset() >= segment.HeaderSize {
			return false
		}
		drop = append(drop, s)
		return true
	})
	slices.Reverse(drop) // so that a crash between leaves no gap
	for _, s := range drop {
		if h, err := l.handle(s); err == nil {
			n, _ := r.tornBytes(s, h, segment.HeaderSize) // for the report only
			l.info.Torn += n
		}
		l.forget(s)
		if err := fs.Remove(l.segPath(s.num)); err != nil {
			return err
		}
	}
	l.table.Store(table)
	if changed {
		if err := fs.SyncDir(l.opt.Dir); err != nil {
			return err
		}
	}
	for _, num := range r.files {
		s := table.get(num)
		if s == nil || num < l.info.Start.Segment() {
			continue
		}
		if err := r.settle(s, num == tail); err != nil {
			return fmt.Errorf("store: %s: %w", l.segPath(num), err)
		}
	}
	l.info.End = r.p
	l.info.Clean = r.closed && l.info.Records == 0 && len(l.info.Damaged) == 0
	if len(r.files) == 0 && !r.found {
		l.info.Clean = true // there was nothing to stop
	}
	l.tailSeg, l.prevEnd = table.get(tail), r.prev
	if l.tailSeg != nil {
		l.tailSeg.noGrow.Store(false)
		l.claimed = tail
	}
	for _, v := range []interface{ Store(uint64) }{&l.tail, &l.durable, &l.synced, &l.written} {
		v.Store(uint64(r.p))
	}
	l.marked = r.p
	return nil
}

// settle syncs a segment that was replayed and cuts the tail's.
func (r *recovery) settle(s *seg, tail bool) error {
	f, err := r.l.opt.FS.OpenFile(r.l.segPath(s.num), os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	if off := int64(r.p.Offset()); tail && r.size[s.num] > off {
		if !r.closed {
			torn, err := r.tornBytes(s, f, off)
			if err != nil {
				return err
			}
			r.l.info.Torn += torn
		}
		if err := f.Truncate(off); err != nil {
			return err
		}
		s.size.Store(off)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	s.prepared.Store(s.size.Load())
	return nil
}
