// Package listen is sockets: accepting connections and setting their options.
package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// TCP listens on "host:port". Silent peers are probed by the system: the options
// are the listener's, from which connections have them, where the system does
// that, so that accepting one costs fewer system calls.
func TCP(addr string) (net.Listener, error) {
	lc := net.ListenConfig{Control: keepAlive}
	if inherits {
		lc.KeepAlive = -1
	}
	return lc.Listen(context.Background(), "tcp", addr)
}

// Accept waits for a connection. Errors that pass (no more file descriptors)
// are waited out; it fails when the listener is closed.
func Accept(ln net.Listener, logger *slog.Logger) (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		nc, err := ln.Accept()
		if err == nil {
			return nc, nil // net has set TCP_NODELAY
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		logger.Error("accept failed", "addr", ln.Addr().String(), "err", err)
		time.Sleep(wait)
	}
}
