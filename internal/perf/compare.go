package perf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Compare runs the same scenarios against several brokers, in turn: A B A B.
type Compare struct {
	Brokers     []string // warren, rabbitmq, null or name=URL,pid=PID; ratios are to the first
	BrokerCPU   string   // cores of the brokers that we start; empty: any
	ClientCPU   string   // our own cores; empty: any
	Rounds      int
	Duration    time.Duration // of publishing, per scenario and broker
	Backlog     int           // messages
	BacklogTime time.Duration // publishing a backlog ends after so long, with fewer messages
	Only        []string      // scenarios, by name; empty: all
	Absolute    bool          // the figures that are not relative to a broker, too
	AbsoluteN   Counts
	Dir         string // where the brokers' directories are made; must be on a disk
	Exe         string // this program
	Log         io.Writer
}

// Counts are the sizes of absolute figures.
type Counts struct{ Queues, Connections, Backlog int }

// Report is what a Compare has found.
type Report struct {
	Machine Machine       `json:"machine"`
	Rounds  int           `json:"rounds"`
	Length  time.Duration `json:"duration_ns"`
	Brokers []*Broker     `json:"brokers"`
	Rows    []*Row        `json:"rows"`
	Figures []*Figure     `json:"figures,omitempty"`
}

// Row is a scenario.
type Row struct {
	Name   string           `json:"name"`
	Unit   string           `json:"unit"` // what cost is per
	Target float64          `json:"target,omitempty"`
	Lavin  float64          `json:"lavinmq,omitempty"`
	Floor  float64          `json:"floor,omitempty"`
	Cells  map[string]*Cell `json:"cells"` // by broker
}

// Cell is a scenario with one broker.
type Cell struct {
	Cost    Spread   `json:"cpu_us"`            // per unit
	Rate    Spread   `json:"rate"`              // units per second
	Cheaper Spread   `json:"cheaper,omitempty"` // times, than the first broker in the same round
	Peak    int64    `json:"peak_rss_bytes"`
	Notes   []string `json:"notes,omitempty"`
	Rounds  []Result `json:"rounds"`
}

// Spread is the median of the rounds, and the extremes.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(v []float64) Spread {
	if len(v) == 0 {
		return Spread{}
	}
	v = slices.Clone(v)
	slices.Sort(v)
	m := v[len(v)/2]
	if len(v)%2 == 0 {
		m = (m + v[len(v)/2-1]) / 2
	}
	return Spread{m, v[0], v[len(v)-1]}
}

// compareAhead is far more than sockets hold, so that it is the broker that
// slows its publishers if it does so at all, and little enough for a fan-out to
// 100 queues to end soon with any broker.
const (
	compareAhead = 300_000
	slowAhead    = 20_000 // where RabbitMQ does 1,500 per second
)

// scenario is a line of the comparison. Each step is a result, and a row.
type scenario struct {
	rows  []Row
	needs string // "store": not for the null forwarder
	run   func(ctx context.Context, b *Broker) ([]Result, error)
}

func (c *Compare) load(l Load) func(context.Context, *Broker) ([]Result, error) {
	return func(ctx context.Context, b *Broker) ([]Result, error) {
		l := l
		l.URL, l.PID, l.Duration = b.URL, b.PID, c.Duration
		l.Producers, l.Consumers, l.Ahead = max(l.Producers, 1), max(l.Consumers, 1), cmp.Or(l.Ahead, compareAhead)
		res, err := l.Run(ctx)
		return []Result{res}, err
	}
}

// scenarios are those of the table of targets, in its order.
func (c *Compare) scenarios() []scenario {
	row := func(name, unit string, lavin, target, floor float64) []Row {
		return []Row{{Name: name, Unit: unit, Lavin: lavin, Target: target, Floor: floor}}
	}
	const kib = 1024
	return []scenario{
		{rows: row("transient 16 B, auto-ack", "message", 11, 25, 190), run: c.load(Load{Size: 16})},
		{rows: row("transient 1 KiB, auto-ack", "message", 3.3, 12, 31), run: c.load(Load{Size: kib})},
		{rows: row("manual acks (multiple, 100), confirms in flight 1,000, transient 1 KiB", "message", 3.9, 14, 43),
			run: c.load(Load{Size: kib, Ack: 100, Prefetch: 1000, Confirm: 1000})},
		{rows: row("durable 1 KiB, confirms in flight 1,000, acks (multiple, 100), fsynced", "message", 9, 20, 0), needs: "store",
			run: c.load(Load{Size: kib, Ack: 100, Prefetch: 1000, Confirm: 1000, Persistent: true, Durable: true})},
		{rows: row("8 producers, 8 consumers, 8 queues, 16 B", "message", 14, 28, 0), run: c.load(Load{Size: 16, Producers: 8, Consumers: 8, Queues: 8})},
		{rows: row("fan-out to 10 queues", "delivery", 19, 38, 0), run: c.load(Load{Size: 16, Exchange: "fanout", Queues: 10})},
		{rows: row("fan-out to 100 queues", "delivery", 40, 80, 0), run: c.load(Load{Size: 16, Exchange: "fanout", Queues: 100})},
		{rows: row("direct exchange, 1,000 bindings", "message", 20, 40, 0), run: c.load(Load{Size: 16, Exchange: "direct", Bindings: 1000})},
		{rows: row("topic exchange, 10,000 wildcard bindings", "message", 0.5, 40, 0), run: c.load(Load{Size: 16, Exchange: "topic", Bindings: 10000})},
		{rows: row("headers exchange, 1,000 bindings", "message", 57, 400, 0), run: c.load(Load{Size: 16, Exchange: "headers", Bindings: 1000, Ahead: slowAhead})},
		{rows: []Row{
			{Name: fmt.Sprintf("backlog %d x 1 KiB persistent: publish", c.Backlog), Unit: "message", Lavin: 15, Target: 22},
			{Name: fmt.Sprintf("backlog %d x 1 KiB persistent: drain", c.Backlog), Unit: "message", Lavin: 16, Target: 30},
		}, needs: "store", run: c.backlog},
		{rows: row("connection churn", "connection", 11, 18, 0), run: func(ctx context.Context, b *Broker) ([]Result, error) {
			res, err := Operation{URL: b.URL, PID: b.PID, Kind: ConnectionChurn, Workers: 4, Duration: c.Duration}.Run(ctx)
			return []Result{res}, err
		}},
	}
}

// backlog fills a queue, with confirms, and then empties it.
func (c *Compare) backlog(ctx context.Context, b *Broker) ([]Result, error) {
	l := Load{URL: b.URL, PID: b.PID, Producers: 1, Size: 1024, Confirm: 1000, Persistent: true, Durable: true,
		Messages: c.Backlog, Duration: c.BacklogTime, Keep: true}
	filled, err := l.Run(ctx)
	l.Producers, l.Consumers, l.Drain, l.Keep, l.Ack, l.Prefetch = 0, 1, true, false, 100, 1000
	if err != nil || ctx.Err() != nil {
		l.setDefaultsAndDelete()
		return []Result{filled}, errors.Join(err, ctx.Err())
	}
	drained, err := l.Run(ctx)
	return []Result{filled, drained}, err
}

// setDefaultsAndDelete takes the queues away after a failure.
func (l Load) setDefaultsAndDelete() {
	if l.setDefaults() == nil {
		(&run{Load: l}).teardown()
	}
}

// Run compares. After an error, or when ctx ends, the report holds what was
// measured until then. Brokers that were started are stopped in any case.
func (c Compare) Run(ctx context.Context) (rep *Report, err error) {
	c.Rounds = max(c.Rounds, 1)
	c.Duration = cmp.Or(c.Duration, 4*time.Second)
	c.Backlog = cmp.Or(c.Backlog, 1_000_000)
	c.BacklogTime = cmp.Or(c.BacklogTime, time.Minute)
	if c.Log == nil {
		c.Log = io.Discard
	}
	dir, err := os.MkdirTemp(c.Dir, "warren-perf-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rep = &Report{Machine: machine(), Rounds: c.Rounds, Length: c.Duration}
	for i, spec := range c.Brokers {
		b, err := parseBroker(spec)
		if err != nil {
			return nil, err
		}
		b.exe, b.cpu, b.dir = c.Exe, c.BrokerCPU, filepath.Join(dir, fmt.Sprintf("%d-%s", i, b.Name))
		if slices.ContainsFunc(rep.Brokers, func(o *Broker) bool { return o.Name == b.Name }) {
			return nil, fmt.Errorf("two brokers are called %s", b.Name)
		}
		rep.Brokers = append(rep.Brokers, b)
	}
	if c.ClientCPU != "" {
		if err := pin(c.ClientCPU); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, b := range rep.Brokers {
			err = errors.Join(err, b.remove())
		}
	}()
	if err := c.relative(ctx, rep); err != nil {
		return rep, err
	}
	if c.Absolute {
		return rep, c.absolute(ctx, rep)
	}
	return rep, nil
}

func (c *Compare) wanted(s scenario) bool {
	return len(c.Only) == 0 || slices.ContainsFunc(s.rows, func(r Row) bool { return matches(c.Only, r.Name) })
}

// relative is the table of scenarios.
func (c *Compare) relative(ctx context.Context, rep *Report) error {
	var todo []scenario
	for _, s := range c.scenarios() {
		if c.wanted(s) {
			todo = append(todo, s)
			for _, r := range s.rows {
				r.Cells = map[string]*Cell{}
				rep.Rows = append(rep.Rows, &r)
			}
		}
	}
	if len(todo) == 0 {
		return nil
	}
	for _, b := range rep.Brokers {
		took, err := b.start(ctx)
		if err != nil {
			return err
		}
		if b.Kind != "" {
			fmt.Fprintf(c.Log, "%s is up after %v, pid %d\n", b.Name, took.Round(time.Millisecond), b.PID)
		}
	}
	defer rep.summarize()
	done, all := 0, c.Rounds*len(todo)*len(rep.Brokers)
	for round := range c.Rounds {
		at := 0
		for _, s := range todo {
			rows := rep.Rows[at : at+len(s.rows)]
			at += len(s.rows)
			for _, b := range rep.Brokers {
				done++
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if b.Kind == "null" && s.needs == "store" {
					continue
				}
				if err := rest(ctx, rep.Brokers); err != nil {
					return err
				}
				fmt.Fprintf(c.Log, "[%d/%d] round %d, %s: %s", done, all, round+1, b.Name, rows[0].Name)
				results, err := s.run(ctx, b)
				if ctx.Err() != nil {
					fmt.Fprintln(c.Log)
					return context.Cause(ctx)
				}
				c.note(rows, b, results, err)
			}
		}
	}
	for _, b := range rep.Brokers {
		if err := b.remove(); err != nil {
			return err
		}
	}
	return nil
}

// note puts the results of a scenario's run into its rows.
func (c *Compare) note(rows []*Row, b *Broker, results []Result, err error) {
	for i, r := range rows {
		cell := r.Cells[b.Name]
		if cell == nil {
			cell = &Cell{}
			r.Cells[b.Name] = cell
		}
		if err != nil && i == len(rows)-1 {
			cell.Notes = append(cell.Notes, err.Error())
			fmt.Fprintf(c.Log, " FAILED: %v", err)
		}
		if i >= len(results) || results[i].Units() == 0 {
			continue
		}
		res := results[i]
		if l := res.Load; l != nil && !l.Drain && l.Messages > 0 && res.Published < uint64(l.Messages) {
			cell.Notes = append(cell.Notes, fmt.Sprintf("%d messages in %v", res.Published, c.BacklogTime))
		}
		if res.Latency != nil {
			res.Latency.Curve = nil
		}
		res.Series = nil
		cell.Rounds = append(cell.Rounds, res)
		fmt.Fprintf(c.Log, " · %.2f µs, %.0f/s", res.Cost(), res.Rate())
	}
	fmt.Fprintln(c.Log)
}

func (rep *Report) summarize() {
	for _, row := range rep.Rows {
		first := row.Cells[rep.Brokers[0].Name]
		for _, cell := range row.Cells {
			var cost, rate, cheaper []float64
			for i, res := range cell.Rounds {
				cost, rate = append(cost, res.Cost()), append(rate, res.Rate())
				if first != nil && i < len(first.Rounds) && res.Cost() > 0 && len(cell.Rounds) == len(first.Rounds) {
					cheaper = append(cheaper, first.Rounds[i].Cost()/res.Cost())
				}
				if res.Usage != nil {
					cell.Peak = max(cell.Peak, res.Usage.Peak)
				}
			}
			cell.Cost, cell.Rate, cell.Cheaper = spreadOf(cost), spreadOf(rate), spreadOf(cheaper)
		}
	}
}
