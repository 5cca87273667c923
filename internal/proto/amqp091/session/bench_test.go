package session

import (
	"log/slog"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// benchConn is a connection without its goroutines: bytes go in as the reader
// would have read them, and what its writer would send is thrown away.
type benchConn struct {
	*Conn
	b      *testing.B
	chunks [][]byte
}

func newBenchConn(b *testing.B) *benchConn {
	// A disk in memory would count as the broker's own allocations.
	br, err := broker.Open(broker.Config{FS: vfs.OS{}, Dir: b.TempDir(), Sync: store.Memory, SegmentSize: 8 << 20,
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		b.Fatal(err)
	}
	_, nc := listen.Pipe()
	s := &Server{Broker: br, Logger: slog.New(slog.DiscardHandler)}
	c := &benchConn{Conn: s.newConn(nc), b: b}
	c.user, c.state, c.frameMax = "guest", wantOpen, 131072
	if err := c.open(&wire.ConnectionOpen{VirtualHost: "/"}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.teardown()
		if err := br.Close(); err != nil {
			b.Error(err)
		}
	})
	c.method(wire.ChannelOpen{})
	c.method(wire.QueueDeclare{Queue: "q"})
	return c
}

func (c *benchConn) method(m wire.Method) { c.read(wire.AppendMethodFrame(nil, 1, m)) }

// read has the reader handle bytes, and then the writer write.
func (c *benchConn) read(frames []byte) {
	if !c.frames(&readBuffer{buf: frames, end: len(frames)}) {
		c.b.Fatal("the connection has ended")
	}
	c.flushAcks()
	c.client.Settle()
	c.chunks, _ = c.out.take(c.chunks[:0], true)
	for _, b := range c.chunks {
		c.out.size.Add(-int64(len(b)))
		c.out.free(b[:0])
	}
}

func publishes(n, size int, mode uint8) (b []byte) {
	props := wire.Properties{DeliveryMode: mode}
	for range n {
		b = wire.AppendBasicPublishFrames(b, 1, "", "q", false, props.Append(nil), make([]byte, size), 131072)
	}
	return b
}

// An operation is one message, from the bytes of the publish to those of the
// delivery (and of the acknowledgement, and of the confirm).

func BenchmarkHotSocketPublishDeliver(b *testing.B) {
	c := newBenchConn(b)
	c.method(wire.BasicConsume{Queue: "q", ConsumerTag: "t", NoAck: true})
	c.run(publishes(100, 16, 1), false)
}

func BenchmarkHotSocketConfirmAck(b *testing.B) {
	c := newBenchConn(b)
	c.method(wire.ConfirmSelect{})
	c.method(wire.BasicConsume{Queue: "q", ConsumerTag: "t"})
	c.run(publishes(100, 1024, 1), true)
}

// run publishes b.N messages, 100 at a time.
func (c *benchConn) run(frames []byte, ack bool) {
	acks := wire.AppendBasicAckFrame(nil, 1, 0, true)
	c.b.ReportAllocs()
	c.b.ResetTimer()
	for n := 0; n < c.b.N; n += 100 {
		c.read(frames)
		if ack {
			c.read(acks)
		}
	}
}

func BenchmarkHotSocketStream(b *testing.B) {
	c := newBenchConn(b)
	c.method(wire.QueueDelete{Queue: "q"})
	c.method(wire.QueueDeclare{Queue: "q", Durable: true, Arguments: wire.Table{
		{Key: "x-queue-type", Value: wire.String("stream")}, {Key: "x-max-length-bytes", Value: wire.Int64(16 << 20)},
		{Key: "x-stream-max-segment-size-bytes", Value: wire.Int64(4 << 20)}}})
	c.method(wire.ConfirmSelect{})
	c.method(wire.BasicQos{PrefetchCount: 1000})
	c.method(wire.BasicConsume{Queue: "q", ConsumerTag: "t"})
	c.run(publishes(100, 1024, 2), true)
}
