package stats

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// A history gives back what was put in, as far as it was not trimmed.
func TestHistory(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type point struct {
		t    int64
		vals [3]int64
	}
	var want []point
	var h history
	now := [3]int64{5, -7, 1 << 40}
	for s := int64(1000); s < 3000; s += 5 {
		if rnd.IntN(3) > 0 || s == 1000 {
			if s > 1000 {
				now[rnd.IntN(3)] += int64(rnd.IntN(2000) - 900)
			}
			if len(want) == 0 || want[len(want)-1].vals != now {
				want = append(want, point{s, now})
			}
		}
		h.add(s, now[:])
		h.trim(s - 600)
	}
	for len(want) > 1 && want[1].t <= 2995-600 {
		want = want[1:]
	}
	i := 0
	h.walk(func(s int64, vals []int64) {
		if i < len(want) && (s != want[i].t || [3]int64(vals) != want[i].vals) {
			t.Fatalf("point %d: %d %v, want %+v", i, s, vals, want[i])
		}
		i++
	})
	if i != len(want) {
		t.Errorf("%d points, want %d", i, len(want))
	}
	h.trim(10_000)
	if h.size() != 0 || [3]int64(h.base) != now {
		t.Errorf("after all is forgotten: %d bytes, %v, want %v", h.size(), h.base, now)
	}
}

type outlet struct{}

func (outlet) Deliver(*queueproc.Consumer, queueproc.Delivery, *message.Message) {}
func (outlet) Flush() bool                                                       { return false }
func (outlet) Cancel(*queueproc.Consumer)                                        {}
func (outlet) Confirm(uint64, bool)                                              {}
func (outlet) Refuse(uint64)                                                     {}
func (outlet) Overdue() bool                                                     { return false }

type world struct {
	t   *testing.T
	now time.Time
	b   *broker.Broker
	c   *broker.Client
	ch  *broker.Channel
	s   *Sampler
}

func newWorld(t *testing.T, maxBytes int) *world { return newWorldWith(t, Options{MaxBytes: maxBytes}) }

func newWorldWith(t *testing.T, o Options) *world {
	b, err := broker.Open(broker.Config{FS: vfs.NewMem(), Dir: "d", Sync: store.Memory,
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Connect(broker.ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), b: b, c: c}
	w.ch = c.NewChannel(outlet{})
	o.Broker, o.Now = b, func() time.Time { return w.now }
	w.s = New(o)
	t.Cleanup(func() {
		w.ch.Close()
		c.Close()
		b.Close()
	})
	return w
}

func (w *world) publish(queue string, n int) {
	w.t.Helper()
	for range n {
		if _, err := w.ch.Publish(&message.Message{RoutingKey: []byte(queue), Props: []byte{0, 0}, Body: []byte("x")}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.c.Settle()
}

func (w *world) declare(queue string) *broker.Queue {
	w.t.Helper()
	if _, err := w.c.DeclareQueue(broker.QueueSpec{Name: queue}); err != nil {
		w.t.Fatal(err)
	}
	return w.b.VHost("/").Queue(queue)
}

func TestRatesAndSamples(t *testing.T) {
	w := newWorld(t, 0)
	q := w.declare("q")
	w.s.Sample()
	for i := range 3 {
		w.now = w.now.Add(5 * time.Second)
		w.publish("q", 10*(i+1)) // 10, 20, 30
		w.s.Sample()
	}
	r := Ranges{Lengths: Range{Age: 10, Incr: 5}, Messages: Range{Age: 60, Incr: 5}}
	for name, f := range map[string]*Figures{"queue": w.s.Queue(q, r), "node": w.s.Node(r), "vhost": w.s.VHost(w.b.VHost("/"), r)} {
		if f.Value(Ready) != 60 || f.Rate(Ready) != 6 || f.Value(Publish) != 60 || f.Rate(Publish) != 6 || f.Rate(Ack) != 0 {
			t.Errorf("%s: %d ready %v/s, %d published %v/s", name, f.Value(Ready), f.Rate(Ready), f.Value(Publish), f.Rate(Publish))
		}
		s := f.Series(Ready)
		if s == nil || len(s.Samples) != 3 || s.Samples[0] != (Sample{60, 1_700_000_015_000}) || s.Samples[2] != (Sample{10, 1_700_000_005_000}) {
			t.Fatalf("%s: samples %+v", name, s)
		}
		if s.Avg != 100.0/3 || s.AvgRate != 5 {
			t.Errorf("%s: avg %v, avg_rate %v", name, s.Avg, s.AvgRate)
		}
		// Of what was before the object there are no samples, but for the first.
		if n := len(f.Series(Publish).Samples); n != 5 {
			t.Errorf("%s: %d samples of publish, want 5", name, n)
		}
	}
	if f := w.s.Exchange(w.b.VHost("/"), nil, r); f.Value(PublishIn) != 60 || f.Rate(PublishOut) != 6 {
		t.Errorf("default exchange: %+v", f)
	}
	// At rest: rates are zero, and the object knows since when.
	w.now = w.now.Add(5 * time.Second)
	w.s.Sample()
	if f := w.s.Queue(q, Ranges{}); f.Rate(Ready) != 0 || f.Value(Ready) != 60 || !f.Idle.Equal(time.Unix(1_700_000_015, 0)) {
		t.Errorf("at rest: %v/s, idle since %v", f.Rate(Ready), f.Idle)
	}
	// The hour and the day are there, too, and what no policy covers is not.
	for range 10 {
		w.now = w.now.Add(600 * time.Second)
		w.publish("q", 1)
		w.s.Sample()
	}
	for age, want := range map[int64]struct{ at, value int64 }{600: {1, 68}, 3600: {6, 63}, 28800: {8, 61}, 86400: {0, 70}} {
		s := w.s.Node(Ranges{Lengths: Range{Age: age, Incr: 600}}).Series(Ready)
		if s == nil || int(want.at) >= len(s.Samples) || s.Samples[want.at].Value != want.value {
			t.Errorf("age %d: %+v, want %+v", age, s, want)
		}
	}
	if s := w.s.Node(Ranges{Lengths: Range{Age: 86401, Incr: 600}}).Series(Ready); s != nil {
		t.Errorf("two days: %+v", s)
	}
	if s := w.s.Queue(q, Ranges{Lengths: Range{Age: 28800, Incr: 600}}).Series(Ready); s != nil {
		t.Errorf("eight hours of a queue: %+v", s)
	}
	if _, err := w.b.DeleteQueueAs(broker.Actor{}, "/", "q", false, false); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(5 * time.Second)
	w.s.Sample()
	if f := w.s.Queue(q, Ranges{}); f != nil {
		t.Errorf("deleted: %+v", f)
	}
}

// The histories of single objects stay within their bound.
func TestBound(t *testing.T) {
	const bound = 20_000
	w := newWorld(t, bound)
	for i := range 50 {
		w.declare(string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	w.s.Sample()
	most := 0
	for range 300 {
		w.now = w.now.Add(5 * time.Second)
		for _, q := range w.b.VHost("/").Queues() {
			w.publish(q.Name, 1)
		}
		w.s.Sample()
		most = max(most, w.s.Held())
	}
	if most < bound/4 || most > 2*bound {
		t.Errorf("at most %d bytes held, with a bound of %d", most, bound)
	}
}

// A queue at rest is left alone, but its samples go on, its histories are
// forgotten in time, and as long as it has messages their age is noted.
func TestAtRest(t *testing.T) {
	w := newWorld(t, 0)
	q := w.declare("q")
	w.declare("other")
	w.s.Sample()
	tick := func(n int) {
		for range n {
			w.now = w.now.Add(5 * time.Second)
			w.s.Sample()
		}
	}
	w.publish("q", 7)
	tick(1)
	if n := w.s.queues[q].looked; n != 2 {
		t.Errorf("looked at in sample %d, want 2", n)
	}
	ages := func() (n uint64) {
		a := w.s.Ages(broker.ClassicQueue)
		for i := range a.Buckets {
			n += a.Buckets[i].Load()
		}
		return n
	}
	tick(120)
	if n := ages(); n != 121 {
		t.Errorf("%d ages noted, want one per sample: 121", n)
	}
	hour := Ranges{Lengths: Range{Age: 3600, Incr: 600}}
	if s := w.s.Queue(q, hour).Series(Ready); s.Samples[0].Value != 7 || s.Samples[len(s.Samples)-1].Value != 0 {
		t.Errorf("after ten minutes: %+v", s.Samples)
	}
	if _, err := w.c.PurgeQueue("q"); err != nil {
		t.Fatal(err)
	}
	tick(1)
	looked := w.s.queues[q].looked
	if f := w.s.Queue(q, Ranges{}); f.Value(Ready) != 0 || f.Rate(Ready) != -1.4 || w.s.QueueRate(q, Ready) != -1.4 {
		t.Errorf("purged: %d, %v/s", f.Value(Ready), f.Rate(Ready))
	}
	tick(360)
	if s := w.s.Queue(q, hour).Series(Ready); s.Samples[0].Value != 0 || s.Samples[3].Value != 7 {
		t.Errorf("half an hour later: %+v", s.Samples)
	}
	if w.s.held == 0 || w.s.queues[q].looked != looked {
		t.Errorf("%d bytes of histories; looked at in sample %d, want %d", w.s.held, w.s.queues[q].looked, looked)
	}
	tick(400)
	if w.s.held != 0 || w.s.queues[q].waits {
		t.Errorf("an hour later %d bytes of histories are there", w.s.held)
	}
	w.s.Reset()
	tick(1)
	if n := len(w.s.queues); n != 2 || w.s.queues[q].rateOf(Ready, w.s.tick) != 0 {
		t.Errorf("after a reset %d queues are known, want 2", n)
	}
}
