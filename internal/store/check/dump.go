package check

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// DumpOptions says what Dump prints.
type DumpOptions struct {
	From, To store.Position // To: 0 for the end
	Own      bool           // the log's own records as well (marks, seals)
	Hex      bool           // payloads in hexadecimal
	Text     bool           // payloads as quoted text
	Max      int            // bytes of a payload, at most; 0: 64
	// Describe says what a payload means; "" leaves it to Hex and Text.
	// KindName names a kind; nil or "" prints the number.
	Describe func(kind store.Kind, group uint64, payload []byte) string
	KindName func(kind store.Kind) string
}

// Dump prints the records of a stopped node's log, one a line: position,
// kind, group, length, payload. A gap is a line that begins with "damage".
// Dump reads what is there; Check judges.
func Dump(w io.Writer, fs vfs.FS, dir string, o DumpOptions) error {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return err
	}
	lk, err := lock(fs, dir, entries)
	if err != nil {
		return err
	}
	defer lk.Close()
	r := &Report{Dir: dir}
	if c, err := store.ReadCheckpoint(fs, path.Join(dir, store.CheckpointName), nil); err == nil {
		r.Checkpoint, r.Identity = &c, c.Identity
	}
	for _, e := range entries { // sorted: names have a fixed width
		if num, ok := store.ParseSegmentName(e.Name); ok {
			r.Segments = append(r.Segments, Segment{Number: num, File: e.Name, Size: e.Size})
		}
	}
	if err := r.identify(fs); err != nil {
		return err
	}
	if o.Max == 0 {
		o.Max = 64
	}
	out := bufio.NewWriter(w)
	for i := range r.Segments {
		s := &r.Segments[i]
		if s.Number < o.From.Segment() || o.To != 0 && s.Number > o.To.Segment() {
			continue
		}
		if err := dumpSegment(out, fs, r, s, o); err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
	}
	return out.Flush()
}

func dumpSegment(w *bufio.Writer, fs vfs.FS, r *Report, s *Segment, o DumpOptions) error {
	f, err := fs.OpenFile(path.Join(r.Dir, s.File), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := segment.NewScanner(f, s.Size, segment.SeedOf(r.Identity, s.Number), segment.HeaderSize)
	for {
		for sc.Next() {
			pos := segment.At(s.Number, sc.Offset())
			if o.To != 0 && pos >= o.To {
				return nil
			}
			if rec := sc.Record(); pos >= o.From && (o.Own || rec.Kind <= segment.MaxKind) {
				line(w, pos, rec, o)
			}
		}
		if sc.Err() != nil {
			return sc.Err()
		}
		end := sc.Offset()
		if sc.Sealed() {
			if o.Own {
				fmt.Fprintf(w, "%v seal\n", segment.At(s.Number, end-segment.SealSize))
			}
			return nil
		}
		if !sc.Resync(end + segment.Align) {
			return sc.Err()
		}
		fmt.Fprintf(w, "damage %v to %v\n", segment.At(s.Number, end), segment.At(s.Number, sc.Offset()))
	}
}

func line(w *bufio.Writer, pos store.Position, rec segment.Record, o DumpOptions) {
	fmt.Fprintf(w, "%v %s %d %d", pos, kindName(rec.Kind, o), rec.Group, len(rec.Payload))
	cut := rec.Payload[:min(len(rec.Payload), o.Max)]
	switch {
	case rec.Kind == segment.KindMark:
		if m, ok := segment.ParseMark(rec.Payload); ok {
			fmt.Fprintf(w, " durable=%v time=%s", m.Durable, m.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	case rec.Kind > segment.MaxKind:
	default:
		if o.Describe != nil {
			if s := o.Describe(rec.Kind, rec.Group, rec.Payload); s != "" {
				fmt.Fprintf(w, " %s", s)
			}
		}
		if o.Hex {
			fmt.Fprintf(w, " %s", hex.EncodeToString(cut))
		}
		if o.Text {
			fmt.Fprintf(w, " %s", strconv.QuoteToASCII(string(cut)))
		}
		if (o.Hex || o.Text) && len(cut) < len(rec.Payload) {
			w.WriteString("…")
		}
	}
	w.WriteByte('\n')
}

func kindName(k store.Kind, o DumpOptions) string {
	switch k {
	case segment.KindMark:
		return "mark"
	case segment.KindSeal:
		return "seal"
	case segment.KindClose:
		return "close"
	}
	if o.KindName != nil {
		if s := o.KindName(k); s != "" {
			return s
		}
	}
	return strconv.Itoa(int(k))
}
