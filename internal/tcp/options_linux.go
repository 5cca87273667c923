package tcp

import (
	"os"
	"syscall"
)

// set sets the options of a listening socket, from which those that it accepts
// have them.
func (o *Options) set(fd uintptr) error {
	type option struct{ level, name, value int }
	var opts []option
	if !o.Delay {
		opts = append(opts, option{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1})
	}
	if !o.NoKeepAlive {
		opts = append(opts,
			option{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			option{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, keepIdle},
			option{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, keepInterval},
			option{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, keepCount})
	}
	if o.SendBuffer > 0 {
		opts = append(opts, option{syscall.SOL_SOCKET, syscall.SO_SNDBUF, o.SendBuffer})
	}
	if o.RecvBuffer > 0 {
		opts = append(opts, option{syscall.SOL_SOCKET, syscall.SO_RCVBUF, o.RecvBuffer})
	}
	for _, p := range opts {
		if err := syscall.SetsockoptInt(int(fd), p.level, p.name, p.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
