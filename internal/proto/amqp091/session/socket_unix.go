//go:build unix

package session

import (
	"net"
	"syscall"
)

// socket is the socket below a connection, for its reader, which reads and
// writes what goes at once, and does not wait.
type socket struct {
	raw syscall.RawConn

	// Of the call under way. The functions are made once, so that a call
	// allocates nothing.
	b           []byte
	n           int
	err         error
	last        bool // after what is written comes the end
	write, read func(fd uintptr) bool
}

// direct returns the socket below nc, nil if there is none: then only the writer
// writes.
func direct(nc net.Conn) *socket {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.write = func(fd uintptr) bool {
		if s.last {
			return s.once(int(fd), writeLast)
		}
		return s.once(int(fd), syscall.Write)
	}
	s.read = func(fd uintptr) bool { return s.once(int(fd), syscall.Read) }
	return s
}

func (s *socket) once(fd int, call func(fd int, b []byte) (int, error)) bool {
	for {
		if s.n, s.err = call(fd, s.b); s.err != syscall.EINTR {
			return true
		}
	}
}

// tryWrite writes what the socket takes at once. last: the stream is ended right
// after it.
func (s *socket) tryWrite(b []byte, last bool) (n int, err error) {
	s.b, s.last = b, last
	werr := s.raw.Write(s.write)
	s.b = nil
	switch {
	case werr != nil:
		return 0, werr
	case s.err == syscall.EAGAIN:
		return 0, nil
	}
	return max(s.n, 0), s.err
}

// tryRead reads what is there. It returns 0 if that is nothing, or the end, or
// an error: whoever reads then sees which.
func (s *socket) tryRead(b []byte) (n int) {
	s.b, s.n = b, 0
	rerr := s.raw.Read(s.read)
	s.b = nil
	if rerr != nil || s.err != nil {
		return 0
	}
	return max(s.n, 0)
}

// nothingUnread reports whether the socket has no input now.
func (s *socket) nothingUnread() bool {
	var b [1]byte
	s.b = b[:]
	rerr := s.raw.Read(s.read)
	s.b = nil
	return rerr == nil && s.n <= 0 && (s.err == nil || s.err == syscall.EAGAIN)
}
