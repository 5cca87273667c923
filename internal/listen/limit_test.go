package listen

import (
	"errors"
	"net"
	"testing"
)

// Who comes when all places are taken waits, and is served when one is free.
func TestLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Limited(inner, 2)
	accepted := make(chan net.Conn)
	ended := make(chan error)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- nc
		}
	}()
	for range 3 {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third is let in")
	default:
	}
	first.Close()
	first.Close() // gives one place back, not two
	third := <-accepted
	if n := len(ln.(*limited).slots); n != 2 {
		t.Errorf("%d places are taken", n)
	}
	ln.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	second.Close()
	third.Close()
}
