package server

import (
	"net"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/listen"
)

// What tcp_listen_options ask for is what accepted sockets have.
func TestSocketOptions(t *testing.T) {
	for _, c := range []struct {
		o                  SocketOptions
		noDelay, keepAlive int
	}{
		{SocketOptions{}, 1, 1},
		{SocketOptions{NoKeepAlive: true}, 1, 0},
		{SocketOptions{Delay: true, SendBuffer: 40_000, RecvBuffer: 50_000}, 0, 1},
	} {
		ln, err := listen.TCP("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		peer, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c.o.apply(nc)
		raw, err := nc.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			for _, w := range []struct {
				name               string
				level, option, val int
			}{
				{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, c.noDelay},
				{"SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, c.keepAlive},
				{"SO_SNDBUF", syscall.SOL_SOCKET, syscall.SO_SNDBUF, 2 * c.o.SendBuffer}, // Linux doubles it
				{"SO_RCVBUF", syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2 * c.o.RecvBuffer},
			} {
				got, err := syscall.GetsockoptInt(int(fd), w.level, w.option)
				if err != nil {
					t.Error(err)
				}
				if w.val == 0 && w.level == syscall.SOL_SOCKET && w.option != syscall.SO_KEEPALIVE {
					continue // the system's choice
				}
				if (got != 0) != (w.val != 0) || w.val > 1 && got != w.val {
					t.Errorf("%+v: %s is %d, want %d", c.o, w.name, got, w.val)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
