//go:build linux && (amd64 || arm64)

package tcp

import "net"

// Waits reports whether a Read, and whether a Write, of the connection waits.
func Waits(nc net.Conn) (read, write bool) {
	c := nc.(*Conn)
	return c.in.wanted.Load(), c.out.wanted.Load()
}

// Told reports whether the poller has told of input; Ragged, whether of its end
// or of urgent data, too.
func Told(nc net.Conn) bool { return len(nc.(*Conn).in.wake) > 0 }

// Ragged is described with Told.
func Ragged(nc net.Conn) bool { return nc.(*Conn).ragged.Load() }
