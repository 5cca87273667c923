package logging

import (
	"io"
	"sync"
	"time"
)

const (
	queueLines = 4096 // that wait to be written
	// patience is how long Put waits for room. Disks that are slow for a moment
	// cost nothing then; one that hangs must not stop the broker.
	patience = 20 * time.Millisecond
)

// Queue writes lines, in their order, on a goroutine of its own, so that whoever
// has something to say does not wait for a disk. It is bounded: when the writer
// cannot keep up, lines are counted instead of written, and the count is told.
type Queue struct {
	w    io.Writer
	lost func(n int64, err error)
	done chan struct{}

	mu      sync.Mutex
	more    *sync.Cond // lines has grown, or closed
	less    chan struct{}
	lines   [][]byte
	busy    bool // lines have been taken and are not written yet
	closed  bool
	dropped int64 // since it was told last
	total   int64
	waiters []chan struct{}
}

// NewQueue returns a queue that writes to w until Close. lost is called, on the
// queue's goroutine, when lines were not written, with the reason or nil if
// there were too many.
func NewQueue(w io.Writer, lost func(n int64, err error)) *Queue {
	q := &Queue{w: w, lost: lost, done: make(chan struct{}), less: make(chan struct{}, 1)}
	q.more = sync.NewCond(&q.mu)
	go q.run()
	return q
}

// Put hands a line over. It reports whether the line will be written.
func (q *Queue) Put(line []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) >= queueLines && q.dropped == 0 {
		q.await()
	}
	if q.closed || len(q.lines) >= queueLines {
		q.dropped++
		q.total++
		return false
	}
	q.lines = append(q.lines, line)
	q.more.Signal()
	return true
}

// await waits for room, with the lock dropped, for as long as patience lasts.
// Once lines are being dropped nobody waits any more.
func (q *Queue) await() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(q.lines) >= queueLines && !q.closed {
		q.mu.Unlock()
		late := false
		select {
		case <-q.less:
		case <-timer.C:
			late = true
		}
		q.mu.Lock()
		if late {
			return
		}
	}
}

// Dropped is how many lines were not taken, ever.
func (q *Queue) Dropped() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// Flush waits until what was put before is written.
func (q *Queue) Flush() {
	q.mu.Lock()
	if len(q.lines) == 0 && !q.busy {
		q.mu.Unlock()
		return
	}
	done := make(chan struct{})
	q.waiters = append(q.waiters, done)
	q.mu.Unlock()
	<-done
}

// Close writes what is left and ends.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	<-q.done
}

func (q *Queue) run() {
	defer close(q.done)
	for {
		lines, dropped, ok := q.take()
		var failed error
		var n int64
		for _, l := range lines {
			if _, err := q.w.Write(l); err != nil {
				failed = err
				n++
			}
		}
		if failed != nil {
			q.lost(n, failed)
		}
		if dropped > 0 {
			q.lost(dropped, nil)
		}
		if !ok {
			return
		}
	}
}

// take waits for lines. ok is false when these are the last.
func (q *Queue) take() (lines [][]byte, dropped int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	for len(q.lines) == 0 && q.dropped == 0 && !q.closed {
		for _, w := range q.waiters {
			close(w)
		}
		q.waiters = nil
		q.more.Wait()
	}
	lines, q.lines = q.lines, nil
	dropped, q.dropped = q.dropped, 0
	if q.closed && len(lines) == 0 {
		for _, w := range q.waiters {
			close(w)
		}
		q.waiters = nil
		return nil, dropped, false
	}
	q.busy = true
	select {
	case q.less <- struct{}{}:
	default:
	}
	return lines, dropped, true
}
