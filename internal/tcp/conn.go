//go:build linux && (amd64 || arm64)

package tcp

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Conn is a TCP connection. It is a [net.Conn] and has, as one of package net's,
// CloseWrite.
type Conn struct {
	sock
	local, remote net.Addr

	drained bool // all that the last event told of has been read; in.mu's
	much    bool // the last read filled a buffer; in.mu's
	iov     []syscall.Iovec
}

// newConn takes over a descriptor.
func newConn(p *poller, fd int, local, remote net.Addr) (*Conn, error) {
	c := &Conn{local: local, remote: remote}
	return c, c.open(p, fd)
}

// Close ends the calls under way, with [net.ErrClosed].
func (c *Conn) Close() error {
	if !c.close() {
		return c.failed("close", net.ErrClosed)
	}
	return nil
}

func (c *Conn) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: syscallError(op, err)}
}

// Read implements [net.Conn].
func (c *Conn) Read(b []byte) (int, error) {
	if !c.enter() {
		return 0, c.failed("read", net.ErrClosed)
	}
	defer c.leave()
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	n, err := c.read(b)
	return n, c.failed("read", err)
}

func (c *Conn) read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if c.in.late() {
		return 0, os.ErrDeadlineExceeded
	}
	for {
		if c.in.taken() || !c.drained || c.ragged.Load() {
			n, err := c.tryRead(b)
			if n > 0 || err != nil {
				return n, err
			}
		}
		if err := c.await(); err != nil {
			return 0, err
		}
		c.drained = false
	}
}

// tryRead reads what is there, and io.EOF if that is the end. What was notified
// before the call is what it looks for, so the caller has taken that.
func (c *Conn) tryRead(b []byte) (int, error) {
	for {
		n, errno := c.recv(b)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			c.drained = true
			return 0, nil
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		}
		c.drained = n < len(b)
		c.much = n == len(b) && n >= bulk
		return n, nil
	}
}

// bulk is the least buffer, in bytes, that is of somebody who reads much.
const bulk = 256

// recv asks the system. A reader that finds as much as it can take, again and
// again, never waits, and takes turns with others only if the scheduler's monitor
// is awake to see to that: such a read is one that the scheduler is told of, which
// wakes it.
func (c *Conn) recv(b []byte) (int, syscall.Errno) {
	if c.much {
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
		return moved(n, errno)
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return moved(n, errno)
}

// moved is how many bytes a system call says it has moved.
func moved(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// TryRead reads what is there, without waiting. It returns 0 if that is nothing,
// or the end, or an error: Read then says which.
func (c *Conn) TryRead(b []byte) int {
	if len(b) == 0 || !c.enter() {
		return 0
	}
	defer c.leave()
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.taken()
	n, err := c.tryRead(b)
	if err != nil {
		c.drained = false
	}
	return n
}

// NothingUnread reports whether there is no input now. What there is may be
// lost.
func (c *Conn) NothingUnread() bool {
	var b [1]byte
	return c.TryRead(b[:]) == 0
}

// Write implements [net.Conn].
func (c *Conn) Write(b []byte) (int, error) {
	if !c.enter() {
		return 0, c.failed("write", net.ErrClosed)
	}
	defer c.leave()
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	sent := 0
	err := c.write(func() (int, syscall.Errno) {
		n, errno := write(c.fd, b[sent:])
		sent += n
		return len(b) - sent, errno
	})
	return sent, c.failed("write", err)
}

// WriteBuffers writes them all, many in one system call. It takes what it has
// written away from them, as net.Buffers does.
func (c *Conn) WriteBuffers(bufs *net.Buffers) (sent int64, err error) {
	if !c.enter() {
		return 0, c.failed("writev", net.ErrClosed)
	}
	defer c.leave()
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	err = c.write(func() (int, syscall.Errno) {
		n, errno := c.writev(*bufs)
		sent += int64(n)
		consume(bufs, n)
		return len(*bufs), errno
	})
	return sent, c.failed("writev", err)
}

// write calls some until nothing is left. It waits for room in between.
func (c *Conn) write(some func() (left int, errno syscall.Errno)) error {
	defer func() {
		if c.out.wanted.Load() {
			c.out.wanted.Store(false)
		}
	}()
	for !c.closed() {
		if c.out.late() {
			return os.ErrDeadlineExceeded
		}
		left, errno := some()
		switch {
		case errno == syscall.EAGAIN && !c.out.wanted.Load():
			// The poller tells of room only who wants it, from now on; there may
			// be some already.
			if c.out.wake == nil {
				c.out.wake = make(chan struct{}, 1)
			}
			c.out.wanted.Store(true)
		case errno == syscall.EAGAIN:
			if err := c.out.wait(); err != nil {
				return err
			}
		case errno != 0 && errno != syscall.EINTR:
			return errno
		case left == 0:
			return nil
		}
	}
	return net.ErrClosed
}

// TryWrite writes what the socket takes at once. last: the stream ends right
// after it, so that the system may send both in one packet.
func (c *Conn) TryWrite(b []byte, last bool) (int, error) {
	if !c.enter() {
		return 0, c.failed("write", net.ErrClosed)
	}
	defer c.leave()
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for {
		n, errno := 0, syscall.Errno(0)
		if last {
			n, errno = writeLast(c.fd, b)
		} else {
			n, errno = write(c.fd, b)
		}
		switch errno {
		case 0, syscall.EAGAIN:
			return n, nil
		case syscall.EINTR:
		default:
			return n, c.failed("write", errno)
		}
	}
}

// brief is how many bytes a system call may take that the scheduler is not told
// of: others wait for the processor meanwhile.
const brief = 64 << 10

func write(fd int, b []byte) (int, syscall.Errno) {
	if len(b) <= brief {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
		return moved(n, errno)
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
	return moved(n, errno)
}

func writeLast(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_MORE|syscall.MSG_NOSIGNAL, 0, 0)
	return moved(n, errno)
}

// maxVec is how many pieces the system takes in one call.
const maxVec = 1024

func (c *Conn) writev(bufs [][]byte) (int, syscall.Errno) {
	size := 0
	c.iov = c.iov[:0]
	for _, b := range bufs[:min(len(bufs), maxVec)] {
		if len(b) > 0 {
			c.iov = append(c.iov, syscall.Iovec{Base: unsafe.SliceData(b), Len: uint64(len(b))})
			size += len(b)
		}
	}
	defer clear(c.iov)
	if size == 0 {
		return 0, 0
	}
	p := unsafe.Pointer(unsafe.SliceData(c.iov))
	if size > brief {
		n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(c.fd), uintptr(p), uintptr(len(c.iov)))
		return moved(n, errno)
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(c.fd), uintptr(p), uintptr(len(c.iov)))
	return moved(n, errno)
}

// consume takes n bytes away from the front, and empty pieces after them.
func consume(bufs *net.Buffers, n int) {
	v := *bufs
	for len(v) > 0 && n >= len(v[0]) {
		n -= len(v[0])
		v[0] = nil
		v = v[1:]
	}
	if n > 0 {
		v[0] = v[0][n:]
	}
	*bufs = v
}

// CloseWrite ends the direction to the peer.
func (c *Conn) CloseWrite() error {
	if !c.enter() {
		return c.failed("close", net.ErrClosed)
	}
	defer c.leave()
	return c.failed("close", os.NewSyscallError("shutdown", syscall.Shutdown(c.fd, syscall.SHUT_WR)))
}

// LocalAddr implements [net.Conn]. It is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements [net.Conn]. It is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	if c.closed() {
		return c.failed("set", net.ErrClosed)
	}
	c.in.setDeadline(t)
	c.out.setDeadline(t)
	return nil
}

// SetReadDeadline implements [net.Conn].
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.closed() {
		return c.failed("set", net.ErrClosed)
	}
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline implements [net.Conn].
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.closed() {
		return c.failed("set", net.ErrClosed)
	}
	c.out.setDeadline(t)
	return nil
}
