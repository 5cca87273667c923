package perf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"
)

// Management measures what it costs to look at a broker that has many objects:
// how long the lists of its HTTP API take, and what somebody who watches takes
// from those who work.
type Management struct {
	URL         string // the broker, amqp://
	Web         string // its HTTP API, without /api
	Metrics     string // what Prometheus scrapes
	PID         int
	Queues      int // durable ones
	Connections int // with a channel each
	Calls       int // of each view
	Idle        time.Duration
	Pairs       int // of throughput without and with a watcher
	Duration    time.Duration
	Log         io.Writer // progress
}

// ManagementReport is what was measured.
type ManagementReport struct {
	Queues      int    `json:"queues"`
	Connections int    `json:"connections"`
	Views       []View `json:"views"`
	// Shares of a core that the broker's process takes, in percent, while
	// nothing else goes on; not known without its PID.
	IdleCPU    float64 `json:"idle_cpu_percent,omitempty"`
	WatchedCPU float64 `json:"watched_cpu_percent,omitempty"`
	// With a watcher over without one, pair by pair.
	Rate Spread `json:"rate_ratio"`
	Cost Spread `json:"cost_ratio"`
}

// View is a list, a page of one, or a scrape.
type View struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Took  Spread `json:"ms"`
	Bytes int64  `json:"bytes"`
}

// views are what people and programs ask for.
var views = [...]View{
	{Name: "overview", Path: "/api/overview"},
	{Name: "queues, a page of 100 by name", Path: "/api/queues?page=1&page_size=100"},
	{Name: "queues, a page of 500 by rate", Path: "/api/queues?page=1&page_size=500&sort=message_stats.publish_details.rate&sort_reverse=true"},
	{Name: "queues, all", Path: "/api/queues"},
	{Name: "connections, a page of 100", Path: "/api/connections?page=1&page_size=100"},
	{Name: "connections, all", Path: "/api/connections"},
	{Name: "channels, all", Path: "/api/channels"},
	{Name: "exchanges, all", Path: "/api/exchanges"},
	{Name: "metrics", Path: "/metrics"},
	{Name: "metrics of single objects", Path: "/metrics/per-object"},
}

// watched is what the page asks for every five seconds while it shows queues.
var watched = [...]string{
	"/api/overview?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5",
	"/api/overview?columns=cluster_name,object_totals,queue_totals", "/api/vhosts?columns=name", "/api/nodes",
	"/api/queues?page=1&page_size=100&sort=message_stats.publish_details.rate&sort_reverse=true",
	"/api/connections?page=1&page_size=100", "/api/channels?page=1&page_size=100",
}

// Run declares, connects, measures, and takes it all away.
func (m Management) Run(ctx context.Context) (rep *ManagementReport, err error) {
	get, err := m.getter()
	if err != nil {
		return nil, err
	}
	rep = &ManagementReport{Queues: m.Queues, Connections: m.Connections}
	for _, o := range []Operation{
		{Kind: Queues, Count: m.Queues, Durable: true, InFlight: 1},
		{Kind: Connections, Count: m.Connections},
	} {
		m.say("%s: %d", o.Kind, o.Count)
		w := &workers{Operation: o}
		w.URL, w.Workers, w.Queue = m.URL, 8, fmt.Sprintf("warren-perf-%d", os.Getpid())
		defer w.clean()
		if err := w.fill(ctx); err != nil {
			return nil, err
		}
	}
	for _, v := range views {
		m.say("%s", v.Name)
		var took []float64
		for range max(m.Calls, 1) {
			t := time.Now()
			if v.Bytes, err = get(ctx, v.Path); err != nil {
				return rep, err
			}
			took = append(took, millis(time.Since(t)))
		}
		v.Took = spreadOf(took)
		rep.Views = append(rep.Views, v)
	}
	return rep, errors.Join(m.idle(ctx, rep, get), m.pairs(ctx, rep, get))
}

// fill declares the queues, or opens the connections.
func (w *workers) fill(ctx context.Context) error {
	w.begin = time.Now()
	errs := make([]error, w.Workers)
	var all sync.WaitGroup
	for i := range w.Workers {
		all.Go(func() {
			if w.Kind == Connections {
				errs[i] = w.connect(ctx)
				return
			}
			c, err := dial(w.URL)
			if err == nil {
				err = w.declare(ctx, c, i)
				c.close()
			}
			errs[i] = err
		})
	}
	all.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// idle measures what the process takes while nothing goes on, and while
// somebody watches.
func (m *Management) idle(ctx context.Context, rep *ManagementReport, get getter) error {
	if m.PID == 0 || m.Idle <= 0 {
		return nil
	}
	for _, share := range []*float64{&rep.IdleCPU, &rep.WatchedCPU} {
		stop := func() error { return nil }
		if share == &rep.WatchedCPU {
			stop = m.watch(ctx, get)
		}
		m.say("%s of looking at the process", m.Idle)
		meter, err := newMeter(m.PID)
		if err == nil {
			err = wait(ctx, m.Idle)
		}
		if u := meter.read(); u != nil {
			*share = 100 * u.CPU.Seconds() / m.Idle.Seconds()
		}
		if err = errors.Join(err, stop()); err != nil {
			return err
		}
	}
	return nil
}

// pairs measures throughput without and with somebody who watches.
func (m *Management) pairs(ctx context.Context, rep *ManagementReport, get getter) error {
	var rates, costs []float64
	for i := range m.Pairs {
		var alone, seen Result
		turns := []*Result{&alone, &seen}
		if i%2 == 1 { // a machine that becomes faster or slower favours neither
			slices.Reverse(turns)
		}
		for _, res := range turns {
			stop := func() error { return nil }
			if res == &seen {
				stop = m.watch(ctx, get)
			}
			var err error
			*res, err = Load{URL: m.URL, PID: m.PID, Producers: 1, Consumers: 1, Queues: 1, Size: 16, Duration: m.Duration, Ahead: compareAhead}.Run(ctx)
			if err = errors.Join(err, stop()); err != nil {
				return err
			}
		}
		rates = append(rates, seen.Rate()/alone.Rate())
		if alone.Cost() > 0 {
			costs = append(costs, seen.Cost()/alone.Cost())
		}
		m.say("pair %d of %d: rate %.3f", i+1, m.Pairs, rates[i])
	}
	rep.Rate, rep.Cost = spreadOf(rates), spreadOf(costs)
	return nil
}

// watch scrapes every second and asks as the page does, until stop is called.
func (m *Management) watch(ctx context.Context, get getter) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			_, err := get(ctx, "/metrics")
			for _, path := range watched {
				if n%5 == 0 && err == nil {
					_, err = get(ctx, path)
				}
			}
			if err != nil && ctx.Err() == nil {
				done <- err
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				done <- nil
				return
			}
		}
	}()
	return func() error {
		cancel()
		return <-done
	}
}

// getter reads an answer and returns its length.
type getter func(ctx context.Context, path string) (int64, error)

func (m *Management) getter() (getter, error) {
	u, err := url.Parse(m.URL)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	return func(ctx context.Context, path string) (int64, error) {
		base := m.Web
		if len(path) < 5 || path[:5] != "/api/" {
			base = m.Metrics
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			return 0, err
		}
		req.SetBasicAuth(u.User.Username(), password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("GET %s: %s", path, resp.Status)
		}
		return n, err
	}, nil
}

func (m *Management) say(format string, args ...any) {
	if m.Log != nil {
		fmt.Fprintf(m.Log, format+"\n", args...)
	}
}
