package tcp_test

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/tcp"
)

// Urgent data, which is not for us, ends a read in the middle of what is there:
// the rest is read without anything new to happen.
func TestUrgent(t *testing.T) {
	peer, mine := pair(t, listenOn(t, "127.0.0.1:0", tcp.Options{}))
	raw, err := peer.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	peer.Write([]byte("abc"))
	raw.Control(func(fd uintptr) { err = syscall.Sendto(int(fd), []byte("!"), syscall.MSG_OOB, nil) })
	if err != nil {
		t.Fatal(err)
	}
	peer.Write([]byte("def"))
	await(t, func() bool { return tcp.Ragged(mine) })
	defer time.AfterFunc(5*time.Second, func() { mine.Close() }).Stop()
	got, b := "", make([]byte, 100)
	for len(got) < 6 {
		n, err := mine.Read(b)
		if got += string(b[:n]); err != nil {
			t.Fatalf("%q, then %v; want the rest", got, err)
		}
	}
	if got != "abcdef" {
		t.Errorf("read %q", got)
	}
}

// A peer that takes nothing and then is gone ends a Write that waits for room.
func TestResetEndsWrite(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{SendBuffer: 4096, RecvBuffer: 4096})
	for range 20 {
		peer, mine := pair(t, ln)
		done := make(chan error, 1)
		go func() {
			_, err := mine.Write(make([]byte, 8<<20))
			done <- err
		}()
		peer.Read(make([]byte, 1)) // it writes
		peer.SetLinger(0)
		peer.Close()
		if err := <-done; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: %v", err)
		}
	}
}

// A port is free as soon as its listener is closed, whoever was waiting there.
func TestPortIsFree(t *testing.T) {
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
	addr := ln.Addr().String()
	for range 300 {
		var all sync.WaitGroup
		accepting := make(chan bool)
		for range 2 {
			all.Go(func() {
				accepting <- true
				if nc, err := ln.Accept(); err == nil {
					t.Errorf("accepted %v", nc.RemoteAddr())
				}
			})
		}
		<-accepting
		<-accepting
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		next, err := tcp.Listen(addr, tcp.Options{})
		all.Wait()
		if err != nil {
			t.Fatal(err)
		}
		ln = next
	}
	ln.Close()
}

// When there are no more descriptors, Accept says so, and goes on when there are.
func TestNoDescriptors(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	ln := listenOn(t, "127.0.0.1:0", tcp.Options{})
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	none := was
	none.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err = ln.Accept()
	if serr := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); serr != nil {
		t.Fatal(serr)
	}
	if ne, ok := err.(*net.OpError); !ok || !ne.Temporary() || ne.Op != "accept" {
		t.Errorf("without descriptors: %v", err)
	}
	mine, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if mine.RemoteAddr().String() != peer.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", mine.RemoteAddr(), peer.LocalAddr())
	}
}
