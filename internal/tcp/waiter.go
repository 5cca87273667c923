//go:build linux && (amd64 || arm64)

package tcp

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type flag = atomic.Bool

// waiter is how one direction of a socket waits.
type waiter struct {
	mu     sync.Mutex // one call at a time
	wake   chan struct{}
	wanted flag         // somebody waits, or will if a last look finds nothing
	until  atomic.Int64 // the deadline, see since; 0: none
	over   flag         // the deadline may be over: compare with the clock

	// The timer is set when somebody waits, and not anew for each deadline: it
	// goes off at some time up to the deadline, and who waits then sees whether
	// that is it. Both are mu's.
	timer *time.Timer
	due   int64 // when it goes off; 0: it is not set, or has gone off
}

var begin = time.Now()

// since is a time as waiters count it: in ns, and never 0.
func since(t time.Time) int64 { return max(int64(t.Sub(begin)), 1) }

// notify leaves word that something has happened, until it is taken.
func (w *waiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// taken takes what notify left.
func (w *waiter) taken() bool {
	select {
	case <-w.wake:
		return true
	default:
		return false
	}
}

// setDeadline is a net.Conn's.
func (w *waiter) setDeadline(t time.Time) {
	d := int64(0)
	if !t.IsZero() {
		d = since(t)
	}
	w.until.Store(d)
	if d != 0 && since(time.Now()) >= d {
		w.over.Store(true)
	}
	if w.wanted.Load() {
		w.notify()
	}
}

// ring is called by the timer.
func (w *waiter) ring() {
	w.over.Store(true)
	w.notify()
}

// late reports whether the deadline is over. A deadline that nobody has waited
// for counts from the next wait on.
func (w *waiter) late() bool {
	if !w.over.Load() {
		return false
	}
	w.over.Store(false)
	w.due = 0
	if d := w.until.Load(); d == 0 || since(time.Now()) < d {
		return false
	}
	w.over.Store(true)
	return true
}

// wait waits to be notified. It fails if the deadline is over. The caller holds
// mu and has set wanted.
func (w *waiter) wait() error {
	if w.late() {
		return os.ErrDeadlineExceeded
	}
	if d := w.until.Load(); d != 0 && (w.due == 0 || w.due > d) {
		left := time.Duration(d - since(time.Now()))
		if left <= 0 {
			w.over.Store(true)
			return os.ErrDeadlineExceeded
		}
		if w.due = d; w.timer == nil {
			w.timer = time.AfterFunc(left, w.ring)
		} else {
			w.timer.Reset(left)
		}
	}
	<-w.wake
	return nil
}

// stop is called when nobody waits any more.
func (w *waiter) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
