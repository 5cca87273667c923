package queueproc

import (
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Purge drops all ready and delayed messages, and the dead letters that wait for
// a target, and returns their number.
func (q *Queue) Purge() int {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return 0
	}
	n := q.m.Purge(nowMillis(), &q.eff)
	if q.cfg.KeepDead {
		n += q.m.PurgeDead(&q.eff)
		q.stuck.letters = nil // those under way are looked for when they come back
	}
	q.unlock()
	return n
}

// Touch tells that the queue was declared again (x-expires).
func (q *Queue) Touch() {
	q.mu.Lock()
	if !q.deleted {
		q.m.Touch(nowMillis(), &q.eff)
	}
	q.unlock()
}

// Configure puts other settings into force.
func (q *Queue) Configure(cfg queue.Config) {
	q.mu.Lock()
	if !q.deleted {
		cfg.Window = q.cfg.Window
		q.cfg = cfg
		q.m.Configure(nowMillis(), cfg, &q.eff)
		q.retrySoon()
	}
	q.unlock()
}

// Delete ends the queue and returns how many messages were ready. It does not
// touch the definition. Consumers are told by CancelConsumers.
func (q *Queue) Delete(ifUnused, ifEmpty bool) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return 0, ErrDeleted
	}
	if ifUnused && q.m.Consumers() > 0 {
		return 0, ErrInUse
	}
	if ifEmpty && q.m.Ready() > 0 {
		return 0, ErrNotEmpty
	}
	n := q.m.Ready()
	q.deleted = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		if it.Pos != 0 {
			q.Log.Release(store.Position(it.Pos), it.Size)
		}
		return true
	})
	q.m.EachPage(func(p *queue.PageRef) bool {
		q.dropPage(p, false)
		return true
	})
	q.arena.Drop()
	q.relieve()
	q.measure()
	q.giveRoom()
	return n, nil
}

// CancelConsumers tells the consumers of a deleted queue, in the order of their
// tags.
func (q *Queue) CancelConsumers() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted {
		return
	}
	var cs []*Consumer
	q.m.EachConsumer(func(c *queue.Consumer) bool {
		cs = append(cs, c.Owner.(*Consumer))
		return true
	})
	slices.SortStableFunc(cs, func(a, b *Consumer) int { return strings.Compare(a.Tag, b.Tag) })
	for _, c := range cs {
		c.Sink.Cancel(c)
	}
}

// Deleted reports whether Delete was called.
func (q *Queue) Deleted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.deleted
}

func (q *Queue) setTimer(at int64) {
	if at == q.timerAt && at != 0 {
		return
	}
	q.timerAt = at
	if at == 0 {
		if q.timer != nil {
			q.timer.Stop()
		}
		return
	}
	d := max(time.Duration(at-nowMillis())*time.Millisecond, 0)
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.tick)
		return
	}
	q.timer.Reset(d)
}

// Trim gives back memory that was not needed since the call before.
func (q *Queue) Trim() {
	q.mu.Lock()
	defer q.mu.Unlock()
	quiet := q.trimmedAt == q.stats.Published+q.stats.Acked+q.stats.Delivered
	q.trimmedAt = q.stats.Published + q.stats.Acked + q.stats.Delivered
	if q.deleted {
		return
	}
	held := q.arena.Held()
	if q.Stream && quiet {
		q.m.Rest()
	}
	q.m.Trim()
	q.arena.DropBlocks()
	if quiet && (q.Stream || q.m.Ready()+q.m.Delayed()+q.m.Unacked()+q.m.Dying() == 0) && !q.loading {
		q.arena.Trim()
		q.eff, q.settled, q.scratch, q.loader = nil, nil, nil, nil
		if q.log != nil {
			q.log.forget()
		}
	}
	if q.arena.Held() != held {
		q.noteChange()
	}
}

// Stop ends the queue's own activity: the node stops.
func (q *Queue) Stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	for _, t := range []*time.Timer{q.timer, q.retry, q.stuck.timer} {
		if t != nil {
			t.Stop()
		}
	}
}

func (q *Queue) tick() {
	q.mu.Lock()
	if q.deleted || q.stopped {
		q.mu.Unlock()
		return
	}
	q.timerAt = 0
	q.m.Tick(nowMillis(), &q.eff)
	q.unlock()
}
