package stats

import "slices"

// Range asks for samples: one every Incr seconds, as far back as Age. The zero
// Range asks for none.
type Range struct{ Age, Incr int64 }

// maxSamples bounds what one Range gives.
const maxSamples = 2000

func (r Range) valid() bool { return r.Age > 0 && r.Incr > 0 && r.Age/r.Incr <= maxSamples }

// Sample is a figure at a time.
type Sample struct {
	Value int64
	Time  int64 // ms since 1970
}

// Series is the samples of one metric, newest first.
type Series struct {
	Samples []Sample
	Avg     float64 // of the samples
	AvgRate float64 // change from the oldest to the newest, per second
}

// series takes the samples of several metrics out of the history that reaches
// far enough. It returns nil if none does.
func (tr *track) series(r Range, now int64, res []resolution, ms []Metric) []Series {
	if !r.valid() {
		return nil
	}
	i := slices.IndexFunc(res, func(x resolution) bool { return r.Age <= x.span })
	if i < 0 || tr.hist[i].base == nil {
		return nil
	}
	h := &tr.hist[i]
	newest := now - now%r.Incr
	first := newest - r.Age
	first += (r.Incr - first%r.Incr) % r.Incr
	for first < tr.born-r.Incr {
		first += r.Incr
	}
	n := int((newest-first)/r.Incr) + 1
	if n <= 0 {
		return nil
	}
	out := make([]Series, len(ms))
	for i := range out {
		out[i].Samples = make([]Sample, n)
	}
	// A sample is the figure that was true at its time.
	k := 0
	fill := func(until int64, vals []int64) {
		for ; k < n && first+int64(k)*r.Incr < until; k++ {
			for i, m := range ms {
				if p := tr.l.at[m]; p >= 0 {
					out[i].Samples[n-1-k] = Sample{vals[p], (first + int64(k)*r.Incr) * 1000}
				}
			}
		}
	}
	prev := append([]int64(nil), h.base...)
	h.walk(func(t int64, vals []int64) {
		fill(t, prev)
		copy(prev, vals)
	})
	fill(newest, prev)
	if !res[i].every {
		copy(prev, tr.now) // a coarse history may not have it yet
	}
	fill(newest+1, prev)
	for i := range out {
		out[i].finish()
	}
	return out
}

func (s *Series) finish() {
	sum := 0.0
	for _, x := range s.Samples {
		sum += float64(x.Value)
	}
	n := len(s.Samples)
	s.Avg = sum / float64(n)
	if n > 1 {
		a, b := s.Samples[0], s.Samples[n-1]
		s.AvgRate = float64(a.Value-b.Value) / (float64(a.Time-b.Time) / 1000)
	}
}
