package session

import (
	"runtime"
	"time"
)

// poll lets a reader look for input a little longer before it sleeps, when its
// client has just been told what it waited for and its next request is likely
// to be on its way: one that publishes a message, waits for the confirm and
// publishes the next. To go to sleep and to be woken takes longer than that.
type poll struct {
	on     bool // look at the next read
	misses int  // in a row
	skip   int  // so many times it is left out, as it was in vain
}

const (
	pollTime   = 25 * time.Microsecond
	pollMisses = 3
	pollSkip   = 100
)

// read reads what comes soon. It returns 0 if nothing did, or if it is not worth
// to look.
func (p *poll) read(s socket, b []byte) int {
	if !p.on {
		return 0
	}
	p.on = false
	if s == nil {
		return 0
	}
	if p.skip > 0 {
		p.skip--
		return 0
	}
	for begin := time.Now(); ; {
		if n := s.TryRead(b); n > 0 {
			p.misses = 0
			return n
		}
		if time.Since(begin) > pollTime {
			break
		}
		runtime.Gosched() // others may have something to do
	}
	if p.misses++; p.misses >= pollMisses {
		p.misses, p.skip = pollMisses-1, pollSkip
	}
	return 0
}
