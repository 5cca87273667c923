package vfs

import (
	"io"
	"path"
	"sync"
)

// Op names a kind of file system operation in fault rules.
type Op string

// The operations that rules can match.
const (
	OpAny      Op = ""
	OpOpen     Op = "open"
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpSyncDir  Op = "syncdir"
	OpTruncate Op = "truncate"
	OpPrealloc Op = "preallocate"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
)

// Rule makes matching operations fail, or lets a test look on.
type Rule struct {
	Op    Op     // "" for all
	Match string // pattern of path.Match on the last element of the name; "" for all
	Skip  int    // let so many matching operations pass first
	Count int    // then hit so many; 0: all that follow
	Err   error  // nil: the operation goes on
	Do    func() // called (before the operation) when it is hit
}

// Faults passes operations on to another file system, unless a rule says
// otherwise. Rules are tried in the order in which they were added.
type Faults struct {
	FS
	mu    sync.Mutex
	rules []*activeRule
}

type activeRule struct {
	Rule
	seen int
}

// NewFaults returns inner with no rules yet.
func NewFaults(inner FS) *Faults { return &Faults{FS: inner} }

// Add adds a rule and returns what takes it away.
func (f *Faults) Add(r Rule) (remove func()) {
	a := &activeRule{Rule: r}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, a)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, b := range f.rules {
			if a == b {
				f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
				return
			}
		}
	}
}

func (f *Faults) hit(op Op, name string) error {
	f.mu.Lock()
	var do []func()
	var err error
	for _, r := range f.rules {
		if r.Op != OpAny && r.Op != op {
			continue
		}
		if r.Match != "" {
			if ok, _ := path.Match(r.Match, path.Base(name)); !ok {
				continue
			}
		}
		r.seen++
		if r.seen <= r.Skip || r.Count > 0 && r.seen > r.Skip+r.Count {
			continue
		}
		if r.Do != nil {
			do = append(do, r.Do)
		}
		if r.Err != nil {
			err = pathErr(string(op), name, r.Err)
			break
		}
	}
	f.mu.Unlock()
	for _, d := range do {
		d()
	}
	return err
}

// OpenFile implements FS.
func (f *Faults) OpenFile(name string, flag int) (File, error) {
	if err := f.hit(OpOpen, name); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f, name: name}, nil
}

// Rename implements FS; rules match the new name.
func (f *Faults) Rename(oldname, newname string) error {
	if err := f.hit(OpRename, newname); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// Remove implements FS.
func (f *Faults) Remove(name string) error {
	if err := f.hit(OpRemove, name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// SyncDir implements FS.
func (f *Faults) SyncDir(name string) error {
	if err := f.hit(OpSyncDir, name); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

// Lock implements FS.
func (f *Faults) Lock(name string) (io.Closer, error) { return f.FS.Lock(name) }

type faultFile struct {
	File
	fs   *Faults
	name string
}

func (f *faultFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.hit(OpRead, f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.hit(OpWrite, f.name); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultFile) Sync() error {
	if err := f.fs.hit(OpSync, f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

// WriteThrough is a write and a sync for rules, with the bytes between the two
// on their way, so that a power loss may take some of them.
func (f *faultFile) WriteThrough(p []byte, off int64) error {
	if err := f.fs.hit(OpWrite, f.name); err != nil {
		return err
	}
	if _, err := f.File.WriteAt(p, off); err != nil {
		return err
	}
	if err := f.fs.hit(OpSync, f.name); err != nil {
		return err
	}
	return f.File.WriteThrough(p, off)
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.fs.hit(OpTruncate, f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Preallocate(off, n int64) error {
	if err := f.fs.hit(OpPrealloc, f.name); err != nil {
		return err
	}
	return f.File.Preallocate(off, n)
}
