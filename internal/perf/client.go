// Package perf measures AMQP 0-9-1 brokers. Its client is as light as can be:
// it sends frames that were encoded once and reads deliveries without decoding
// more than it must, so that the broker is the bottleneck.
//
// A [Load] sends messages through a broker and checks that all arrive, in
// order; an [Operation] counts what is not a message (connections, queues).
// Both give a [Result]. A [Compare] starts several brokers and runs the same
// scenarios against each in turn; [Null] is the least that a broker could do.
// The command `warren perf` is the only caller.
package perf

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// client is one connection with one channel. One goroutine reads from it.
type client struct {
	nc         net.Conn
	read       func([]byte) (int, error)
	buf        []byte
	start, end int
	frameMax   uint32
}

const (
	readBuffer = 256 << 10
	idleBuffer = 4 << 10 // of a connection that only waits
	patience   = 30 * time.Second
)

// dial connects and opens channel 1.
func dial(rawURL string) (*client, error) { return dialBuffer(rawURL, readBuffer) }

func dialBuffer(rawURL string, size int) (*client, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "5672")
	}
	user, pass, vhost := "guest", "guest", "/"
	if u.User != nil {
		user = u.User.Username()
		pass, _ = u.User.Password()
	}
	if p := strings.TrimPrefix(u.Path, "/"); p != "" {
		vhost = p
	}
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	c := &client{nc: nc, read: nc.Read, buf: make([]byte, size)}
	err = nc.SetDeadline(time.Now().Add(patience))
	if err == nil {
		err = c.handshake(user, pass, vhost)
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	return c, nil
}

func (c *client) handshake(user, pass, vhost string) error {
	if _, err := c.nc.Write([]byte(wire.ProtocolHeader)); err != nil {
		return err
	}
	if _, err := expect[*wire.ConnectionStart](c); err != nil {
		return err
	}
	caps := wire.Table{{Key: "authentication_failure_close", Value: wire.Bool(true)}}
	err := c.send(0, wire.ConnectionStartOk{
		ClientProperties: wire.Table{{Key: "product", Value: wire.String("warren perf")}, {Key: "capabilities", Value: caps}},
		Mechanism:        "PLAIN", Response: "\x00" + user + "\x00" + pass, Locale: "en_US",
	})
	if err != nil {
		return err
	}
	tune, err := expect[*wire.ConnectionTune](c)
	if err != nil {
		return err
	}
	c.frameMax = tune.FrameMax
	if err := c.send(0, wire.ConnectionTuneOk{ChannelMax: tune.ChannelMax, FrameMax: tune.FrameMax}); err != nil {
		return err
	}
	if err := c.send(0, wire.ConnectionOpen{VirtualHost: vhost}); err != nil {
		return err
	}
	if _, err := expect[*wire.ConnectionOpenOk](c); err != nil {
		return err
	}
	_, err = call[*wire.ChannelOpenOk](c, wire.ChannelOpen{})
	return err
}

// close says goodbye and waits for the answer: a socket that is closed with
// bytes unread takes away what the broker has not read yet.
func (c *client) close() {
	if c.goodbye() == nil {
		c.awaitClose()
	}
	c.nc.Close()
}

func (c *client) awaitClose() {
	for {
		f, err := c.frame()
		if err != nil {
			return
		}
		if id, _ := wire.PeekMethod(f.Payload); f.Channel == 0 && f.Type == wire.FrameMethod && id == wire.MethodConnectionCloseOk {
			return
		}
	}
}

func (c *client) goodbye() error {
	return c.send(0, wire.ConnectionClose{ReplyCode: wire.ReplySuccess})
}

func (c *client) send(ch wire.ChannelID, m wire.Method) error {
	_, err := c.nc.Write(wire.AppendMethodFrame(nil, ch, m))
	return err
}

// frame reads the next frame; its payload is valid until the next call.
func (c *client) frame() (wire.Frame, error) {
	for {
		f, n, err := wire.ParseFrame(c.buf[c.start:c.end], 0)
		if err != nil {
			return f, err
		}
		if n > 0 {
			c.start += n
			return f, nil
		}
		if err := c.fill(); err != nil {
			return f, err
		}
	}
}

func (c *client) fill() error {
	c.end = copy(c.buf, c.buf[c.start:c.end])
	c.start = 0
	if c.end == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

// expect reads the next method, which must be of type M.
func expect[M wire.Method](c *client) (m M, err error) {
	for {
		f, err := c.frame()
		if err != nil {
			return m, err
		}
		if f.Type != wire.FrameMethod {
			continue
		}
		got, err := wire.ParseMethod(f.Payload)
		if err != nil {
			return m, err
		}
		switch got := got.(type) {
		case M:
			return got, nil
		case *wire.ConnectionClose:
			return m, fmt.Errorf("connection closed: %s", got.ReplyText)
		case *wire.ChannelClose:
			return m, fmt.Errorf("channel closed: %s", got.ReplyText)
		}
	}
}

// call sends a method on channel 1 and waits for its answer.
func call[M wire.Method](c *client, m wire.Method) (answer M, err error) {
	if err := c.send(1, m); err != nil {
		return answer, err
	}
	return expect[M](c)
}
