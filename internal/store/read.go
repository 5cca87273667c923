package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/warrenmq/warren/internal/store/segment"
)

const (
	maxHandles = 256      // open segment files, beside the one being written
	readGuess  = 2 << 10  // bytes read when the length of a record is unknown
	readSpan   = 1 << 20  // bytes that Read reads at once, at most, when it does not know the length
	readGap    = 64 << 10 // records further apart are read by themselves
)

// adopt makes h the handle of s and closes another segment's when there are
// too many.
func (l *Log) adopt(s *seg, h *handle) {
	l.handleMu.Lock()
	defer l.handleMu.Unlock()
	l.adoptLocked(s, h)
}

func (l *Log) adoptLocked(s *seg, h *handle) {
	if old := s.h.Swap(h); old != nil {
		old.Close() // readers that hold it find it closed and look again
		return
	}
	l.handles = append(l.handles, s)
	for i := 0; len(l.handles) > maxHandles && i < len(l.handles); i++ {
		victim := l.handles[i]
		if victim == s || victim.pinned.Load() {
			continue
		}
		l.handles = slices.Delete(l.handles, i, i+1)
		if old := victim.h.Swap(nil); old != nil {
			old.Close()
		}
		break
	}
}

// forget closes the handle of a segment that leaves the log.
func (l *Log) forget(s *seg) {
	l.handleMu.Lock()
	defer l.handleMu.Unlock()
	if i := slices.Index(l.handles, s); i >= 0 {
		l.handles = slices.Delete(l.handles, i, i+1)
	}
	if h := s.h.Swap(nil); h != nil {
		h.Close()
	}
}

// handle returns the open file of a segment that is on disk.
func (l *Log) handle(s *seg) (*handle, error) {
	if h := s.h.Load(); h != nil {
		return h, nil
	}
	f, err := l.opt.FS.OpenFile(l.segPath(s.num), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	h := &handle{f}
	l.handleMu.Lock()
	defer l.handleMu.Unlock()
	if other := s.h.Load(); other != nil { // another was faster
		f.Close()
		return other, nil
	}
	if l.table.Load().get(s.num) != s { // given back meanwhile: nobody would close it
		f.Close()
		return nil, ErrGone
	}
	l.adoptLocked(s, h)
	return h, nil
}

// readAt reads from a segment's file. io.EOF is no error here; n tells.
func (l *Log) readAt(s *seg, b []byte, off int64) (int, error) {
	for try := 0; ; try++ {
		h, err := l.handle(s)
		if err == nil && h != nil {
			var n int
			n, err = h.ReadAt(b, off)
			if err == nil || err == io.EOF {
				return n, nil
			}
		}
		if l.table.Load().get(s.num) != s {
			return 0, ErrGone
		}
		if h != nil && !errors.Is(err, fs.ErrClosed) || try > 10 {
			return 0, err
		}
	}
}

// Read returns the record at pos. payload lies in dst when that is large
// enough, else in a new slice. What is still pending is found as well.
func (l *Log) Read(pos Position, dst []byte) (payload []byte, kind Kind, group uint64, err error) {
	s := l.table.Load().get(pos.Segment())
	if s == nil {
		return nil, 0, 0, fmt.Errorf("%w: %v", ErrGone, pos)
	}
	if uint64(pos) >= l.written.Load() {
		payload, kind, group, ok := l.readPending(pos, dst)
		if ok {
			return payload, kind, group, nil
		}
		if uint64(pos) >= l.written.Load() {
			return nil, 0, 0, fmt.Errorf("%w: no record at %v", ErrCorrupt, pos)
		}
	}
	return l.readFile(s, pos, dst)
}

func (l *Log) readPending(pos Position, dst []byte) (payload []byte, kind Kind, group uint64, ok bool) {
	l.mu.Lock()
	for _, list := range [2][]*chunk{l.inflight, l.pending} {
		i, found := slices.BinarySearchFunc(list, pos, func(c *chunk, p Position) int {
			switch {
			case c.end() <= p:
				return -1
			case c.start() > p:
				return 1
			}
			return 0
		})
		if !found {
			continue
		}
		c := list[i]
		kind, group, payload, ok = c.find(pos.Offset())
		if !ok {
			break
		}
		if c.big { // not reused and not changed: no need to hold the lock
			l.mu.Unlock()
			return append(dst[:0], payload...), kind, group, true
		}
		payload = append(dst[:0], payload...)
		break
	}
	l.mu.Unlock()
	return payload, kind, group, ok
}

func (l *Log) readFile(s *seg, pos Position, dst []byte) ([]byte, Kind, uint64, error) {
	off := int64(pos.Offset())
	buf := dst[:cap(dst)]
	if len(buf) < readGuess {
		buf = make([]byte, readGuess)
	} else {
		buf = buf[:min(len(buf), readSpan)]
	}
	n, err := l.readAt(s, buf, off)
	if err != nil {
		return nil, 0, 0, err
	}
	rec, size, err := segment.Parse(buf[:n], s.seed, pos.Offset())
	if errors.Is(err, segment.ErrShort) {
		if off+int64(size) > max(s.size.Load(), s.cap) {
			return nil, 0, 0, fmt.Errorf("%w at %v", ErrCorrupt, pos)
		}
		if cap(dst) >= size {
			buf = dst[:size]
		} else {
			buf = make([]byte, size)
		}
		if n, err = l.readAt(s, buf, off); err != nil {
			return nil, 0, 0, err
		}
		rec, _, err = segment.Parse(buf[:n], s.seed, pos.Offset())
	}
	if err != nil {
		if l.table.Load().get(s.num) != s { // its file may serve another segment by now
			return nil, 0, 0, fmt.Errorf("%w: %v", ErrGone, pos)
		}
		return nil, 0, 0, fmt.Errorf("%w at %v", ErrCorrupt, pos)
	}
	if cap(dst) > 0 && cap(buf) > 0 && &buf[:1][0] == &dst[:1][0] {
		n := copy(buf, rec.Payload) // to where the caller's buffer begins
		return buf[:n], rec.Kind, rec.Group, nil
	}
	return rec.Payload, rec.Kind, rec.Group, nil
}

// ReadError says which of the positions given to ReadMany could not be read.
type ReadError struct {
	Index int
	Pos   Position
	Err   error
}

func (e *ReadError) Error() string { return fmt.Sprintf("store: read %v: %v", e.Pos, e.Err) }
func (e *ReadError) Unwrap() error { return e.Err }

// ReadMany reads records in the order given, which should be ascending, with
// few and large reads of up to span bytes. A read goes into memory that room
// gives (nil: make); payloads are parts of it, or have memory of their own, and
// are good for as long as the caller likes. The error is a *ReadError, or what
// each returned.
func (l *Log) ReadMany(pos []Position, span int, room func(n int) []byte, each func(i int, kind Kind, group uint64, payload []byte) error) error {
	if room == nil {
		room = func(n int) []byte { return make([]byte, n) }
	}
	for i := 0; i < len(pos); {
		n := l.run(pos[i:], span)
		if n == 1 {
			payload, kind, group, err := l.Read(pos[i], nil)
			if err != nil {
				return &ReadError{i, pos[i], err}
			}
			if err := each(i, kind, group, payload); err != nil {
				return err
			}
			i++
			continue
		}
		did, err := l.readRun(i, pos[i:i+n], room, each)
		if err != nil {
			return err
		}
		i += did
	}
	return nil
}

// run returns how many of the first positions can be had with one read.
func (l *Log) run(pos []Position, span int) int {
	written := Position(l.written.Load())
	n := 1
	for n < len(pos) && pos[n] > pos[n-1] && pos[n] < written &&
		pos[n].Segment() == pos[0].Segment() &&
		pos[n].Offset()-pos[n-1].Offset() <= readGap &&
		int(pos[n].Offset()-pos[0].Offset()) <= span-readGuess {
		n++
	}
	return n
}

// readRun reads neighbours at once and returns how many of them it did; the
// last may be longer than what was read and is then left to the next round.
func (l *Log) readRun(i int, pos []Position, room func(n int) []byte, each func(i int, kind Kind, group uint64, payload []byte) error) (int, error) {
	s := l.table.Load().get(pos[0].Segment())
	if s == nil {
		return 0, &ReadError{i, pos[0], ErrGone}
	}
	base := pos[0].Offset()
	buf := room(int(pos[len(pos)-1].Offset()-base) + readGuess)
	got, err := l.readAt(s, buf, int64(base))
	if err != nil {
		return 0, &ReadError{i, pos[0], err}
	}
	buf = buf[:got]
	for j, p := range pos {
		at := int(p.Offset() - base)
		rec, _, err := segment.Parse(buf[min(at, len(buf)):], s.seed, p.Offset())
		if errors.Is(err, segment.ErrShort) && j > 0 {
			return j, nil
		}
		if err != nil {
			payload, kind, group, err := l.Read(p, nil)
			if err != nil {
				return j, &ReadError{i + j, p, err}
			}
			rec = segment.Record{Kind: kind, Group: group, Payload: payload}
		}
		if err := each(i+j, rec.Kind, rec.Group, rec.Payload); err != nil {
			return j, err
		}
	}
	return len(pos), nil
}
