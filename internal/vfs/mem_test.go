package vfs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
)

func write(t *testing.T, fs FS, name, text string, sync bool) File {
	t.Helper()
	f, err := fs.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func read(fs FS, name string) string {
	f, err := fs.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return "-"
	}
	defer f.Close()
	n, _ := f.Size()
	b := make([]byte, n)
	f.ReadAt(b, 0)
	return string(b)
}

// outcomes collects what a file may read as after a power loss.
func outcomes(m *Mem, name string) map[string]bool {
	got := map[string]bool{}
	for seed := range uint64(500) {
		got[read(m.CrashClone(rand.New(rand.NewPCG(seed, 1))), name)] = true
	}
	return got
}

func expect(t *testing.T, what string, got map[string]bool, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %v, want %q", what, got, want)
		return
	}
	for _, w := range want {
		if !got[w] {
			t.Errorf("%s: %v, want %q", what, got, want)
		}
	}
}

func TestCrashClone(t *testing.T) {
	m := NewMem()
	f := write(t, m, "a", "one", true)
	expect(t, "synced file, name not", outcomes(m, "a"), "-", "one")
	if err := m.SyncDir("."); err != nil {
		t.Fatal(err)
	}
	expect(t, "all synced", outcomes(m, "a"), "one")
	f.WriteAt([]byte("two"), 0)
	expect(t, "written again", outcomes(m, "a"), "one", "two")
	f.WriteAt([]byte("six"), 0)
	expect(t, "written twice", outcomes(m, "a"), "one", "two", "six")
	f.Sync()
	expect(t, "synced again", outcomes(m, "a"), "six")
	f.Truncate(1)
	expect(t, "truncated", outcomes(m, "a"), "six", "s", "s\x00\x00") // the last: zeroed, size not yet
	f.Truncate(3)
	f.Sync()
	expect(t, "and grown", outcomes(m, "a"), "s\x00\x00")

	write(t, m, "b", "new", true)
	if err := m.Rename("b", "a"); err != nil {
		t.Fatal(err)
	}
	expect(t, "renamed over", outcomes(m, "a"), "s\x00\x00", "new")
	m.SyncDir(".")
	expect(t, "and synced", outcomes(m, "a"), "new")
	m.Remove("a")
	expect(t, "removed", outcomes(m, "a"), "new", "-")
}

func TestCrashCloneTearsSectors(t *testing.T) {
	m := NewMem()
	f := write(t, m, "a", string(bytes.Repeat([]byte("o"), 4*sector)), true)
	m.SyncDir(".")
	f.WriteAt(bytes.Repeat([]byte("n"), 3*sector), sector/2)
	if n := len(outcomes(m, "a")); n != 16 {
		t.Errorf("%d outcomes of four torn sectors, want 16", n)
	}
}

func TestMemSpaceAndLock(t *testing.T) {
	m := NewMem()
	m.SetSpace(10)
	f := write(t, m, "a", "12345678", false)
	if n, err := f.WriteAt([]byte("abcdef"), 8); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Error(n, err)
	}
	if err := f.Preallocate(0, 11); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	l, err := m.Lock("lock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Lock("lock"); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	l.Close()
	if _, err := m.Lock("lock"); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	boom := errors.New("boom")
	fs := NewFaults(NewMem())
	seen := 0
	fs.Add(Rule{Op: OpWrite, Match: "*.seg", Skip: 1, Count: 1, Err: boom, Do: func() { seen++ }})
	f := write(t, fs, "x.seg", "1", false)
	g := write(t, fs, "y", "1", false)
	if _, err := g.WriteAt([]byte("2"), 0); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt([]byte("2"), 0); !errors.Is(err, boom) {
		t.Error(err)
	}
	if _, err := f.WriteAt([]byte("3"), 0); err != nil || seen != 1 {
		t.Error(err, seen)
	}
}

// What the interface promises holds on the real disk too.
func TestOS(t *testing.T) {
	dir := t.TempDir() + "/d/e"
	fs := OS{}
	if err := fs.MkdirAll(dir); err != nil {
		t.Fatal(err)
	}
	f := write(t, fs, dir+"/a", "hello", true)
	if err := f.Preallocate(0, 4096); err != nil {
		t.Error(err)
	}
	if err := f.Truncate(5); err != nil {
		t.Error(err)
	}
	if err := fs.Rename(dir+"/a", dir+"/b"); err != nil {
		t.Error(err)
	}
	if err := fs.SyncDir(dir); err != nil {
		t.Error(err)
	}
	if list, err := fs.ReadDir(dir); err != nil || len(list) != 1 || list[0] != (Entry{Name: "b", Size: 5}) {
		t.Error(list, err)
	}
	if _, err := fs.OpenFile(dir+"/a", os.O_RDONLY); !IsNotExist(err) {
		t.Error(err)
	}
	l, err := fs.Lock(dir + "/lock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Lock(dir + "/lock"); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	l.Close()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
