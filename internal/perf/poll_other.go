//go:build !unix

package perf

import "net"

// polling: here a reader sleeps.
func polling(nc net.Conn) func([]byte) (int, error) { return nc.Read }
