package session_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// node is a broker in memory with a server of sessions.
type node struct {
	srv   *session.Server
	conns sync.WaitGroup
}

func startNode(t testing.TB, heartbeat time.Duration) *node {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Open(broker.Config{FS: vfs.NewMem(), Dir: "d", Sync: store.Memory, Logger: log,
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}}})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{srv: &session.Server{Broker: b, Logger: log, Config: session.Config{
		Product: "RabbitMQ", Version: "4.3.0", Heartbeat: heartbeat, FrameMax: 131072, ChannelMax: 2047,
		HandshakeTimeout: 10 * time.Second, Mechanisms: []string{"PLAIN", "AMQPLAIN"},
	}}}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.srv.Shutdown(ctx)
		n.conns.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *node) connect() net.Conn {
	client, server := listen.Pipe()
	n.conns.Go(func() { n.srv.Serve(server) })
	return client
}

// peer is the client's end, spoken by hand.
type peer struct {
	t   testing.TB
	nc  net.Conn
	buf []byte
}

func (n *node) peer(t testing.TB) *peer { return &peer{t: t, nc: n.connect()} }

func (p *peer) send(ch wire.ChannelID, m wire.Method) {
	p.t.Helper()
	if _, err := p.nc.Write(wire.AppendMethodFrame(nil, ch, m)); err != nil {
		p.t.Fatal(err)
	}
}

// frame reads the next frame that is no heartbeat; ok is false at the end.
func (p *peer) frame() (f wire.Frame, ok bool) {
	p.t.Helper()
	for {
		f, n, err := wire.ParseFrame(p.buf, 0)
		if err != nil {
			p.t.Fatal(err)
		}
		if n > 0 {
			f.Payload = bytes.Clone(f.Payload)
			p.buf = p.buf[n:]
			if f.Type == wire.FrameHeartbeat {
				continue
			}
			return f, true
		}
		b := make([]byte, 64<<10)
		k, err := p.nc.Read(b)
		p.buf = append(p.buf, b[:k]...)
		if err != nil {
			return f, false
		}
	}
}

func (p *peer) method() wire.Method {
	p.t.Helper()
	f, ok := p.frame()
	if !ok {
		p.t.Fatal("connection ended, a method was expected")
	}
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// open does the handshake with a heartbeat of so many seconds, and opens channel 1.
func (p *peer) open(heartbeat uint16) {
	p.t.Helper()
	io.WriteString(p.nc, wire.ProtocolHeader)
	p.method()
	p.send(0, wire.ConnectionStartOk{Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US"})
	p.method()
	p.send(0, wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072, Heartbeat: heartbeat})
	p.send(0, wire.ConnectionOpen{VirtualHost: "/"})
	p.method()
	p.send(1, wire.ChannelOpen{})
	p.method()
}

func (p *peer) publish(queue string, body []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(wire.AppendBasicPublishFrames(nil, 1, "", queue, false, nil, body, 131072)); err != nil {
		p.t.Fatal(err)
	}
}

// A silent client is sent heartbeats twice as often as agreed, and is given up
// after two intervals without a byte from it.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 60*time.Second)
		p := n.peer(t)
		p.open(4)
		begin := time.Now()
		beats := 0
		for {
			b := make([]byte, 64)
			k, err := p.nc.Read(b)
			if err != nil {
				break
			}
			if !bytes.Equal(b[:k], wire.AppendHeartbeatFrame(nil)) {
				t.Fatalf("read %x, want a heartbeat", b[:k])
			}
			beats++
		}
		if took := time.Since(begin); took < 8*time.Second || took > 12*time.Second {
			t.Errorf("given up after %v, want about 8 s", took)
		}
		if beats < 2 {
			t.Errorf("%d heartbeats", beats)
		}
	})
}

// A client that sends heartbeats stays.
func TestHeartbeatsKeepConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 60*time.Second)
		p := n.peer(t)
		p.open(2)
		for range 20 {
			time.Sleep(time.Second)
			if _, err := p.nc.Write(wire.AppendHeartbeatFrame(nil)); err != nil {
				t.Fatal(err)
			}
		}
		p.send(1, wire.QueueDeclare{Queue: "q", Exclusive: true})
		if m, ok := p.method().(*wire.QueueDeclareOk); !ok || m.Queue != "q" {
			t.Errorf("answer %#v", m)
		}
	})
}

// Whoever does not finish the handshake in time is cut off.
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 0)
		for name, say := range map[string]string{"nothing": "", "half a header": "AMQP", "header": wire.ProtocolHeader} {
			nc := n.connect()
			io.WriteString(nc, say)
			begin := time.Now()
			nc.SetReadDeadline(begin.Add(time.Minute))
			io.Copy(io.Discard, nc)
			if took := time.Since(begin); took < 9*time.Second || took > 14*time.Second {
				t.Errorf("%s: cut off after %v, want about 10 s", name, took)
			}
		}
	})
}

// Each has its own ten seconds, whoever comes before and after, and who has opened
// the connection in between has as long as it likes.
func TestHandshakesOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 0)
		silent := func() <-chan time.Duration {
			nc, begin, took := n.connect(), time.Now(), make(chan time.Duration, 1)
			nc.SetReadDeadline(begin.Add(time.Minute))
			go func() {
				io.Copy(io.Discard, nc)
				took <- time.Since(begin)
			}()
			return took
		}
		first := silent()
		time.Sleep(3 * time.Second)
		opened := n.peer(t)
		opened.open(0)
		left := n.connect()
		time.Sleep(3 * time.Second)
		left.Close()
		last := silent()
		for _, took := range []<-chan time.Duration{first, last} {
			if d := <-took; d < 9*time.Second || d > 14*time.Second {
				t.Errorf("cut off after %v, want about 10 s", d)
			}
		}
		time.Sleep(30 * time.Second)
		opened.send(2, wire.ChannelOpen{})
		if m, ok := opened.method().(*wire.ChannelOpenOk); !ok {
			t.Errorf("the open one says %#v", m)
		}
	})
}

// A client that does not wait for answers is understood: what comes together with
// the protocol header counts.
func TestHandshakeInOnePiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startNode(t, 0).peer(t)
		all := []byte(wire.ProtocolHeader)
		for _, m := range []wire.Method{
			wire.ConnectionStartOk{Mechanism: "PLAIN", Response: "\x00guest\x00guest", Locale: "en_US"},
			wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072},
			wire.ConnectionOpen{VirtualHost: "/"},
		} {
			all = wire.AppendMethodFrame(all, 0, m)
		}
		begin := time.Now()
		p.nc.Write(all)
		for range 2 {
			p.method() // start, tune
		}
		if m, ok := p.method().(*wire.ConnectionOpenOk); !ok || time.Since(begin) > 0 {
			t.Errorf("%#v after %v, want connection.open-ok at once", m, time.Since(begin))
		}
		p.nc.Close()
	})
}

// A client that asks and asks and does not read is not answered without bound,
// and disturbs nobody.
func TestClientThatNeverReads(t *testing.T) {
	n := startNode(t, 0)
	good := n.peer(t)
	good.open(0)
	good.send(1, wire.QueueDeclare{Queue: "big"})
	good.method()
	for range 64 {
		good.publish("big", make([]byte, 1<<20))
	}
	bad := n.peer(t)
	bad.open(0)
	// Each get is answered with a megabyte that nobody takes.
	bad.nc.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	ask := wire.AppendMethodFrame(nil, 1, wire.BasicGet{Queue: "big"})
	for range 64 {
		bad.nc.Write(ask)
	}
	// Meanwhile others are served, and most messages are still there.
	var left uint32
	deadline := time.Now().Add(5 * time.Second)
	for {
		good.send(1, wire.QueueDeclare{Queue: "big", Passive: true})
		ok, is := good.method().(*wire.QueueDeclareOk)
		if !is {
			t.Fatal("no answer")
		}
		if left = ok.MessageCount; left < 64 || time.Now().After(deadline) {
			break
		}
	}
	if left < 40 {
		t.Errorf("%d messages left of 64: the outbox of a client that does not read holds the others", left)
	}
	// When it goes away it gives back what it had.
	bad.nc.Close()
	for deadline = time.Now().Add(5 * time.Second); ; {
		good.send(1, wire.QueueDeclare{Queue: "big", Passive: true})
		if ok := good.method().(*wire.QueueDeclareOk); ok.MessageCount == 64 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d messages came back, want 64", ok.MessageCount)
		}
	}
}

// Content that arrives in pieces, each in a read of its own, is put together,
// also when other channels publish in between.
func TestContentInPieces(t *testing.T) {
	n := startNode(t, 0)
	p := n.peer(t)
	p.open(0)
	p.send(2, wire.ChannelOpen{})
	p.method()
	p.send(1, wire.QueueDeclare{Queue: "q", Exclusive: true})
	p.method()
	one := wire.AppendBasicPublishFrames(nil, 1, "", "q", false, []byte{0x80, 0, 1, 'x'}, []byte("first message"), 131072)
	two := wire.AppendBasicPublishFrames(nil, 2, "", "q", false, nil, []byte("second"), 131072)
	// The second goes between the header and the body frame of the first.
	cut := bytes.Index(one, []byte("first")) - 7
	for _, b := range one[:cut] {
		p.nc.Write([]byte{b})
	}
	p.nc.Write(two)
	for _, b := range one[cut:] {
		p.nc.Write([]byte{b})
	}
	for _, want := range []string{"second", "first message"} {
		var body []byte
		for body == nil {
			p.send(1, wire.BasicGet{Queue: "q", NoAck: true})
			if _, empty := p.method().(*wire.BasicGetEmpty); empty {
				continue
			}
			p.frame()
			f, _ := p.frame()
			body = f.Payload
		}
		if string(body) != want {
			t.Errorf("got %q, want %q", body, want)
		}
	}
}

// The channel of a delivery that is not settled in time is closed at once, also
// when nothing else makes the connection send.
func TestConsumerTimeoutOnQuietConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 0)
		p := n.peer(t)
		p.open(0)
		p.send(1, wire.QueueDeclare{Queue: "q", Durable: true, Arguments: wire.Table{{Key: "x-queue-type", Value: wire.String("quorum")}}})
		p.method()
		p.publish("q", []byte("x"))
		p.send(1, wire.BasicConsume{Queue: "q", Arguments: wire.Table{{Key: "x-consumer-timeout", Value: wire.Int64(1000)}}})
		p.method()
		p.method()
		p.frame()
		p.frame()
		p.nc.SetReadDeadline(time.Now().Add(time.Minute))
		if m, ok := p.method().(*wire.ChannelClose); !ok || m.ReplyCode != wire.PreconditionFailed {
			t.Errorf("%#v", m)
		}
	})
}

// A timeout that is longer than a clock can tell is never over.
func TestLongestConsumerTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, 0)
		p := n.peer(t)
		p.open(0)
		p.send(1, wire.QueueDeclare{Queue: "q", Durable: true, Arguments: wire.Table{{Key: "x-queue-type", Value: wire.String("quorum")}}})
		p.method()
		p.publish("q", []byte("x"))
		p.send(1, wire.BasicConsume{Queue: "q", Arguments: wire.Table{{Key: "x-consumer-timeout", Value: wire.Int64(1<<62 + 1)}}})
		p.method()
		p.method()
		p.frame()
		p.frame()
		time.Sleep(time.Hour)
		p.send(1, wire.BasicQos{PrefetchCount: 1})
		if m, ok := p.method().(*wire.BasicQosOk); !ok {
			t.Errorf("%#v", m)
		}
	})
}
