package vfs

import (
	"errors"
	"os"
	"syscall"
)

// Sync implements File with fdatasync: the times in the inode may wait.
func (f *osFile) Sync() error { return f.control("fdatasync", syscall.Fdatasync) }

// Preallocate implements File with fallocate.
func (f *osFile) Preallocate(off, n int64) error {
	err := f.control("fallocate", func(fd int) error { return syscall.Fallocate(fd, 0, off, n) })
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}

// WriteThrough implements File with a second descriptor that goes past the page
// cache and returns from a write when it is on the disk.
func (f *osFile) WriteThrough(p []byte, off int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.through == nil {
		d, err := os.OpenFile(f.Name(), os.O_WRONLY|syscall.O_DIRECT|syscall.O_DSYNC, 0)
		if err != nil {
			return errors.ErrUnsupported
		}
		if !sameFile(f.File, d) { // its name is another's by now
			d.Close()
			return errors.ErrUnsupported
		}
		f.through = d
	}
	n, err := f.through.WriteAt(p, off)
	if n == 0 && errors.Is(err, syscall.EINVAL) {
		return errors.ErrUnsupported // the file system wants it otherwise
	}
	return err
}

func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}
