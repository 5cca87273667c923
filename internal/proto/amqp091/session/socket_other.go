//go:build !unix

package session

import (
	"net"
	"syscall"
)

// direct: here only the writer writes.
func direct(net.Conn) syscall.RawConn { return nil }

func tryWrite(syscall.RawConn, []byte) (int, error) { return 0, nil }

func nothingUnread(syscall.RawConn) bool { return false }
