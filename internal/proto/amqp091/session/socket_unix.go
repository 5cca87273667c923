//go:build unix

package session

import (
	"net"
	"syscall"
)

// netSocket is the socket of one of package net's connections.
type netSocket struct {
	raw syscall.RawConn

	// Of the call under way. The functions are made once, so that a call
	// allocates nothing.
	b           []byte
	n           int
	err         error
	last        bool // after what is written comes the end
	write, read func(fd uintptr) bool
}

func netDirect(nc net.Conn) socket {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	s := &netSocket{raw: raw}
	s.write = func(fd uintptr) bool {
		if s.last {
			return s.once(int(fd), writeLast)
		}
		return s.once(int(fd), syscall.Write)
	}
	s.read = func(fd uintptr) bool { return s.once(int(fd), syscall.Read) }
	return s
}

func (s *netSocket) once(fd int, call func(fd int, b []byte) (int, error)) bool {
	for {
		if s.n, s.err = call(fd, s.b); s.err != syscall.EINTR {
			return true
		}
	}
}

func (s *netSocket) TryWrite(b []byte, last bool) (n int, err error) {
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

func (s *netSocket) TryRead(b []byte) (n int) {
	s.b, s.n = b, 0
	rerr := s.raw.Read(s.read)
	s.b = nil
	if rerr != nil || s.err != nil {
		return 0
	}
	return max(s.n, 0)
}

func (s *netSocket) NothingUnread() bool {
	var b [1]byte
	s.b = b[:]
	rerr := s.raw.Read(s.read)
	s.b = nil
	return rerr == nil && s.n <= 0 && (s.err == nil || s.err == syscall.EAGAIN)
}
