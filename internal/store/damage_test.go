package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/check"
	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// lister is an owner that lists what is replayed.
type lister struct {
	log  *store.Log
	got  []string
	pos  []store.Position
	save string
	had  string
}

func (o *lister) Restore(l *store.Log, b []byte) error { o.log, o.had = l, string(b); return nil }
func (o *lister) Replay(pos store.Position, _ store.Kind, _ uint64, p []byte) error {
	o.got = append(o.got, string(p[:3]))
	o.pos = append(o.pos, pos)
	return nil
}
func (o *lister) Recovered(bool) error            { return nil }
func (o *lister) Checkpoint(w io.Writer) error    { _, err := io.WriteString(w, o.save); return err }
func (o *lister) Evacuate(uint32, []uint64) error { return nil }

func manual(fs vfs.FS) store.Options {
	return store.Manual(store.Options{FS: fs, Dir: "d", SegmentSize: 1024, Identity: [16]byte{9}})
}

// twelve writes records a00 to a11 of 100 bytes in twelve synced batches
// and returns their positions. They fill about two segments.
func twelve(t *testing.T, mem *vfs.Mem) (pos []store.Position) {
	t.Helper()
	l, err := store.Open(manual(mem), &lister{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		pos = append(pos, l.Append(1, 1, true, fmt.Appendf(nil, "a%02d", i), make([]byte, 97), nil))
		if err := l.StepCommit(); err != nil {
			t.Fatal(err)
		}
	}
	return pos
}

func poke(t *testing.T, mem *vfs.Mem, name string, off int64, b []byte) {
	t.Helper()
	f, err := mem.OpenFile("d/"+name, os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, mem *vfs.Mem, name string, size int64) {
	t.Helper()
	f, err := mem.OpenFile("d/"+name, os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
}

func TestDamage(t *testing.T) {
	all := "a00 a01 a02 a03 a04 a05 a06 a07 a08 a09 a10 a11"
	junk := []byte("\xde\xad\xbe\xef\xde\xad\xbe\xef")
	for _, c := range []struct {
		name    string
		break_  func(t *testing.T, mem *vfs.Mem, pos []store.Position)
		want    string
		damaged int
		torn    bool
	}{
		{"nothing", func(*testing.T, *vfs.Mem, []store.Position) {}, all, 0, false},
		{"payload in the middle", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(1), int64(pos[2].Offset())+40, junk)
		}, strings.Replace(all, "a02 ", "", 1), 1, false},
		{"header of a record in the middle", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(1), int64(pos[3].Offset())+4, junk)
		}, strings.Replace(all, "a03 ", "", 1), 1, false},
		{"header of the first segment", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(1), 3, junk)
		}, all, 1, false},
		{"header of the second segment", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(2), 20, junk)
		}, all, 1, false},
		{"a sector in the middle is zero", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(1), int64(pos[1].Offset()), make([]byte, 200))
		}, strings.Replace(all, "a01 a02 ", "", 1), 1, false},
		{"the first segment is cut short", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			cut(t, m, store.SegmentName(1), int64(pos[4].Offset()))
		}, "a00 a01 a02 a03" + all[strings.Index(all, " a06"):], 1, false},
		{"the first segment is gone", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			cut(t, m, store.SegmentName(1), 0)
		}, all[strings.Index(all, "a06"):], 1, false},
		{"last record: cannot be told from torn", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(pos[11].Segment()), int64(pos[11].Offset())+40, junk)
		}, strings.Replace(all, " a11", "", 1), 0, true},
		{"last record, but a mark knows", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			l, err := store.Open(manual(m), &lister{})
			if err != nil {
				t.Fatal(err)
			}
			l.Append(1, 1, true, []byte("a12"), nil, nil)
			if err := l.StepCommit(); err != nil {
				t.Fatal(err)
			}
			if err := l.StepIdle(); err != nil {
				t.Fatal(err)
			}
			poke(t, m, store.SegmentName(l.Durable().Segment()), int64(l.Durable().Offset())-24, junk)
		}, all, 1, false},
		{"two places", func(t *testing.T, m *vfs.Mem, pos []store.Position) {
			poke(t, m, store.SegmentName(1), int64(pos[1].Offset())+40, junk)
			poke(t, m, store.SegmentName(pos[8].Segment()), int64(pos[8].Offset())+40, junk)
		}, strings.Replace(strings.Replace(all, "a01 ", "", 1), "a08 ", "", 1), 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := vfs.NewMem()
			pos := twelve(t, mem)
			mem = mem.Clone()
			c.break_(t, mem, pos)
			mem = mem.Clone()
			rep, err := check.Check(mem, "d")
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			rep.Print(&text)
			if (rep.Err() != nil) != (c.damaged > 0) {
				t.Errorf("check: %v\n%s", rep.Err(), text.String())
			}
			var dump bytes.Buffer
			if err := check.Dump(&dump, mem, "d", check.DumpOptions{Text: true, Max: 3}); err != nil {
				t.Error(err)
			}
			for _, r := range strings.Fields(c.want) {
				if !strings.Contains(dump.String(), `"`+r+`"`) {
					t.Errorf("dump lacks %s:\n%s", r, dump.String())
				}
			}
			o := &lister{}
			l, err := store.Open(manual(mem), o)
			if err != nil {
				t.Fatal(err)
			}
			info := l.Recovery()
			if got := strings.Join(o.got, " "); got != c.want || len(info.Damaged) != c.damaged || (info.Torn > 0) != c.torn {
				t.Errorf("got %s\nwant %s\n%+v\n%s", got, c.want, info, text.String())
			}
			for _, d := range info.Damaged {
				if f, err := mem.OpenFile(d.Copy, os.O_RDONLY); err != nil {
					t.Errorf("no copy of the damaged segment: %v", err)
				} else {
					f.Close()
				}
			}
			// It goes on, and after a checkpoint the damage is history.
			if p := l.Append(1, 1, true, []byte("new"), nil, nil); p < info.End {
				t.Errorf("appended at %v, before the end %v", p, info.End)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			o = &lister{}
			if l, err = store.Open(manual(mem), o); err != nil || len(l.Recovery().Damaged) > 0 || len(o.got) != 0 {
				t.Errorf("after a checkpoint: %v %+v", err, l.Recovery())
			}
		})
	}
}

// A torn batch must not come back to life behind records written later.
func TestTornRemainsAreCut(t *testing.T) {
	mem := vfs.NewMem()
	opt := store.Manual(store.Options{FS: mem, Dir: "d", SegmentSize: 8192})
	l, err := store.Open(opt, &lister{})
	if err != nil {
		t.Fatal(err)
	}
	add := func(l *store.Log, letter string, n int) (first store.Position) {
		for i := range n {
			p := l.Append(1, 1, true, fmt.Appendf(nil, "%s%02d", letter, i), make([]byte, 97), nil)
			if i == 0 {
				first = p
			}
		}
		if err := l.StepCommit(); err != nil {
			t.Fatal(err)
		}
		return first
	}
	add(l, "a", 4)
	p := add(l, "b", 20)
	torn := mem.Clone()
	poke(t, torn, store.SegmentName(1), int64(p.Offset()), make([]byte, 30)) // b00 did not arrive, the others did
	torn = torn.Clone()
	opt.FS = torn
	o := &lister{}
	if l, err = store.Open(opt, o); err != nil || len(o.got) != 4 || l.Recovery().Torn == 0 {
		t.Fatal(err, o.got, l.Recovery())
	}
	add(l, "c", 1) // ends where b01 began
	opt.FS = torn.Clone()
	o = &lister{}
	if _, err = store.Open(opt, o); err != nil || strings.Join(o.got, " ") != "a00 a01 a02 a03 c00" {
		t.Fatal(err, o.got)
	}
}

func TestRefusals(t *testing.T) {
	mem := vfs.NewMem()
	o := &lister{save: "x"}
	l, err := store.Open(manual(mem), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(manual(mem), o); !errors.Is(err, store.ErrLocked) {
		t.Error("second opener:", err)
	}
	if _, err := check.Check(mem, "d"); !errors.Is(err, store.ErrLocked) {
		t.Error("check of a running node:", err)
	}
	l.Append(1, 1, true, []byte("a00"), nil, nil)
	if err := l.StepCommit(); err != nil {
		t.Fatal(err)
	}
	noCheckpoint := mem.Clone()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l.Append(1, 1, true, nil, nil, nil) != 0 || !errors.Is(l.Err(), store.ErrClosed) {
		t.Error("append after close")
	}
	for _, m := range []*vfs.Mem{mem.Clone(), noCheckpoint.Clone()} {
		opt := manual(m)
		opt.Identity[0]++
		if _, err := store.Open(opt, o); !errors.Is(err, store.ErrIdentity) {
			t.Error("other node:", err)
		}
	}
	// A newer version is not damage.
	newer := noCheckpoint.Clone()
	h := make([]byte, segment.HeaderSize)
	segment.PutHeader(h, segment.Header{Number: 1})
	h[8] = segment.Version + 1
	segment.Rehash(h)
	poke(t, newer, store.SegmentName(1), 0, h)
	if _, err := store.Open(manual(newer), o); !errors.Is(err, store.ErrNewer) || errors.Is(err, store.ErrDamaged) {
		t.Error("newer segment:", err)
	}
	newer = mem.Clone()
	f, _ := newer.OpenFile("d/checkpoint", os.O_RDWR)
	f.ReadAt(h, 0)
	h[8]++
	segment.Rehash(h)
	f.WriteAt(h, 0)
	if _, err := store.Open(manual(newer), o); !errors.Is(err, store.ErrNewer) || errors.Is(err, store.ErrDamaged) {
		t.Error("newer checkpoint:", err)
	}
	// A damaged checkpoint stops the start.
	bad := mem.Clone()
	poke(t, bad, "checkpoint", 70, []byte{0xff})
	if _, err := store.Open(manual(bad), o); !errors.Is(err, store.ErrDamaged) {
		t.Error("damaged checkpoint:", err)
	}
	if rep, err := check.Check(bad, "d"); err != nil || rep.Err() == nil {
		t.Error("check of a damaged checkpoint:", err)
	}
	if err := mem.Remove("d/checkpoint"); err != nil {
		t.Fatal(err)
	}
}

var errDisk = errors.New("disk on fire")

type confirm struct {
	d   store.Position
	err error
	n   int
}

func (c *confirm) Committed(d store.Position, err error) { c.d, c.err = d, err; c.n++ }

func TestFailedSyncIsNoConfirm(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpSync, vfs.OpWrite, vfs.OpSyncDir} {
		faults := vfs.NewFaults(vfs.NewMem())
		l, err := store.Open(manual(faults), &lister{})
		if err != nil {
			t.Fatal(err)
		}
		if op != vfs.OpSyncDir { // only the first commit syncs the directory
			l.Append(1, 1, true, []byte("a00"), nil, nil)
			if err := l.StepCommit(); err != nil {
				t.Fatal(err)
			}
		}
		before := l.Durable()
		remove := faults.Add(vfs.Rule{Op: op, Err: errDisk, Count: 1})
		var w confirm
		l.Append(1, 1, true, []byte("a01"), nil, nil)
		l.Notify(&w)
		l.StepCommit()
		remove()
		if w.n != 1 || !errors.Is(w.err, errDisk) || !errors.Is(w.err, store.ErrFailed) || l.Durable() != before {
			t.Errorf("%s: confirmed %+v, durable %v", op, w, l.Durable())
		}
		// The disk recovers; the log does not.
		if l.Append(1, 1, true, []byte("a02"), nil, nil) != 0 || !errors.Is(l.Err(), errDisk) {
			t.Errorf("%s: goes on", op)
		}
		var again confirm
		l.Notify(&again)
		l.StepCommit()
		if again.n != 1 || again.err == nil {
			t.Errorf("%s: later waiter: %+v", op, again)
		}
		if err := l.Throttle(context.Background()); !errors.Is(err, store.ErrFailed) {
			t.Error("throttle:", err)
		}
		if err := l.Close(); !errors.Is(err, errDisk) {
			t.Errorf("%s: close: %v", op, err)
		}
	}
}
