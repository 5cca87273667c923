//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package vfs

import "os"

// lockFile does nothing where the system has no flock.
func lockFile(*os.File) error { return nil }
