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
