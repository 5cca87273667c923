package queueproc

import "sync"

// Changes are the queues whose figures have changed since somebody took the
// list. A queue is on it once, so that a message costs no more than a look at
// whether it is.
type Changes struct {
	mu     sync.Mutex
	queues []*Queue
}

// Take empties the list into dst. What changes from here on puts a queue on it
// again: whoever reads a queue's figures afterwards misses nothing.
func (c *Changes) Take(dst []*Queue) []*Queue {
	c.mu.Lock()
	at := len(dst)
	dst = append(dst, c.queues...)
	clear(c.queues)
	if c.queues = c.queues[:0]; cap(c.queues) > 1024 {
		c.queues = nil
	}
	c.mu.Unlock()
	for _, q := range dst[at:] {
		q.changed.Store(false)
	}
	return dst
}

// noteChange is called after what Backlog shows has changed, with or without
// the lock held.
func (q *Queue) noteChange() {
	if q.changed.Load() || q.Changes == nil || !q.changed.CompareAndSwap(false, true) {
		return
	}
	q.Changes.mu.Lock()
	q.Changes.queues = append(q.Changes.queues, q)
	q.Changes.mu.Unlock()
}

// Announce puts a new queue on the list.
func (q *Queue) Announce() { q.noteChange() }
