package perf

import (
	"os"
	"syscall"
)

// syncData is what a log does before it confirms.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
