//go:build unix

package session

import (
	"net"
	"syscall"
)

// direct returns the socket below nc, nil if there is none: then only the writer
// writes.
func direct(nc net.Conn) syscall.RawConn {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// tryWrite writes what the socket takes at once.
func tryWrite(raw syscall.RawConn, b []byte) (n int, err error) {
	werr := raw.Write(func(fd uintptr) bool {
		for {
			if n, err = syscall.Write(int(fd), b); err != syscall.EINTR {
				return true
			}
		}
	})
	switch {
	case werr != nil:
		return 0, werr
	case err == syscall.EAGAIN:
		return 0, nil
	}
	return max(n, 0), err
}

// nothingUnread reports whether the socket has no input now.
func nothingUnread(raw syscall.RawConn) bool {
	var b [1]byte
	n, err := 0, error(nil)
	rerr := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), b[:])
		return true
	})
	return rerr == nil && n <= 0 && (err == nil || err == syscall.EAGAIN)
}
