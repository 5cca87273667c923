package queueproc

import (
	"sync"
	"sync/atomic"
)

// Full says that messages take more bytes than they should. Room is closed when
// there is room again.
type Full struct {
	Limit int64
	Room  <-chan struct{}
}

// Meter counts the bytes of the messages of several queues, those of a virtual
// host, as long as there is a limit for them.
type Meter struct {
	limit atomic.Int64 // 0: nothing is counted
	bytes atomic.Int64

	mu   sync.Mutex
	room chan struct{} // closed when there is room; nil: nobody waits
}

// SetLimit changes the limit; 0 takes it away. If it reports true the caller
// calls Queue.Measure on all queues.
func (m *Meter) SetLimit(n int64) (measure bool) {
	was := m.limit.Swap(n)
	m.relieve()
	return (was == 0) != (n == 0)
}

// Full reports whether messages take more than the limit; nil if not.
func (m *Meter) Full() *Full {
	n := m.limit.Load()
	if n == 0 || m.bytes.Load() <= n {
		return nil
	}
	m.mu.Lock()
	if m.room == nil {
		m.room = make(chan struct{})
	}
	f := &Full{Limit: n, Room: m.room}
	m.mu.Unlock()
	m.relieve() // it may have become free meanwhile
	return f
}

// add counts. Called with a queue's lock held.
func (m *Meter) add(n int64) {
	if m.bytes.Add(n); n < 0 {
		m.relieve()
	}
}

// relieve wakes who waits for room once there is an eighth of it.
func (m *Meter) relieve() {
	if n := m.limit.Load(); n != 0 && m.bytes.Load() > n-n/8 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.room != nil {
		close(m.room)
		m.room = nil
	}
}

// measure brings the meter up to date. Called with the lock held.
func (q *Queue) measure() {
	now := int64(0)
	if q.Meter != nil && q.Meter.limit.Load() != 0 && !q.deleted {
		now = q.m.ReadyBytes() + q.m.UnackedBytes()
	}
	if now != q.metered {
		q.Meter.add(now - q.metered)
		q.metered = now
	}
}

// Measure counts the queue's messages if its meter has a limit, and forgets them
// if not.
func (q *Queue) Measure() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.measure()
}

// SetPushback changes from how many bytes on the queue holds its publishers
// back; 0: never.
func (q *Queue) SetPushback(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pushback = n
	q.giveRoom()
}

// full reports whether the queue holds its publishers back. Called with the lock
// held.
func (q *Queue) full() bool {
	return q.pushback > 0 && !q.deleted && q.m.ReadyBytes()+q.m.UnackedBytes() > q.pushback
}

// Full reports whether publishers have to wait for the queue; nil if not.
func (q *Queue) Full() *Full {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.full() {
		return nil
	}
	if q.room == nil {
		q.room = make(chan struct{})
	}
	return &Full{Limit: q.pushback, Room: q.room}
}

// giveRoom lets publishers go on once an eighth of the limit is free. Called
// with the lock held.
func (q *Queue) giveRoom() {
	if q.room == nil {
		return
	}
	if n := q.pushback; n > 0 && !q.deleted && q.m.ReadyBytes()+q.m.UnackedBytes() > n-n/8 {
		return
	}
	close(q.room)
	q.room = nil
}
