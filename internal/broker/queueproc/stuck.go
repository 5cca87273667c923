package queueproc

import "time"

// A queue whose dead letters must arrive (dead-letter-strategy at-least-once)
// keeps those that no target takes, and tries again: soon at first, then less
// and less often.
const (
	firstRetry = time.Second
	lastRetry  = 3 * time.Minute // RabbitMQ's
	// manyStuck is after how many failures in a row the rest is not tried.
	manyStuck = 32
)

// stuck are the dead letters that wait for a target.
type stuck struct {
	letters []dead
	timer   *time.Timer
	wait    time.Duration
}

// keepDead keeps a dead letter for another try.
func (q *Queue) keepDead(ds ...dead) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted || q.stopped {
		return
	}
	s := &q.stuck
	for i := range ds {
		if q.m.IsDying(ds[i].slot, ds[i].item.Seq) {
			s.letters = append(s.letters, ds[i])
		}
	}
	if s.timer == nil && len(s.letters) > 0 {
		s.wait = firstRetry
		s.timer = time.AfterFunc(s.wait, q.retryDead)
	}
}

// retrySoon tries again at once: what targets depend on has changed. Called with
// the lock held.
func (q *Queue) retrySoon() {
	if s := &q.stuck; s.timer != nil && !q.stopped {
		s.wait = 0
		s.timer.Reset(0)
	}
}

func (q *Queue) retryDead() {
	q.Host.Go(func() {
		q.mu.Lock()
		s := &q.stuck
		ds := s.letters
		s.letters, s.timer = nil, nil
		wait := s.wait
		if q.deleted {
			ds = nil // they go with their queue
		}
		q.mu.Unlock()
		arrived, failed := 0, 0
		for i := range ds {
			if failed == manyStuck && arrived == 0 {
				q.keepDead(ds[i:]...)
				break
			}
			if q.bury(&ds[i]) {
				arrived++
			} else {
				failed++
			}
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if s.timer != nil && arrived == 0 && !q.stopped {
			s.wait = min(max(2*wait, firstRetry), lastRetry)
			s.timer.Reset(s.wait)
		}
	})
}

// Stuck is how many dead letters wait for a target.
func (q *Queue) Stuck() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.stuck.letters)
}
