package perf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Load is a measurement of messages that pass through a broker.
type Load struct {
	URL        string        `json:"-"`
	Producers  int           `json:"producers"`
	Consumers  int           `json:"consumers"` // 0: publish only
	Queues     int           `json:"queues"`
	Size       int           `json:"size"`           // bytes of a body, at least 8; 16 with Latency
	Persistent bool          `json:"persistent"`     // the messages
	Durable    bool          `json:"durable"`        // the queues
	Confirm    int           `json:"confirm"`        // publishes of a producer in flight; 0: no confirms
	Poll       bool          `json:"poll,omitempty"` // with one in flight: poll the socket for the confirm, so that no wake-up of the client's is in its latency
	Ack        int           `json:"ack"`            // acknowledge every so many; 0: automatic
	Prefetch   int           `json:"prefetch"`
	Rate       int           `json:"rate"`     // messages per second of all producers; 0: as many as go
	Messages   int           `json:"messages"` // per producer, if Duration allows; 0: no limit
	Duration   time.Duration `json:"duration_ns"`
	Latency    bool          `json:"latency"` // measure it
	// Ahead is how many deliveries the producers may be ahead of the consumers;
	// 0: as far as the broker lets them. It bounds how long a run lasts.
	Ahead int `json:"ahead,omitempty"`
	// Exchange is the type of the exchange that is published to; empty: the
	// default exchange, and each producer has queues of its own. All queues are
	// bound to a fanout; of the others, one queue is, Bindings times, and
	// publishers go through keys that hit all of the bindings.
	Exchange string `json:"exchange"`
	Bindings int    `json:"bindings"`

	Queue string        `json:"queue,omitempty"` // its name, or how their names begin; default: one of our own
	Keep  bool          `json:"-"`               // leave the queues and what is in them
	Drain bool          `json:"drain"`           // consume what is there: no producers
	PID   int           `json:"-"`               // of the broker, to measure its CPU time and memory
	Stall time.Duration `json:"-"`               // give up when nothing moves for so long; default 30 s
	Live  func(Sample)  `json:"-"`               // called every second
}

// The stamp at the start of each body: who sent it, to which of his queues, the
// how manieth. With Latency, when follows.
const (
	stampSeqBits    = 40
	stampTargetBits = 12
	maxProducers    = 1 << (64 - stampSeqBits - stampTargetBits)
	maxQueues       = 1 << stampTargetBits
)

func (l *Load) setDefaults() error {
	l.Queues = max(l.Queues, 1)
	if l.Drain {
		l.Producers = 0
	}
	if l.Stall == 0 {
		l.Stall = patience
	}
	if l.Queue == "" {
		l.Queue = fmt.Sprintf("warren-perf-%d", os.Getpid())
	}
	switch l.Exchange {
	case "":
	case "fanout":
		if l.Consumers > 0 {
			l.Consumers = max(l.Consumers, l.Queues)
		}
	case "direct", "topic", "headers":
		l.Bindings, l.Queues = max(l.Bindings, 1), 1
	default:
		return fmt.Errorf("exchange type %q: want fanout, direct, topic or headers", l.Exchange)
	}
	least := 8
	if l.Latency {
		least = 16
	}
	switch {
	case l.Producers < 0 || l.Consumers < 0 || l.Producers+l.Consumers == 0:
		return errors.New("neither producers nor consumers")
	case l.Producers > maxProducers || l.Queues > maxQueues:
		return fmt.Errorf("at most %d producers and %d queues", maxProducers, maxQueues)
	case l.Size < least:
		return fmt.Errorf("a body needs %d bytes for the stamp", least)
	case l.Producers > 0 && l.Messages == 0 && l.Duration == 0:
		return errors.New("no end: neither messages nor duration")
	case l.Prefetch < 0 || l.Prefetch > 65535 || l.Ack < 0 || l.Confirm < 0 || l.Rate < 0:
		return errors.New("a number is out of range")
	case l.Poll && l.Confirm != 1:
		return errors.New("polling is for publishers with one confirm in flight")
	case l.Prefetch > 0 && l.Ack > l.Prefetch:
		return fmt.Errorf("acknowledging every %d with a prefetch of %d would wait for ever", l.Ack, l.Prefetch)
	}
	return nil
}

// copies is how many deliveries a publish makes.
func (l *Load) copies() uint64 {
	if l.Exchange == "fanout" {
		return uint64(l.Queues)
	}
	return 1
}

func (l *Load) queueName(i int) string {
	if l.Queues == 1 {
		return l.Queue
	}
	return fmt.Sprintf("%s-%d", l.Queue, i)
}

// run is a Load under way. The counters are advanced once per batch.
type run struct {
	Load
	published, consumed, confirmed, refused, disorder atomic.Uint64

	begin          time.Time
	want           atomic.Uint64 // deliveries before the end, plus one; 0: not known yet
	done           chan struct{} // all are there
	doneOnce       sync.Once
	failed         chan struct{} // closed with failure set
	failOnce       sync.Once
	failure        error
	latency        latencies
	confirmLatency latencies
	series         []Sample
}

// Run measures until all messages have passed. When ctx ends it publishes no
// more and waits for what is under way. A message that is lost, or out of
// order, is an error; what was counted is returned with it.
func (l Load) Run(ctx context.Context) (Result, error) {
	if err := l.setDefaults(); err != nil {
		return Result{}, err
	}
	r := &run{Load: l, done: make(chan struct{}), failed: make(chan struct{})}
	admin, err := dial(l.URL)
	if err != nil {
		return Result{}, err
	}
	defer admin.close()
	waiting, err := r.setup(admin)
	if !l.Keep {
		defer r.teardown()
	}
	if err != nil {
		return Result{}, err
	}
	producers, consumers, err := r.connect()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		for _, p := range producers {
			p.nc.Close()
		}
		for _, c := range consumers {
			c.nc.Close()
		}
		return Result{}, err
	}
	return r.measure(ctx, producers, consumers, waiting)
}

// connect opens all connections before anything is measured.
func (r *run) connect() (ps []*producer, cs []*consumer, err error) {
	for i := range r.Consumers {
		c, err := r.newConsumer(i)
		if err != nil {
			return ps, cs, err
		}
		cs = append(cs, c)
	}
	for i := range r.Producers {
		p, err := r.newProducer(i)
		if err != nil {
			return ps, cs, err
		}
		ps = append(ps, p)
	}
	return ps, cs, nil
}

func (r *run) measure(ctx context.Context, ps []*producer, cs []*consumer, waiting uint64) (Result, error) {
	meter, err := newMeter(r.PID)
	r.begin = time.Now()
	if r.Drain {
		r.want.Store(waiting + 1)
	}
	stop := make(chan struct{})
	var working, watching sync.WaitGroup
	watching.Go(func() { r.watch(stop) })
	for _, c := range cs {
		working.Go(func() { r.fail(c.run()) })
	}
	var publishing sync.WaitGroup
	for _, p := range ps {
		if r.Confirm > 0 && !r.Poll {
			working.Go(func() { r.fail(p.confirms()) })
		}
		publishing.Go(func() {
			r.fail(p.run(ctx))
			if r.Poll {
				working.Go(func() { r.fail(p.confirms()) }) // there is only the end to come
			}
		})
	}
	// Whoever is blocked in a write or a read comes back when its socket is closed.
	closeAll := func() {
		for _, p := range ps {
			p.nc.Close()
		}
		for _, c := range cs {
			c.nc.Close()
		}
	}
	go func() {
		select {
		case <-r.failed:
			closeAll()
		case <-stop:
		}
	}()
	publishing.Wait()
	if !r.Drain {
		r.want.Store(r.published.Load()*r.copies() + 1)
	}
	if r.Consumers > 0 {
		r.check()
		hurry := ctx.Done() // an interrupted drain has nothing to wait for
		if !r.Drain {
			hurry = nil
		}
		select {
		case <-r.done:
		case <-r.failed:
		case <-hurry:
			r.fail(context.Cause(ctx))
		}
	}
	elapsed := time.Since(r.begin)
	used := meter.read()
	for _, c := range cs {
		c.finish()
	}
	for _, p := range ps {
		p.finish()
	}
	working.Wait()
	close(stop)
	watching.Wait()
	closeAll()
	res := Result{
		Load: &r.Load, Published: r.published.Load(), Consumed: r.consumed.Load(), Confirmed: r.confirmed.Load(), Refused: r.refused.Load(),
		OutOfOrder: r.disorder.Load(), Elapsed: elapsed, Usage: used, Series: r.series,
		Latency: r.latency.percentiles(), ConfirmLatency: r.confirmLatency.percentiles(),
	}
	select {
	case <-r.failed:
		err = errors.Join(err, r.failure)
	default:
	}
	want := r.want.Load() - 1
	if r.Consumers > 0 && res.Consumed < want {
		res.Lost = want - res.Consumed
		err = errors.Join(err, fmt.Errorf("lost: %d messages expected, %d came", want, res.Consumed))
	}
	if res.OutOfOrder > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages out of order, repeated or after a gap", res.OutOfOrder))
	}
	if r.Confirm > 0 && res.Confirmed+res.Refused < res.Published {
		err = errors.Join(err, fmt.Errorf("%d publishes were not confirmed", res.Published-res.Confirmed-res.Refused))
	}
	return res, err
}

// fail ends the run; the first error counts.
func (r *run) fail(err error) {
	if err == nil {
		return
	}
	r.failOnce.Do(func() {
		r.failure = err
		close(r.failed)
	})
}

func (r *run) check() {
	if w := r.want.Load(); w > 0 && r.consumed.Load() >= w-1 {
		r.doneOnce.Do(func() { close(r.done) })
	}
}

// watch samples every second, and ends a run in which nothing moves.
func (r *run) watch(stop chan struct{}) {
	const step = 100 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	var last Sample
	var moved uint64
	movedAt, sampledAt := r.begin, r.begin
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			if n := r.published.Load() + r.consumed.Load() + r.confirmed.Load(); n != moved {
				moved, movedAt = n, now
			} else if now.Sub(movedAt) > r.Stall {
				r.fail(fmt.Errorf("nothing moved for %v", r.Stall))
				return
			}
			if now.Sub(sampledAt) < time.Second-step/2 {
				continue
			}
			s := Sample{
				At: now.Sub(r.begin), Published: r.published.Load(), Consumed: r.consumed.Load(), Confirmed: r.confirmed.Load(),
				Latency: r.latency.interval(), ConfirmLatency: r.confirmLatency.interval(),
			}
			s.rates(last)
			last, sampledAt = s, now
			r.series = append(r.series, s)
			if r.Live != nil {
				r.Live(s)
			}
		}
	}
}

// setup declares what is needed and returns how many messages wait already.
func (r *run) setup(admin *client) (waiting uint64, err error) {
	for i := range r.Queues {
		ok, err := call[*wire.QueueDeclareOk](admin, wire.QueueDeclare{Queue: r.queueName(i), Durable: r.Durable})
		if err != nil {
			return 0, err
		}
		waiting += uint64(ok.MessageCount)
	}
	if waiting > 0 && !r.Drain && r.Consumers > 0 {
		return 0, fmt.Errorf("%d messages are in the queue already; drain or delete it first", waiting)
	}
	if r.Exchange == "" {
		return waiting, nil
	}
	_, err = call[*wire.ExchangeDeclareOk](admin, wire.ExchangeDeclare{Exchange: r.Queue, Type: r.Exchange, Durable: r.Durable})
	if err != nil {
		return 0, err
	}
	var buf []byte
	bindings := r.Bindings
	if r.Exchange == "fanout" {
		bindings = r.Queues
	}
	for i := range bindings {
		bind := wire.QueueBind{Queue: r.queueName(i % r.Queues), Exchange: r.Queue, NoWait: true}
		bind.RoutingKey, bind.Arguments = binding(r.Exchange, i)
		if buf = wire.AppendMethodFrame(buf, 1, bind); len(buf) > sendChunk {
			if _, err := admin.nc.Write(buf); err != nil {
				return 0, err
			}
			buf = buf[:0]
		}
	}
	if _, err := admin.nc.Write(buf); err != nil {
		return 0, err
	}
	// Answered after all of the bindings.
	_, err = call[*wire.QueueDeclareOk](admin, wire.QueueDeclare{Queue: r.queueName(0), Passive: true})
	return waiting, err
}

// teardown deletes on a connection of its own: the first may have been closed.
func (r *run) teardown() {
	admin, err := dial(r.URL)
	if err != nil {
		return
	}
	defer admin.close()
	if r.Exchange != "" {
		if _, err := call[*wire.ExchangeDeleteOk](admin, wire.ExchangeDelete{Exchange: r.Queue}); err != nil {
			return
		}
	}
	for i := range r.Queues {
		if _, err := call[*wire.QueueDeleteOk](admin, wire.QueueDelete{Queue: r.queueName(i)}); err != nil {
			return
		}
	}
}

// binding is the i-th binding to an exchange.
func binding(kind string, i int) (key string, args wire.Table) {
	id := fmt.Sprintf("k%05d", i)
	switch kind {
	case "direct":
		return id, nil
	case "topic":
		return [...]string{id + ".*.end", id + ".#", "*." + id + ".#"}[i%3], nil
	case "headers":
		if i%2 == 0 {
			return "", wire.Table{{Key: "x-match", Value: wire.String("all")}, {Key: "id", Value: wire.String(id)}, {Key: "kind", Value: wire.String("order")}}
		}
		return "", wire.Table{{Key: "x-match", Value: wire.String("any")}, {Key: "id", Value: wire.String(id)}, {Key: "region", Value: wire.String("none")}}
	}
	return "", nil
}

// hit is the routing key and the headers that only the i-th binding takes;
// variant changes what does not matter for that.
func hit(kind string, i, variant int) (key string, headers wire.Table) {
	id := fmt.Sprintf("k%05d", i)
	v := fmt.Sprintf("v%02d", variant)
	switch kind {
	case "direct":
		return id, nil
	case "topic":
		return [...]string{id + "." + v + ".end", id + ".some." + v, v + "." + id + ".some"}[i%3], nil
	case "headers":
		return "", wire.Table{{Key: "id", Value: wire.String(id)}, {Key: "kind", Value: wire.String("order")}, {Key: "region", Value: wire.String(v)}}
	}
	return "", nil
}
