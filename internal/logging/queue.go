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
	// gather is how long lines gather after others have been written: a line that
	// comes alone is written at once, many in a row are written together.
	gather = 20 * time.Millisecond
	// keptBuffer is how much memory is kept for lines that come.
	keptBuffer = 256 << 10
)

// Queue writes lines, in their order, on a goroutine of its own, so that whoever
// has something to say does not wait for a disk. It is bounded: when the writer
// cannot keep up, lines are counted instead of written, and the count is told.
type Queue struct {
	w     io.Writer
	lost  func(n int64, err error)
	done  chan struct{}
	hurry chan struct{} // capacity 1: what is there is to be written now

	mu      sync.Mutex
	more    *sync.Cond // lines has grown, or closed
	less    chan struct{}
	lines   lines
	busy    bool // lines have been taken and are not written yet
	closed  bool
	dropped int64 // since it was told last
	total   int64
	waiters []chan struct{}
}

// lines are lines one behind the other.
type lines struct {
	buf  []byte
	ends []int // where each ends
}

func (l *lines) add(line []byte) {
	l.buf = append(l.buf, line...)
	l.ends = append(l.ends, len(l.buf))
}

// reset empties it and keeps its memory, if that is not much.
func (l *lines) reset() {
	if cap(l.buf) > keptBuffer {
		*l = lines{}
		return
	}
	l.buf, l.ends = l.buf[:0], l.ends[:0]
}

// NewQueue returns a queue that writes to w until Close. w is given one line or
// more at a time. lost is called, on the queue's goroutine, when lines were not
// written, with the reason or nil if there were too many.
func NewQueue(w io.Writer, lost func(n int64, err error)) *Queue {
	q := &Queue{w: w, lost: lost, done: make(chan struct{}), hurry: make(chan struct{}, 1), less: make(chan struct{}, 1)}
	q.more = sync.NewCond(&q.mu)
	go q.run()
	return q
}

// Put hands a line over; the memory stays the caller's. It reports whether the
// line will be written.
func (q *Queue) Put(line []byte) bool { return q.put(line, false) }

// PutNow is Put of a line that must not wait for others, as the end may be near.
func (q *Queue) PutNow(line []byte) bool { return q.put(line, true) }

func (q *Queue) put(line []byte, now bool) bool {
	q.mu.Lock()
	if len(q.lines.ends) >= queueLines && q.dropped == 0 {
		q.await()
	}
	n := len(q.lines.ends)
	if q.closed || n >= queueLines {
		q.dropped++
		q.total++
		q.mu.Unlock()
		return false
	}
	q.lines.add(line)
	q.mu.Unlock()
	if n == 0 {
		q.more.Signal()
	}
	if now || n+1 == queueLines/2 {
		q.speed()
	}
	return true
}

// speed ends the gathering.
func (q *Queue) speed() {
	select {
	case q.hurry <- struct{}{}:
	default:
	}
}

// await waits for room, with the lock dropped, for as long as patience lasts.
// Once lines are being dropped nobody waits any more.
func (q *Queue) await() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(q.lines.ends) >= queueLines && !q.closed {
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
	if len(q.lines.ends) == 0 && !q.busy {
		q.mu.Unlock()
		return
	}
	done := make(chan struct{})
	q.waiters = append(q.waiters, done)
	q.speed()
	q.mu.Unlock()
	<-done
}

// Close writes what is left and ends.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.speed()
	q.mu.Unlock()
	<-q.done
}

func (q *Queue) run() {
	defer close(q.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var taken lines
	for {
		dropped, ok := q.take(&taken)
		if len(taken.ends) > 0 {
			if n, err := q.w.Write(taken.buf); err != nil {
				q.lost(taken.after(n), err)
			}
		}
		if dropped > 0 {
			q.lost(dropped, nil)
		}
		if !ok {
			return
		}
		taken.reset()
		if q.awaited() {
			continue
		}
		timer.Reset(gather)
		select {
		case <-timer.C:
		case <-q.hurry:
		}
	}
}

// awaited tells those who wait for what was written now. It reports whether
// somebody waits for more.
func (q *Queue) awaited() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	if len(q.lines.ends) == 0 {
		q.tellWaiters()
	}
	return len(q.waiters) > 0 || q.closed
}

// after is how many lines do not end within the first n bytes.
func (l *lines) after(n int) (left int64) {
	for _, end := range l.ends {
		if end > n {
			left++
		}
	}
	return left
}

// take waits for lines and exchanges them for the memory in dst. ok is false when
// there will be no more.
func (q *Queue) take(dst *lines) (dropped int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	for len(q.lines.ends) == 0 && q.dropped == 0 && !q.closed {
		q.tellWaiters()
		q.more.Wait()
	}
	*dst, q.lines = q.lines, *dst
	dropped, q.dropped = q.dropped, 0
	if q.closed && len(dst.ends) == 0 {
		q.tellWaiters()
		return dropped, false
	}
	q.busy = true
	select {
	case q.less <- struct{}{}:
	default:
	}
	return dropped, true
}

func (q *Queue) tellWaiters() {
	for _, w := range q.waiters {
		close(w)
	}
	q.waiters = nil
}
