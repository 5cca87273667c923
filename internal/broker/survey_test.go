package broker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
)

// Whatever happens to queues, the sums that are kept are those of a walk over
// all of them, and whoever asks what has changed is told of each.
func TestSumsAreThoseOfAWalk(t *testing.T) {
	b := openTest(t)
	c, err := b.Connect(ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out counter
	ch := c.NewChannel(&out)
	rnd := rand.New(rand.NewPCG(3, 4))
	known := map[*Queue]queueproc.Backlog{}
	name := func() string { return fmt.Sprint("q", rnd.IntN(20)) }
	use := func(*queueproc.Queue, queueproc.Delivery, *message.Message, int) {}
	var consumers []*queueproc.Consumer
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	there := func(q string) bool { return b.VHost("/").Queue(q) != nil }
	for range 2000 {
		q := name()
		switch n := rnd.IntN(20); {
		case n == 0 && there(q):
			consumers = slices.DeleteFunc(consumers, func(k *queueproc.Consumer) bool { return k.Queue.Name == q })
			_, err := b.DeleteQueueAs(Actor{}, "/", q, false, false)
			must(err)
		case n < 3:
			_, err := c.DeclareQueue(QueueSpec{Name: q, Durable: q < "q2"})
			must(err)
		case n == 3 && there(q):
			_, err := c.PurgeQueue(q)
			must(err)
		case n < 6 && there(q):
			_, err := ch.Get(q, n == 4, use)
			must(err)
		case n == 6 && there(q):
			k, err := ch.Consume(ConsumeSpec{Queue: q, Tag: fmt.Sprint(rnd.Uint64()), NoAck: true}, nil)
			must(err)
			consumers = append(consumers, k)
		case n == 7 && len(consumers) > 0:
			ch.Cancel(consumers[0])
			consumers = consumers[1:]
		case n == 8 && there(q):
			b.VHost("/").Queue(q).Trim()
		default:
			for range rnd.IntN(50) {
				_, err := ch.Publish(plain(q, rnd.IntN(3000), uint8(1+rnd.IntN(2))))
				must(err)
			}
			c.Settle()
		}
		if rnd.IntN(4) > 0 {
			continue
		}
		v := Visitor{}
		if rnd.IntN(2) > 0 {
			v.Changed = func(q *Queue, l *queueproc.Backlog) { known[q] = *l }
			v.Gone = func(q *Queue) { delete(known, q) }
		}
		got := b.Survey(v)
		n, depths, counters := 0, queueproc.Depths{}, queueproc.Counters{}
		for _, q := range b.VHost("/").Queues() {
			l := q.Backlog()
			n++
			depths.Add(&l.Depths)
			counters.Add(&l.Counters)
			if v.Changed != nil && known[q] != l {
				t.Fatalf("%s: %+v, and %+v was told", q.Name, l, known[q])
			}
		}
		if k, d, c := got.Queues.All(); k != n || d != depths || c != counters {
			t.Fatalf("%d queues %+v %+v,\nwant %d %+v %+v", k, d, c, n, depths, counters)
		}
		if v.Changed != nil && len(known) != n {
			t.Fatalf("%d queues are known, there are %d", len(known), n)
		}
	}
	// At rest nothing is looked at.
	b.Survey(Visitor{Changed: func(*Queue, *queueproc.Backlog) {}})
	b.Survey(Visitor{Changed: func(q *Queue, _ *queueproc.Backlog) { t.Errorf("%s has changed, at rest", q.Name) }})
}
