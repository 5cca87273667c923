package session

import (
	"io"
	"log/slog"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// lingerTimeout is how long a connection that was closed in order waits for its
// peer to close too: a socket that is closed with input unread takes away what
// the peer has not read yet.
const lingerTimeout = time.Second

func (c *Conn) linger() {
	if c.state == lost || c.quick {
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
	io.Copy(io.Discard, c.nc)
}

// Force closes the connection from outside. Any goroutine may call it.
func (c *Conn) Force(code wire.ReplyCode, text string) {
	c.force(code, text, time.Now().Add(lingerTimeout))
}

// force is Force for a peer who has until some time to read the news and go.
func (c *Conn) force(code wire.ReplyCode, text string, until time.Time) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed {
		return
	}
	c.out.add(wire.AppendMethodFrame(c.out.room(methodRoom), 0, wire.ConnectionClose{ReplyCode: code, ReplyText: code.Text(text)}))
	c.out.last = true
	c.out.closed = true
	c.out.poke()
	c.ends("closed by the broker: " + text)
	c.until.Store(until.UnixNano())
	c.forced.Store(true)
	c.nc.SetReadDeadline(until)
}

// finish lets the writer send what is there and then close.
func (c *Conn) finish() {
	c.out.mu.Lock()
	c.out.closed = true
	c.out.mu.Unlock()
	if c.unsent {
		// If the writer is at work, it says what follows.
		c.sendUnsent(c.out.writer.Load() == nil)
	}
	c.out.mu.Lock()
	c.out.last = true
	empty := len(c.out.full)+len(c.out.cur) == 0
	c.out.mu.Unlock()
	if !empty || !c.out.end() {
		c.out.poke()
		return
	}
	if c.quick = c.raw != nil && c.raw.NothingUnread(); !c.quick {
		c.closeWrite()
	}
}

// teardown gives back what the connection holds in the core.
func (c *Conn) teardown() {
	if c.client == nil {
		return
	}
	c.flushAcks()
	c.client.Flush()
	for _, ch := range c.channels {
		ch.release()
	}
	c.client.Close()
	c.logClosed(c.vhostName())
}

// ends remembers why the connection ends, for the log.
func (c *Conn) ends(why string) { c.why.CompareAndSwap(nil, &why) }

// logClosed puts the connection's end into the log. What was not in order is a
// warning.
func (c *Conn) logClosed(vhost string) {
	level, why := slog.LevelWarn, "the client closed the TCP connection without closing its AMQP connection"
	if p := c.why.Load(); p != nil {
		why = *p
	}
	if why == byClient {
		level = slog.LevelInfo
	}
	c.note(level, "connection closed", slog.String("user", c.user), slog.String("vhost", vhost), slog.String("reason", why))
}

// byClient is the reason of an end in order.
const byClient = "closed by the client"

// frameWhileClosing waits for the answer to connection.close.
func (c *Conn) frameWhileClosing(f *wire.Frame) error {
	if f.Channel != 0 || f.Type != wire.FrameMethod {
		return nil
	}
	switch id, _ := wire.PeekMethod(f.Payload); id {
	case wire.MethodConnectionCloseOk:
		c.state = done
	case wire.MethodConnectionClose:
		c.answer(0, wire.ConnectionCloseOk{})
		c.state = done
	}
	return nil
}
