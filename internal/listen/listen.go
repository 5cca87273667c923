// Package listen is what comes before a protocol on a socket: accepting
// connections, TLS, the PROXY protocol.
package listen

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// Accept waits for a connection. Errors that pass (no more file descriptors)
// are waited out; it fails when the listener is closed.
func Accept(ln net.Listener, logger *slog.Logger) (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		nc, err := ln.Accept()
		if err == nil {
			return nc, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		logger.Error("accept failed", "addr", ln.Addr().String(), "err", err)
		time.Sleep(wait)
	}
}
