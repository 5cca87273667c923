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

	// The timer is set when somebody waits, and not anew for each deadline: it
	// goes off at some time up to the deadline, and who waits then sees whether
	// that is it. Both are mu's.
	timer *time.Timer
	due   int64 // when it goes off, or has gone off; 0: it was never set
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
	if w.wanted.Load() {
		w.notify()
	}
}

// late reports whether the deadline is over.
func (w *waiter) late() bool {
	d := w.until.Load()
	return d != 0 && since(time.Now()) >= d
}

// wait waits to be notified. It fails if the deadline is over. The caller holds
// mu and has set wanted.
func (w *waiter) wait() error {
	if d := w.until.Load(); d != 0 {
		now := since(time.Now())
		if now >= d {
			return os.ErrDeadlineExceeded
		}
		if w.due <= now || w.due > d {
			w.set(time.Duration(d - now))
			w.due = d
		}
	}
	<-w.wake
	return nil
}

func (w *waiter) set(left time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(left, w.notify)
		return
	}
	w.timer.Reset(left)
}

// stop is called when nobody waits any more.
func (w *waiter) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
