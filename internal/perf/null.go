package perf

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Null is the floor: it reads what a publisher sends, frames it anew as a
// delivery and writes it to the consumer, and does nothing else that makes a
// broker. Nothing is kept: a message without consumer is dropped; a direct,
// topic or headers exchange sends all to the one queue that was bound last.
// Confirms are sent at once, acknowledgements ignored.
type Null struct {
	mu        sync.RWMutex
	queues    map[string]*nullQueue
	exchanges map[string]*nullExchange
	open      map[net.Conn]bool
	ln        net.Listener
	conns     sync.WaitGroup

	// spoil, for tests, says what to do with the n-th message: nil, or how
	// often it is delivered.
	spoil func(n uint64) int
}

type nullQueue struct {
	mu        sync.Mutex
	consumers []*nullConsumer
	turn      int
	seen      uint64
}

type nullExchange struct {
	kind   string
	queues []*nullQueue
}

type nullConsumer struct {
	conn *nullConn
	ch   wire.ChannelID
	tag  string
	n    *uint64 // deliveries on the channel
}

// nullConn is a connection. Its reader owns it, except out and
// touchedBy: they belong to whoever holds mu.
type nullConn struct {
	s   *Null
	in  *client
	tos map[wire.ChannelID]*uint64

	mu        sync.Mutex
	out       []byte
	touchedBy *nullConn // has it in its touched

	// What the frames read last have asked for; the reader's.
	touched   []*nullConn
	confirm   map[wire.ChannelID]bool
	published map[wire.ChannelID]uint64
	unsaid    map[wire.ChannelID]bool
	found     map[string][]*nullQueue
	// The route of the publish before, and the queue that is still locked
	// because the next may go there too.
	lastName []byte
	last     []*nullQueue
	held     *nullQueue
	heldConn *nullConn
}

// Serve forwards until Close.
func (s *Null) Serve(ln net.Listener) {
	s.mu.Lock()
	s.ln, s.queues, s.exchanges, s.open = ln, map[string]*nullQueue{}, map[string]*nullExchange{}, map[net.Conn]bool{}
	s.mu.Unlock()
	for {
		nc, err := ln.Accept()
		if err != nil {
			break
		}
		s.mu.Lock()
		s.open[nc] = true
		s.mu.Unlock()
		s.conns.Go(func() {
			c := &nullConn{
				s: s, in: &client{nc: nc, read: nc.Read, buf: make([]byte, idleBuffer)}, tos: map[wire.ChannelID]*uint64{},
				confirm: map[wire.ChannelID]bool{}, published: map[wire.ChannelID]uint64{}, unsaid: map[wire.ChannelID]bool{},
			}
			_ = c.serve() // an error is a client that went
			s.leave(c)
		})
	}
	s.conns.Wait()
}

// Close ends Serve.
func (s *Null) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil {
		s.ln.Close()
	}
	for nc := range s.open {
		nc.Close()
	}
}

func (s *Null) leave(c *nullConn) {
	c.in.nc.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c.in.nc)
	for _, q := range s.queues {
		q.mu.Lock()
		var left []*nullConsumer
		for _, k := range q.consumers {
			if k.conn != c {
				left = append(left, k)
			}
		}
		q.consumers = left
		q.mu.Unlock()
	}
}

var errGoodbye = errors.New("closed")

func (c *nullConn) serve() error {
	var hello [wire.ProtocolHeaderSize]byte
	if _, err := io.ReadFull(c.in.nc, hello[:]); err != nil {
		return err
	}
	c.answer(0, wire.ConnectionStart{VersionMajor: 0, VersionMinor: 9, Mechanisms: "PLAIN", Locales: "en_US"})
	var err error
	for err == nil {
		if err = c.flush(); err == nil {
			if err = c.in.fill(); err == nil {
				err = c.frames()
				c.release()
			}
			if b := c.in.buf; c.in.end == len(b) && len(b) < readBuffer {
				c.in.buf = append(b, make([]byte, len(b))...) // more comes than fits
			}
		}
	}
	return errors.Join(err, c.flush())
}

// answer is for methods; the reader calls it.
func (c *nullConn) answer(ch wire.ChannelID, m wire.Method) {
	c.mu.Lock()
	c.out = wire.AppendMethodFrame(c.out, ch, m)
	c.mu.Unlock()
}

// flush writes what the last frames have caused, here and at consumers.
func (c *nullConn) flush() error {
	for _, t := range c.touched {
		_ = t.write() // that connection's reader sees the error
	}
	c.touched = c.touched[:0]
	if len(c.unsaid) > 0 {
		c.mu.Lock()
		for ch := range c.unsaid {
			c.out = wire.AppendBasicAckFrame(c.out, ch, wire.DeliveryTag(c.published[ch]), true)
		}
		c.mu.Unlock()
		clear(c.unsaid)
	}
	return c.write()
}

func (c *nullConn) write() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touchedBy = nil
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.in.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

// frames handles all that is complete; of a publish, all of its frames must be.
func (c *nullConn) frames() error {
	in := c.in
	for {
		f, n, err := wire.ParseFrame(in.buf[in.start:in.end], 0)
		if err != nil || n == 0 {
			return err
		}
		if f.Type == wire.FrameMethod {
			id, _ := wire.PeekMethod(f.Payload)
			switch id {
			case wire.MethodBasicPublish:
				used, err := c.publish(f, in.buf[in.start:in.end], n)
				if err != nil || used == 0 {
					return err
				}
				n = used
			case wire.MethodBasicAck:
			default:
				if err := c.method(f); err != nil {
					return err
				}
			}
		}
		in.start += n
	}
}

// publish forwards the message whose method frame is the first n bytes of b. It
// returns its length, 0 if it is not complete.
func (c *nullConn) publish(f wire.Frame, b []byte, n int) (int, error) {
	p, err := wire.ParseBasicPublish(f.Payload)
	if err != nil {
		return 0, err
	}
	hf, k, err := wire.ParseFrame(b[n:], 0)
	if err != nil || k == 0 {
		return 0, err
	}
	h, err := wire.ParseContentHeader(hf.Payload)
	if err != nil {
		return 0, err
	}
	n += k
	bodies := n
	for left := h.BodySize; left > 0; {
		bf, k, err := wire.ParseFrame(b[n:], 0)
		if err != nil || k == 0 {
			return 0, err
		}
		left -= min(left, uint64(len(bf.Payload)))
		n += k
	}
	for _, q := range c.find(p) {
		c.forward(q, p, h, b[bodies:n])
	}
	if len(c.confirm) > 0 && c.confirm[f.Channel] {
		c.published[f.Channel]++
		c.unsaid[f.Channel] = true
	}
	return n, nil
}

// find remembers what it found: definitions change before messages flow.
func (c *nullConn) find(p wire.BasicPublishView) []*nullQueue {
	name := p.Exchange
	if len(name) == 0 {
		name = p.RoutingKey
	}
	if bytes.Equal(name, c.lastName) {
		return c.last
	}
	if qs, ok := c.found[string(name)]; ok {
		c.lastName, c.last = append(c.lastName[:0], name...), qs
		return qs
	}
	c.release() // a queue's lock is taken after the forwarder's
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	var qs []*nullQueue
	if len(p.Exchange) == 0 {
		if q := c.s.queues[string(name)]; q != nil {
			qs = []*nullQueue{q}
		}
	} else if x := c.s.exchanges[string(name)]; x != nil {
		qs = x.queues
		if x.kind != "fanout" && len(qs) > 0 {
			qs = qs[len(qs)-1:]
		}
	}
	if c.found == nil {
		c.found = map[string][]*nullQueue{}
	}
	c.found[string(name)] = qs
	return qs
}

// hold locks the queue and the connection of the consumer whose turn it is; nil:
// there is none.
func (c *nullConn) hold(q *nullQueue) *nullConsumer {
	if c.held != q {
		c.release()
		q.mu.Lock()
		c.held = q
	}
	if len(q.consumers) == 0 {
		return nil
	}
	if q.turn++; q.turn >= len(q.consumers) {
		q.turn = 0
	}
	k := q.consumers[q.turn]
	if c.heldConn != k.conn {
		if c.heldConn != nil {
			c.heldConn.mu.Unlock()
		}
		c.heldConn = k.conn
		c.heldConn.mu.Lock()
	}
	return k
}

func (c *nullConn) release() {
	if c.heldConn != nil {
		c.heldConn.mu.Unlock()
		c.heldConn = nil
	}
	if c.held != nil {
		c.held.mu.Unlock()
		c.held = nil
	}
}

func (c *nullConn) forward(q *nullQueue, p wire.BasicPublishView, h wire.ContentHeader, bodies []byte) {
	k := c.hold(q)
	if k == nil {
		return
	}
	times := 1
	if c.s.spoil != nil {
		times = c.s.spoil(q.seen)
	}
	q.seen++
	t := k.conn
	for range times {
		*k.n++
		t.out = wire.AppendBasicDeliverHead(t.out, k.ch, k.tag, wire.DeliveryTag(*k.n), false, p.Exchange, p.RoutingKey, h.Props, h.BodySize)
		at := len(t.out)
		t.out = append(t.out, bodies...)
		for at < len(t.out) {
			size, _ := wire.FrameLen(t.out[at:])
			t.out[at+1], t.out[at+2] = byte(k.ch>>8), byte(k.ch)
			at += int(size)
		}
	}
	if t.touchedBy != c {
		t.touchedBy = c
		c.touched = append(c.touched, t)
	}
}

func (c *nullConn) method(f wire.Frame) error {
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return err
	}
	s, ch := c.s, f.Channel
	c.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(c.found)
	c.lastName, c.last = c.lastName[:0], nil
	switch m := m.(type) {
	case *wire.ConnectionStartOk:
		c.answer(0, wire.ConnectionTune{ChannelMax: 2047, FrameMax: 131072})
	case *wire.ConnectionOpen:
		c.answer(0, wire.ConnectionOpenOk{})
	case *wire.ConnectionClose:
		c.answer(0, wire.ConnectionCloseOk{})
		return errGoodbye
	case *wire.ChannelOpen:
		c.answer(ch, wire.ChannelOpenOk{})
	case *wire.ChannelClose:
		c.answer(ch, wire.ChannelCloseOk{})
	case *wire.ConfirmSelect:
		c.confirm[ch] = true
		c.answer(ch, wire.ConfirmSelectOk{})
	case *wire.ExchangeDeclare:
		if s.exchanges[m.Exchange] == nil {
			s.exchanges[m.Exchange] = &nullExchange{kind: m.Type}
		}
		c.answer(ch, wire.ExchangeDeclareOk{})
	case *wire.ExchangeDelete:
		delete(s.exchanges, m.Exchange)
		c.answer(ch, wire.ExchangeDeleteOk{})
	case *wire.QueueDeclare:
		if s.queues[m.Queue] == nil {
			s.queues[m.Queue] = &nullQueue{}
		}
		c.answer(ch, wire.QueueDeclareOk{Queue: m.Queue})
	case *wire.QueueDelete:
		delete(s.queues, m.Queue)
		c.answer(ch, wire.QueueDeleteOk{})
	case *wire.QueueBind:
		if x, q := s.exchanges[m.Exchange], s.queues[m.Queue]; x != nil && q != nil {
			x.queues = append(x.queues, q)
		}
		if !m.NoWait {
			c.answer(ch, wire.QueueBindOk{})
		}
	case *wire.BasicQos:
		c.answer(ch, wire.BasicQosOk{})
	case *wire.BasicConsume:
		c.consume(ch, m)
	}
	return nil
}

func (c *nullConn) consume(ch wire.ChannelID, m *wire.BasicConsume) {
	tag := m.ConsumerTag
	if tag == "" {
		tag = "amq.ctag-null-forwarder-00" // as long as a broker's
	}
	if !m.NoWait {
		c.answer(ch, wire.BasicConsumeOk{ConsumerTag: tag})
	}
	q := c.s.queues[m.Queue]
	if q == nil {
		return
	}
	if c.tos[ch] == nil {
		c.tos[ch] = new(uint64)
	}
	q.mu.Lock()
	q.consumers = append(q.consumers, &nullConsumer{conn: c, ch: ch, tag: tag, n: c.tos[ch]})
	q.mu.Unlock()
}
