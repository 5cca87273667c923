package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// counting counts how files are written.
type counting struct {
	vfs.FS
	through, syncs int
	refuse         bool // WriteThrough is not supported
}

type countingFile struct {
	vfs.File
	c *counting
}

func (c *counting) OpenFile(name string, flag int) (vfs.File, error) {
	f, err := c.FS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return countingFile{f, c}, nil
}

func (f countingFile) Sync() error { f.c.syncs++; return f.File.Sync() }

func (f countingFile) WriteThrough(p []byte, off int64) error {
	f.c.through++
	if f.c.refuse {
		return errors.ErrUnsupported
	}
	return f.File.WriteThrough(p, off)
}

// young is a log with a first record and room made ahead.
func young(t *testing.T, fs vfs.FS) (*store.Log, *lister) {
	t.Helper()
	o := &lister{}
	opt := manual(fs)
	opt.SegmentSize = 256 << 10
	l, err := store.Open(opt, o)
	if err != nil {
		t.Fatal(err)
	}
	l.Append(1, 1, true, []byte("first"), nil, nil)
	if err := errors.Join(l.StepCommit(), l.StepPrepare()); err != nil {
		t.Fatal(err)
	}
	return l, o
}

// Small urgent batches take one step, others two, in any order, and after a
// power loss everything that was durable is there.
func TestThrough(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 3))
		mem := vfs.NewMem()
		c := &counting{FS: mem}
		l, _ := young(t, c)
		want := []string{"first"}
		safe := len(want)
		var pos []store.Position
		c.through = 0
		lone := 0
		for i := range 60 {
			body := fmt.Sprintf("%03d", i)
			urgent, big := rng.IntN(4) > 0, rng.IntN(8) == 0
			switch {
			case big:
				body += string(bytes.Repeat([]byte{'x'}, 33<<10))
			case rng.IntN(3) == 0:
				body += string(bytes.Repeat([]byte{'y'}, rng.IntN(6000)))
			}
			pos = append(pos, l.Append(1, 1, urgent, []byte(body), nil, nil))
			want = append(want, body)
			before, synced := c.through, c.syncs
			if err := l.StepCommit(); err != nil {
				t.Fatal(err)
			}
			durable := l.Durable() > pos[len(pos)-1]
			if urgent != durable {
				t.Fatalf("seed %d, record %d: urgent %v, durable %v", seed, i, urgent, durable)
			}
			if durable {
				safe = len(want)
			}
			if c.through > before {
				if lone++; big || !urgent || c.syncs > synced {
					t.Fatalf("seed %d, record %d: written through; urgent %v, big %v, and %d syncs", seed, i, urgent, big, c.syncs-synced)
				}
			}
			if rng.IntN(5) == 0 {
				if err := l.StepPrepare(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if lone < 3 {
			t.Errorf("seed %d: %d of 60 batches were written through", seed, lone)
		}
		for i, p := range pos {
			if got, _, _, err := l.Read(p, nil); err != nil || string(got) != want[i+1] {
				t.Fatalf("seed %d: record %d reads as %.10q, %v", seed, i, got, err)
			}
		}
		for n := range 5 {
			o := &lister{}
			opt := manual(mem.CrashClone(rng))
			opt.SegmentSize = 256 << 10
			again, err := store.Open(opt, o)
			if err != nil {
				t.Fatal(err)
			}
			if len(o.got) < safe {
				t.Fatalf("seed %d, crash %d: %d records of %d that were durable", seed, n, len(o.got), safe)
			}
			for i, p := range o.pos {
				if got, _, _, err := again.Read(p, nil); err != nil || string(got) != want[i] {
					t.Fatalf("seed %d, crash %d: record %d is %.10q, %v; not %.10q", seed, n, i, got, err, want[i])
				}
			}
			if len(again.Recovery().Damaged) > 0 {
				t.Fatalf("seed %d, crash %d: taken for damage: %v", seed, n, again.Recovery().Damaged)
			}
			again.Close()
		}
		l.Close()
	}
}

// A batch that was not written, or not synced, in that one step is not
// confirmed and ends the log, as with two.
func TestFailedThroughIsNoConfirm(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpSync, vfs.OpWrite} {
		faults := vfs.NewFaults(vfs.NewMem())
		c := &counting{FS: faults}
		l, _ := young(t, c)
		before := l.Durable()
		remove := faults.Add(vfs.Rule{Op: op, Err: errDisk, Count: 1})
		var w confirm
		l.Append(1, 1, true, []byte("a01"), nil, nil)
		l.Notify(&w)
		l.StepCommit()
		remove()
		if c.through != 1 {
			t.Fatalf("%s: written through %d times", op, c.through)
		}
		if w.n != 1 || !errors.Is(w.err, errDisk) || !errors.Is(w.err, store.ErrFailed) || l.Durable() != before {
			t.Errorf("%s: confirmed %+v, durable %v", op, w, l.Durable())
		}
		if l.Append(1, 1, true, []byte("a02"), nil, nil) != 0 || !errors.Is(l.Err(), errDisk) {
			t.Errorf("%s: goes on", op)
		}
		if l.CommitHere() {
			t.Errorf("%s: commits", op)
		}
		if err := l.Close(); !errors.Is(err, errDisk) {
			t.Errorf("%s: close: %v", op, err)
		}
	}
}

// Where a file cannot be written through, it is asked once.
func TestThroughUnsupported(t *testing.T) {
	c := &counting{FS: vfs.NewMem(), refuse: true}
	l, _ := young(t, c)
	defer l.Close()
	for range 3 {
		pos := l.Append(1, 1, true, []byte("a01"), nil, nil)
		synced := c.syncs
		if err := l.StepCommit(); err != nil || l.Durable() <= pos || c.syncs != synced+1 {
			t.Errorf("%v, durable %v, %d syncs", err, l.Durable() > pos, c.syncs-synced)
		}
	}
	if c.through != 1 {
		t.Errorf("asked %d times", c.through)
	}
}

// A disk that is full holds the batch back; it is written when there is space.
func TestThroughNoSpace(t *testing.T) {
	faults := vfs.NewFaults(vfs.NewMem())
	c := &counting{FS: faults}
	l, _ := young(t, c)
	defer l.Close()
	pos := l.Append(1, 1, true, []byte("a01"), nil, nil)
	remove := faults.Add(vfs.Rule{Op: vfs.OpWrite, Err: syscall.ENOSPC})
	for range 2 {
		if err := l.StepCommit(); !errors.Is(err, store.ErrNoSpace) || l.Durable() > pos {
			t.Errorf("%v, durable %v", err, l.Durable() > pos)
		}
	}
	if _, blocked := l.Blocked(); !blocked {
		t.Error("publishers are not blocked")
	}
	if l.CommitHere() {
		t.Error("a batch is being written, and another is begun")
	}
	remove()
	if err := l.StepCommit(); err != nil || l.Durable() <= pos || c.through < 3 {
		t.Errorf("%v, durable %v, written through %d times", err, l.Durable() > pos, c.through)
	}
	if p, _, _, err := l.Read(pos, nil); err != nil || string(p) != "a01" {
		t.Errorf("reads as %q, %v", p, err)
	}
}

// Who commits here, and who waits for the committer, meet.
func TestCommitHere(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.OS{}, vfs.NewMem()} {
		o := &locked{toy: newToy(nil)}
		opt := store.Options{FS: fs, Dir: t.TempDir(), SegmentSize: 64 << 10, CheckpointBytes: 200 << 10, FlushInterval: time.Millisecond}
		l, err := store.Open(opt, &lockedCheckpoint{o})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var here [6]int
		for w := range here {
			wg.Go(func() {
				body := make([]byte, 100+w*1000)
				for i := range 300 {
					if w > 0 && i%10 == 0 { // now and then one is alone
						time.Sleep(time.Duration(w) * time.Millisecond)
					}
					id := uint64(w)<<32 | uint64(i)
					o.mu.Lock()
					o.put(uint64(w%groups), id, true, body)
					pos := o.groups[w%groups].live[id].pos
					if i > 10 {
						o.settle(uint64(w%groups), id-10, false)
					}
					o.mu.Unlock()
					if l.CommitHere() {
						here[w]++
						if l.Durable() <= pos {
							t.Error("committed here, not durable")
						}
						continue
					}
					if w%2 == 0 {
						l.Sync(context.Background(), pos)
					} else {
						done := make(chanWaiter, 1)
						l.Notify(done)
						if err := <-done; err != nil {
							t.Error(err)
						}
					}
					if l.Durable() <= pos {
						t.Error("told, not durable")
					}
				}
			})
		}
		wg.Wait()
		if n := here[0] + here[1] + here[2]; n == 0 {
			t.Error("nobody ever committed by himself")
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l.CommitHere() {
			t.Error("a closed log commits")
		}
		again := newToy(o.ops)
		if l, err = store.Open(opt, again); err != nil {
			t.Fatal(err)
		}
		if err := again.verify(len(o.ops)); err != nil {
			t.Error(err)
		}
		l.Close()
	}
}

type chanWaiter chan error

func (w chanWaiter) Committed(_ store.Position, err error) { w <- err }

// While the committer waits for space, one who commits here leaves his records
// to it and goes on.
func TestCommitHereOnFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults := vfs.NewFaults(vfs.NewMem())
		o := newToy(nil)
		l, err := store.Open(store.Options{FS: faults, Dir: "d"}, o)
		if err != nil {
			t.Fatal(err)
		}
		remove := faults.Add(vfs.Rule{Op: vfs.OpWrite, Err: syscall.ENOSPC})
		for id := range uint64(3) {
			o.put(1, id, true, []byte("one"))
			if l.CommitHere() {
				t.Error("committed on a full disk")
			}
			synctest.Wait()
		}
		if _, blocked := l.Blocked(); !blocked {
			t.Error("publishers are not blocked")
		}
		remove()
		time.Sleep(3 * time.Second)
		if last := o.ops[len(o.ops)-1].pos; l.Durable() <= last {
			t.Errorf("durable %v after there was space, the last record is at %v", l.Durable(), last)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
