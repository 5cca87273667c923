package perf

import (
	"encoding/binary"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// consumer takes deliveries on one connection.
type consumer struct {
	*client
	r      *run
	strict bool // it is alone on its queues: no gaps
	next   map[uint64]*uint64
	source uint64 // the key of expected
	expect *uint64
}

// newConsumer connects and consumes: deliveries may wait in the socket already
// when the measurement begins, if there is a backlog. So a drain consumes in run.
func (r *run) newConsumer(i int) (*consumer, error) {
	cl, err := dial(r.URL)
	if err != nil {
		return nil, err
	}
	c := &consumer{client: cl, r: r, strict: r.Consumers <= r.Queues, next: map[uint64]*uint64{}, source: 1<<64 - 1}
	if r.Prefetch > 0 {
		_, err = call[*wire.BasicQosOk](cl, wire.BasicQos{PrefetchCount: uint16(r.Prefetch)})
	}
	for q := i % r.Queues; q < r.Queues && err == nil; q += r.Consumers {
		m := wire.BasicConsume{Queue: r.queueName(q), NoAck: r.Ack == 0, NoWait: r.Drain}
		if r.Drain {
			err = cl.send(1, m)
		} else {
			_, err = call[*wire.BasicConsumeOk](cl, m)
		}
	}
	if err != nil {
		cl.nc.Close()
		return nil, err
	}
	return c, nil
}

// run counts and checks until the connection is closed.
func (c *consumer) run() error {
	r := c.r
	var tag, got, size, left uint64
	ack := make([]byte, 0, 64)
	for {
		f, err := c.frame()
		if err != nil {
			select {
			case <-r.failed:
				return nil
			default:
				return err
			}
		}
		switch f.Type {
		case wire.FrameMethod:
			switch id, _ := wire.PeekMethod(f.Payload); id {
			case wire.MethodBasicDeliver:
				tag++
			case wire.MethodConnectionCloseOk:
				return nil
			case wire.MethodConnectionClose, wire.MethodChannelClose, wire.MethodBasicCancel:
				return closedByBroker(f)
			}
			continue
		case wire.FrameHeader:
			size = binary.BigEndian.Uint64(f.Payload[4:])
			left = size
		case wire.FrameBody:
			if left == size {
				c.inspect(f.Payload)
			}
			left -= min(left, uint64(len(f.Payload)))
		default:
			continue
		}
		if left > 0 {
			continue
		}
		if r.Ack > 0 && tag%uint64(r.Ack) == 0 {
			ack = wire.AppendBasicAckFrame(ack[:0], 1, wire.DeliveryTag(tag), r.Ack > 1)
			if _, err := c.nc.Write(ack); err != nil {
				return err
			}
		}
		if got++; got%256 == 0 || c.start == c.end {
			r.consumed.Add(got)
			got = 0
			r.check()
		}
	}
}

// inspect looks at the stamp at the start of a body.
func (c *consumer) inspect(body []byte) {
	if len(body) < 8 {
		c.r.disorder.Add(1)
		return
	}
	stamp := binary.BigEndian.Uint64(body)
	source, seq := stamp>>stampSeqBits, stamp&(1<<stampSeqBits-1)
	if source != c.source {
		next, ok := c.next[source]
		if !ok {
			next = new(uint64)
			if c.r.Drain {
				*next = seq // the first may have been consumed long ago
			}
			c.next[source] = next
		}
		c.source, c.expect = source, next
	}
	if seq != *c.expect && (c.strict || seq < *c.expect) {
		c.r.disorder.Add(1)
	}
	*c.expect = max(*c.expect, seq+1)
	if c.r.Latency && len(body) >= 16 {
		c.r.latency.record(time.Since(c.r.begin) - time.Duration(binary.BigEndian.Uint64(body[8:])))
	}
}

// finish acknowledges the rest and says goodbye; run then ends.
func (c *consumer) finish() {
	var b []byte
	if c.r.Ack > 1 {
		b = wire.AppendBasicAckFrame(b, 1, 0, true) // 0: all
	}
	b = wire.AppendMethodFrame(b, 0, wire.ConnectionClose{ReplyCode: wire.ReplySuccess})
	if _, err := c.nc.Write(b); err != nil {
		c.nc.Close()
	}
}
