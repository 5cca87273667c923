package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Throughput is a measurement of how many messages pass through a broker.
type Throughput struct {
	URL        string
	Producers  int
	Consumers  int // 0: publish only
	Size       int // bytes of a body, at least 8
	Persistent bool
	Durable    bool // the queue
	Confirm    int  // publishes in flight; 0: no confirms
	Ack        int  // acknowledge every so many; 0: automatic
	Prefetch   int
	Messages   int           // per producer; 0: as many as Duration allows
	Duration   time.Duration // ignored with Messages
	Queue      string
	Keep       bool // leave the queue and what is in it
	Drain      bool // consume what is there: no producers
}

// Result of a measurement.
type Result struct {
	Published  uint64        `json:"published"`
	Consumed   uint64        `json:"consumed"`
	Confirmed  uint64        `json:"confirmed"`
	Refused    uint64        `json:"refused"`
	OutOfOrder uint64        `json:"out_of_order"`
	Elapsed    time.Duration `json:"elapsed_ns"`
}

type run struct {
	Throughput
	published, consumed, confirmed, refused, disorder atomic.Uint64
	want                                              atomic.Uint64 // messages to consume before the end; 0: not known yet
	done                                              chan struct{}
	once                                              sync.Once
}

// Run measures until all messages have passed or ctx ends.
func (t Throughput) Run(ctx context.Context) (Result, error) {
	if t.Queue == "" {
		t.Queue = fmt.Sprintf("warren-perf-%d", os.Getpid())
	}
	if t.Messages == 0 && !t.Drain {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Duration)
		defer cancel()
	}
	r := &run{Throughput: t, done: make(chan struct{})}
	admin, err := dial(t.URL)
	if err != nil {
		return Result{}, err
	}
	defer admin.close()
	decl, err := call[*wire.QueueDeclareOk](admin, wire.QueueDeclare{Queue: t.Queue, Durable: t.Durable})
	if err != nil {
		return Result{}, err
	}
	if t.Drain {
		r.want.Store(uint64(decl.MessageCount))
	}
	if !t.Keep {
		defer call[*wire.QueueDeleteOk](admin, wire.QueueDelete{Queue: t.Queue})
	}
	var consumers, producers sync.WaitGroup
	errs := make(chan error, t.Producers+t.Consumers)
	var open []*client
	for range t.Consumers {
		c, err := dial(t.URL)
		if err != nil {
			return Result{}, err
		}
		open = append(open, c)
		consumers.Go(func() {
			if err := r.consume(c); err != nil {
				errs <- err
			}
		})
	}
	begin := time.Now()
	for range t.Producers {
		producers.Go(func() {
			if err := r.produce(ctx); err != nil {
				errs <- err
			}
		})
	}
	producers.Wait()
	if t.Consumers > 0 {
		if !t.Drain {
			r.want.Store(max(r.published.Load(), 1))
		}
		r.check()
		select {
		case <-r.done:
		case err := <-errs:
			return Result{}, err
		case <-time.After(30 * time.Second):
			err = fmt.Errorf("lost: %d published, %d consumed", r.published.Load(), r.consumed.Load())
		}
	}
	elapsed := time.Since(begin)
	for _, c := range open {
		c.nc.Close()
	}
	consumers.Wait()
	select {
	case e := <-errs:
		err = errors.Join(err, e)
	default:
	}
	return Result{r.published.Load(), r.consumed.Load(), r.confirmed.Load(), r.refused.Load(), r.disorder.Load(), elapsed}, err
}

func (r *run) check() {
	if w := r.want.Load(); w > 0 && r.consumed.Load() >= w {
		r.once.Do(func() { close(r.done) })
	}
}

// sendChunk is how much a producer gathers before it writes.
const sendChunk = 32 << 10

func (r *run) produce(ctx context.Context) error {
	c, err := dial(r.URL)
	if err != nil {
		return err
	}
	var inFlight chan struct{}
	failed := make(chan error, 1)
	if r.Confirm == 0 {
		defer c.close()
	} else {
		defer c.nc.Close()
		if _, err := call[*wire.ConfirmSelectOk](c, wire.ConfirmSelect{}); err != nil {
			return err
		}
		inFlight = make(chan struct{}, r.Confirm)
		go func() { failed <- r.confirms(c, inFlight) }()
	}
	m := newMessage("", r.Queue, r.Size, r.Persistent, c.frameMax)
	buf := make([]byte, 0, sendChunk+len(m.frames))
	flush := func() error {
		_, err := c.nc.Write(buf)
		buf = buf[:0]
		return err
	}
	n := uint64(0)
	for ; ctx.Err() == nil && (r.Messages == 0 || n < uint64(r.Messages)); n++ {
		if inFlight != nil {
			select {
			case inFlight <- struct{}{}:
			default:
				if err := flush(); err != nil {
					return err
				}
				select {
				case inFlight <- struct{}{}:
				case err := <-failed:
					return err
				}
			}
		}
		m.stamp(n)
		if buf = append(buf, m.frames...); len(buf) >= sendChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	r.published.Add(n)
	if r.Confirm == 0 {
		return nil
	}
	// All places in the window are free again when all publishes are answered.
	for range r.Confirm {
		select {
		case inFlight <- struct{}{}:
		case err := <-failed:
			return err
		}
	}
	return c.goodbye()
}

// confirms takes the broker's answers and frees places in the window.
func (r *run) confirms(c *client, inFlight chan struct{}) error {
	last := uint64(0)
	for {
		f, err := c.frame()
		if err != nil {
			return err
		}
		id, _ := wire.PeekMethod(f.Payload)
		switch id {
		case wire.MethodBasicAck, wire.MethodBasicNack:
			tag := binary.BigEndian.Uint64(f.Payload[4:])
			n := uint64(1)
			if f.Payload[12]&1 != 0 {
				n = tag - last
			}
			last = max(last, tag)
			if id == wire.MethodBasicAck {
				r.confirmed.Add(n)
			} else {
				r.refused.Add(n)
			}
			for range n {
				<-inFlight
			}
		case wire.MethodChannelClose, wire.MethodConnectionClose:
			return fmt.Errorf("closed by the broker: %q", f.Payload)
		}
	}
}

func (r *run) consume(c *client) error {
	if r.Prefetch > 0 {
		if _, err := call[*wire.BasicQosOk](c, wire.BasicQos{PrefetchCount: uint16(r.Prefetch)}); err != nil {
			return err
		}
	}
	if _, err := call[*wire.BasicConsumeOk](c, wire.BasicConsume{Queue: r.Queue, NoAck: r.Ack == 0}); err != nil {
		return err
	}
	next, tag := uint64(0), uint64(0)
	inOrder := r.Producers <= 1 && r.Consumers == 1
	var got uint64
	for {
		f, err := c.frame()
		if err != nil {
			return nil // closed at the end
		}
		switch f.Type {
		case wire.FrameMethod:
			if id, _ := wire.PeekMethod(f.Payload); id == wire.MethodConnectionClose || id == wire.MethodChannelClose {
				return fmt.Errorf("closed by the broker: %q", f.Payload)
			}
			tag++
		case wire.FrameBody:
			if len(f.Payload) >= 8 && inOrder {
				if n := binary.BigEndian.Uint64(f.Payload); n != next {
					r.disorder.Add(1)
					next = n
				}
				next++
			}
			if got++; got%64 == 0 || c.start == c.end {
				r.consumed.Add(got)
				got = 0
				r.check()
			}
			if r.Ack > 0 && tag%uint64(r.Ack) == 0 {
				if _, err := c.nc.Write(wire.AppendBasicAckFrame(nil, 1, wire.DeliveryTag(tag), r.Ack > 1)); err != nil {
					return err
				}
			}
		}
	}
}
