package session

import (
	"log/slog"
	"net"
	"testing"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// tcpConn is a connection whose reader can write by itself, and its peer's end.
func tcpConn(t *testing.T) (*Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close(); nc.Close() })
	s := &Server{Logger: slog.New(slog.DiscardHandler)}
	return s.newConn(nc), peer
}

// What the reader could not send, and what came after it, is the writer's, in
// this order, whoever comes first.
func TestReaderLeavesRestToWriter(t *testing.T) {
	c, _ := tcpConn(t)
	o := &c.out
	o.writer.Store(never)
	for range 50_000 {
		o.full, o.cur = [][]byte{[]byte("rest")}, []byte("more")
		o.size.Store(8)
		var got []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for wrote := false; len(got) < 2; {
				var chunks [][]byte
				chunks, _ = o.take(nil, wrote)
				for _, b := range chunks {
					got = append(got, string(b))
				}
				wrote = len(chunks) > 0
			}
			o.finished()
		}()
		c.sendNow()
		<-done
		if got[0] != "rest" || got[1] != "more" {
			t.Fatalf("the writer was given %q", got)
		}
	}
}

// What the reader sends counts as sent.
func TestReaderCountsWhatItSends(t *testing.T) {
	c, peer := tcpConn(t)
	c.answer(1, wire.ChannelOpenOk{})
	c.sendNow()
	b := make([]byte, 64)
	n, err := peer.Read(b)
	if tr := c.Traffic(); err != nil || tr.SendBytes != uint64(n) || tr.SendCount != 1 || tr.SendPending != 0 {
		t.Errorf("%d bytes came, %+v, %v", n, tr, err)
	}
}

func TestEndpoint(t *testing.T) {
	for _, c := range []struct {
		addr net.Addr
		want endpoint
	}{
		{&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5672}, endpoint{"10.1.2.3", "10.1.2.3:5672", 5672, true}},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "eth0"}, endpoint{"fe80::1%eth0", "[fe80::1%eth0]:7", 7, true}},
		{&net.TCPAddr{Port: 7}, endpoint{"", ":7", 7, true}},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, endpoint{"/run/x", "/run/x", 0, false}},
	} {
		if got := endpointOf(c.addr); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.addr, got, c.want)
		}
	}
}

// Our own end is told anew when it is another.
func TestHere(t *testing.T) {
	s := new(Server)
	for _, a := range []net.Addr{
		&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5672}, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5672},
		&net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5671}, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 4), Port: 5671},
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "eth0"}, &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "eth1"},
		&net.UnixAddr{Name: "/run/x", Net: "unix"},
	} {
		if got := s.here(a); got != endpointOf(a) {
			t.Errorf("%v: %+v", a, got)
		}
	}
}
