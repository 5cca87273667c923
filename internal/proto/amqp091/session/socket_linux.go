package session

import "syscall"

// writeLast writes what is followed by the end of the stream: the system may send
// both in one packet.
func writeLast(fd int, b []byte) (int, error) {
	return syscall.SendmsgN(fd, b, nil, nil, syscall.MSG_MORE|syscall.MSG_NOSIGNAL)
}
