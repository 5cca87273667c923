//go:build !linux

package perf

import "time"

func sleep(d time.Duration) { time.Sleep(d) }
