// Package vfs is the seam between the store and the disk.
//
// The store reads and writes only through FS and File, so that its tests run
// on Mem, a disk that forgets what was not synced (CrashClone), and behind
// Faults, which lets chosen operations fail. OS is the real thing.
//
// Names are slash separated paths, as in package path; on the systems that
// Warren runs on they are also what the operating system expects.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"unsafe"
)

// ErrLocked says that another process (or another opener in this one) holds
// the lock that was asked for.
var ErrLocked = errors.New("vfs: locked by another process")

// FS is a file system. All methods may be called from many goroutines.
type FS interface {
	// OpenFile opens name with the flags of package os (O_RDONLY, O_RDWR,
	// O_CREATE, O_EXCL, O_TRUNC).
	OpenFile(name string, flag int) (File, error)
	// Rename gives a file a new name, replacing what had it. Durable only
	// after SyncDir.
	Rename(oldname, newname string) error
	// Remove unlinks a file or an empty directory.
	Remove(name string) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]Entry, error)
	// MkdirAll makes a directory and its parents, closed to other users.
	MkdirAll(name string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
	// Lock takes an exclusive advisory lock on a file, made when missing,
	// and returns ErrLocked when another holds it. Closing releases it; so
	// does the end of the process.
	Lock(name string) (io.Closer, error)
}

// Entry is one name of a directory.
type Entry struct {
	Name string
	Dir  bool
	Size int64
}

// File is an open file. ReadAt and WriteAt may be called concurrently.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the file's bytes and what is needed to read them (its
	// size) durable: fdatasync. It says nothing of the file's name.
	Sync() error
	// WriteThrough is WriteAt and Sync of just these bytes in one step, past
	// the system's cache: when it returns they are on stable storage. off
	// and the length must be multiples of Block, p must come from Aligned,
	// and the file must be so long already. What WriteAt has written
	// elsewhere in the file is as durable as it was before.
	// errors.ErrUnsupported: the file cannot do it, nothing was written.
	WriteThrough(p []byte, off int64) error
	// Truncate sets the size. Bytes beyond the old size read as zero.
	Truncate(size int64) error
	// Preallocate reserves room for [off, off+n) and grows the file to
	// off+n when it is shorter. ENOSPC appears here, not later. Where the
	// file system cannot reserve it does nothing and returns nil.
	Preallocate(off, n int64) error
	// Size returns the present size.
	Size() (int64, error)
}

// Block is the unit of WriteThrough, in bytes: no disk in use has larger sectors.
const Block = 4096

// Aligned returns a slice of n bytes that begins where WriteThrough wants it.
func Aligned(n int) []byte {
	b := make([]byte, n+Block)
	at := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (Block - 1))
	return b[at : at+n : at+n]
}

// IsNotExist is fs.ErrNotExist under another name: errors of all
// implementations answer to it.
func IsNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
