package broker

import (
	"fmt"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// counter is an outlet that counts, and settles when it is asked to.
type counter struct {
	delivered, confirmed int
	keep                 bool
	settle               []queueproc.Settle
}

func (o *counter) Deliver(_ *queueproc.Consumer, d queueproc.Delivery, _ *message.Message) {
	o.delivered++
	if o.keep {
		o.settle = append(o.settle, queueproc.Settle{Slot: d.Slot, Seq: d.Seq})
	}
}
func (o *counter) Flush() bool                { return false }
func (o *counter) Cancel(*queueproc.Consumer) {}
func (o *counter) Confirm(uint64, bool)       { o.confirmed++ }
func (o *counter) Refuse(uint64)              {}
func (o *counter) Overdue() bool              { return false }

// bench is a broker in memory with one client.
type bench struct {
	*testing.B
	client *Client
	ch     *Channel
	out    counter
}

func newBench(b *testing.B) *bench { return newBenchOf(b, false) }

func newBenchOf(b *testing.B, detailed bool) *bench {
	// A disk in memory would count as the broker's own allocations.
	br, err := Open(Config{FS: vfs.OS{}, Dir: b.TempDir(), Sync: store.Memory, SegmentSize: 8 << 20, Detailed: detailed,
		Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		b.Fatal(err)
	}
	c, err := br.Connect(ClientInfo{ID: "bench", User: "guest", VHost: "/"})
	if err != nil {
		b.Fatal(err)
	}
	t := &bench{B: b, client: c}
	t.ch = c.NewChannel(&t.out)
	b.Cleanup(func() {
		c.Close()
		if err := br.Close(); err != nil {
			b.Error(err)
		}
	})
	return t
}

func (b *bench) queue(name string, durable bool) *Queue {
	if _, err := b.client.DeclareQueue(QueueSpec{Name: name, Durable: durable}); err != nil {
		b.Fatal(err)
	}
	return b.client.vhost.Queue(name)
}

func (b *bench) consume(name string, noAck bool) {
	b.out.keep = b.out.keep || !noAck
	if _, err := b.ch.Consume(ConsumeSpec{Queue: name, Tag: "t", NoAck: noAck}, nil); err != nil {
		b.Fatal(err)
	}
}

// publish sends b.N messages in batches, as a connection's reader does. after
// is called after each batch.
func (b *bench) publish(m func(i int) *message.Message, after func()) {
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if _, err := b.ch.Publish(m(i)); err != nil {
			b.Fatal(err)
		}
		if i%128 == 127 {
			b.client.Settle()
			if after != nil {
				after()
			}
		}
	}
	b.client.Settle()
}

func plain(key string, size int, mode uint8) *message.Message {
	p := wire.Properties{DeliveryMode: mode}
	return &message.Message{RoutingKey: []byte(key), Props: p.Append(nil), Body: make([]byte, size)}
}

func same(m *message.Message) func(int) *message.Message {
	return func(int) *message.Message { return m }
}

func BenchmarkHotPublishDeliver(b *testing.B) {
	t := newBench(b)
	t.queue("q", false)
	t.consume("q", true)
	t.publish(same(plain("q", 16, 1)), nil)
}

func BenchmarkHotPublishDeliverAck(b *testing.B) {
	t := newBench(b)
	q := t.queue("q", false)
	t.consume("q", false)
	t.publish(same(plain("q", 1024, 1)), func() {
		q.Settle(t.out.settle, queue.Ack)
		t.out.settle = t.out.settle[:0]
	})
}

func BenchmarkHotPublishDurableConfirmAck(b *testing.B) {
	t := newBench(b)
	if err := t.ch.SelectConfirm(); err != nil {
		b.Fatal(err)
	}
	q := t.queue("q", true)
	t.consume("q", false)
	t.publish(same(plain("q", 1024, 2)), func() {
		q.Settle(t.out.settle, queue.Ack)
		t.out.settle = t.out.settle[:0]
	})
}

func BenchmarkHotFanOut(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t := newBench(b)
			for i := range n {
				name := fmt.Sprint("q", i)
				t.queue(name, false)
				t.bind("amq.fanout", name, "", nil)
				t.consume(name, true)
			}
			m := plain("", 16, 1)
			m.Exchange = []byte("amq.fanout")
			t.publish(same(m), nil)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/delivery")
		})
	}
}

func (b *bench) bind(exchange, queue, key string, args meta.Args) {
	if err := b.client.Bind(BindSpec{Source: exchange, Dest: queue, Key: key, Args: args}); err != nil {
		b.Fatal(err)
	}
}

// The keys repeat, as with most publishers.
func BenchmarkHotTopicCached(b *testing.B) {
	t := newBench(b)
	t.queue("q", false)
	t.consume("q", true)
	var ms []*message.Message
	for i := range 50 {
		t.bind("amq.topic", "q", fmt.Sprintf("*.k%d.#", i), nil)
		m := plain(fmt.Sprintf("a.k%d.b", i), 16, 1)
		m.Exchange = []byte("amq.topic")
		ms = append(ms, m)
	}
	t.publish(func(i int) *message.Message { return ms[i%len(ms)] }, nil)
}

func BenchmarkHotDirect1000(b *testing.B) {
	t := newBench(b)
	t.queue("q", false)
	t.consume("q", true)
	var ms []*message.Message
	for i := range 1000 {
		t.bind("amq.direct", "q", fmt.Sprint("key", i), nil)
		m := plain(fmt.Sprint("key", i), 16, 1)
		m.Exchange = []byte("amq.direct")
		ms = append(ms, m)
	}
	t.publish(func(i int) *message.Message { return ms[i%len(ms)] }, nil)
}

// drainer is an outlet that says what it was given.
type drainer struct {
	counter
	mu  sync.Mutex
	got []queueproc.Settle
	any chan struct{}
}

func (o *drainer) Deliver(_ *queueproc.Consumer, d queueproc.Delivery, _ *message.Message) {
	o.mu.Lock()
	o.got = append(o.got, queueproc.Settle{Slot: d.Slot, Seq: d.Seq})
	o.mu.Unlock()
	select {
	case o.any <- struct{}{}:
	default:
	}
}

// A backlog of persistent messages, most of them only in the log, is consumed
// with acknowledgements.
func BenchmarkHotDrain(b *testing.B) {
	t := newBench(b)
	q := t.queue("q", true)
	m := plain("q", 1024, 2)
	for i := range b.N {
		if _, err := t.ch.Publish(m); err != nil {
			b.Fatal(err)
		}
		if i%128 == 127 {
			t.client.Settle()
		}
	}
	t.client.Settle()
	out := &drainer{any: make(chan struct{}, 1)}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := t.client.NewChannel(out).Consume(ConsumeSpec{Queue: "q", Tag: "t", Prefetch: 1000}, nil); err != nil {
		b.Fatal(err)
	}
	var mine []queueproc.Settle
	for n := 0; n < b.N; n += len(mine) {
		<-out.any
		out.mu.Lock()
		mine, out.got = out.got, mine[:0]
		out.mu.Unlock()
		q.Settle(mine, queue.Ack)
	}
}

// Each publish has another key, more of them than a channel remembers.
func BenchmarkHotTopic10000(b *testing.B) {
	t := newBench(b)
	t.queue("q", false)
	t.consume("q", true)
	var ms []*message.Message
	for i := range 10000 {
		t.bind("amq.topic", "q", fmt.Sprintf("*.k%d.#", i), nil)
		m := plain(fmt.Sprintf("a.k%d.b", i), 16, 1)
		m.Exchange = []byte("amq.topic")
		ms = append(ms, m)
	}
	t.publish(func(i int) *message.Message { return ms[i%len(ms)] }, nil)
}

func BenchmarkHotHeaders1000(b *testing.B) {
	t := newBench(b)
	t.queue("q", false)
	t.consume("q", true)
	var ms []*message.Message
	for i := range 1000 {
		t.bind("amq.headers", "q", "", meta.NewArgs(wire.Table{{Key: "x-match", Value: wire.String("all")}, {Key: "n", Value: wire.Int32(i)}, {Key: "kind", Value: wire.String("order")}}))
		p := wire.Properties{Headers: wire.Table{{Key: "kind", Value: wire.String("order")}, {Key: "n", Value: wire.Int32(i)}}}
		ms = append(ms, &message.Message{Exchange: []byte("amq.headers"), Props: p.Append(nil), Body: make([]byte, 16)})
	}
	t.publish(func(i int) *message.Message { return ms[i%len(ms)] }, nil)
}

// A message goes into a stream and to a reader that waits for it.
func BenchmarkHotStream(b *testing.B) {
	t := newBench(b)
	if _, err := t.client.DeclareQueue(QueueSpec{Name: "s", Durable: true, Args: meta.NewArgs(wire.Table{
		{Key: "x-queue-type", Value: wire.String("stream")}, {Key: "x-max-length-bytes", Value: wire.Int64(16 << 20)},
		{Key: "x-stream-max-segment-size-bytes", Value: wire.Int64(4 << 20)}})}); err != nil {
		b.Fatal(err)
	}
	t.out.keep = true
	if _, err := t.ch.Consume(ConsumeSpec{Queue: "s", Tag: "t", Prefetch: 1000}, nil); err != nil {
		b.Fatal(err)
	}
	q := t.client.vhost.Queue("s")
	t.publish(same(plain("s", 1024, 2)), func() {
		q.Settle(t.out.settle, queue.Ack)
		t.out.settle = t.out.settle[:0]
	})
	if t.out.delivered < b.N/2 {
		b.Errorf("%d of %d delivered", t.out.delivered, b.N)
	}
}
