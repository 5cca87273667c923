package store

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/warrenmq/warren/internal/vfs"
)

type nullOwner struct {
	log      *Log
	blob     []byte
	replayed []string
	clean    bool
	save     []byte
}

func (o *nullOwner) Restore(l *Log, b []byte) error { o.log, o.blob = l, b; return nil }
func (o *nullOwner) Replay(pos Position, kind Kind, group uint64, payload []byte) error {
	o.replayed = append(o.replayed, string(payload))
	return nil
}
func (o *nullOwner) Recovered(clean bool) error      { o.clean = clean; return nil }
func (o *nullOwner) Checkpoint(w io.Writer) error    { _, err := w.Write(o.save); return err }
func (o *nullOwner) Evacuate(uint32, []uint64) error { return nil }

func TestSmoke(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.NewMem(), vfs.OS{}} {
		dir := "d"
		if _, ok := fs.(vfs.OS); ok {
			dir = t.TempDir()
		}
		opt := Options{FS: fs, Dir: dir, SegmentSize: 4096}
		o := &nullOwner{save: []byte("state")}
		l, err := Open(opt, o)
		if err != nil {
			t.Fatal(err)
		}
		var pos []Position
		for i := range 200 {
			p := l.Append(1, uint64(i), true, []byte(fmt.Sprintf("rec %03d", i)), make([]byte, i), nil)
			pos = append(pos, p)
			l.Retain(p, 10)
		}
		if err := l.Sync(context.Background(), pos[199]); err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := l.ReadMany(pos, 1<<20, nil, func(i int, _ Kind, g uint64, p []byte) error {
			if i != n || g != uint64(i) || string(p[:7]) != fmt.Sprintf("rec %03d", i) || len(p) != 7+i {
				t.Fatalf("record %d: %d %q", i, g, p)
			}
			n++
			return nil
		}); err != nil || n != 200 {
			t.Fatal(n, err)
		}
		if m, ok := fs.(*vfs.Mem); ok {
			l2, err := Open(Options{FS: m.Clone(), Dir: dir, SegmentSize: 4096}, o)
			if err != nil || len(o.replayed) != 200 || o.clean {
				t.Fatal(err, len(o.replayed))
			}
			l2.Close()
			o.replayed = nil
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, err = Open(opt, o)
		if err != nil || !o.clean || string(o.blob) != "state" || len(o.replayed) != 0 {
			t.Fatal(err, o.clean, string(o.blob), len(o.replayed))
		}
		l.Close()
	}
}

type countingOwner struct {
	nullOwner
	evacuations int
}

func (o *countingOwner) Evacuate(uint32, []uint64) error { o.evacuations++; return nil }

// A log of small records that all live is no waste, though its owner counts
// few bytes in each; one in which most are dead is.
func TestSmallRecordsAreNoWaste(t *testing.T) {
	o := &countingOwner{}
	l, err := Open(Manual(Options{FS: vfs.NewMem(), Dir: "d", SegmentSize: 4096}), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var pos []Position
	for range 3000 {
		p := l.Append(1, 1, true, make([]byte, 66), nil, nil)
		l.Retain(p, 16)
		pos = append(pos, p)
		if len(pos)%100 == 0 {
			if err := l.StepCommit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		if err := l.StepCheckpoint(); err != nil {
			t.Fatal(err)
		}
	}
	if o.evacuations > 0 {
		t.Error(o.evacuations, "evacuations of what lives")
	}
	for i, p := range pos {
		if i%4 > 0 {
			l.Release(p, 16)
		}
	}
	if err := l.StepCheckpoint(); err != nil {
		t.Fatal(err)
	}
	if o.evacuations == 0 {
		t.Error("no evacuation of what is mostly dead")
	}
}
