package conformance

import (
	"sync"
	"time"
)

// Hub collects the events of all connections of a run, in the order of their
// arrival.
type Hub struct {
	mu   sync.Mutex
	cond *sync.Cond
	evs  []*Event
	seq  int
	last time.Time
}

func newHub() *Hub {
	h := &Hub{}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *Hub) push(e *Event) {
	h.mu.Lock()
	h.seq++
	e.seq = h.seq
	e.at = time.Now()
	h.last = e.at
	h.evs = append(h.evs, e)
	h.cond.Broadcast()
	h.mu.Unlock()
}

// waitUntil waits until f (called with the lock held) is true or the timeout.
func (h *Hub) waitUntil(f func() bool, timeout time.Duration) bool {
	dl := time.Now().Add(timeout)
	t := time.AfterFunc(timeout, func() { h.mu.Lock(); h.cond.Broadcast(); h.mu.Unlock() })
	defer t.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for !f() {
		if !time.Now().Before(dl) {
			return f()
		}
		h.cond.Wait()
	}
	return true
}
