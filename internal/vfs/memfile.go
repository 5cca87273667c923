package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"sort"
	"syscall"
)

// memNode is a file, whatever its names.
type memNode struct {
	data []byte
	// size when last synced
	safeSize int64
	// old[i] holds the contents sector i had, oldest first: first the
	// durable one, then each that was overwritten since.
	old map[int64][][]byte
}

// keep notes the contents of the sectors in [off, off+n) before a change.
func (n *memNode) keep(off, count int64) {
	for s := off / sector; s*sector < off+count; s++ {
		buf := make([]byte, sector)
		if s*sector < int64(len(n.data)) {
			copy(buf, n.data[s*sector:])
		}
		n.old[s] = append(n.old[s], buf)
	}
}

func (n *memNode) grow(size int64) {
	if size <= int64(cap(n.data)) {
		n.data = n.data[:size] // bytes beyond the old length are zero: truncate clears
		return
	}
	data := make([]byte, size, size+size/4)
	copy(data, n.data)
	n.data = data
}

func (n *memNode) truncate(size int64) {
	have := int64(len(n.data))
	if size < have {
		n.keep(size, have-size)
		clear(n.data[size:])
		n.data = n.data[:size]
	} else if size > have {
		n.grow(size)
	}
}

func (n *memNode) crash(rng *rand.Rand) *memNode {
	size := int64(len(n.data))
	if size != n.safeSize {
		switch rng.IntN(3) {
		case 0:
			size = n.safeSize
		case 1:
			lo, hi := min(size, n.safeSize), max(size, n.safeSize)
			if size > n.safeSize { // growing may stop half way, shrinking is one step
				size = min(hi, lo+(rng.Int64N(hi-lo+1)/sector)*sector)
			}
		}
	}
	data := make([]byte, size)
	copy(data, n.data)
	dirty := make([]int64, 0, len(n.old))
	for s := range n.old {
		dirty = append(dirty, s)
	}
	sort.Slice(dirty, func(i, j int) bool { return dirty[i] < dirty[j] })
	mode := rng.IntN(4) // all kept, all dropped, or each by itself
	for _, s := range dirty {
		versions := n.old[s]
		pick := rng.IntN(len(versions) + 1)
		switch mode {
		case 0:
			pick = len(versions)
		case 1:
			pick = 0
		}
		if pick < len(versions) && s*sector < size {
			copy(data[s*sector:min(size, (s+1)*sector)], versions[pick])
		}
	}
	return &memNode{data: data, safeSize: size, old: map[int64][][]byte{}}
}

type memFile struct {
	fs     *Mem
	node   *memNode
	name   string
	write  bool
	closed bool
}

func (f *memFile) check(op string, write bool) error {
	if f.closed {
		return pathErr(op, f.name, fs.ErrClosed)
	}
	if write && !f.write {
		return pathErr(op, f.name, fs.ErrPermission)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	n := int64(len(p))
	short := false
	if more := off + n - int64(len(f.node.data)); more > 0 && f.fs.space >= 0 {
		if free := max(0, f.fs.space-f.fs.used()); more > free {
			n, short = max(0, n-(more-free)), true // a short write, as on a real disk
		}
	}
	if n > 0 {
		f.node.keep(off, n)
		if end := off + n; end > int64(len(f.node.data)) {
			f.node.grow(end)
		}
		copy(f.node.data[off:], p[:n])
	}
	if short {
		return int(n), pathErr("write", f.name, syscall.ENOSPC)
	}
	return int(n), nil
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("sync", false); err != nil {
		return err
	}
	clear(f.node.old)
	f.node.safeSize = int64(len(f.node.data))
	return nil
}

func (f *memFile) WriteThrough(p []byte, off int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("write", true); err != nil {
		return err
	}
	n := f.node
	end := off + int64(len(p))
	if off%Block != 0 || len(p)%Block != 0 || end > int64(len(n.data)) {
		return pathErr("write", f.name, syscall.EINVAL)
	}
	copy(n.data[off:], p)
	for s := off / sector; s*sector < end; s++ {
		delete(n.old, s)
	}
	n.safeSize = max(n.safeSize, end)
	return nil
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("truncate", true); err != nil {
		return err
	}
	f.node.truncate(size)
	return nil
}

func (f *memFile) Preallocate(off, n int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("preallocate", true); err != nil {
		return err
	}
	more := off + n - int64(len(f.node.data))
	if more <= 0 {
		return nil
	}
	if f.fs.space >= 0 && f.fs.used()+more > f.fs.space {
		return pathErr("preallocate", f.name, syscall.ENOSPC)
	}
	f.node.grow(off + n)
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("stat", false); err != nil {
		return 0, err
	}
	return int64(len(f.node.data)), nil
}

func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("close", false); err != nil {
		return err
	}
	f.closed = true
	return nil
}
