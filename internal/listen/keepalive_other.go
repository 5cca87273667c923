//go:build !linux

package listen

import "syscall"

const inherits = false

func keepAlive(_, _ string, _ syscall.RawConn) error { return nil } // net does it
