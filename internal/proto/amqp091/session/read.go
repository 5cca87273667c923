package session

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// readBuffer is the bytes that were read and not yet understood. It is small
// on a quiet connection and grows with the traffic.
type readBuffer struct {
	buf        []byte
	start, end int
	small      int // reads in a row that filled little of it
}

const (
	minReadBuffer = 4 << 10
	maxReadBuffer = 256 << 10
)

// fill reads more. The bytes before start are done with; those after are moved
// to the front, so all views into the buffer end here.
func (c *Conn) fill(rb *readBuffer) bool {
	need := minReadBuffer
	if n, ok := wire.FrameLen(rb.buf[rb.start:rb.end]); ok && n > uint64(need) && c.state != wantProtocol {
		need = int(n)
	}
	if rb.end == len(rb.buf) && rb.start == 0 && len(rb.buf) > 0 {
		need = max(need, 2*len(rb.buf))
	}
	if rb.buf == nil {
		rb.buf = c.srv.first()
	}
	size := len(rb.buf)
	switch {
	case need > size:
		size = need
	case rb.small > 64 && size > minReadBuffer && rb.end-rb.start < minReadBuffer/2:
		size, rb.small = minReadBuffer, 0
	}
	if size != len(rb.buf) {
		b := make([]byte, size)
		rb.end = copy(b, rb.buf[rb.start:rb.end])
		rb.buf, rb.start = b, 0
	} else if rb.start > 0 {
		rb.end = copy(rb.buf, rb.buf[rb.start:rb.end])
		rb.start = 0
	}
	n, err := c.poll.read(c.raw, rb.buf[rb.end:]), error(nil)
	if n == 0 {
		n, err = c.nc.Read(rb.buf[rb.end:])
	}
	if n > 0 {
		rb.end += n
		c.recvBytes.Add(uint64(n))
		c.recvCount.Add(1)
		if c.silence.Load() > 0 {
			c.lastRead.Store(time.Now().UnixNano())
		}
		switch {
		case rb.end == len(rb.buf) && len(rb.buf) < maxReadBuffer:
			b := make([]byte, 2*len(rb.buf))
			copy(b, rb.buf[:rb.end])
			rb.buf, rb.small = b, 0
		case n < len(rb.buf)/4:
			rb.small++
		default:
			rb.small = 0
		}
	}
	if err != nil && n == 0 && errors.Is(err, errTimeout) && c.settleOverdue() {
		return true
	}
	if err != nil && n == 0 {
		if c.state != running && c.state != closing && errors.Is(err, errTimeout) {
			c.log().Warn("closing connection: handshake timeout")
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			c.ends("the connection broke: " + err.Error())
		}
		c.state = lost
		c.kill()
		return false
	}
	return true
}

// frames handles all frames that are complete. It reports whether to go on.
func (c *Conn) frames(rb *readBuffer) bool {
	for {
		f, n, err := wire.ParseFrame(rb.buf[rb.start:rb.end], c.frameLimit)
		if err != nil {
			return c.frameError(err, rb.buf[rb.start:rb.end])
		}
		if n == 0 {
			break
		}
		rb.start += n
		if err := c.frame(&f); err != nil {
			if !c.fail(err) {
				return false
			}
		}
		if c.state == done {
			return false
		}
		if c.unsent {
			c.sendAnswer(rb)
		}
		if c.out.size.Load() > maxUnsent {
			c.awaitSent()
		}
	}
	// The bytes of content that is not complete go away with the next read.
	for _, ch := range c.partial {
		ch.content.keep()
	}
	return true
}

// settle ends a run of input. A confirm that the reader has waited for itself it
// also sends itself, and then looks out for what its client does next.
func (c *Conn) settle() {
	c.paused.Store(true) // the disk may take its time
	told, committed := c.client.Settle()
	if committed {
		c.sendNow()
		c.poll.on = true
		c.lastRead.Store(time.Now().UnixNano())
	} else if told {
		c.out.poke()
	}
	c.paused.Store(false)
}

// sendAnswer sends an answer: by the reader if its client waits for it, by the
// writer if the client has sent more already, which may take time.
func (c *Conn) sendAnswer(rb *readBuffer) {
	if rb.start == rb.end {
		c.sendNow()
		return
	}
	c.unsent = false
	c.out.poke()
}

// awaitSent holds the reader back while the peer does not take what it has
// asked for, so that the outbox stays bounded.
func (c *Conn) awaitSent() {
	c.flushAcks()
	if c.client != nil {
		if told, _ := c.client.Settle(); told {
			c.out.poke()
		}
	}
	defer c.pause()()
	c.out.poke() // so that there is a writer
	sent := c.out.writer.Load().sent
	for c.out.size.Load() > maxUnsent {
		select {
		case <-sent:
		case <-c.dead:
			return
		}
	}
}

// throttle holds the reader back while publishing is blocked, which the client
// is told, or the log has too much to write. The one may turn into the other.
func (c *Conn) throttle() {
	if c.client.Hold() == nil && !c.srv.Broker.Throttled() {
		return
	}
	defer c.pause()()
	for {
		if h := c.client.Hold(); h != nil {
			if !c.hold(h) {
				return
			}
			continue
		}
		if !c.srv.Broker.Throttled() || !c.awaitLog() {
			return
		}
	}
}

// awaitLog waits until the log takes more, or for a moment. It reports whether
// it is worth another look.
func (c *Conn) awaitLog() bool {
	ctx, cancel := context.WithTimeout(context.Background(), holdLook)
	defer cancel()
	stop := context.AfterFunc(deadContext{c}, cancel)
	defer stop()
	err := c.srv.Broker.Throttle(ctx)
	return (err == nil || errors.Is(err, context.DeadlineExceeded)) && !c.forced.Load()
}

// holdLook is how often a connection that waits looks whether it was closed from
// outside, and whether it waits for something else by now.
const holdLook = 250 * time.Millisecond

// hold waits until the client may publish. Its heartbeats and acknowledgements
// wait in the socket meanwhile, as with RabbitMQ. It reports whether to go on.
func (c *Conn) hold(h *broker.Hold) bool {
	c.client.Held.Store(true)
	defer c.client.Held.Store(false)
	c.log().Info("connection blocked", "user", c.user, "vhost", c.vhostName(), "reason", h.Reason)
	if c.caps.connectionBlocked {
		c.send(0, wire.ConnectionBlocked{Reason: h.Reason})
		defer c.send(0, wire.ConnectionUnblocked{})
	}
	look := time.NewTicker(holdLook)
	defer look.Stop()
	for ; h != nil; h = c.client.Hold() {
		for wait := true; wait; {
			select {
			case <-h.Released:
				wait = false
			case <-c.dead:
				return false
			case <-look.C:
				if c.forced.Load() {
					return false
				}
			}
		}
	}
	return true
}

// pause says that the reader does not read now, so that a peer whose heartbeats
// wait in the socket is not taken for silent. It returns what ends the pause.
func (c *Conn) pause() func() {
	c.paused.Store(true)
	return func() {
		c.lastRead.Store(time.Now().UnixNano())
		c.paused.Store(false)
	}
}
