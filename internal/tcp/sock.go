//go:build linux && (amd64 || arm64)

package tcp

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// sock is a descriptor that the poller watches. Its owner embeds it.
type sock struct {
	poller *poller
	fd     int
	turn   int32
	calls  atomic.Int64 // under way; closedBit: there are no more
	in     waiter       // something to be read, the end, or an error
	out    waiter       // room to write

	// A read that fills less than its buffer may have left something: the end, an
	// error, or what lies behind urgent data. There may be no news of it.
	ragged flag
}

// closedBit of sock.calls. The descriptor is closed when the last call has
// ended: before, its number may not belong to another file.
const closedBit = 1 << 62

// open takes over a descriptor, which it closes if it fails.
func (s *sock) open(p *poller, fd int) error {
	s.poller, s.fd = p, fd
	s.in.wake = make(chan struct{}, 1)
	if err := p.watch(s); err != nil {
		syscall.Close(fd)
		return err
	}
	return nil
}

// enter begins a call, unless the socket is closed.
func (s *sock) enter() bool {
	for {
		n := s.calls.Load()
		if n&closedBit != 0 {
			return false
		}
		if s.calls.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *sock) leave() {
	if s.calls.Add(-1) == closedBit {
		s.poller.forget(s)
		s.in.stop()
		s.out.stop()
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(s.fd), 0, 0)
	}
}

func (s *sock) closed() bool { return s.calls.Load()&closedBit != 0 }

// close ends the calls under way. It reports whether it was the first to.
func (s *sock) close() bool {
	for {
		n := s.calls.Load()
		if n&closedBit != 0 {
			return false
		}
		if s.calls.CompareAndSwap(n, n+1|closedBit) {
			break
		}
	}
	s.in.notify()
	if s.out.wanted.Load() {
		s.out.notify()
	}
	s.leave()
	return true
}

// await waits for something to be read. The caller holds in.mu.
func (s *sock) await() error {
	s.in.wanted.Store(true)
	defer s.in.wanted.Store(false)
	if s.closed() {
		return net.ErrClosed
	}
	if err := s.in.wait(); err != nil {
		return err
	}
	if s.closed() {
		return net.ErrClosed
	}
	return nil
}

func (s *sock) tell(events uint32) {
	if events&ragged != 0 {
		s.ragged.Store(true)
	}
	if events&readable != 0 {
		s.in.notify()
	}
	if events&writable != 0 && s.out.wanted.Load() {
		s.out.notify()
	}
}

// syscallError is what package net makes of a number.
func syscallError(op string, err error) error {
	if no, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(op, no)
	}
	return err
}
