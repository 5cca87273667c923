//go:build !unix

package session

import "net"

// socket is not for this system.
type socket struct{}

// direct: here only the writer writes.
func direct(net.Conn) *socket { return nil }

func (*socket) tryWrite([]byte, bool) (int, error) { return 0, nil }

func (*socket) tryRead([]byte) int { return 0 }

func (*socket) nothingUnread() bool { return false }
