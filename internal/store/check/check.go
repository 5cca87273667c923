// Package check reads the data of a stopped node, changing nothing, and says
// whether it is what the format (docs/format/segment.md) promises. It serves
// `warren store check` (Check) and `warren store dump` (Dump).
package check

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// State says how a segment was found.
type State string

// The states of a segment.
const (
	Sealed  State = "sealed"  // whole, the log goes on in the next
	Tail    State = "tail"    // whole, the log ends here
	Torn    State = "torn"    // ends in a batch that was never durable; the node will cut it
	Unbegun State = "unbegun" // made ready, nothing in it yet
	Damaged State = "damaged" // something that was durable does not validate
)

// Segment is what was found in one segment.
type Segment struct {
	Number   uint32
	File     string
	Size     int64 // of the file
	State    State
	Records  uint64 // of the owner
	Payload  int64  // bytes of theirs
	Kinds    map[store.Kind]uint64
	End      store.Position // of what validates
	Begun    time.Time      // by the header
	LastMark time.Time      // when the last batch began
	TornSize int64          // bytes of a torn batch that validate
	Damage   []store.Damage

	last store.Position // greatest durable position that a mark claims; see judge
	bad  []gap
}

type gap struct {
	at, to store.Position
	why    string
}

// Report is what Check found.
type Report struct {
	Dir        string
	Identity   [16]byte
	Checkpoint *store.CheckpointInfo // nil: none, or damaged
	Segments   []Segment
	Spares     int
	Clean      bool     // the node was stopped in order
	Problems   []string // everything that is damage, in words
}

// Records returns how many records of the owner validate.
func (r *Report) Records() (n uint64) {
	for _, s := range r.Segments {
		n += s.Records
	}
	return n
}

// Err is ErrDamaged with the first problem, or nil.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %s", store.ErrDamaged, r.Problems[0])
	if n := len(r.Problems) - 1; n > 0 {
		err = fmt.Errorf("%w (and %d more)", err, n)
	}
	return err
}

// lock keeps a node from starting meanwhile; a running one keeps us out. A
// directory that no node ever opened has no lock file and gets none.
func lock(fs vfs.FS, dir string, entries []vfs.Entry) (io.Closer, error) {
	for _, e := range entries {
		if e.Name != store.LockName {
			continue
		}
		l, err := fs.Lock(path.Join(dir, store.LockName))
		if errors.Is(err, vfs.ErrLocked) {
			return nil, fmt.Errorf("%s belongs to a running node: %w", dir, err)
		}
		return l, err
	}
	return io.NopCloser(nil), nil
}

// Check reads everything in dir. The error says why it could not; damage is
// in the report, whose Err is then not nil.
func Check(fs vfs.FS, dir string) (*Report, error) {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	lk, err := lock(fs, dir, entries)
	if err != nil {
		return nil, err
	}
	defer lk.Close()
	r := &Report{Dir: dir}
	c, err := store.ReadCheckpoint(fs, path.Join(dir, store.CheckpointName), nil)
	switch {
	case err == nil:
		r.Checkpoint, r.Identity = &c, c.Identity
	case vfs.IsNotExist(err):
	case errors.Is(err, store.ErrDamaged):
		r.Problems = append(r.Problems, err.Error())
	default:
		return nil, err
	}
	for _, e := range entries {
		num, ok := store.ParseSegmentName(e.Name)
		if !ok {
			if strings.HasPrefix(e.Name, store.SparePrefix) {
				r.Spares++
			}
			continue
		}
		r.Segments = append(r.Segments, Segment{Number: num, File: e.Name, Size: e.Size, Kinds: map[store.Kind]uint64{}})
	}
	slices.SortFunc(r.Segments, func(a, b Segment) int { return int(int64(a.Number) - int64(b.Number)) })
	if err := r.identify(fs); err != nil {
		return nil, err
	}
	for i := range r.Segments {
		if err := r.scan(fs, &r.Segments[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Segments[i].File, err)
		}
	}
	r.judge()
	return r, nil
}

// identify takes the node's identity from the first header that has one,
// when there is no checkpoint, and compares all of them.
func (r *Report) identify(fs vfs.FS) error {
	known := r.Checkpoint != nil
	for i := range r.Segments {
		s := &r.Segments[i]
		h, err := readHeader(fs, path.Join(r.Dir, s.File))
		switch {
		case errors.Is(err, segment.ErrNotSegment), errors.Is(err, segment.ErrCorrupt):
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", s.File, err)
		case !known:
			r.Identity, known = h.Identity, true
		case h.Identity != r.Identity:
			r.Problems = append(r.Problems, fmt.Sprintf("segment %d: belongs to another node (%x)", s.Number, h.Identity))
		}
		if h.Number == s.Number {
			s.Begun = h.Created
		}
	}
	return nil
}

func readHeader(fs vfs.FS, name string) (segment.Header, error) {
	f, err := fs.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return segment.Header{}, err
	}
	defer f.Close()
	b := make([]byte, segment.HeaderSize)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return segment.Header{}, err
	}
	return segment.ParseHeader(b[:n])
}

// scan walks one segment, over gaps as well, and keeps what judge needs.
func (r *Report) scan(fs vfs.FS, s *Segment) error {
	f, err := fs.OpenFile(path.Join(r.Dir, s.File), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := segment.NewScanner(f, s.Size, segment.SeedOf(r.Identity, s.Number), segment.HeaderSize)
	at := func() store.Position { return segment.At(s.Number, sc.Offset()) }
	s.End = segment.At(s.Number, 0)
	if s.Begun.IsZero() {
		if !sc.Resync(segment.HeaderSize) {
			s.State = Unbegun
			return sc.Err()
		}
		s.bad = append(s.bad, gap{s.End, at(), "header does not validate"})
	}
	for {
		for sc.Next() {
			rec := sc.Record()
			r.Clean = rec.Kind == segment.KindClose
			if m, ok := segment.ParseMark(rec.Payload); ok && rec.Kind == segment.KindMark {
				s.last = max(s.last, m.Durable)
				s.LastMark = m.Time
			}
			if rec.Kind <= segment.MaxKind {
				s.Records++
				s.Payload += int64(len(rec.Payload))
			}
			s.Kinds[rec.Kind]++
		}
		s.End = at()
		if sc.Err() != nil {
			return sc.Err()
		}
		if sc.Sealed() {
			s.State = Sealed
			return nil
		}
		s.State = Tail
		if !sc.Resync(sc.Offset() + segment.Align) {
			s.bad = append(s.bad, gap{s.End, 0, "records do not validate"})
			return sc.Err()
		}
		s.bad = append(s.bad, gap{s.End, at(), "records do not validate"})
	}
}

// judge tells torn ends from damage, as recovery does.
func (r *Report) judge() {
	var start, durable store.Position
	if r.Checkpoint != nil {
		start, durable = r.Checkpoint.Start, r.Checkpoint.End
	}
	last := -1
	for i, s := range r.Segments {
		durable = max(durable, s.last)
		if s.State != Unbegun {
			last = i
		}
	}
	problem := func(s *Segment, d store.Damage) {
		s.State = Damaged
		s.Damage = append(s.Damage, d)
		r.Problems = append(r.Problems, fmt.Sprintf("segment %d: %v", s.Number, d))
	}
	want := start.Segment() // the log must be whole from here on
	if r.Checkpoint == nil {
		want = 1
	}
	torn := false
	var end store.Position
	for i := range r.Segments {
		s := &r.Segments[i]
		if s.Number >= want && !torn {
			switch {
			case s.Number == want:
			case segment.At(want, 0) < durable:
				r.Problems = append(r.Problems, fmt.Sprintf("segments %d to %d are missing", want, s.Number-1))
			default: // their names were not durable yet
				torn, end = true, segment.At(want, 0)
			}
			want = s.Number + 1
		}
		if s.State == Unbegun {
			if p := segment.At(s.Number, 0); p < durable {
				problem(s, store.Damage{From: p, To: durable, Reason: "nothing validates"})
			}
			continue
		}
		if torn {
			s.State, s.TornSize = Torn, int64(s.End.Offset())
			continue
		}
		if s.State != Sealed {
			end = s.End
		}
		for _, g := range s.bad {
			switch {
			case g.at < durable:
				to := g.to
				if to == 0 {
					to = min(durable, segment.At(s.Number+1, 0))
				}
				problem(s, store.Damage{From: g.at, To: to, Reason: g.why})
			case g.to != 0:
				torn, end = true, g.at
				s.State, s.TornSize = Torn, int64(s.End)-int64(g.at)
				s.End = g.at
			case i < last: // an unsealed end with more of the log behind it
				torn, end = true, g.at
				s.State = Torn
			}
			if torn {
				break
			}
		}
	}
	if n := len(r.Segments); n > 0 && last >= 0 && r.Segments[last].State == Sealed {
		end = segment.At(r.Segments[last].Number+1, 0)
	}
	if end < durable && last >= 0 && r.Segments[last].State != Damaged || last < 0 && durable > segment.At(1, segment.HeaderSize) {
		r.Problems = append(r.Problems, fmt.Sprintf("the log ends at %v but was durable up to %v", end, durable))
	}
	r.Clean = r.Clean && !torn && len(r.Problems) == 0
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "data      %s\n", r.Dir)
	fmt.Fprintf(w, "node      %x\n", r.Identity)
	if c := r.Checkpoint; c != nil {
		fmt.Fprintf(w, "checkpoint  start %v, end %v, %d bytes, %s\n", c.Start, c.End, c.Bytes, c.Created.UTC().Format(time.RFC3339))
	} else {
		fmt.Fprintf(w, "checkpoint  none\n")
	}
	fmt.Fprintf(w, "stopped in order  %v\n", r.Clean)
	for _, s := range r.Segments {
		fmt.Fprintf(w, "segment %10d  %-8s %10d bytes  end %8x  %8d records, %d bytes", s.Number, s.State, s.Size, s.End.Offset(), s.Records, s.Payload)
		if s.TornSize > 0 {
			fmt.Fprintf(w, ", %d bytes torn", s.TornSize)
		}
		fmt.Fprintln(w)
	}
	if r.Spares > 0 {
		fmt.Fprintf(w, "spare files  %d\n", r.Spares)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "DAMAGE    %s\n", p)
	}
	if len(r.Problems) == 0 {
		fmt.Fprintf(w, "no damage\n")
	}
}
