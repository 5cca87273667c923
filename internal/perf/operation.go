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

// Operation is a measurement of something that is not a message.
type Operation struct {
	URL  string `json:"-"`
	Kind string `json:"kind"` // Queues, Connections, ConnectionChurn, QueueChurn
	// Workers do it at the same time, each on a connection of its own;
	// InFlight declarations of one are under way together.
	Workers  int           `json:"workers"`
	InFlight int           `json:"in_flight"`
	Count    int           `json:"count"` // of Queues and Connections
	Durable  bool          `json:"durable"`
	Duration time.Duration `json:"duration_ns"` // of the churns
	Queue    string        `json:"-"`           // how names begin
	Keep     bool          `json:"-"`           // leave the queues
	PID      int           `json:"-"`
	Live     func(Sample)  `json:"-"`
}

// Kinds of an Operation.
const (
	Queues          = "queues"           // declare Count queues
	Connections     = "connections"      // open Count connections, keep them open
	ConnectionChurn = "connection churn" // connect, open a channel, close
	QueueChurn      = "queue churn"      // declare and delete
)

// Run does it.
func (o Operation) Run(ctx context.Context) (res Result, err error) {
	o.Workers, o.InFlight = max(o.Workers, 1), max(o.InFlight, 1)
	if o.Queue == "" {
		o.Queue = fmt.Sprintf("warren-perf-%d", os.Getpid())
	}
	if (o.Kind == Queues || o.Kind == Connections) && o.Count < 1 || (o.Kind == ConnectionChurn || o.Kind == QueueChurn) && o.Duration <= 0 {
		return res, errors.New("no end: neither count nor duration")
	}
	w := &workers{Operation: o}
	defer w.clean()
	var conns []*client
	if o.Kind == Queues || o.Kind == QueueChurn {
		for range o.Workers {
			c, err := dial(o.URL)
			if err != nil {
				return res, err
			}
			defer c.close()
			conns = append(conns, c)
		}
	}
	work := ctx
	if o.Duration > 0 {
		var cancel context.CancelFunc
		work, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	m, meterErr := newMeter(o.PID)
	w.begin = time.Now()
	var all, watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() { w.watch(stop) })
	errs := make([]error, o.Workers)
	for i := range o.Workers {
		all.Go(func() {
			switch o.Kind {
			case Queues:
				errs[i] = w.declare(work, conns[i], i)
			case QueueChurn:
				errs[i] = w.churnQueues(work, conns[i], i)
			case Connections:
				errs[i] = w.connect(work)
			case ConnectionChurn:
				errs[i] = w.churnConnections(work)
			default:
				errs[i] = fmt.Errorf("unknown operation %q", o.Kind)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(w.begin)
	if o.Kind == Connections && o.PID != 0 && ctx.Err() == nil {
		_ = wait(ctx, 2*time.Second) // what the handshakes have left is not the connections' memory
	}
	used := m.read()
	close(stop)
	watching.Wait()
	res = Result{Operation: &o, Operations: w.count.Load(), Elapsed: elapsed, Usage: used, Series: w.series, Latency: w.latency.percentiles()}
	return res, errors.Join(append(errs, meterErr)...)
}

type workers struct {
	Operation
	begin   time.Time
	taken   atomic.Int64
	count   atomic.Uint64
	latency latencies
	series  []Sample

	mu   sync.Mutex
	open []*client
}

func (w *workers) watch(stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last Sample
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			s := Sample{At: now.Sub(w.begin), Operations: w.count.Load(), Latency: w.latency.interval()}
			s.rates(last)
			last = s
			w.series = append(w.series, s)
			if w.Live != nil {
				w.Live(s)
			}
		}
	}
}

func (w *workers) name(worker, i int) string { return fmt.Sprintf("%s-%d-%d", w.Queue, worker, i) }

// declare declares the worker's share of the queues.
func (w *workers) declare(ctx context.Context, c *client, worker int) error {
	share := w.Count / w.Workers
	if worker < w.Count%w.Workers {
		share++
	}
	return w.pipeline(c, share, func(i int) (wire.Method, bool) {
		return wire.QueueDeclare{Queue: w.name(worker, i), Durable: w.Durable}, ctx.Err() == nil
	})
}

// pipeline sends methods, so many in flight, and waits for all answers.
func (w *workers) pipeline(c *client, n int, next func(i int) (wire.Method, bool)) error {
	sent := make([]time.Time, w.InFlight)
	answered := 0
	for i := 0; ; {
		var b []byte
		for i < n && i-answered < w.InFlight {
			m, ok := next(i)
			if !ok {
				n = i
				break
			}
			sent[i%w.InFlight] = time.Now()
			b = wire.AppendMethodFrame(b, 1, m)
			i++
		}
		if len(b) > 0 {
			if _, err := c.nc.Write(b); err != nil {
				return err
			}
		}
		if answered == n {
			return nil
		}
		if _, err := expect[*wire.QueueDeclareOk](c); err != nil {
			return err
		}
		w.latency.record(time.Since(sent[answered%w.InFlight]))
		w.count.Add(1)
		answered++
	}
}

func (w *workers) churnQueues(ctx context.Context, c *client, worker int) error {
	for i := 0; ctx.Err() == nil; i++ {
		t := time.Now()
		name := w.name(worker, i)
		if _, err := call[*wire.QueueDeclareOk](c, wire.QueueDeclare{Queue: name, Durable: w.Durable}); err != nil {
			return err
		}
		if _, err := call[*wire.QueueDeleteOk](c, wire.QueueDelete{Queue: name}); err != nil {
			return err
		}
		w.latency.record(time.Since(t))
		w.count.Add(1)
	}
	return nil
}

func (w *workers) connect(ctx context.Context) error {
	for ctx.Err() == nil && w.taken.Add(1) <= int64(w.Count) {
		t := time.Now()
		c, err := dialBuffer(w.URL, idleBuffer)
		if err != nil {
			return err
		}
		w.latency.record(time.Since(t))
		w.count.Add(1)
		w.mu.Lock()
		w.open = append(w.open, c)
		w.mu.Unlock()
	}
	return nil
}

func (w *workers) churnConnections(ctx context.Context) error {
	for ctx.Err() == nil {
		t := time.Now()
		c, err := dialBuffer(w.URL, idleBuffer)
		if err != nil {
			return err
		}
		if err := c.send(1, wire.ChannelClose{ReplyCode: wire.ReplySuccess}); err != nil {
			return err
		}
		if _, err := expect[*wire.ChannelCloseOk](c); err != nil {
			return err
		}
		c.close()
		w.latency.record(time.Since(t))
		w.count.Add(1)
	}
	return nil
}

// clean closes what is open and deletes the queues of Queues.
func (w *workers) clean() {
	for _, c := range w.open {
		c.nc.Close()
	}
	if w.Kind != Queues || w.Keep {
		return
	}
	c, err := dial(w.URL)
	if err != nil {
		return
	}
	defer c.close()
	for worker := range w.Workers {
		for i := 0; i <= w.Count/w.Workers; i++ {
			if _, err := call[*wire.QueueDeleteOk](c, wire.QueueDelete{Queue: w.name(worker, i)}); err != nil {
				return
			}
		}
	}
}
