package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

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
