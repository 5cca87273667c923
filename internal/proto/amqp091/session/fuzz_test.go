package session_test

import (
	"io"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// FuzzConn sends any bytes on an open connection. Whatever they are, the
// connection ends when its client goes, and the broker serves the next one.
func FuzzConn(f *testing.F) {
	n := startNode(f, 0)
	seed := func(ms ...wire.Method) {
		var b []byte
		for _, m := range ms {
			b = wire.AppendMethodFrame(b, 1, m)
		}
		f.Add(b)
	}
	seed(wire.QueueDeclare{Queue: "q"}, wire.BasicConsume{Queue: "q", ConsumerTag: "t"}, wire.BasicAck{DeliveryTag: 1, Multiple: true})
	seed(wire.ConfirmSelect{}, wire.BasicGet{Queue: "q"}, wire.BasicNack{DeliveryTag: 1, Requeue: true}, wire.ChannelClose{}, wire.ChannelOpen{})
	seed(wire.ExchangeDeclare{Exchange: "x", Type: "topic"}, wire.QueueBind{Queue: "q", Exchange: "x", RoutingKey: "#.a.*"}, wire.QueueDelete{Queue: "q"})
	seed(wire.TxSelect{}, wire.BasicRecover{Requeue: true}, wire.TxCommit{})
	f.Add(wire.AppendBasicPublishFrames(nil, 1, "", "q", true, []byte{0x80, 0, 1, 'x'}, []byte("hello"), 4096))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := n.peer(t)
		p.open(0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(io.Discard, p.nc)
		}()
		p.nc.SetWriteDeadline(time.Now().Add(time.Second))
		p.nc.Write(b)
		p.nc.(interface{ CloseWrite() error }).CloseWrite()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("the connection does not end")
		}
		p.nc.Close()
	})
}
