package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// pairBook is a broker that counts pairs, and how they are written down:
// "exchange>queue n" and "channel>exchange published/confirmed/dropped/returned".
type pairBook struct {
	*testing.T
	b *Broker
	c *Client
	v *VHost
}

func newPairBook(t *testing.T, detailed bool) *pairBook {
	b, err := Open(Config{FS: vfs.NewMem(), Dir: "d", Sync: store.Memory, Detailed: detailed,
		Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	p := &pairBook{T: t, b: b, v: b.VHost("/")}
	p.c = p.connect("c")
	return p
}

func (p *pairBook) connect(id string) *Client {
	c, err := p.b.Connect(ClientInfo{ID: id, User: "guest", VHost: "/"})
	p.must(err)
	p.Cleanup(c.Close)
	return c
}

func (p *pairBook) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pairBook) channel(c *Client, number uint16) *Channel {
	ch := c.NewChannel(&counter{})
	ch.Number = number
	return ch
}

func (p *pairBook) queue(name string, args ...wire.Field) {
	p.Helper()
	_, err := p.c.DeclareQueue(QueueSpec{Name: name, Args: meta.NewArgs(args)})
	p.must(err)
}

func (p *pairBook) exchange(name, kind string, args ...wire.Field) {
	p.Helper()
	p.must(p.c.DeclareExchange(ExchangeSpec{Name: name, Type: kind, Args: meta.NewArgs(args)}))
}

func (p *pairBook) bind(source, dest, key string, exchange bool) {
	p.Helper()
	kind := meta.ToQueue
	if exchange {
		kind = meta.ToExchange
	}
	p.must(p.c.Bind(BindSpec{Source: source, DestKind: kind, Dest: dest, Key: key}))
}

// publish publishes as a session does. mandatory: what goes nowhere comes back.
func (p *pairBook) publish(ch *Channel, exchange, key string, n int, mandatory bool) {
	p.Helper()
	for range n {
		m := plain(key, 5, 1)
		m.Exchange = []byte(exchange)
		routed, err := ch.Publish(m)
		p.must(err)
		if !routed {
			ch.Unroutable(mandatory)
			ch.Unrouted()
		}
	}
}

func named(x *Exchange) string {
	if x == nil {
		return "default"
	}
	return x.Name
}

func lines(ls []string) string {
	slices.Sort(ls)
	return strings.Join(ls, ", ")
}

func flowLines(fs []*Flow) string {
	var ls []string
	for _, f := range fs {
		ls = append(ls, fmt.Sprintf("%s>%s %d", named(f.Exchange), f.Queue.Name, f.Published()))
	}
	return lines(ls)
}

func feedLines(fs []*Feed) string {
	var ls []string
	for _, f := range fs {
		s := f.Sent()
		ls = append(ls, fmt.Sprintf("%d>%s %d/%d/%d/%d", f.Channel.Number, named(f.Exchange), s.Published, s.Confirmed, s.Dropped, s.Returned))
	}
	return lines(ls)
}

// want compares what the objects say: "queue NAME", "into NAME", "from NAME" (an
// exchange's sides) with what is expected.
func (p *pairBook) want(when string, wants ...string) {
	p.Helper()
	for i := 0; i < len(wants); i += 2 {
		kind, name, _ := strings.Cut(wants[i], " ")
		var x *Exchange
		if name != "default" {
			x = p.v.Exchange(name)
		}
		got := ""
		switch kind {
		case "queue":
			got = flowLines(p.v.Queue(name).Incoming())
		case "from":
			got = flowLines(p.v.Outgoing(x))
		case "into":
			got = feedLines(p.v.Incoming(x))
		}
		if got != wants[i+1] {
			p.Errorf("%s: %s: %q, want %q", when, wants[i], got, wants[i+1])
		}
	}
}

func (p *pairBook) wantChannel(when string, ch *Channel, want string) {
	p.Helper()
	if got := feedLines(ch.Feeds()); got != want {
		p.Errorf("%s: channel: %q, want %q", when, got, want)
	}
}

// The figures are those that RabbitMQ 3.10.8 gives for the same publishes, but
// for the dropped ones, which it counts as none.
func TestPairs(t *testing.T) {
	p := newPairBook(t, true)
	p.queue("q1")
	p.queue("q2")
	p.exchange("dx", "direct")
	p.exchange("fx", "fanout")
	p.exchange("fx2", "fanout")
	p.exchange("ae", "fanout")
	p.exchange("wae", "direct", wire.Field{Key: "alternate-exchange", Value: wire.String("ae")})
	p.bind("dx", "q1", "k", false)
	p.bind("fx", "q1", "", false)
	p.bind("fx", "q2", "", false)
	p.bind("fx", "fx2", "", true)
	p.bind("fx2", "q2", "", false)
	p.bind("ae", "q2", "", false)

	one, two := p.channel(p.c, 1), p.channel(p.connect("other"), 2)
	p.must(two.SelectConfirm())
	p.publish(one, "", "q1", 3, false)
	p.publish(one, "", "nosuch", 2, false)
	p.publish(one, "", "nosuch", 1, true)
	p.publish(one, "dx", "k", 4, false)
	p.publish(one, "dx", "none", 2, false)
	p.publish(one, "fx", "", 5, false)
	p.publish(one, "wae", "z", 6, false)
	for range 7 { // by turns, as a batch may have them
		p.publish(two, "", "q1", 1, false)
		p.publish(two, "dx", "k", 1, false)
	}
	p.publish(two, "dx", "none", 1, true)
	p.publish(two, "dx", "k", 1, false)
	one.Client().Settle()
	two.Client().Settle()

	p.want("published",
		"queue q1", "default>q1 10, dx>q1 12, fx>q1 5",
		"queue q2", "fx>q2 5, wae>q2 6",
		"from default", "default>q1 10",
		"from fx", "fx>q1 5, fx>q2 5",
		"from fx2", "", "from ae", "",
		"into default", "1>default 6/0/2/1, 2>default 7/7/0/0",
		"into dx", "1>dx 6/0/2/0, 2>dx 9/9/0/1",
		"into fx2", "", "into wae", "1>wae 6/0/0/0")
	p.wantChannel("published", one, "1>default 6/0/2/1, 1>dx 6/0/2/0, 1>fx 5/0/0/0, 1>wae 6/0/0/0")
	p.wantChannel("published", two, "2>default 7/7/0/0, 2>dx 9/9/0/1")

	two.Close()
	p.wantChannel("channel closed", two, "")
	p.want("channel closed", "into dx", "1>dx 6/0/2/0", "queue q1", "default>q1 10, dx>q1 12, fx>q1 5")

	_, err := p.b.DeleteQueueAs(Actor{}, "/", "q2", false, false)
	p.must(err)
	p.want("queue deleted", "from fx", "fx>q1 5", "from wae", "", "into wae", "1>wae 6/0/0/0")

	_, err = p.b.Do(Actor{}, &meta.DeleteExchange{VHost: "/", Name: "dx"})
	p.must(err)
	p.want("exchange deleted", "queue q1", "default>q1 10, fx>q1 5")
	p.wantChannel("exchange deleted", one, "1>default 6/0/2/1, 1>fx 5/0/0/0, 1>wae 6/0/0/0")

	p.queue("q2")
	p.exchange("dx", "direct")
	p.bind("dx", "q2", "k", false)
	p.publish(one, "dx", "k", 1, false)
	one.Client().Settle()
	p.want("declared again", "queue q2", "dx>q2 1", "from dx", "dx>q2 1", "into dx", "1>dx 1/0/0/0")

	one.Close()
	p.want("all channels closed", "into default", "", "into fx", "", "queue q1", "default>q1 10, fx>q1 5")
}

// What is refused is no confirm, and the exchanges are not mixed up.
func TestPairsOfRefused(t *testing.T) {
	p := newPairBook(t, true)
	p.exchange("dx", "direct")
	p.queue("full", wire.Field{Key: "x-max-length", Value: wire.Int32(2)}, wire.Field{Key: "x-overflow", Value: wire.String("reject-publish")})
	p.queue("q")
	p.bind("dx", "q", "q", false)
	ch := p.channel(p.c, 1)
	p.must(ch.SelectConfirm())
	for range 5 {
		p.publish(ch, "", "full", 1, false)
		p.publish(ch, "dx", "q", 2, false)
		p.c.Settle()
	}
	p.wantChannel("published", ch, "1>default 5/2/0/0, 1>dx 10/10/0/0")
	p.want("published", "queue full", "default>full 5", "queue q", "dx>q 10")
}

// A transaction's publishes come to the queues with the commit, or not at all.
func TestPairsOfTransactions(t *testing.T) {
	p := newPairBook(t, true)
	p.queue("q")
	ch := p.channel(p.c, 1)
	p.must(ch.SelectTx())
	p.publish(ch, "", "q", 3, false)
	p.must(ch.Rollback())
	p.publish(ch, "", "q", 2, false)
	p.c.Settle()
	p.want("published", "queue q", "")
	p.must(ch.Commit())
	p.want("committed", "queue q", "default>q 2", "from default", "default>q 2")
}

func TestPairsAreNotCountedOtherwise(t *testing.T) {
	p := newPairBook(t, false)
	p.queue("q")
	ch := p.channel(p.c, 1)
	p.publish(ch, "", "q", 3, false)
	p.c.Settle()
	p.want("published", "queue q", "", "from default", "", "into default", "")
	p.wantChannel("published", ch, "")
	if ch.feeds != nil || p.c.tally.pairs != nil || p.v.pairs != nil {
		t.Error("there is memory for pairs")
	}
}

// Objects that come and go leave nothing behind, also while others publish to
// them.
func TestPairsEndWithTheirObjects(t *testing.T) {
	p := newPairBook(t, true)
	stay := p.channel(p.c, 1)
	other := p.connect("other")
	ch := p.channel(other, 2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			m := plain("q", 5, 1)
			if i%2 == 0 {
				m.Exchange = []byte("x")
			}
			if _, err := ch.Publish(m); err != nil {
				continue // not there just now
			}
			other.Settle()
		}
		ch.Close()
	}()
	for range 200 {
		p.queue("q")
		p.exchange("x", "fanout")
		p.bind("x", "q", "", false)
		p.publish(stay, "x", "", 1, false)
		p.publish(stay, "", "q", 1, false)
		p.c.Settle()
		_, err := p.b.DeleteQueueAs(Actor{}, "/", "q", false, false)
		p.must(err)
		_, err = p.b.Do(Actor{}, &meta.DeleteExchange{VHost: "/", Name: "x"})
		p.must(err)
	}
	<-done
	p.want("all gone", "from default", "")
	if got := len(stay.Feeds()); got != 1 {
		t.Errorf("the channel has %d pairs, want that with the default exchange", got)
	}
	stay.Close()
	p.want("channel closed", "into default", "")
}

func TestFeedRuns(t *testing.T) {
	var r feedRuns
	a, b := &Feed{}, &Feed{}
	pushed, popped := map[*Feed]uint64{}, map[*Feed]uint64{}
	for i := range 10_000 {
		f := a
		if i%3 == 0 {
			f = b
		}
		r.push(f, 1)
		pushed[f]++
		if i > 5000 {
			r.pop(2, func(f *Feed, n uint64) { popped[f] += n })
		}
	}
	r.pop(1_000_000, func(f *Feed, n uint64) { popped[f] += n })
	if popped[a] != pushed[a] || popped[b] != pushed[b] {
		t.Errorf("%d and %d in, %d and %d out", pushed[a], pushed[b], popped[a], popped[b])
	}
	if len(r.runs) != 0 || cap(r.runs) != 0 {
		t.Errorf("%d runs, room for %d after a burst", len(r.runs), cap(r.runs))
	}
}

// What the modes cost per publish.
func BenchmarkHotDetailed(b *testing.B) {
	for _, detailed := range []bool{false, true} {
		mode := map[bool]string{false: "basic", true: "detailed"}[detailed]
		b.Run("default/"+mode, func(b *testing.B) {
			t := newBenchOf(b, detailed)
			t.queue("q", false)
			t.consume("q", true)
			t.publish(same(plain("q", 16, 1)), nil)
		})
		b.Run("confirm/"+mode, func(b *testing.B) {
			t := newBenchOf(b, detailed)
			if err := t.ch.SelectConfirm(); err != nil {
				b.Fatal(err)
			}
			q := t.queue("q", true)
			t.consume("q", false)
			t.publish(same(plain("q", 16, 2)), func() {
				q.Settle(t.out.settle, queue.Ack)
				t.out.settle = t.out.settle[:0]
			})
		})
		// Each publish goes to another queue than the one before.
		b.Run("turns/"+mode, func(b *testing.B) {
			t := newBenchOf(b, detailed)
			var ms []*message.Message
			for i := range 10 {
				name := fmt.Sprint("q", i)
				t.queue(name, false)
				t.consume(name, true)
				t.bind("amq.direct", name, name, nil)
				m := plain(name, 16, 1)
				m.Exchange = []byte("amq.direct")
				ms = append(ms, m)
			}
			t.publish(func(i int) *message.Message { return ms[i%len(ms)] }, nil)
		})
		b.Run("fanout/"+mode, func(b *testing.B) {
			t := newBenchOf(b, detailed)
			for i := range 10 {
				name := fmt.Sprint("q", i)
				t.queue(name, false)
				t.consume(name, true)
				t.bind("amq.fanout", name, "", nil)
			}
			m := plain("", 16, 1)
			m.Exchange = []byte("amq.fanout")
			t.publish(same(m), nil)
		})
	}
}
