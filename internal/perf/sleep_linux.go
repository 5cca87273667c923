package perf

import (
	"syscall"
	"time"
)

// sleep is more precise than time.Sleep, which waits whole milliseconds. It
// occupies a thread.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	ts := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&ts, &ts) == syscall.EINTR {
	}
}
