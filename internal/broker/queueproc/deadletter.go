package queueproc

import (
	"errors"
	"fmt"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// bury hands a dead letter to the broker and then forgets it. It reports false
// if it is to be tried again.
func (q *Queue) bury(d *dead) bool {
	var buf []byte
	m, err := q.bytes(&d.item, &buf)
	for try := 0; errors.Is(err, store.ErrGone) && try < 3 && q.findDying(&d.item); try++ {
		m, err = q.bytes(&d.item, &buf) // moved by the log's compaction in between
	}
	switch {
	case err == nil:
		if q.Host.DeadLetter(q, d.reason, &d.item, &m, &d.sent, d.depth) {
			d.depth = 0
			q.keepDead(*d)
			return false
		}
	case errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrGone):
		q.Host.Failed(q, fmt.Errorf("dead letter given up: %w", err))
	default:
		q.Host.Failed(q, err)
		again := *d
		again.depth = 0
		time.AfterFunc(retryLoad, func() { q.Host.Go(func() { q.bury(&again) }) })
		return false
	}
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return true
	}
	if q.m.IsDying(d.slot, d.item.Seq) {
		q.m.Buried(d.slot, &q.eff)
	}
	q.unlock()
	return true
}

// findDying looks up where a dead letter is now. It reports whether the queue
// still has it.
func (q *Queue) findDying(it *queue.Item) (found bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.m.Each(func(s queue.State, now *queue.Item) bool {
		if s == queue.Dying && now.Seq == it.Seq {
			it.Pos, found = now.Pos, true
		}
		return !found
	})
	return found
}

// bytes finds the message of an item that the machine still holds. Called
// without the lock.
func (q *Queue) bytes(it *queue.Item, buf *[]byte) (message.Message, error) {
	if !it.Mem.IsZero() {
		m, ok := message.Parse(it.Mem.Bytes())
		if !ok {
			return m, errRecord
		}
		return m, nil
	}
	q.reads.Add(1)
	q.noteChange()
	payload, kind, _, err := q.Log.Read(store.Position(it.Pos), *buf)
	if err != nil {
		return message.Message{}, err
	}
	*buf = payload
	return parseMessage(kind, payload)
}
