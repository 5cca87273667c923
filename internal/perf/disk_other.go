//go:build !linux

package perf

import "os"

func syncData(f *os.File) error { return f.Sync() }
