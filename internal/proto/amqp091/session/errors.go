package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// closeError is a mistake that is answered with a close: of the channel if its
// code is soft, of the connection otherwise (section 1.8 of the specification).
type closeError struct {
	code   wire.ReplyCode
	text   string
	method wire.MethodID // 0: none in particular
	// conn: close the connection whatever the code.
	conn bool
}

func (e *closeError) Error() string { return e.code.Text(e.text) }

var (
	// errHangUp ends the connection without a word, as RabbitMQ does with
	// mistakes during the handshake and with methods that do not exist.
	errHangUp  = errors.New("protocol mistake that is not answered")
	errTimeout = os.ErrDeadlineExceeded
)

func softf(code wire.ReplyCode, format string, args ...any) *closeError {
	return &closeError{code: code, text: fmt.Sprintf(format, args...)}
}

var codes = [...]wire.ReplyCode{
	broker.InternalError:      wire.InternalError,
	broker.NotFound:           wire.NotFound,
	broker.PreconditionFailed: wire.PreconditionFailed,
	broker.AccessRefused:      wire.AccessRefused,
	broker.ResourceLocked:     wire.ResourceLocked,
	broker.NotAllowed:         wire.NotAllowed,
	broker.NotImplemented:     wire.NotImplemented,
	broker.CommandInvalid:     wire.CommandInvalid,
	broker.NoConsumers:        wire.NoConsumers,
	broker.ContentTooLarge:    wire.ContentTooLarge,
	broker.ResourceError:      wire.ResourceError,
	broker.ConnectionForced:   wire.ConnectionForced,
	broker.Malformed:          wire.SyntaxError,
}

// toClose turns any error of the core into a close.
func toClose(err error) *closeError {
	var ce *closeError
	if errors.As(err, &ce) {
		return ce
	}
	var be *broker.Error
	if errors.As(err, &be) {
		return &closeError{code: codes[be.Kind], text: be.Text}
	}
	return &closeError{code: wire.InternalError, text: err.Error()}
}

// silentCloseDelay is how long a connection that is refused without a word
// stays open, so that guessing is slow.
const silentCloseDelay = 3 * time.Second

// fail answers a mistake of the connection. It reports whether to go on reading.
func (c *Conn) fail(err error) bool {
	if errors.Is(err, errHangUp) {
		if c.state < running {
			t := time.NewTimer(silentCloseDelay)
			defer t.Stop()
			select {
			case <-t.C:
			case <-c.dead:
			}
		}
		c.log().Warn("closing connection: protocol mistake")
		c.kill()
		return false
	}
	if c.state == closing {
		return true
	}
	e := toClose(err)
	c.closeConn(e)
	return true
}

// closeConn sends connection.close and waits for the answer.
func (c *Conn) closeConn(e *closeError) {
	c.ends("closed by the broker: " + e.text)
	c.log().Warn("closing connection", "user", c.user, "vhost", c.vhostName(), "code", int(e.code), "reason", e.text)
	for _, ch := range c.channels {
		ch.release()
	}
	clear(c.channels)
	c.last, c.partial = nil, nil
	c.send(0, wire.ConnectionClose{
		ReplyCode: e.code, ReplyText: e.code.Text(e.text),
		ClassID: closeClass(e.method), MethodID: closeMethod(e.method),
	})
	c.state = closing
	c.nc.SetReadDeadline(time.Now().Add(closeTimeout))
}

func (c *Conn) vhostName() string {
	if c.client == nil {
		return ""
	}
	return c.client.VHostName()
}

// closeTimeout is how long a peer may take to answer connection.close.
const closeTimeout = 30 * time.Second

// frameError answers bytes that are no frame. Nothing after them can be read.
func (c *Conn) frameError(err error, raw []byte) bool {
	if c.state < running {
		c.fail(errHangUp)
		return false
	}
	if c.state == closing {
		return false
	}
	e := &closeError{code: wire.FrameError, text: err.Error(), conn: true}
	var large *wire.FrameTooLargeError
	var end *wire.FrameEndError
	switch {
	case errors.As(err, &large):
		e.text = fmt.Sprintf("type %d, all octets = <<>>: {frame_too_large,%d,%d}", large.Type, large.Size, large.Max)
	case errors.As(err, &end):
		e.text = fmt.Sprintf("type %d, all octets = %s: {invalid_frame_end_marker,%d}", end.Type, octets(raw[7:7+end.Size]), end.End)
	}
	c.closeConn(e)
	return false
}

func unknownFrame(f *wire.Frame) error {
	return &closeError{code: wire.FrameError, conn: true, method: noMethod,
		text: fmt.Sprintf("type %d, all octets = %s: unknown_frame", f.Type, octets(f.Payload))}
}

// octets writes bytes as Erlang prints a binary; at most what fits a reply text.
func octets(b []byte) string {
	var s strings.Builder
	s.WriteString("<<")
	for i, c := range b[:min(len(b), 256)] {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, "%d", c)
	}
	s.WriteString(">>")
	return s.String()
}

// methodError turns a method that cannot be read into its answer.
func methodError(payload []byte, err error) error {
	var unknown *wire.UnknownMethodError
	if errors.As(err, &unknown) || len(payload) < 4 {
		return errHangUp
	}
	id, _ := wire.PeekMethod(payload)
	return &closeError{code: wire.FrameError, text: "cannot decode " + octets(payload[4:]), method: id, conn: true}
}

// deadContext is done when the connection is.
type deadContext struct{ c *Conn }

func (d deadContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (d deadContext) Done() <-chan struct{}       { return d.c.dead }
func (d deadContext) Value(any) any               { return nil }
func (d deadContext) Err() error {
	select {
	case <-d.c.dead:
		return context.Canceled
	default:
		return nil
	}
}

func closeClass(id wire.MethodID) wire.ClassID {
	if id == noMethod {
		return 0
	}
	return id.Class()
}

func closeMethod(id wire.MethodID) uint16 {
	if id == noMethod {
		return 0
	}
	return id.Method()
}
