package queueproc

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// lone is the host of a queue that has no others, and the owner of its log.
type lone struct{ deadLetters int }

func (h *lone) DeadLetter(*Queue, queue.Reason, *queue.Item, *message.Message, *[]uint64, uint8) bool {
	h.deadLetters++
	return false
}
func (h *lone) Gone(*Queue, bool)                                       {}
func (h *lone) Go(f func())                                             { f() }
func (h *lone) Failed(*Queue, error)                                    {}
func (h *lone) Delivered(*Queue, *Consumer, bool, *message.Message)     {}
func (h *lone) Restore(*store.Log, []byte) error                        { return nil }
func (h *lone) Replay(store.Position, store.Kind, uint64, []byte) error { return nil }
func (h *lone) Recovered(bool) error                                    { return nil }
func (h *lone) Checkpoint(io.Writer) error                              { return nil }
func (h *lone) Evacuate(uint32, []uint64) error                         { return nil }

// newLone makes a queue with n messages that are on disk only.
func newLone(t *testing.T, n int) (*Queue, *lone, []queue.Item) {
	t.Helper()
	h := &lone{}
	log, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", Sync: store.OS}, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	q := New(Options{ID: 1, Name: "q", Durable: true, Epoch: 1, Host: h, Log: log, Budget: &message.Budget{Limit: 1 << 30}, Waits: &Waits{}},
		queue.Config{MessageTTL: queue.None, Expires: queue.None, MaxLength: queue.None, MaxBytes: queue.None, DeliveryLimit: queue.None})
	pubs := make([]Pub, n)
	for i := range pubs {
		pubs[i] = Pub{Msg: message.Message{RoutingKey: []byte("q"), Props: []byte{0, 0}, Body: make([]byte, 1000)}, Persistent: true}
	}
	q.Publish(nowMillis(), pubs)
	log.Commit()
	for log.Durable() <= pubs[n-1].Pos {
		runtime.Gosched()
	}
	var items []queue.Item
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		items = append(items, *it)
		return true
	})
	if n <= 100 && len(items) != n || !items[0].Mem.IsZero() {
		t.Fatalf("%d items, %+v", len(items), items[0])
	}
	return q, h, items
}

// A queue that is deleted while it loads messages gives back the memory that the
// load took.
func TestDeletedWhileLoading(t *testing.T) {
	q, _, items := newLone(t, 100)
	if _, err := q.Delete(false, false); err != nil {
		t.Fatal(err)
	}
	if err := q.loadBodies(&loader{}, items); err != nil {
		t.Fatal(err)
	}
	if n := q.Budget.Used(); n != 0 {
		t.Errorf("%d bytes of the budget are used by nobody", n)
	}
}

// Dead letters that wait for a target go with their queue.
func TestStuckInDeletedQueue(t *testing.T) {
	q, h, items := newLone(t, 2)
	for i := range items {
		it := items[i]
		it.Seq += 10
		q.keepDead(dead{reason: queue.Rejected, slot: q.m.RestoreDying(it, queue.Rejected), item: it})
	}
	if n := q.Stuck(); n != 2 {
		t.Fatalf("%d dead letters wait", n)
	}
	if _, err := q.Delete(false, false); err != nil {
		t.Fatal(err)
	}
	q.retryDead()
	if h.deadLetters > 0 || q.Stuck() > 0 {
		t.Errorf("%d dead letters were sent, %d wait", h.deadLetters, q.Stuck())
	}
}

// A page that is lost is reported to who wants messages out of it.
func TestTakeFromLostPage(t *testing.T) {
	q, _, _ := newLone(t, 20_000)
	var seq uint64
	q.m.EachPage(func(p *queue.PageRef) bool {
		seq = p.First
		p.Pos = 99<<32 + 64
		return false
	})
	if seq == 0 {
		t.Fatal("no page")
	}
	if got, err := q.Take([]uint64{1, seq}); !errors.Is(err, store.ErrGone) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if n := q.m.Ready(); n != 20_000 {
		t.Errorf("%d messages are ready", n)
	}
}
