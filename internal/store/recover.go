package store

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// Damage is a part of the log that was durable once and does not validate.
type Damage struct {
	From, To Position // To: where records validate again, or the end of what was durable
	Reason   string
	Copy     string // of the whole segment; "" when it could not be made
}

func (d Damage) String() string {
	s := fmt.Sprintf("%v to %v: %s", d.From, d.To, d.Reason)
	if d.Copy != "" {
		s += ", segment copied to " + d.Copy
	}
	return s
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

// replay reads the log from r.p on. It ends where nothing validates and
// nothing behind it was durable.
func (r *recovery) replay() error {
	l := r.l
	for {
		num := r.p.Segment()
		s := l.table.Load().get(num)
		if s == nil {
			// The end, or a file is missing.
			next := r.nextFile(num)
			if next != 0 {
				torn, err := r.judge()
				if err != nil || torn {
					return err
				}
				if !r.found && num == 1 { // only a checkpoint allows the first to be gone
					return fmt.Errorf("%w: %s: no checkpoint, and the log begins with segment %d", ErrDamaged, l.opt.Dir, next)
				}
				r.damage(segment.At(next, 0), "segment file missing")
				r.p = segment.At(next, 0)
				continue
			}
			return nil
		}
		done, err := r.replaySegment(s)
		if err != nil || done {
			return err
		}
	}
}

func (r *recovery) nextFile(num uint32) uint32 {
	i, _ := slices.BinarySearch(r.files, num+1)
	if i < len(r.files) {
		return r.files[i]
	}
	return 0
}

// judge decides what it means that nothing validates at r.p: torn when no
// mark behind it says that it was durable, damage otherwise.
func (r *recovery) judge() (torn bool, err error) {
	if !r.looked {
		r.looked = true
		for _, num := range r.files {
			if num < r.p.Segment() {
				continue
			}
			s := r.l.table.Load().get(num)
			h, err := r.l.handle(s)
			if err != nil {
				return false, err
			}
			from := uint32(segment.HeaderSize)
			if num == r.p.Segment() {
				from = max(from, r.p.Offset())
			}
			d, err := segment.NewScanner(h, r.size[num], s.seed, from).LastMark(from)
			if err != nil {
				return false, fmt.Errorf("store: %s: %w", r.l.segPath(num), err)
			}
			r.durable = max(r.durable, d)
		}
	}
	return r.p >= r.durable, nil
}

func (r *recovery) replaySegment(s *seg) (done bool, err error) {
	l := r.l
	h, err := l.handle(s)
	if err != nil {
		return false, err
	}
	ok, err := r.header(s, h)
	if err != nil {
		return false, err
	}
	off := max(r.p.Offset(), segment.HeaderSize)
	sc := segment.NewScanner(h, r.size[s.num], s.seed, off)
	if !ok {
		torn, err := r.judge()
		if err != nil || torn {
			return true, err
		}
		from := r.p
		found := sc.Resync(off)
		if sc.Err() != nil {
			return false, sc.Err()
		}
		if !found {
			return r.skip(s, from, "segment header and all records")
		}
		r.damage(segment.At(s.num, sc.Offset()), "segment header does not validate")
	}
	for {
		for sc.Next() {
			pos, rec := segment.At(s.num, sc.Offset()), sc.Record()
			r.p = segment.At(s.num, sc.End())
			r.closed = rec.Kind == segment.KindClose
			if rec.Kind > segment.MaxKind {
				if m, ok := segment.ParseMark(rec.Payload); ok && rec.Kind == segment.KindMark {
					r.durable = max(r.durable, m.Durable)
				}
				continue
			}
			l.info.Records++
			if err := l.owner.Replay(pos, rec.Kind, rec.Group, rec.Payload); err != nil {
				return false, fmt.Errorf("replay of %v: %w", pos, err)
			}
		}
		if sc.Err() != nil {
			return false, fmt.Errorf("store: %s: %w", l.segPath(s.num), sc.Err())
		}
		l.info.Bytes += int64(sc.Offset())
		r.p = segment.At(s.num, sc.Offset())
		if sc.Sealed() {
			r.prev = r.p
			r.p = segment.At(s.num+1, 0)
			return false, nil
		}
		r.prev = 0
		if r.closed && r.size[s.num] == int64(sc.Offset()) && r.nextFile(s.num) == 0 {
			return true, nil // stopped in order: nothing behind to look at
		}
		torn, err := r.judge()
		if err != nil || torn {
			return true, err
		}
		r.closed = false
		from := r.p
		if !sc.Resync(sc.Offset() + segment.Align) {
			if sc.Err() != nil {
				return false, sc.Err()
			}
			return r.skip(s, from, "records do not validate")
		}
		r.damage(segment.At(s.num, sc.Offset()), "records do not validate")
	}
}

// skip leaves a segment in which nothing more validates.
func (r *recovery) skip(s *seg, from Position, why string) (done bool, err error) {
	next := r.nextFile(s.num)
	to := r.durable
	if next != 0 {
		to = segment.At(next, 0)
	}
	r.damage(to, why)
	if next == 0 {
		return true, nil
	}
	r.p = segment.At(next, 0)
	return false, nil
}

// header judges a segment's header. false: it does not validate, or the file
// was never begun as this segment.
func (r *recovery) header(s *seg, h *handle) (bool, error) {
	b := make([]byte, segment.HeaderSize)
	n, err := h.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	hd, err := segment.ParseHeader(b[:n])
	switch {
	case errors.Is(err, segment.ErrNewer):
		return false, fmt.Errorf("store: %s: %w", r.l.segPath(s.num), err)
	case err != nil:
		return false, nil
	case hd.Identity != r.l.opt.Identity:
		return false, fmt.Errorf("%w: %s", ErrIdentity, r.l.segPath(s.num))
	case hd.Number != s.num:
		return false, nil
	}
	s.cap = hd.Capacity
	s.prev = hd.Prev
	return true, nil
}

// damage notes that [r.p, to) is lost and keeps a copy of the segment.
func (r *recovery) damage(to Position, why string) {
	d := Damage{From: r.p, To: to, Reason: why}
	if s := r.l.table.Load().get(r.p.Segment()); s != nil {
		name := path.Join(r.l.opt.Dir, DamagedDir, SegmentName(s.num))
		if err := r.copyAside(s, name); err != nil {
			r.l.opt.Logger.Warn("cannot copy a damaged segment aside", "segment", s.num, "err", err)
		} else {
			d.Copy = name
		}
	}
	r.l.info.Damaged = append(r.l.info.Damaged, d)
}

func (r *recovery) copyAside(s *seg, name string) error {
	fs := r.l.opt.FS
	if err := fs.MkdirAll(path.Dir(name)); err != nil {
		return err
	}
	h, err := r.l.handle(s)
	if err != nil {
		return err
	}
	if f, err := fs.OpenFile(name, os.O_RDONLY); err == nil {
		size, err := f.Size()
		f.Close()
		if err == nil && size == r.size[s.num] {
			return nil // by an earlier recovery, or for an earlier place
		}
	}
	f, err := fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(f, 0), io.NewSectionReader(h, 0, r.size[s.num]))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fs.SyncDir(path.Dir(name))
	}
	return err
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

// tornBytes returns how far from off on parts of a batch validate.
func (r *recovery) tornBytes(s *seg, f vfs.File, off int64) (int64, error) {
	sc := segment.NewScanner(f, r.size[s.num], s.seed, uint32(off))
	end := off
	var b [segment.RecordHeader]byte
	if n, _ := f.ReadAt(b[:], off); n == len(b) {
		if _, _, _, size, ok := segment.Peek(b[:], s.seed, uint32(off)); ok {
			end = min(off+int64(size), max(off, r.size[s.num])) // begins here, its payload did not arrive
		}
	}
	for next := uint32(off); sc.Resync(next); next = sc.Offset() + segment.Align {
		for sc.Next() {
		}
		end = max(end, int64(sc.Offset()))
		if sc.Sealed() {
			break
		}
	}
	return end - off, sc.Err()
}

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
