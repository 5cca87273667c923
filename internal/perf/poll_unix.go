//go:build unix

package perf

import (
	"io"
	"net"
	"syscall"
)

// polling returns a Read that does not sleep: it asks the socket until there is
// something.
func polling(nc net.Conn) func([]byte) (int, error) {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nc.Read
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nc.Read
	}
	var buf []byte
	var n int
	var rerr error
	ask := func(fd uintptr) bool {
		n, rerr = syscall.Read(int(fd), buf)
		return true
	}
	return func(b []byte) (int, error) {
		buf = b
		for {
			if err := raw.Read(ask); err != nil {
				return 0, err
			}
			switch {
			case rerr == syscall.EAGAIN, rerr == syscall.EINTR:
			case rerr != nil:
				return 0, rerr
			case n == 0:
				return 0, io.EOF
			default:
				return n, nil
			}
		}
	}
}
