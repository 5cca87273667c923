package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// sector is the unit that a disk writes as a whole.
const sector = 512

// Mem is a file system in memory that knows what a power loss may take.
// It keeps, beside the present state, what is durable: for every file the
// earlier versions of each sector written since its last Sync, and the list
// of name changes since the last SyncDir of their directory.
//
// Directories themselves are durable as soon as they are made.
// One mutex guards everything; nothing here is fast.
type Mem struct {
	mu    sync.Mutex
	names map[string]*memNode // present
	safe  map[string]*memNode // durable
	ops   []nameOp            // between the two, oldest first
	dirs  map[string]bool
	locks map[string]bool
	space int64 // bytes that files may take together; < 0: no bound
}

var _ FS = (*Mem)(nil)

// nameOp is a change of names in one directory that is not durable yet.
// from == "": node was created as to. to == "": from was removed.
type nameOp struct {
	dir      string
	from, to string
	node     *memNode
}

// memNode is a file, whatever its names.
type memNode struct {
	data []byte
	// size when last synced
	safeSize int64
	// old[i] holds the contents sector i had, oldest first: first the
	// durable one, then each that was overwritten since.
	old map[int64][][]byte
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{
		names: map[string]*memNode{}, safe: map[string]*memNode{},
		dirs: map[string]bool{".": true, "/": true}, locks: map[string]bool{}, space: -1,
	}
}

// SetSpace bounds the bytes that all files take together; what would exceed
// it fails with ENOSPC. Negative: no bound.
func (m *Mem) SetSpace(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.space = n
}

// Used returns the bytes that all files take together.
func (m *Mem) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used()
}

func (m *Mem) used() (n int64) {
	for _, f := range m.names {
		n += int64(len(f.data))
	}
	return n
}

func pathErr(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OpenFile implements FS.
func (m *Mem) OpenFile(name string, flag int) (File, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[name]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathErr("open", name, fs.ErrNotExist)
	case n == nil:
		dir := path.Dir(name)
		if !m.dirs[dir] {
			return nil, pathErr("open", name, fs.ErrNotExist)
		}
		n = &memNode{old: map[int64][][]byte{}}
		m.names[name] = n
		m.ops = append(m.ops, nameOp{dir: dir, to: name, node: n})
	case flag&os.O_EXCL != 0:
		return nil, pathErr("open", name, fs.ErrExist)
	case flag&os.O_TRUNC != 0:
		n.truncate(0)
	}
	return &memFile{fs: m, node: n, name: name, write: flag&(os.O_RDWR|os.O_WRONLY) != 0}, nil
}

// Rename implements FS, within one directory.
func (m *Mem) Rename(oldname, newname string) error {
	oldname, newname = path.Clean(oldname), path.Clean(newname)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[oldname]
	if n == nil {
		return pathErr("rename", oldname, fs.ErrNotExist)
	}
	if path.Dir(oldname) != path.Dir(newname) {
		return pathErr("rename", newname, syscall.EXDEV)
	}
	delete(m.names, oldname)
	m.names[newname] = n
	m.ops = append(m.ops, nameOp{dir: path.Dir(oldname), from: oldname, to: newname, node: n})
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[name]
	if n == nil {
		return pathErr("remove", name, fs.ErrNotExist)
	}
	delete(m.names, name)
	m.ops = append(m.ops, nameOp{dir: path.Dir(name), from: name, node: n})
	return nil
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]Entry, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[name] {
		return nil, pathErr("readdir", name, fs.ErrNotExist)
	}
	var out []Entry
	for f, n := range m.names {
		if path.Dir(f) == name {
			out = append(out, Entry{Name: path.Base(f), Size: int64(len(n.data))})
		}
	}
	for d := range m.dirs {
		if d != name && path.Dir(d) == name {
			out = append(out, Entry{Name: path.Base(d), Dir: true})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d := path.Clean(name); !m.dirs[d]; d = path.Dir(d) {
		if m.names[d] != nil {
			return pathErr("mkdir", d, syscall.ENOTDIR)
		}
		m.dirs[d] = true
	}
	return nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[name] {
		return pathErr("syncdir", name, fs.ErrNotExist)
	}
	rest := m.ops[:0]
	for _, op := range m.ops {
		if op.dir == name {
			op.apply(m.safe)
		} else {
			rest = append(rest, op)
		}
	}
	clear(m.ops[len(rest):])
	m.ops = rest
	return nil
}

func (op nameOp) apply(names map[string]*memNode) {
	if op.from != "" && names[op.from] == op.node {
		delete(names, op.from)
	}
	if op.to != "" {
		names[op.to] = op.node
	}
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, ErrLocked
	}
	m.locks[name] = true
	if m.names[name] == nil {
		n := &memNode{old: map[int64][][]byte{}}
		m.names[name] = n
		m.ops = append(m.ops, nameOp{dir: path.Dir(name), to: name, node: n})
	}
	return closerFunc(func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locks, name)
		return nil
	}), nil
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// CrashClone returns the file system as it may be found after a power loss
// at this moment. Of what was not synced, each sector independently is new
// or has one of its earlier contents; sizes are old, new or between; name
// changes are kept up to some point, or (as on file systems that promise
// less) for each file up to some point. Locks are gone, and there is space again.
func (m *Mem) CrashClone(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMem()
	for d := range m.dirs {
		c.dirs[d] = true
	}
	names := map[string]*memNode{}
	for k, v := range m.safe {
		names[k] = v
	}
	switch rng.IntN(3) {
	case 0: // in order, up to a point
		for _, op := range m.ops[:rng.IntN(len(m.ops)+1)] {
			op.apply(names)
		}
	case 1: // for each file up to some point
		stopped := map[*memNode]bool{}
		for _, op := range m.ops {
			if stopped[op.node] = stopped[op.node] || rng.IntN(4) == 0; !stopped[op.node] {
				op.apply(names)
			}
		}
	case 2: // all or nothing
		if rng.IntN(2) == 0 {
			for _, op := range m.ops {
				op.apply(names)
			}
		}
	}
	// In a fixed order, so that one seed gives one outcome. Two names may
	// still lead to the same node.
	list := make([]string, 0, len(names))
	for k := range names {
		list = append(list, k)
	}
	sort.Strings(list)
	done := map[*memNode]*memNode{}
	for _, k := range list {
		n := names[k]
		if done[n] == nil {
			done[n] = n.crash(rng)
		}
		c.names[k], c.safe[k] = done[n], done[n]
	}
	return c
}

// Clone returns a copy as it is now, everything in it durable: what a killed
// process, but no power loss, leaves behind.
func (m *Mem) Clone() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMem()
	for d := range m.dirs {
		c.dirs[d] = true
	}
	for k, n := range m.names {
		d := &memNode{data: append([]byte(nil), n.data...), safeSize: int64(len(n.data)), old: map[int64][][]byte{}}
		c.names[k], c.safe[k] = d, d
	}
	return c
}

// String lists the files and their sizes, for failing tests.
func (m *Mem) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	var list []string
	for k := range m.names {
		list = append(list, k)
	}
	sort.Strings(list)
	for _, k := range list {
		b.WriteString(k)
		b.WriteByte(' ')
	}
	return b.String()
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
