package perf

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/brokertest"
)

// null starts a null forwarder and returns its URL.
func null(t *testing.T, spoil func(uint64) int) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Null{spoil: spoil}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ln)
	}()
	t.Cleanup(func() { ln.Close(); s.Close(); <-done })
	return "amqp://guest:guest@" + ln.Addr().String() + "/"
}

const short = 50 * time.Millisecond

// loads are scenarios of every kind, small.
func loads() map[string]Load {
	return map[string]Load{
		"throughput":      {Producers: 1, Consumers: 1, Size: 16, Duration: short},
		"many":            {Producers: 3, Consumers: 4, Queues: 2, Size: 16, Duration: short},
		"queues in turn":  {Producers: 1, Consumers: 1, Queues: 5, Size: 16, Duration: short},
		"large":           {Producers: 1, Consumers: 1, Size: 300 << 10, Messages: 20},
		"latency":         {Producers: 1, Consumers: 1, Size: 16, Duration: 2 * short, Rate: 2000, Latency: true},
		"confirms":        {Producers: 1, Consumers: 1, Size: 100, Confirm: 50, Ack: 10, Prefetch: 100, Duration: short, Persistent: true, Durable: true},
		"polling":         {Producers: 2, Consumers: 1, Size: 100, Confirm: 1, Poll: true, Duration: short, Latency: true},
		"one in flight":   {Producers: 1, Consumers: 1, Size: 100, Confirm: 1, Duration: short, Latency: true},
		"fan-out":         {Producers: 1, Consumers: 5, Queues: 5, Exchange: "fanout", Size: 16, Duration: short},
		"direct bindings": {Producers: 1, Consumers: 1, Exchange: "direct", Bindings: 100, Size: 16, Duration: short},
		"topic bindings":  {Producers: 1, Consumers: 1, Exchange: "topic", Bindings: 100, Size: 16, Duration: short},
		"header bindings": {Producers: 1, Consumers: 1, Exchange: "headers", Bindings: 100, Size: 16, Duration: short},
	}
}

func TestLoads(t *testing.T) {
	brokers := map[string]string{
		"warren": brokertest.Start(t, brokertest.InMemory()).URL(),
		"null":   null(t, nil),
	}
	for broker, url := range brokers {
		for name, l := range loads() {
			t.Run(broker+"/"+name, func(t *testing.T) {
				l.URL, l.PID, l.Stall = url, os.Getpid(), 5*time.Second
				l.Queue = strings.ReplaceAll(name, " ", "-")
				res, err := l.Run(t.Context())
				if err != nil {
					t.Fatalf("%v: %+v", err, res)
				}
				want := res.Published
				if l.Exchange == "fanout" {
					want *= uint64(l.Queues)
				}
				if res.Published == 0 || res.Consumed != want || l.Confirm > 0 && res.Confirmed != res.Published {
					t.Errorf("%d published, %d confirmed, %d consumed, want %d", res.Published, res.Confirmed, res.Consumed, want)
				}
				if l.Latency && (res.Latency == nil || res.Latency.Count != int64(res.Published) || res.Latency.P50 <= 0 || res.Latency.P50 > res.Latency.Max) {
					t.Errorf("latency %+v", res.Latency)
				}
				if l.Latency && l.Confirm > 0 && (res.ConfirmLatency == nil || res.ConfirmLatency.Count != int64(res.Published)) {
					t.Errorf("confirm latency %+v", res.ConfirmLatency)
				}
			})
		}
	}
}

func TestBacklog(t *testing.T) {
	url := brokertest.Start(t).URL()
	fill := Load{URL: url, Producers: 1, Messages: 3000, Size: 100, Confirm: 100, Persistent: true, Durable: true, Queue: "backlog", Keep: true}
	if res, err := fill.Run(t.Context()); err != nil || res.Confirmed != 3000 {
		t.Fatalf("%v: %+v", err, res)
	}
	drain := Load{URL: url, Consumers: 1, Size: 100, Ack: 100, Prefetch: 500, Durable: true, Queue: "backlog", Drain: true}
	if res, err := drain.Run(t.Context()); err != nil || res.Consumed != 3000 {
		t.Fatalf("%v: %+v", err, res)
	}
}

// TestPublishOnly: nobody consumes, and what was published is with the broker.
func TestPublishOnly(t *testing.T) {
	url := brokertest.Start(t, brokertest.InMemory()).URL()
	if res, err := (Load{URL: url, Producers: 2, Messages: 500, Size: 16}).Run(t.Context()); err != nil || res.Published != 1000 || res.Units() != 1000 {
		t.Fatalf("%v: %+v", err, res)
	}
}

// TestBadBrokers: what a broker does wrong is seen.
func TestBadBrokers(t *testing.T) {
	one := func(n uint64, times int) func(uint64) int {
		return func(m uint64) int {
			if m == n {
				return times
			}
			return 1
		}
	}
	for name, c := range map[string]struct {
		spoil func(uint64) int
		want  string
	}{
		"lost":      {one(77, 0), "lost: 1000 messages expected, 999 came"},
		"last lost": {one(999, 0), "lost: 1000 messages expected, 999 came"},
		"gap":       {one(77, 0), "out of order"},
		"repeated":  {one(77, 2), "out of order"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := Load{URL: null(t, c.spoil), Producers: 1, Consumers: 1, Messages: 1000, Size: 16, Stall: 300 * time.Millisecond}
			if res, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q: %+v", err, c.want, res)
			}
		})
	}
}

func TestOperations(t *testing.T) {
	url := brokertest.Start(t, brokertest.InMemory()).URL()
	for _, o := range []Operation{
		{Kind: Queues, Count: 100, Workers: 3, InFlight: 4, Durable: true},
		{Kind: Connections, Count: 20, Workers: 4},
		{Kind: ConnectionChurn, Workers: 2, Duration: short},
		{Kind: QueueChurn, Workers: 2, Duration: short},
	} {
		t.Run(o.Kind, func(t *testing.T) {
			o.URL = url
			res, err := o.Run(t.Context())
			if err != nil || res.Operations == 0 || o.Count > 0 && res.Operations != uint64(o.Count) {
				t.Fatalf("%v: %+v", err, res)
			}
		})
	}
}

// TestInterrupted: a publisher that is told to stop does, and waits for what is under way.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	l := Load{URL: null(t, nil), Producers: 1, Consumers: 1, Size: 16, Duration: time.Hour}
	if res, err := l.Run(ctx); err != nil || res.Consumed == 0 || res.Consumed != res.Published {
		t.Fatalf("%v: %+v", err, res)
	}
}

func TestTags(t *testing.T) {
	type ack struct {
		tag      uint64
		multiple bool
		n        uint64
	}
	tg := tags{early: map[uint64]bool{}}
	for _, a := range []ack{{1, false, 1}, {3, false, 1}, {3, true, 1}, {6, false, 1}, {8, false, 1}, {7, true, 3}, {9, false, 1}, {9, false, 0}} {
		if n := tg.settle(a.tag, a.multiple); n != a.n {
			t.Errorf("%+v: %d", a, n)
		}
	}
	if tg.low != 9 || len(tg.early) != 0 {
		t.Errorf("%+v", tg)
	}
}
