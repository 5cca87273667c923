// Package listen is sockets: accepting connections and setting their options.
package listen

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// TCP listens on "host:port".
func TCP(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// Accept waits for a connection. Errors that pass (no more file descriptors)
// are waited out; it fails when the listener is closed.
func Accept(ln net.Listener, logger *slog.Logger) (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		nc, err := ln.Accept()
		if err == nil {
			if t, ok := nc.(*net.TCPConn); ok {
				t.SetNoDelay(true)
			}
			return nc, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		logger.Error("accept failed", "addr", ln.Addr().String(), "err", err)
		time.Sleep(wait)
	}
}
