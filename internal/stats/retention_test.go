package stats

import (
	"testing"
	"time"
)

// Samples are kept as long, and as far apart, as was said.
func TestRetention(t *testing.T) {
	w := newWorldWith(t, Options{Retention: Retention{Global: []Span{{7200, 300}}, Basic: []Span{{60, 5}}, Detailed: []Span{{60, 20}}}})
	q, v := w.declare("q"), w.b.VHost("/")
	w.s.Sample()
	for range 120 { // ten minutes
		w.now = w.now.Add(5 * time.Second)
		w.publish("q", 1)
		w.s.Sample()
	}
	series := func(f *Figures, m Metric) int {
		s := f.Series(m)
		if s == nil {
			return 0
		}
		return len(s.Samples)
	}
	ask := func(age, incr int64) Ranges {
		return Ranges{Lengths: Range{Age: age, Incr: incr}, Messages: Range{Age: age, Incr: incr}}
	}
	for _, c := range []struct {
		what string
		f    *Figures
		m    Metric
		want int
	}{
		{"a queue's minute", w.s.Queue(q, ask(60, 5)), Ready, 13},
		{"its ten minutes", w.s.Queue(q, ask(600, 5)), Ready, 0},
		{"the node's two hours", w.s.Node(ask(7200, 300)), Ready, 3}, // there were ten minutes only
		{"its day", w.s.Node(ask(86400, 1800)), Ready, 0},
		{"the exchange's minute", w.s.Exchange(v, nil, ask(60, 20)), PublishIn, 4},
		{"its ten minutes", w.s.Exchange(v, nil, ask(600, 60)), PublishIn, 0},
	} {
		if n := series(c.f, c.m); n != c.want {
			t.Errorf("%s: %d samples, want %d", c.what, n, c.want)
		}
	}
	// Twelve samples of a queue in its history, two of the node, three of the exchange.
	count := func(h *history) (n int) {
		h.walk(func(int64, []int64) { n++ })
		return n
	}
	if a, b, c := count(&w.s.queues[q].hist[0]), count(&w.s.tracks[nodeKey{}].hist[0]), count(&w.s.tracks[defaultKey{v}].hist[0]); a > 14 || a < 12 || b != 3 || c > 5 || c < 3 {
		t.Errorf("samples kept: %d of the queue, %d of the node, %d of the exchange", a, b, c)
	}
	s := w.s.Queue(q, ask(60, 5)).Series(Ready).Samples
	if s[0].Value != 120 || s[12].Value != 108 {
		t.Errorf("from %d to %d, want 108 to 120", s[12].Value, s[0].Value)
	}
}

// Without histories there are values and rates, and nothing is held.
func TestNoHistory(t *testing.T) {
	w := newWorldWith(t, Options{NoHistory: true})
	q := w.declare("q")
	w.s.Sample()
	for range 20 {
		w.now = w.now.Add(5 * time.Second)
		w.publish("q", 10)
		w.s.Sample()
	}
	f := w.s.Queue(q, Ranges{Lengths: Range{Age: 60, Incr: 5}})
	if f.Value(Ready) != 200 || f.Rate(Ready) != 2 || f.Series(Ready) != nil || w.s.Held() != 0 {
		t.Errorf("%d ready, %v/s, samples %v, %d bytes held", f.Value(Ready), f.Rate(Ready), f.Series(Ready), w.s.Held())
	}
	if r := w.s.Retention(); r.Basic != nil || r.Global != nil {
		t.Errorf("kept: %v", r)
	}
}

// Whoever wants all of a year of a thousand virtual hosts gets less.
func TestGlobalBound(t *testing.T) {
	const bound = 40_000
	w := newWorldWith(t, Options{MaxBytes: bound, Retention: Retention{Global: []Span{{86400, 1}}, Basic: []Span{{10, 5}}}})
	w.declare("q")
	w.s.Sample()
	most := 0
	for range 2000 {
		w.now = w.now.Add(5 * time.Second)
		w.publish("q", 1)
		w.s.Sample()
		most = max(most, w.s.wide.bytes)
	}
	if most < bound/16 || most > bound/2 {
		t.Errorf("at most %d bytes held, with a bound of %d", most, bound/4)
	}
}
