//go:build !linux

package vfs

// Sync implements File.
func (f *osFile) Sync() error { return f.File.Sync() }

// Preallocate implements File: nothing is reserved here.
func (f *osFile) Preallocate(off, n int64) error { return nil }
