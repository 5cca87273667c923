package queueproc

import (
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
)

// SetTraced says whether the host is told of each delivery.
func (q *Queue) SetTraced(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.traced = on
}

// traced is a delivery that the host is still to be told of. The bytes are a
// copy: those of the queue may be gone when the lock is.
type traced struct {
	consumer    *Consumer
	redelivered bool
	stored      []byte
}

// trace notes a delivery that is about to be made. Called with the lock held.
func (q *Queue) trace(a *after, e *queue.Effect) {
	t := traced{consumer: e.Consumer.Owner.(*Consumer), redelivered: e.Item.Flags&queue.Redelivered != 0}
	if e.Item.Mem.IsZero() {
		t.stored = q.cur.Msg.Append(nil)
	} else {
		t.stored = append(t.stored, e.Item.Mem.Bytes()...)
	}
	a.traced = append(a.traced, t)
}

func (q *Queue) tell(ts []traced) {
	for i := range ts {
		if m, ok := message.Parse(ts[i].stored); ok {
			q.Host.Delivered(q, ts[i].consumer, ts[i].redelivered, &m)
		}
	}
}
