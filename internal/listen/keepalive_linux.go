package listen

import "syscall"

// inherits says that accepted connections have the options of their listener.
const inherits = true

// How long a connection is silent before it is probed, how often, and after how
// many probes it is given up: Go's own defaults.
const (
	keepIdle     = 15
	keepInterval = 15
	keepCount    = 9
)

func keepAlive(_, _ string, c syscall.RawConn) error {
	var err error
	cerr := c.Control(func(fd uintptr) {
		for _, o := range [...]struct{ level, name, value int }{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, keepIdle},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, keepInterval},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, keepCount},
		} {
			if err == nil {
				err = syscall.SetsockoptInt(int(fd), o.level, o.name, o.value)
			}
		}
	})
	if cerr != nil {
		return cerr
	}
	return err
}
