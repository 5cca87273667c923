package vfs

import (
	"errors"
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
