package store_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

func openBench(b *testing.B, fs vfs.FS, dir string) *store.Log {
	b.Helper()
	l, err := store.Open(store.Options{FS: fs, Dir: dir}, &lister{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

// nullFS takes writes and forgets them, so that Append is measured alone.
type nullFS struct{ vfs.FS }

type nullFile struct{ vfs.File }

func (f nullFS) OpenFile(name string, flag int) (vfs.File, error) {
	file, err := f.FS.OpenFile(name, flag)
	return nullFile{file}, err
}
func (nullFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nullFile) Preallocate(int64, int64) error         { return nil }
func (nullFile) WriteThrough([]byte, int64) error       { return errors.ErrUnsupported }

func BenchmarkAppend(b *testing.B) {
	l := openBench(b, nullFS{vfs.NewMem()}, "d")
	head, body := make([]byte, 24), make([]byte, 1000)
	b.ReportAllocs()
	b.SetBytes(1024)
	for i := 0; b.Loop(); i++ {
		l.Append(1, 7, true, head, body, nil)
		if i%500 == 0 {
			l.Commit()
			l.Throttle(context.Background())
		}
	}
}

// waitGroup is a Waiter.
type waitGroup struct{ sync.WaitGroup }

func (w *waitGroup) Committed(store.Position, error) { w.Done() }

// BenchmarkThroughput publishes 1 KiB records on the real disk, a confirm
// asked for every 500, eight of those under way.
func BenchmarkThroughput(b *testing.B) {
	l := openBench(b, vfs.OS{}, b.TempDir())
	body := make([]byte, 1024)
	for i := range body {
		body[i] = byte(i * 7)
	}
	var window [8]waitGroup
	b.ReportAllocs()
	b.SetBytes(1024)
	b.ResetTimer()
	for i := range b.N {
		l.Append(1, 7, true, body, nil, nil)
		if i%500 == 499 {
			w := &window[i/500%8]
			w.Wait()
			w.Add(1)
			l.Notify(w)
			l.Commit()
		}
	}
	l.Sync(context.Background(), l.End()-1)
	b.StopTimer()
	if s := l.Stats(); s.Syncs > 0 {
		b.ReportMetric(float64(s.Records)/float64(s.Syncs), "records/sync")
	}
}

func BenchmarkSingle(b *testing.B) {
	l := openBench(b, vfs.OS{}, b.TempDir())
	body := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Sync(context.Background(), l.Append(1, 7, true, body, nil, nil)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRawSync is what BenchmarkSingle cannot be faster than: a write
// and an fdatasync in a zero-filled file.
func BenchmarkRawSync(b *testing.B) {
	f, err := vfs.OS{}.OpenFile(b.TempDir()+"/raw", os.O_RDWR|os.O_CREATE)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const size = 64 << 20
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(zeros)) {
		f.WriteAt(zeros, off)
	}
	f.Sync()
	body := make([]byte, 1100)
	off := int64(0)
	for b.Loop() {
		f.WriteAt(body, off)
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		off = (off + 1100) % (size - 2000)
	}
}

func BenchmarkRead(b *testing.B) {
	l := openBench(b, vfs.OS{}, b.TempDir())
	var pos []store.Position
	for range 20000 {
		pos = append(pos, l.Append(1, 7, true, make([]byte, 1024), nil, nil))
	}
	l.Sync(context.Background(), pos[len(pos)-1])
	b.Run("one", func(b *testing.B) {
		buf := make([]byte, 0, 4096)
		b.ReportAllocs()
		b.SetBytes(1024)
		for i := 0; b.Loop(); i++ {
			if _, _, _, err := l.Read(pos[i%len(pos)], buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("many", func(b *testing.B) {
		buf := make([]byte, 256<<10)
		room := func(n int) []byte { return buf[:n] }
		b.ReportAllocs()
		b.SetBytes(1024 * 1000)
		for b.Loop() {
			if err := l.ReadMany(pos[:1000], len(buf), room, func(int, store.Kind, uint64, []byte) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
