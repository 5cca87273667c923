package session

import "net"

// socket is what lies below a connection, for its reader, which reads and writes
// what goes at once, and does not wait.
type socket interface {
	// TryRead reads what is there. It returns 0 if that is nothing, or the end, or
	// an error: whoever reads then sees which.
	TryRead(b []byte) int
	// TryWrite writes what the socket takes at once. last: the stream is ended
	// right after it.
	TryWrite(b []byte, last bool) (int, error)
	// NothingUnread reports whether there is no input now.
	NothingUnread() bool
}

// direct returns the socket below nc, nil if there is none: then only the writer
// writes.
func direct(nc net.Conn) socket {
	if s, ok := nc.(socket); ok {
		return s
	}
	return netDirect(nc)
}
