//go:build amd64 || arm64

package tcp

import (
	"net"
	"syscall"
	"testing"
)

// Accepted sockets have the options that were asked for.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o                  Options
		noDelay, keepAlive int
	}{
		{Options{}, 1, 1},
		{Options{NoKeepAlive: true}, 1, 0},
		{Options{Delay: true, SendBuffer: 40_000, RecvBuffer: 50_000}, 0, 1},
	} {
		ln, err := Listen("127.0.0.1:0", c.o)
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
		for _, w := range []struct {
			name               string
			level, option, val int
		}{
			{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, c.noDelay},
			{"SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, c.keepAlive},
			{"TCP_KEEPIDLE", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, c.keepAlive * keepIdle},
			{"TCP_KEEPINTVL", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, c.keepAlive * keepInterval},
			{"TCP_KEEPCNT", syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, c.keepAlive * keepCount},
			{"SO_SNDBUF", syscall.SOL_SOCKET, syscall.SO_SNDBUF, 2 * c.o.SendBuffer}, // Linux doubles it
			{"SO_RCVBUF", syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2 * c.o.RecvBuffer},
		} {
			got, err := syscall.GetsockoptInt(nc.(*Conn).fd, w.level, w.option)
			if err != nil {
				t.Error(err)
			}
			if w.val == 0 && w.name != "TCP_NODELAY" && w.name != "SO_KEEPALIVE" {
				continue // the system's choice
			}
			if (got != 0) != (w.val != 0) || w.val > 1 && got != w.val {
				t.Errorf("%+v: %s is %d, want %d", c.o, w.name, got, w.val)
			}
		}
	}
}
