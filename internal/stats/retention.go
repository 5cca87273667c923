package stats

import "time"

// Span is for how long samples are kept, and how far apart they are, in seconds.
type Span struct{ Age, Step int64 }

// Retention is what is kept of the kinds of objects, each list sorted by age.
// An empty list stands for RabbitMQ's default; that of Detailed is Basic.
type Retention struct {
	Global   []Span // the node, virtual hosts
	Basic    []Span // queues, connections, channels
	Detailed []Span // exchanges
}

func (r *Retention) setDefaults() {
	if len(r.Basic) == 0 {
		r.Basic = []Span{{600, 5}, {3600, 60}}
	}
	if len(r.Detailed) == 0 {
		r.Detailed = r.Basic
	}
	if len(r.Global) == 0 {
		r.Global = []Span{{600, 5}, {3600, 60}, {28800, 600}, {86400, 1800}}
	}
}

// resolution is one of the histories of an object.
type resolution struct {
	step  int64 // s between samples
	span  int64 // s that it reaches back
	every bool  // it has each sample that is taken
}

// The kinds of retention.
const (
	basic = iota
	global
	detailed
	retentions
)

func (r *Retention) resolutions(interval time.Duration) (all [retentions][]resolution) {
	for i, spans := range [retentions][]Span{basic: r.Basic, global: r.Global, detailed: r.Detailed} {
		for _, s := range spans {
			all[i] = append(all[i], resolution{s.Step, s.Age, time.Duration(s.Step)*time.Second <= interval})
		}
	}
	return all
}

// Retention is what is kept; empty: nothing.
func (s *Sampler) Retention() Retention {
	if s.o.NoHistory {
		return Retention{}
	}
	return s.o.Retention
}

// budget bounds the histories of many objects: if they need more, all of them
// become shorter.
type budget struct {
	limit int64 // s: they reach no further
	bytes int   // that they take
	max   int
}

func newBudget(max int) budget { return budget{limit: 1 << 40, max: max} }

// fit works out how far histories may reach; shorter says that it is less than
// before.
func (b *budget) fit(res []resolution) (shorter bool) {
	longest := int64(0)
	for i := range res {
		longest = max(longest, res[i].span)
	}
	switch {
	case b.bytes > b.max:
		b.limit = max(min(b.limit, longest)/2, 10)
		return true
	case b.bytes < b.max/4 && b.limit < longest:
		b.limit *= 2
	}
	return false
}
