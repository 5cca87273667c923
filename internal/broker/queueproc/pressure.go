package queueproc

import "time"

// A publisher that is faster than the consumers fills the queue's window in
// memory, and from there on each message takes the way over the disk. While
// consumers are at it, it is cheaper for all to hold the publisher back a
// little. A queue that nobody consumes from holds nobody back.

// maxPressure is how long one batch of publishes is held back at most.
const maxPressure = 50 * time.Millisecond

// pressed reports whether publishers should wait. Called with the lock held.
func (q *Queue) pressed() bool {
	return !q.Stream && (q.m.ReadyBytes() > q.Window/2 || q.m.Ready() > windowItems/2) && q.m.Consumers() > 0 && !q.m.Starved()
}

// relieve lets publishers go on when there is room again, or no hope of it.
// Called with the lock held.
func (q *Queue) relieve() {
	if q.relief == nil {
		return
	}
	room := q.m.ReadyBytes() < q.Window/4 && q.m.Ready() < windowItems/4
	if q.deleted || room || q.m.Consumers() == 0 || q.m.Starved() {
		close(q.relief)
		q.relief = nil
	}
}

// Await holds the caller back while the queue is under pressure, for a short
// time at most. Called by a connection's reader between batches of publishes.
func (q *Queue) Await(stop <-chan struct{}) {
	q.mu.Lock()
	if q.deleted || !q.pressed() {
		q.mu.Unlock()
		return
	}
	if q.relief == nil {
		q.relief = make(chan struct{})
	}
	relief := q.relief
	q.mu.Unlock()
	t := time.NewTimer(maxPressure)
	defer t.Stop()
	select {
	case <-relief:
	case <-stop:
	case <-t.C:
	}
}
