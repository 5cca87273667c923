//go:build !linux

package vfs

import "errors"

// Sync implements File.
func (f *osFile) Sync() error { return f.File.Sync() }

// Preallocate implements File: nothing is reserved here.
func (f *osFile) Preallocate(off, n int64) error { return nil }

// WriteThrough implements File.
func (f *osFile) WriteThrough(p []byte, off int64) error { return errors.ErrUnsupported }
