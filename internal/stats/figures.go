package stats

import (
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// Figures are what is known of one object: its values at the last sample, their
// rates, and the samples that were asked for.
type Figures struct {
	values [Metrics]int64
	rates  [Metrics]float64
	Idle   time.Time // since when nothing has changed; zero: it changed at the last sample
	series map[Metric]*Series
}

// Value is a metric's value at the last sample.
func (f *Figures) Value(m Metric) int64 {
	if f == nil {
		return 0
	}
	return f.values[m]
}

// Rate is its change per second over the last interval.
func (f *Figures) Rate(m Metric) float64 {
	if f == nil {
		return 0
	}
	return f.rates[m]
}

// Series are its samples; nil if none were asked for or none are there.
func (f *Figures) Series(m Metric) *Series {
	if f == nil {
		return nil
	}
	return f.series[m]
}

// Ranges says which samples are wanted. (RabbitMQ's lengths_age, msg_rates_age,
// data_rates_age and node_stats_age.)
type Ranges struct{ Lengths, Messages, Data, Node Range }

// None reports whether no samples are wanted.
func (r *Ranges) None() bool { return *r == Ranges{} }

func (r *Ranges) of(m Metric) Range {
	switch {
	case m <= Messages:
		return r.Lengths
	case m <= DiskWrites:
		return r.Messages
	case m <= SendOct:
		return r.Data
	case m <= QueueDeleted:
		return r.Messages // churn
	}
	return r.Node
}

// Node returns the node's figures.
func (s *Sampler) Node(r Ranges) *Figures { return s.figures(nodeKey{}, global, &r, nil) }

// VHost returns a virtual host's figures; nil: not sampled yet.
func (s *Sampler) VHost(v *broker.VHost, r Ranges) *Figures { return s.figures(v, global, &r, nil) }

// Queue returns a queue's figures.
func (s *Sampler) Queue(q *broker.Queue, r Ranges) *Figures { return s.figures(q, basic, &r, nil) }

// QueueInto is Queue into memory of the caller's.
func (s *Sampler) QueueInto(q *broker.Queue, r Ranges, f *Figures) *Figures {
	return s.figures(q, basic, &r, f)
}

// QueueRate is the rate of one figure of a queue, for those who sort many.
func (s *Sampler) QueueRate(q *broker.Queue, m Metric) float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.queues[q].rateOf(m, s.tick)
}

// ConnectionRate is that of a connection.
func (s *Sampler) ConnectionRate(ss broker.Session, m Metric) float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tracks[ss].rateOf(m, s.tick)
}

// ChannelRate is that of a channel.
func (s *Sampler) ChannelRate(ch *broker.Channel, m Metric) float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tracks[ch].rateOf(m, s.tick)
}

// Channel returns a channel's figures.
func (s *Sampler) Channel(ch *broker.Channel, r Ranges) *Figures {
	return s.figures(ch, basic, &r, nil)
}

// Connection returns a connection's figures.
func (s *Sampler) Connection(ss broker.Session, r Ranges) *Figures {
	return s.figures(ss, basic, &r, nil)
}

// Exchange returns an exchange's figures; x nil: those of the default exchange.
func (s *Sampler) Exchange(v *broker.VHost, x *broker.Exchange, r Ranges) *Figures {
	if x == nil {
		return s.figures(defaultKey{v}, detailed, &r, nil)
	}
	return s.figures(x, detailed, &r, nil)
}

func (s *Sampler) figures(key any, res int, r *Ranges, f *Figures) *Figures {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var tr *track
	if q, ok := key.(*broker.Queue); ok {
		tr = s.queues[q]
	} else {
		tr = s.tracks[key]
	}
	if tr == nil {
		return nil
	}
	if f == nil {
		f = &Figures{}
	} else {
		*f = Figures{}
	}
	for i, m := range tr.l.metrics {
		f.values[m], f.rates[m] = tr.now[i], tr.rate(i, s.tick)
	}
	if tr.moved != s.tick {
		f.Idle = tr.idle
	}
	if r.None() {
		return f
	}
	f.series = map[Metric]*Series{}
	var groups = map[Range][]Metric{}
	for _, m := range tr.l.metrics {
		if x := r.of(m); x.valid() {
			groups[x] = append(groups[x], m)
		}
	}
	for x, ms := range groups {
		got := tr.series(x, s.last.Unix(), s.res[res], ms)
		for i := range got {
			f.series[ms[i]] = &got[i]
		}
	}
	return f
}

// Feed returns the figures of what a channel publishes to an exchange.
func (s *Sampler) Feed(f *broker.Feed, r Ranges) *Figures { return s.figures(f, detailed, &r, nil) }

// Flow returns those of what comes from an exchange into a queue.
func (s *Sampler) Flow(f *broker.Flow, r Ranges) *Figures { return s.figures(f, detailed, &r, nil) }

// Delivery returns those of what a channel is given of a queue.
func (s *Sampler) Delivery(ch *broker.Channel, q *queueproc.Queue, r Ranges) *Figures {
	return s.figures(deliveryKey{ch, q}, detailed, &r, nil)
}

// Reset forgets all histories and rates.
func (s *Sampler) Reset() {
	s.sampling.Lock()
	defer s.sampling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tracks)
	clear(s.queues)
	clear(s.restless)
	clear(s.wheel[:])
	s.restless, s.held, s.all = s.restless[:0], 0, true
	s.last = time.Time{}
}

// Held is the memory of histories of single objects, in bytes.
func (s *Sampler) Held() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.single.bytes + s.wide.bytes
}
