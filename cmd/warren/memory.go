package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What a burst (a message of half a gigabyte, a thousand connections at once)
// leaves behind is given back to the system, rather than by and by: operators
// look at the resident size.
const (
	tidyInterval = 15 * time.Second
	tidyRarest   = 5 * time.Minute
	tidyAbove    = 96 << 20 // bytes of heap below which nothing is done
)

// tidyMemory gives memory back until end is closed. When a collection has found
// little, the next one is further away, up to tidyRarest.
func tidyMemory(end <-chan struct{}) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	held := func() uint64 {
		metrics.Read(samples)
		return samples[0].Value.Uint64() + samples[1].Value.Uint64()
	}
	wait := tidyInterval
	for {
		select {
		case <-time.After(wait):
		case <-end:
			return
		}
		before := held()
		if before < tidyAbove {
			wait = tidyInterval
			continue
		}
		debug.FreeOSMemory()
		if wait = min(2*wait, tidyRarest); held() < before/2 {
			wait = tidyInterval
		}
	}
}
