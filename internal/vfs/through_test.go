package vfs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// filled makes a file of n blocks of zeros.
func filled(t *testing.T, fs FS, name string, n int) File {
	t.Helper()
	f := write(t, fs, name, strings.Repeat("\x00", n*Block), true)
	t.Cleanup(func() { f.Close() })
	return f
}

func block(c byte) []byte {
	b := Aligned(Block)
	copy(b, bytes.Repeat([]byte{c}, Block))
	return b
}

// What was written through is read back, before and after what is written
// through the cache next to it and over it.
func TestWriteThrough(t *testing.T) {
	dir := t.TempDir()
	for name, fs := range map[string]FS{"os": OS{}, "memory": NewMem(), "faults": NewFaults(OS{})} {
		t.Run(name, func(t *testing.T) {
			file := "f"
			if name != "memory" {
				file = filepath.Join(dir, name)
			}
			f := filled(t, fs, file, 3)
			want := make([]byte, 3*Block)
			check := func(what string) {
				t.Helper()
				got := make([]byte, 3*Block)
				if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %v, or other bytes", what, err)
				}
			}
			err := f.WriteThrough(block('a'), Block)
			if errors.Is(err, errors.ErrUnsupported) && name != "memory" {
				if runtime.GOOS == "linux" {
					t.Log("the file system of the temporary directory does not do it")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			copy(want[Block:], bytes.Repeat([]byte{'a'}, Block))
			check("one block")
			f.WriteAt([]byte("cached"), Block+10)
			f.WriteAt([]byte("and next to it"), Block-5)
			copy(want[Block+10:], "cached")
			copy(want[Block-5:], "and next to it")
			check("written to")
			two := Aligned(2 * Block)
			copy(two, bytes.Repeat([]byte{'b'}, 2*Block))
			if err := f.WriteThrough(two, Block); err != nil {
				t.Fatal(err)
			}
			copy(want[Block:], two)
			check("over it")
			if n, err := f.Size(); n != 3*Block || err != nil {
				t.Errorf("size %d, %v", n, err)
			}
		})
	}
}

// A file whose name is another's by now is not written to under that name.
func TestWriteThroughAfterRename(t *testing.T) {
	dir := t.TempDir()
	f := filled(t, OS{}, filepath.Join(dir, "old"), 1)
	if err := os.Rename(filepath.Join(dir, "old"), filepath.Join(dir, "new")); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteThrough(block('a'), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("its name is gone: %v", err)
	}
	filled(t, OS{}, filepath.Join(dir, "old"), 1)
	if err := f.WriteThrough(block('a'), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("its name is another's: %v", err)
	}
	if got := read(OS{}, filepath.Join(dir, "old")); strings.Contains(got, "a") {
		t.Error("the other file was written to")
	}
}

// A power loss takes what WriteAt wrote, not what WriteThrough wrote.
func TestWriteThroughIsDurable(t *testing.T) {
	m := NewMem()
	f := filled(t, m, "f", 2)
	m.SyncDir(".")
	f.WriteAt([]byte("lost"), Block)
	if err := f.WriteThrough(block('a'), 0); err != nil {
		t.Fatal(err)
	}
	a, zero := strings.Repeat("a", Block), strings.Repeat("\x00", Block)
	expect(t, "a block", outcomes(m, "f"), a+zero, a+"lost"+zero[4:])
	if err := f.WriteThrough(block('a'), 2*Block); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("behind the end: %v", err)
	}
	if err := f.WriteThrough(block('a')[:100], 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a part of a block: %v", err)
	}
}

// To a rule it is a write and a sync, and between the two the bytes are on
// their way.
func TestWriteThroughWithFaults(t *testing.T) {
	m := NewMem()
	faults := NewFaults(m)
	f := filled(t, faults, "f", 1)
	m.SyncDir(".")
	for _, op := range []Op{OpWrite, OpSync} {
		remove := faults.Add(Rule{Op: op, Err: syscall.EIO})
		if err := f.WriteThrough(block('a'), 0); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", op, err)
		}
		remove()
	}
	if n := len(outcomes(m, "f")); n < 3 {
		t.Errorf("after the failure of a sync there are %d outcomes: some sectors may be there, some not", n)
	}
	if err := f.WriteThrough(block('b'), 0); err != nil {
		t.Fatal(err)
	}
	expect(t, "synced", outcomes(m, "f"), strings.Repeat("b", Block))
}
