//go:build unix

package session

import (
	"net"
	"testing"
)

// loopback is a connection's both ends.
func loopback(t *testing.T) (peer, mine net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if peer, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if mine, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mine.Close() })
	return peer, mine
}

// A reader that polled in vain a few times stops for a while, and tries again.
func TestPoll(t *testing.T) {
	peer, mine := loopback(t)
	s := direct(mine)
	buf := make([]byte, 100)
	var p poll
	send := func(text string) {
		t.Helper()
		if _, err := peer.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send("now")
	if n := p.read(s, buf); n != 0 {
		t.Error("read although it was not asked to")
	}
	n := 0
	for n == 0 { // the system may take its time
		p = poll{on: true}
		n = p.read(s, buf)
	}
	if string(buf[:n]) != "now" || p.on || p.misses > 0 {
		t.Errorf("read %q, then %+v", buf[:n], p)
	}
	for range pollMisses {
		if p.skip > 0 {
			t.Fatal("gave up too early")
		}
		p.on = true
		if n := p.read(s, buf); n != 0 {
			t.Errorf("read %d bytes of nothing", n)
		}
	}
	if p.skip != pollSkip {
		t.Errorf("nothing came %d times: %+v", pollMisses, p)
	}
	send("later")
	for p.skip > 0 {
		p.on = true
		if n := p.read(s, buf); n != 0 {
			t.Error("did not leave it out")
		}
	}
	for n = 0; n == 0; {
		p = poll{on: true, misses: p.misses}
		n = p.read(s, buf)
	}
	if string(buf[:n]) != "later" || p.misses != 0 {
		t.Errorf("read %q, then %+v", buf[:n], p)
	}
	peer.Close()
	if _, err := mine.Read(buf); err == nil {
		t.Error("no end")
	}
	if p.on = true; p.read(s, buf) != 0 { // the end is for Read to tell
		t.Error("read behind the end")
	}
}

// What the reader does by itself for each confirm asks for no memory.
func TestSocketAllocates(t *testing.T) {
	peer, mine := loopback(t)
	s := direct(mine)
	out, in := []byte("confirm"), make([]byte, 100)
	n := testing.AllocsPerRun(100, func() {
		if n, err := s.TryWrite(out, false); n != len(out) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		s.TryRead(in)
		peer.Read(in)
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
