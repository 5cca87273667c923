package main

import (
	"syscall"
	"time"
	"unsafe"
)

// monotonic is the time since boot, by the clock that systemd compares with.
func monotonic() time.Duration {
	const clockMonotonic = 1
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return time.Duration(ts.Nano())
}
