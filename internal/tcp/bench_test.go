package tcp_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/tcp"
)

// BenchmarkHotExchange is a request and its answer, with a wait on both sides and
// deadlines as a connection's writer sets them.
func BenchmarkHotExchange(b *testing.B) {
	peer, mine := pair(b, listenOn(b, "127.0.0.1:0", tcp.Options{}))
	go func() {
		buf := make([]byte, 64)
		for {
			n, err := mine.Read(buf)
			if err != nil {
				return
			}
			mine.SetWriteDeadline(time.Now().Add(time.Minute))
			if _, err := mine.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64)
	for b.Loop() {
		if _, err := peer.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(peer, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHotWriteBuffers is what a writer with much to send does.
func BenchmarkHotWriteBuffers(b *testing.B) {
	peer, mine := pair(b, listenOn(b, "127.0.0.1:0", tcp.Options{}))
	go io.Copy(io.Discard, struct{ io.Reader }{peer})
	chunk := make([]byte, 16<<10)
	w := mine.(interface {
		WriteBuffers(*net.Buffers) (int64, error)
	})
	var vec [4][]byte
	bufs := new(net.Buffers)
	b.SetBytes(int64(len(vec) * len(chunk)))
	for b.Loop() {
		for i := range vec {
			vec[i] = chunk
		}
		*bufs = vec[:]
		if _, err := w.WriteBuffers(bufs); err != nil {
			b.Fatal(err)
		}
	}
}
