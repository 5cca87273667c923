//go:build unix && !linux

package session

import "syscall"

func writeLast(fd int, b []byte) (int, error) { return syscall.Write(fd, b) }
