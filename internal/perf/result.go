package perf

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Throughput is the name that Load had first.
type Throughput = Load

// Result of a measurement.
type Result struct {
	Scenario       string        `json:"scenario,omitempty"`
	Load           *Load         `json:"load,omitempty"`
	Operation      *Operation    `json:"operation,omitempty"`
	Published      uint64        `json:"published"`
	Consumed       uint64        `json:"consumed"`
	Confirmed      uint64        `json:"confirmed"`
	Refused        uint64        `json:"refused"`
	Lost           uint64        `json:"lost"`
	OutOfOrder     uint64        `json:"out_of_order"`
	Operations     uint64        `json:"operations,omitempty"`
	Elapsed        time.Duration `json:"elapsed_ns"`
	Usage          *Usage        `json:"broker,omitempty"` // with the broker's PID
	Latency        *Percentiles  `json:"latency,omitempty"`
	ConfirmLatency *Percentiles  `json:"confirm_latency,omitempty"`
	Series         []Sample      `json:"series,omitempty"`
}

// Units is what cost is counted per: deliveries, publishes if nobody consumed,
// or operations.
func (r *Result) Units() uint64 {
	switch {
	case r.Operation != nil:
		return r.Operations
	case r.Load != nil && r.Load.Consumers == 0:
		return r.Published
	}
	return r.Consumed
}

// Rate is units per second.
func (r *Result) Rate() float64 { return per(float64(r.Units()), r.Elapsed.Seconds()) }

// Cost is the broker's CPU time per unit in microseconds; 0: not known.
func (r *Result) Cost() float64 {
	if r.Usage == nil {
		return 0
	}
	return per(float64(r.Usage.CPU)/1e3, float64(r.Units()))
}

func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Sample is what happened in a second of a measurement.
type Sample struct {
	At             time.Duration `json:"at_ns"`
	Published      uint64        `json:"published"` // since the begin
	Consumed       uint64        `json:"consumed"`
	Confirmed      uint64        `json:"confirmed"`
	Operations     uint64        `json:"operations,omitempty"`
	PublishRate    float64       `json:"publish_rate"` // since the sample before
	ConsumeRate    float64       `json:"consume_rate"`
	ConfirmRate    float64       `json:"confirm_rate"`
	OperationRate  float64       `json:"operation_rate,omitempty"`
	Latency        *Percentiles  `json:"latency,omitempty"`
	ConfirmLatency *Percentiles  `json:"confirm_latency,omitempty"`
}

func (s *Sample) rates(last Sample) {
	t := (s.At - last.At).Seconds()
	s.PublishRate = per(float64(s.Published-last.Published), t)
	s.ConsumeRate = per(float64(s.Consumed-last.Consumed), t)
	s.ConfirmRate = per(float64(s.Confirmed-last.Confirmed), t)
	s.OperationRate = per(float64(s.Operations-last.Operations), t)
}

// Percentiles of durations.
type Percentiles struct {
	Count int64         `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p99_9_ns"`
	P9999 time.Duration `json:"p99_99_ns"`
	Max   time.Duration `json:"max_ns"`
	// Curve goes through the whole distribution.
	Curve []Quantile `json:"curve,omitempty"`
}

// Quantile is a point of a distribution.
type Quantile struct {
	Percent float64       `json:"percent"`
	Value   time.Duration `json:"value_ns"`
}

func percentilesOf(h *hdrhistogram.Histogram) *Percentiles {
	at := func(q float64) time.Duration { return time.Duration(h.ValueAtPercentile(q)) }
	return &Percentiles{
		Count: h.TotalCount(), Mean: time.Duration(h.Mean()), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), P9999: at(99.99),
		Max: time.Duration(h.Max()),
	}
}

// newHistogram holds from a microsecond (0.1% of it) to ten minutes.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(100, int64(10*time.Minute), 3)
}

// latencies gathers durations of several goroutines.
type latencies struct {
	mu           sync.Mutex
	total, since *hdrhistogram.Histogram // since the last interval
}

func (l *latencies) record(d time.Duration) {
	v := min(max(int64(d), 1), int64(10*time.Minute))
	l.mu.Lock()
	if l.total == nil {
		l.total, l.since = newHistogram(), newHistogram()
	}
	// The value is in range: there is no error to see.
	_ = l.total.RecordValue(v)
	_ = l.since.RecordValue(v)
	l.mu.Unlock()
}

// interval is what was recorded since the call before; nil: nothing.
func (l *latencies) interval() *Percentiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since == nil || l.since.TotalCount() == 0 {
		return nil
	}
	p := percentilesOf(l.since)
	l.since.Reset()
	return p
}

func (l *latencies) percentiles() *Percentiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total == nil || l.total.TotalCount() == 0 {
		return nil
	}
	p := percentilesOf(l.total)
	for _, b := range l.total.CumulativeDistributionWithTicks(4) {
		p.Curve = append(p.Curve, Quantile{b.Quantile, time.Duration(b.ValueAt)})
	}
	return p
}
