package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// The tests here let the log's own goroutines run.

// locked is a toy whose groups have locks, so that appenders, the keeper and
// the readers meet as in a broker.
type locked struct {
	mu sync.Mutex
	*toy
}

func (o *locked) Evacuate(seg uint32, gs []uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.toy.Evacuate(seg, gs)
}

func TestManyWriters(t *testing.T) {
	for _, mode := range []store.SyncMode{store.Disk, store.OS, store.Memory} {
		dir := t.TempDir()
		o := &locked{toy: newToy(nil)}
		o.during = func() { o.mu.Unlock(); o.mu.Lock() } // between groups the log goes on
		opt := store.Options{FS: vfs.OS{}, Dir: dir, SegmentSize: 64 << 10, CheckpointBytes: 200 << 10, Sync: mode, FlushInterval: time.Millisecond}
		ck := &lockedCheckpoint{o}
		l, err := store.Open(opt, ck)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), 1))
				body := make([]byte, 200<<10)
				for i := range 400 {
					n := rng.IntN(3000)
					if i%100 == 7 {
						n = 150<<10 + n // a chunk and a segment of its own
					}
					id := uint64(w)<<32 | uint64(i)
					o.mu.Lock()
					o.put(uint64(w), id, true, body[:n])
					it := o.groups[w].live[id]
					if rng.IntN(10) > 0 {
						ids := o.groups[w].ids()
						o.settle(uint64(w), ids[rng.IntN(len(ids))], false)
					}
					var read store.Position
					if x, ok := o.groups[w].live[id]; ok {
						read = x.pos
					}
					if read != 0 {
						if p, _, _, err := l.Read(read, nil); err != nil || sum(p[16:]) != it.sum {
							t.Errorf("read back %v: %v", read, err)
						}
					}
					o.mu.Unlock()
					l.Commit()
					if i%10 == 0 {
						if err := l.Sync(context.Background(), it.pos); err != nil {
							t.Error(err)
						}
						if l.Durable() <= it.pos {
							t.Error("synced, not durable")
						}
					}
					if err := l.Throttle(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		st := l.Stats()
		if st.Checkpoints == 0 || st.SegmentsFreed == 0 || st.Dangling != 0 {
			t.Errorf("%+v", st)
		}
		again := newToy(o.ops)
		l, err = store.Open(opt, again)
		if err != nil {
			t.Fatal(err)
		}
		if !again.clean {
			t.Error("not clean")
		}
		if err := again.verify(len(o.ops)); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// lockedCheckpoint holds the lock during a checkpoint but between groups.
type lockedCheckpoint struct{ *locked }

func (o *lockedCheckpoint) Checkpoint(w io.Writer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.toy.Checkpoint(w)
}

func TestNoSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		var blocked atomic.Int32
		o := &locked{toy: newToy(nil)}
		opt := store.Options{FS: mem, Dir: "d", SegmentSize: 16 << 10, OnBlocked: func(_ string, b bool) {
			if b {
				blocked.Add(1)
			} else {
				blocked.Add(-1)
			}
		}}
		l, err := store.Open(opt, &lockedCheckpoint{o})
		if err != nil {
			t.Fatal(err)
		}
		mem.SetSpace(64 << 10)
		n := 0
		for ; blocked.Load() == 0 && n < 1000; n++ {
			o.mu.Lock()
			o.put(0, uint64(n), true, make([]byte, 1000))
			o.mu.Unlock()
			l.Commit()
			synctest.Wait()
		}
		if _, b := l.Blocked(); !b || n < 24 || n > 64 {
			t.Fatalf("blocked after %d records", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := l.Throttle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("throttle:", err)
		}
		cancel()
		// Consumers go on: what they settle is still written and synced.
		for id := range uint64(n) {
			o.mu.Lock()
			o.settle(0, id, true)
			o.mu.Unlock()
			if id%8 == 0 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if err := l.Sync(ctx, l.End()-1); err != nil {
					t.Fatalf("settle %d of %d: %v", id, n, err)
				}
				cancel()
			}
		}
		// All segments are dead by now: they come back, publishers go on.
		l.RequestCheckpoint()
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = l.Throttle(ctx)
		synctest.Wait()
		if err != nil || blocked.Load() != 0 {
			t.Error(err, blocked.Load())
		}
		o.mu.Lock()
		o.put(0, 9999, true, make([]byte, 1000))
		o.mu.Unlock()
		if err := l.Sync(t.Context(), l.End()-1); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Writes that fail for lack of space are repeated, not lost, and nothing is
// confirmed meanwhile.
func TestNoSpaceInCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults := vfs.NewFaults(vfs.NewMem())
		o := newToy(nil)
		l, err := store.Open(store.Options{FS: faults, Dir: "d"}, o)
		if err != nil {
			t.Fatal(err)
		}
		remove := faults.Add(vfs.Rule{Op: vfs.OpWrite, Err: syscall.ENOSPC})
		o.put(1, 1, true, []byte("one"))
		var w confirm
		l.Notify(&w)
		l.Commit()
		time.Sleep(10 * time.Second)
		if reason, b := l.Blocked(); !b || w.n != 0 {
			t.Error(reason, b, w)
		}
		if p, _, _, err := l.Read(o.ops[0].pos, nil); err != nil || string(p[16:]) != "one" {
			t.Error("pending record:", err)
		}
		remove()
		time.Sleep(3 * time.Second)
		if _, b := l.Blocked(); b || w.n != 1 || w.err != nil || w.d <= o.ops[0].pos {
			t.Error(b, w)
		}
		// Close does not wait for space.
		faults.Add(vfs.Rule{Op: vfs.OpWrite, Err: syscall.ENOSPC})
		o.put(1, 2, true, []byte("two"))
		if err := l.Close(); err == nil {
			t.Error("closed in order on a full disk")
		}
	})
}

// Lazy records are written in time, and become durable with the next sync.
func TestLazy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		o := newToy(nil)
		l, err := store.Open(store.Options{FS: mem, Dir: "d"}, o)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o.put(1, 1, false, nil)
		time.Sleep(50 * time.Millisecond)
		if st := l.Stats(); st.Commits != 0 {
			t.Error("written too early")
		}
		time.Sleep(51 * time.Millisecond)
		synctest.Wait()
		if st := l.Stats(); st.Commits != 1 || st.Syncs != 0 || l.Durable() > o.ops[0].pos {
			t.Errorf("%+v", st)
		}
		var w confirm
		l.Notify(&w)
		synctest.Wait()
		if w.n != 1 || w.err != nil || w.d <= o.ops[0].pos {
			t.Errorf("%+v", w)
		}
	})
}

// A burst does not leave its buffers behind.
func TestIdleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d"}, newToy(nil))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for range 8000 {
			l.Append(1, 1, true, make([]byte, 1000), nil, nil)
		}
		if err := l.Sync(t.Context(), l.End()-1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		if n := l.FreeChunks(); n > 1 {
			t.Errorf("%d chunks kept", n)
		}
	})
}

func TestBigRecords(t *testing.T) {
	mem := vfs.NewMem()
	o := newToy(nil)
	opt := store.Options{FS: mem, Dir: "d", SegmentSize: 64 << 10}
	l, err := store.Open(opt, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{0, 1, 64 << 10, 128<<10 - 20, 128 << 10, 3 << 20, 10, 64<<10 - 140} {
		b := make([]byte, n)
		for j := range b {
			b[j] = byte(j * i)
		}
		o.put(2, uint64(i), true, b)
	}
	for _, when := range []string{"pending", "written"} {
		if err := o.verify(8); err != nil {
			t.Error(when, err)
		}
		if err := l.Sync(t.Context(), l.End()-1); err != nil {
			t.Fatal(err)
		}
	}
	again := newToy(o.ops)
	opt.FS = mem.Clone()
	l2, err := store.Open(opt, again)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.verify(8); err != nil {
		t.Error(err)
	}
	l.Close()
	l2.Close()
}

func TestEmptyOpenIsQuick(t *testing.T) {
	best := time.Hour
	for i := range 5 {
		began := time.Now()
		l, err := store.Open(store.Options{FS: vfs.OS{}, Dir: fmt.Sprintf("%s/%d", t.TempDir(), i)}, newToy(nil))
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
		l.Close()
	}
	if best > 10*time.Millisecond {
		t.Errorf("opening an empty directory took %v", best)
	}
	t.Log(best)
}
