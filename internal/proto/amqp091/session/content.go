package session

import (
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// content is a publish whose frames are arriving. Its slices are views into
// the read buffer until keep copies them.
type content struct {
	state     contentState
	mandatory bool
	immediate bool
	msg       message.Message
	size      uint64 // announced
	got       uint64
	kept      []byte // what keep copied: exchange, routing key, properties
	buf       []byte // a body of several frames, or one that was kept
}

type contentState uint8

const (
	noContent contentState = iota
	wantHeader
	wantBody
)

// keepBody is the largest body buffer that a channel keeps for the next message.
const keepBody = 64 << 10

// keep copies what the read buffer is about to lose.
func (t *content) keep() {
	if t.kept != nil {
		return
	}
	e, k, p := len(t.msg.Exchange), len(t.msg.RoutingKey), len(t.msg.Props)
	b := make([]byte, 0, e+k+p)
	b = append(append(append(b, t.msg.Exchange...), t.msg.RoutingKey...), t.msg.Props...)
	t.msg.Exchange, t.msg.RoutingKey, t.msg.Props = b[:e:e], b[e:e+k:e+k], b[e+k:]
	t.kept = b
	if t.kept == nil {
		t.kept = []byte{}
	}
}

func (ch *channel) dropContent() {
	if ch.content.state == noContent {
		return
	}
	buf := ch.content.buf[:0]
	if cap(buf) > keepBody {
		buf = nil
	}
	ch.forget()
	ch.content = content{buf: buf}
}

// publish handles the method frame of basic.publish.
func (ch *channel) publish(payload []byte) error {
	v, err := wire.ParseBasicPublish(payload)
	if err != nil {
		return methodError(payload, err)
	}
	t := &ch.content
	t.state, t.mandatory, t.immediate = wantHeader, v.Mandatory, v.Immediate
	t.msg = message.Message{Exchange: v.Exchange, RoutingKey: v.RoutingKey}
	t.kept, t.size, t.got = nil, 0, 0
	c := ch.conn
	c.partial = append(c.partial, ch)
	return nil
}

// header handles a content header frame.
func (ch *channel) header(f *wire.Frame) error {
	if len(f.Payload) < 12 {
		return unknownFrame(f)
	}
	if ch.closing {
		return nil
	}
	t := &ch.content
	switch t.state {
	case noContent:
		return &closeError{code: wire.UnexpectedFrame, text: "expected method frame, got non method frame instead", conn: true, method: noMethod}
	case wantBody:
		return ch.unexpectedInBody()
	}
	h, err := wire.ParseContentHeader(padHeader(f.Payload))
	if err != nil || h.ClassID != wire.ClassBasic || h.Weight != 0 {
		return ch.unexpectedInHeader()
	}
	if len(h.Props) == 2 && h.Props[1] == 2 {
		// A flag without a property, which RabbitMQ passes over.
		h.Props = append(h.Props[:1:1], 0)
	}
	ch.conn.methodID = wire.MethodBasicPublish
	if limit := uint64(ch.conn.srv.Broker.MaxMessageSize()); h.BodySize > limit {
		// The rest of the content is passed over with the closed channel's frames.
		return softf(wire.PreconditionFailed, "message size %d is larger than configured max size %d", h.BodySize, limit)
	}
	if t.kept != nil {
		// The read buffer has moved on since the method: keep all of it.
		t.kept = append(t.kept, h.Props...)
		e, k := len(t.msg.Exchange), len(t.msg.RoutingKey)
		t.msg.Exchange, t.msg.RoutingKey, t.msg.Props = t.kept[:e:e], t.kept[e:e+k:e+k], t.kept[e+k:]
	} else {
		t.msg.Props = h.Props
	}
	t.size, t.state = h.BodySize, wantBody
	if t.size == 0 {
		return ch.complete(nil)
	}
	return nil
}

// noMethod says that a close names no method.
const noMethod wire.MethodID = 1<<32 - 1

// padHeader gives a header frame without property flags the empty ones, as
// RabbitMQ reads it.
func padHeader(p []byte) []byte {
	if len(p) == 12 {
		return append(p[:12:12], 0, 0)
	}
	return p
}

func (ch *channel) unexpectedInHeader() error {
	return &closeError{code: wire.UnexpectedFrame, text: "expected content header for class 60, got non content header frame instead", method: wire.MethodBasicPublish, conn: true}
}

func (ch *channel) unexpectedInBody() error {
	return &closeError{code: wire.UnexpectedFrame, text: "expected content body, got non content body frame instead", method: wire.MethodBasicPublish, conn: true}
}

// body handles a content body frame.
func (ch *channel) body(p []byte) error {
	if ch.closing {
		return nil
	}
	t := &ch.content
	switch t.state {
	case noContent:
		return &closeError{code: wire.UnexpectedFrame, text: "expected method frame, got non method frame instead", conn: true, method: noMethod}
	case wantHeader:
		return ch.unexpectedInHeader()
	}
	if t.got == 0 && uint64(len(p)) == t.size {
		return ch.complete(p)
	}
	if t.got+uint64(len(p)) > t.size {
		// More than announced is never complete; nothing is gathered for it.
		t.got = t.size + 1
		t.buf = nil
		return nil
	}
	if t.buf == nil || t.got == 0 {
		t.buf = t.buf[:0]
		if want := min(t.size, 1<<20); uint64(cap(t.buf)) < want {
			t.buf = make([]byte, 0, want)
		}
	}
	t.buf = append(t.buf, p...)
	t.got += uint64(len(p))
	if t.got < t.size {
		return nil
	}
	// The buffer is used again: the core must be done with it.
	if err := ch.complete(t.buf); err != nil {
		return err
	}
	ch.conn.client.Flush()
	if cap(ch.content.buf) > keepBody {
		ch.content.buf = nil
	}
	return nil
}

// complete publishes a message whose frames have all arrived.
func (ch *channel) complete(body []byte) error {
	c := ch.conn
	t := &ch.content
	t.msg.Body = body
	ch.forget()
	c.published = true
	c.methodID = wire.MethodBasicPublish
	if t.immediate {
		return softf(wire.NotImplemented, "immediate=true")
	}
	if ch.closing {
		return nil
	}
	c.flushAcks()
	routed, err := ch.core.Publish(&t.msg)
	if err != nil {
		return err
	}
	if ch.core.InTx() {
		ch.countUncommitted()
	}
	if !routed {
		ch.core.Unroutable(t.mandatory)
		if t.mandatory && ch.core.InTx() {
			ch.returns = append(ch.returns, t.msg.Append(nil))
		} else if t.mandatory {
			ch.giveBack(&t.msg)
		}
		ch.core.Unrouted()
	}
	return nil
}

// forget takes the channel off the list of those with incomplete content.
func (ch *channel) forget() {
	c := ch.conn
	for i, p := range c.partial {
		if p == ch {
			c.partial = append(c.partial[:i], c.partial[i+1:]...)
			break
		}
	}
	ch.content.state = noContent
}

// giveBack returns a mandatory message that no queue took.
func (ch *channel) giveBack(m *message.Message) {
	o := &ch.conn.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.add(wire.AppendBasicReturnFrames(o.room(contentRoom(m)), ch.id, wire.NoRoute, "NO_ROUTE", m.Exchange, m.RoutingKey, m.Props, m.Body, ch.conn.frameMax))
	o.poke()
}
