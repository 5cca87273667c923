package listen

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pipe returns the two ends of a connection within the process. Unlike
// net.Pipe it has a buffer in each direction, as sockets have: a write does not
// wait for the read.
func Pipe() (client, server net.Conn) {
	a, b := newPipeBuffer(), newPipeBuffer()
	return &pipeConn{in: a, out: b}, &pipeConn{in: b, out: a}
}

const pipeSize = 256 << 10

// pipeBuffer is one direction.
type pipeBuffer struct {
	mu       sync.Mutex
	cond     *sync.Cond
	buf      []byte
	closed   bool // no more writes: reads end with io.EOF
	broken   bool // nobody reads
	deadline [2]deadline
}

type deadline struct {
	timer   *time.Timer
	expired bool
}

const (
	forRead  = 0
	forWrite = 1
)

func newPipeBuffer() *pipeBuffer {
	p := &pipeBuffer{}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pipeBuffer) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.broken:
			return 0, net.ErrClosed
		case len(p.buf) > 0:
			n := copy(b, p.buf)
			p.buf = append(p.buf[:0], p.buf[n:]...)
			p.cond.Broadcast()
			return n, nil
		case p.closed:
			return 0, io.EOF
		case p.deadline[forRead].expired:
			return 0, os.ErrDeadlineExceeded
		}
		p.cond.Wait()
	}
}

func (p *pipeBuffer) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(b) > 0 {
		switch {
		case p.closed || p.broken:
			return n, io.ErrClosedPipe
		case p.deadline[forWrite].expired:
			return n, os.ErrDeadlineExceeded
		case len(p.buf) >= pipeSize:
			p.cond.Wait()
			continue
		}
		k := min(len(b), pipeSize-len(p.buf))
		p.buf = append(p.buf, b[:k]...)
		n, b = n+k, b[k:]
		p.cond.Broadcast()
	}
	return n, nil
}

func (p *pipeBuffer) end(reader bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.broken = p.broken || reader
	p.cond.Broadcast()
}

func (p *pipeBuffer) setDeadline(which int, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &p.deadline[which]
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.expired = false
	if t.IsZero() {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(time.Until(t), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if d.timer == mine {
			d.expired = true
			p.cond.Broadcast()
		}
	})
	d.timer = mine
}

type pipeConn struct{ in, out *pipeBuffer }

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *pipeConn) CloseWrite() error           { c.out.end(false); return nil }
func (c *pipeConn) Close() error {
	c.in.end(true)
	c.out.end(false)
	return c.SetDeadline(time.Time{})
}
func (c *pipeConn) LocalAddr() net.Addr  { return pipeAddr{} }
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }
func (c *pipeConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
func (c *pipeConn) SetReadDeadline(t time.Time) error  { c.in.setDeadline(forRead, t); return nil }
func (c *pipeConn) SetWriteDeadline(t time.Time) error { c.out.setDeadline(forWrite, t); return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
