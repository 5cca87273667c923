package tcp_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/warrenmq/warren/internal/tcp"
)

func listenOn(t testing.TB, addr string, o tcp.Options) net.Listener {
	t.Helper()
	ln, err := tcp.Listen(addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// pair is a connection: its end of package net, and ours.
func pair(t testing.TB, ln net.Listener) (peer *net.TCPConn, mine net.Conn) {
	t.Helper()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if mine, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mine.Close() })
	return nc.(*net.TCPConn), mine
}

// A connection is what every net.Conn is.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		ln, err := tcp.Listen("127.0.0.1:0", tcp.Options{})
		if err != nil {
			return nil, nil, nil, err
		}
		if c1, err = net.Dial("tcp", ln.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if c2, err = ln.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return c2, c1, func() { c1.Close(); c2.Close(); ln.Close() }, nil
	})
}

// Addresses are what package net would say, whatever the listener listens on.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ listen, dial, host string }{
		{"127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{":0", "127.0.0.1", "127.0.0.1"},
		{"[::]:0", "::1", "::1"},
		{"[::1]:0", "::1", "::1"},
	} {
		ln, err := tcp.Listen(c.listen, tcp.Options{})
		if err != nil && c.dial == "::1" {
			t.Logf("no IPv6 here: %v", err)
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		peer, err := net.Dial("tcp", net.JoinHostPort(c.dial, port))
		if err != nil && c.dial == "::1" {
			t.Logf("no IPv6 here: %v", err)
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		mine, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer mine.Close()
		if got, want := mine.LocalAddr().String(), net.JoinHostPort(c.host, port); got != want {
			t.Errorf("listening on %s, dialled %s: the local address is %s, want %s", c.listen, c.dial, got, want)
		}
		if got, want := mine.RemoteAddr().String(), peer.LocalAddr().String(); got != want {
			t.Errorf("listening on %s: the remote address is %s, want %s", c.listen, got, want)
		}
	}
}

// Much more than the system buffers goes through in both directions, in pieces
// of all sizes, to a reader who is slow at first.
func TestMuch(t *testing.T) {
	peer, mine := pair(t, listenOn(t, "127.0.0.1:0", tcp.Options{SendBuffer: 16 << 10, RecvBuffer: 16 << 10}))
	data := make([]byte, 8<<20)
	rand.Read(data)
	var all sync.WaitGroup
	send := func(w io.Writer, shut func() error) {
		defer shut()
		bufs, ok := w.(interface {
			WriteBuffers(*net.Buffers) (int64, error)
		})
		for rest, size := data, 1; len(rest) > 0; size = size*3%(200<<10) + 1 {
			piece := rest[:min(size, len(rest))]
			rest = rest[len(piece):]
			if ok && size%2 == 0 {
				v := net.Buffers{piece[:len(piece)/3], nil, piece[len(piece)/3:]}
				if n, err := bufs.WriteBuffers(&v); err != nil || n != int64(len(piece)) || len(v) != 0 {
					t.Errorf("WriteBuffers: %d, %v, %d left", n, err, len(v))
					return
				}
			} else if n, err := w.Write(piece); err != nil || n != len(piece) {
				t.Errorf("Write: %d, %v", n, err)
				return
			}
		}
	}
	receive := func(who string, r io.Reader) {
		await(t, func() bool { _, write := tcp.Waits(mine); return write })
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v; sent were %d", who, len(got), err, len(data))
		}
	}
	all.Go(func() { send(peer, peer.CloseWrite) })
	all.Go(func() { send(mine, mine.(interface{ CloseWrite() error }).CloseWrite) })
	all.Go(func() { receive("the peer", peer) })
	all.Go(func() { receive("we", mine) })
	all.Wait()
}

// The end of the stream is seen when it comes together with the last data, and
// when it comes later.
func TestEnd(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
	for _, later := range []bool{false, true} {
		peer, mine := pair(t, ln)
		peer.Write([]byte("bye"))
		if !later {
			peer.CloseWrite()
			await(t, func() bool { return tcp.Ragged(mine) })
		}
		b := make([]byte, 100)
		if n, err := mine.Read(b); err != nil || string(b[:n]) != "bye" {
			t.Fatalf("read %q, %v", b[:n], err)
		}
		if later {
			time.AfterFunc(10*time.Millisecond, func() { peer.CloseWrite() })
		}
		if n, err := mine.Read(b); err != io.EOF || n != 0 {
			t.Fatalf("read %q, %v", b[:n], err)
		}
		if n, err := mine.Read(b); err != io.EOF || n != 0 {
			t.Fatalf("read again %q, %v", b[:n], err)
		}
		mine.Write([]byte("you too"))
		mine.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(peer); err != nil || string(got) != "you too" {
			t.Fatalf("the peer read %q, %v", got, err)
		}
	}
}

// await waits until something is so.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for begin := time.Now(); !is(); time.Sleep(100 * time.Microsecond) {
		if time.Since(begin) > 10*time.Second {
			t.Error("waited for too long")
			return
		}
	}
}

// A peer that is gone is an error of reading and of writing.
func TestReset(t *testing.T) {
	peer, mine := pair(t, listenOn(t, "127.0.0.1:0", tcp.Options{}))
	time.AfterFunc(10*time.Millisecond, func() { peer.SetLinger(0); peer.Close() })
	_, err := mine.Read(make([]byte, 10))
	var op *net.OpError
	if !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &op) || op.Op != "read" || op.Addr != mine.RemoteAddr() {
		t.Errorf("read: %v", err)
	}
	if _, err := mine.Write([]byte("hello")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: %v", err)
	}
}

// Closing ends a Read and a Write that wait, and the descriptor is free when they
// have returned.
func TestCloseEndsCalls(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{SendBuffer: 4096})
	peer, mine := pair(t, ln)
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := mine.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	})
	all.Go(func() {
		if _, err := mine.Write(make([]byte, 64<<20)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v", err)
		}
	})
	await(t, func() bool { read, write := tcp.Waits(mine); return read && write })
	if err := mine.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if err := mine.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if _, err := mine.Read(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after: %v", err)
	}
	if err := mine.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("deadline after: %v", err)
	}
	io.Copy(io.Discard, peer) // ends, as the descriptor is closed
}

// A deadline that is set while a Read waits ends it, one that is taken back does
// not, and a new one counts.
func TestDeadlines(t *testing.T) {
	peer, mine := pair(t, listenOn(t, "127.0.0.1:0", tcp.Options{}))
	read := func() (string, error) {
		b := make([]byte, 10)
		n, err := mine.Read(b)
		return string(b[:n]), err
	}
	time.AfterFunc(10*time.Millisecond, func() { mine.SetReadDeadline(time.Now()) })
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("set while waiting: %q, %v", got, err)
	}
	peer.Write([]byte("a"))
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("over, with input: %q, %v", got, err)
	}
	mine.SetReadDeadline(time.Time{})
	if got, err := read(); got != "a" || err != nil {
		t.Errorf("taken back: %q, %v", got, err)
	}
	mine.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	time.AfterFunc(time.Millisecond, func() { mine.SetReadDeadline(time.Now().Add(time.Hour)) })
	time.AfterFunc(50*time.Millisecond, func() { peer.Write([]byte("b")) })
	if got, err := read(); got != "b" || err != nil {
		t.Errorf("put off: %q, %v", got, err)
	}
	begin := time.Now()
	mine.SetReadDeadline(begin.Add(30 * time.Millisecond))
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) < 30*time.Millisecond {
		t.Errorf("nearer again: %q, %v after %v", got, err, time.Since(begin))
	}
}

// A deadline that has come ends a call though there is something to read, and room
// to write: a peer that sends without an end cannot hold us up.
func TestDeadlineWithoutWait(t *testing.T) {
	peer, mine := pair(t, listenOn(t, "127.0.0.1:0", tcp.Options{}))
	peer.Write([]byte("a"))
	await(t, func() bool { return tcp.Told(mine) })
	until := time.Now().Add(time.Millisecond)
	mine.SetDeadline(until)
	await(t, func() bool { return time.Now().After(until) })
	if n, err := mine.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %d, %v", n, err)
	}
	if n, err := mine.Write([]byte("b")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %d, %v", n, err)
	}
	if w, ok := mine.(interface {
		WriteBuffers(*net.Buffers) (int64, error)
	}); ok {
		if n, err := w.WriteBuffers(&net.Buffers{[]byte("b")}); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write buffers: %d, %v", n, err)
		}
	}
}

// Accept waits, and ends when the listener is closed; the port is free then.
func TestListener(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
	done := make(chan error)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				done <- err
				return
			}
			nc.Write([]byte("hi"))
			nc.Close()
		}
	}()
	for range 100 {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(nc); string(got) != "hi" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		nc.Close()
	}
	ln.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	again, err := tcp.Listen(ln.Addr().String(), tcp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if _, err := tcp.Listen("127.0.0.1:99999", tcp.Options{}); err == nil {
		t.Error("listens on a port that there is not")
	}
}

// Nothing is left when a listener and what it has accepted are closed, in any
// order: no goroutine, no descriptor.
func TestNothingIsLeft(t *testing.T) {
	before := descriptors(t)
	for _, listenerFirst := range []bool{true, false} {
		ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
		peer, mine := pair(t, ln)
		if listenerFirst {
			ln.Close()
			peer.Write([]byte("x"))
			if n, err := mine.Read(make([]byte, 10)); n != 1 || err != nil {
				t.Errorf("after the listener was closed: %d, %v", n, err)
			}
		}
		peer.Close()
		mine.Close()
		ln.Close()
	}
	for i := 0; ; i++ {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := descriptors(t) - before
		if left <= 0 && !bytes.Contains(stacks, []byte("poller")) {
			return
		}
		if i == 1000 {
			t.Fatalf("%d descriptors are left, and goroutines:\n%s", left, stacks)
		}
		time.Sleep(time.Millisecond)
	}
}

// descriptors counts the open ones.
func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(fds)
}

// Many connections come, talk and go at once: descriptors are numbered again all
// the time, and nobody gets what is another's.
func TestManyComeAndGo(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer nc.Close()
				b := make([]byte, 64)
				for {
					n, err := nc.Read(b)
					if err != nil {
						return
					}
					if _, err := nc.Write(b[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	var clients sync.WaitGroup
	for k := range 8 {
		clients.Go(func() {
			for i := range 150 {
				nc, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				nc.SetDeadline(time.Now().Add(20 * time.Second))
				b, got := []byte{byte(k), byte(i), 0}, make([]byte, 3)
				for j := range 5 {
					b[2] = byte(j)
					nc.Write(b)
					if _, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(b, got) {
						t.Errorf("sent %v, got %v, %v", b, got, err)
					}
				}
				if i%3 == 0 {
					nc.(*net.TCPConn).SetLinger(0)
				}
				nc.Close()
			}
		})
	}
	clients.Wait()
	ln.Close()
	all.Wait()
}
