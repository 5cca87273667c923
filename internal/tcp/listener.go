//go:build linux && (amd64 || arm64)

package tcp

import (
	"encoding/binary"
	"net"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// listener accepts Conns.
type listener struct {
	sock
	addr *net.TCPAddr
	any  bool // it listens on all addresses: which one a connection has is asked for
	name sockaddr
}

// own takes a listening socket from package net, which has made and bound it.
func own(ln *net.TCPListener, _ Options) (net.Listener, error) {
	defer ln.Close()
	raw, err := ln.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd uintptr
	var errno syscall.Errno
	err = raw.Control(func(theirs uintptr) {
		fd, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, theirs, syscall.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	p, err := newPoller()
	if err != nil {
		syscall.Close(int(fd))
		return nil, err
	}
	addr := ln.Addr().(*net.TCPAddr)
	l := &listener{addr: addr, any: addr.IP.IsUnspecified()}
	if err := l.open(p, int(fd)); err != nil {
		return nil, err
	}
	return l, nil
}

// Addr implements [net.Listener].
func (l *listener) Addr() net.Addr { return l.addr }

// Close implements [net.Listener]. It ends the Accepts under way, and waits for
// that, as the port is not free before.
func (l *listener) Close() error {
	if !l.close() {
		return l.failed("close", net.ErrClosed)
	}
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	return nil
}

func (l *listener) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.addr, Err: syscallError(op, err)}
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	l.in.mu.Lock() // until it has left: Close waits for this
	defer l.in.mu.Unlock()
	if !l.enter() {
		return nil, l.failed("accept", net.ErrClosed)
	}
	defer l.leave()
	for {
		l.in.taken()
		size := uint32(len(l.name))
		fd, _, errno := syscall.RawSyscall6(syscall.SYS_ACCEPT4, uintptr(l.fd), uintptr(unsafe.Pointer(&l.name)), uintptr(unsafe.Pointer(&size)),
			syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			return l.accepted(int(fd))
		case syscall.EINTR, syscall.ECONNABORTED:
		case syscall.EAGAIN:
			if err := l.await(); err != nil {
				return nil, l.failed("accept", err)
			}
		default:
			return nil, l.failed("accept", os.NewSyscallError("accept4", errno))
		}
	}
}

func (l *listener) accepted(fd int) (net.Conn, error) {
	remote, local := l.name.addr(), l.addr
	if l.any {
		size := uint32(len(l.name))
		_, _, errno := syscall.RawSyscall(syscall.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&l.name)), uintptr(unsafe.Pointer(&size)))
		if errno != 0 {
			syscall.Close(fd)
			return nil, l.failed("accept", os.NewSyscallError("getsockname", errno))
		}
		local = l.name.addr()
	}
	c, err := newConn(l.poller, fd, local, remote)
	if err != nil {
		return nil, l.failed("accept", err)
	}
	return c, nil
}

// sockaddr is the system's form of an address, of IPv4 or IPv6.
type sockaddr [syscall.SizeofSockaddrInet6]byte

func (a *sockaddr) addr() *net.TCPAddr {
	t := &net.TCPAddr{Port: int(binary.BigEndian.Uint16(a[2:]))}
	if binary.NativeEndian.Uint16(a[:]) == syscall.AF_INET {
		t.IP = net.IP(append([]byte(nil), a[4:8]...))
		return t
	}
	t.IP = net.IP(append([]byte(nil), a[8:24]...))
	if scope := binary.NativeEndian.Uint32(a[24:]); scope != 0 {
		t.Zone = strconv.FormatUint(uint64(scope), 10)
		if i, err := net.InterfaceByIndex(int(scope)); err == nil {
			t.Zone = i.Name
		}
	}
	return t
}
