// Package tcp is TCP sockets for a server whose connections wait often and
// briefly: for the next step of a handshake, an acknowledgement, a request.
//
// Package net tells Go's scheduler of each system call and of each socket. That
// is right for calls that may block and for a few sockets; for a connection that
// lives for twenty short calls it is most of the work that is not the system's.
// On Linux the sockets here have a poller of their own, which is one descriptor
// to Go's poller, and calls that cannot block are made as such. On other systems
// they are package net's.
//
// Used by package server for AMQP listeners; docs/decisions/010 says why.
package tcp

import (
	"context"
	"net"
	"syscall"
)

// Options are what sockets differ in from the defaults, which are: TCP_NODELAY,
// and silent peers are probed by the system.
type Options struct {
	Delay       bool // gather small segments (Nagle)
	NoKeepAlive bool
	SendBuffer  int // bytes; 0: the system's choice
	RecvBuffer  int
}

// Listen listens on "host:port". The options are the listener's, from which
// connections have them, where the system does that.
func Listen(addr string, o Options) (net.Listener, error) {
	var err error
	lc := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		cerr := c.Control(func(fd uintptr) { err = o.set(fd) })
		if cerr != nil {
			return cerr
		}
		return err
	}}
	lc.SetMultipathTCP(false) // Go's default, which makes each accept dearer
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	return own(ln.(*net.TCPListener), o)
}
