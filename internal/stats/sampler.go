package stats

import (
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// Options are what a Sampler is made of.
type Options struct {
	Broker   *broker.Broker
	Interval time.Duration    // between samples; default 5 s
	Now      func() time.Time // default time.Now
	DataDir  string           // whose disk is looked at; "": none
	// MaxBytes bounds the histories of single objects, all together; default
	// 64 MiB. Those of the node and of virtual hosts may have a quarter of it.
	MaxBytes  int
	Retention Retention
	NoHistory bool // no samples are kept
	Detailed  bool // also of what each channel was given of each queue
}

// Sampler looks at all objects at intervals. Its methods may be called by any
// goroutine.
//
// Queues can be very many, and most of them are at rest: only those that have
// changed are looked at, those with messages (for their ages), and once a minute
// those whose histories still hold something.
type Sampler struct {
	o       Options
	l       layouts
	res     [retentions][]resolution
	process process

	// What a sample needs; guarded by sampling, which is taken before mu.
	sampling sync.Mutex
	seen     seen
	restless []*broker.Queue // with messages, or with consumers that take none
	wheel    [wheelSize][]*track
	all      bool // no queue is known: look at all

	mu     sync.RWMutex
	tick   uint64
	last   time.Time
	tracks map[any]*track // by *broker.Channel, broker.Session, *broker.Exchange, default exchanges, *broker.Feed, *broker.Flow, deliveries, virtual hosts, node
	queues map[*broker.Queue]*track
	single budget  // histories of single objects
	wide   budget  // those of the node and of virtual hosts
	held   int     // bytes of the histories of queues
	lost   float64 // of the consumers' capacity of all queues
	waits  [broker.QueueKinds]Ages

	surveyMu   sync.Mutex
	survey     *broker.Survey
	surveyAt   time.Time
	surveyTook time.Duration
}

// wheelSize is how many ticks the histories of queues at rest are left alone.
const wheelSize = 12

// Keys of tracks that are no pointers of the broker's.
type (
	nodeKey    struct{}
	defaultKey struct{ v *broker.VHost }
	// deliveryKey is what a channel was given of a queue.
	deliveryKey struct {
		ch *broker.Channel
		q  *queueproc.Queue
	}
)

// Defaults of Options.
const (
	DefaultInterval = 5 * time.Second
	DefaultMaxBytes = 64 << 20
)

// New makes a Sampler. It samples while Run runs, or when Sample is called.
func New(o Options) *Sampler {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	o.Retention.setDefaults()
	s := &Sampler{o: o, l: newLayouts(), tracks: map[any]*track{}, queues: map[*broker.Queue]*track{}, process: process{dir: o.DataDir},
		single: newBudget(o.MaxBytes), wide: newBudget(o.MaxBytes / 4)}
	if !o.NoHistory {
		s.res = o.Retention.resolutions(o.Interval)
	}
	return s
}

// Run samples until ended is closed.
func (s *Sampler) Run(ended <-chan struct{}) {
	s.Sample()
	t := time.NewTicker(s.o.Interval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.Sample()
		case <-ended:
			return
		}
	}
}

// Interval is the time between samples.
func (s *Sampler) Interval() time.Duration { return s.o.Interval }

// seen is what one look at everything brought. Figures lie in one slice, as the
// objects are many.
type seen struct {
	vals   []int64
	objs   []seenObj
	queues []seenQueue
	gone   []*broker.Queue
}

type seenObj struct {
	key any
	l   *layout
	at  int
	res uint8
}

type seenQueue struct {
	q                  *broker.Queue
	at                 int
	restless, consumed bool
}

func (n *seen) add(key any, l *layout, res uint8, vals ...int64) {
	n.objs = append(n.objs, seenObj{key, l, len(n.vals), res})
	n.vals = append(n.vals, vals...)
}

// reset keeps the memory for the next look, unless that was much more than usual.
func (n *seen) reset() {
	if cap(n.vals) > 4*len(n.vals)+4096 {
		*n = seen{}
		return
	}
	clear(n.objs)
	clear(n.queues)
	clear(n.gone)
	n.vals, n.objs, n.queues, n.gone = n.vals[:0], n.objs[:0], n.queues[:0], n.gone[:0]
}

func (n *seen) queue(q *broker.Queue, b *queueproc.Backlog) {
	c := &b.Counters
	n.queues = append(n.queues, seenQueue{q, len(n.vals), b.Ready > 0 || b.Stalling, b.Consumers > 0})
	n.vals = append(n.vals, int64(b.Ready), int64(b.Unacked), int64(b.Messages()), int64(c.Published),
		int64(c.Delivered), int64(c.DeliveredNoAck), int64(c.Got), int64(c.GotNoAck), int64(c.GotEmpty),
		int64(c.DeliverGet()), int64(c.Redelivered), int64(c.Acked), b.Stalled)
}

func (n *seen) channel(ch *broker.Channel, l *layout, i *broker.ChannelInfo, sent *broker.Sent) {
	n.add(ch, l, basic, int64(sent.Published), int64(sent.Confirmed), int64(sent.Dropped), int64(sent.Returned))
	n.received(&i.Received)
}

func (n *seen) received(r *broker.Received) {
	n.vals = append(n.vals,
		int64(r.Delivered), int64(r.DeliveredNoAck), int64(r.Got), int64(r.GotNoAck), int64(r.GotEmpty), int64(r.DeliverGet()), int64(r.Redelivered), int64(r.Acked))
}

func (n *seen) deliveries(ch *broker.Channel, l *layout) {
	if cs, ok := ch.Outlet().(broker.ChannelSession); ok {
		cs.ByQueue(func(q *queueproc.Queue, r broker.Received) {
			n.add(deliveryKey{ch, q}, l, detailed)
			n.received(&r)
		})
	}
}

// Sample takes one sample of everything.
func (s *Sampler) Sample() {
	s.sampling.Lock()
	defer s.sampling.Unlock()
	s.look()
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick++
	dt := now.Sub(s.last).Seconds()
	if s.last.IsZero() {
		dt = 0
	}
	s.last = now
	s.takeQueues(now, dt)
	s.single.bytes, s.wide.bytes = s.held, 0
	n := &s.seen
	for i := range n.objs {
		o := &n.objs[i]
		tr := s.tracks[o.key]
		first := tr == nil
		if first {
			tr = newTrack(o.l, s.res[o.res], now)
			s.tracks[o.key] = tr
		}
		tr.add(s.tick, now, dt, n.vals[o.at:o.at+len(o.l.metrics)], s.res[o.res], first)
		b := &s.single
		if o.res == global {
			b = &s.wide
		}
		b.bytes += tr.trim(now.Unix(), s.res[o.res], b.limit)
	}
	for k, tr := range s.tracks {
		if tr.seen != s.tick {
			delete(s.tracks, k)
		}
	}
	s.fit(now)
	n.reset()
}

// takeQueues notes the figures of the queues that were looked at.
func (s *Sampler) takeQueues(now time.Time, dt float64) {
	n := &s.seen
	for _, q := range n.gone {
		if tr := s.queues[q]; tr != nil {
			s.held -= tr.size
			tr.gone = true
			delete(s.queues, q)
		}
	}
	clear(s.restless)
	s.restless = s.restless[:0]
	s.lost = 0
	for i := range n.queues {
		o := &n.queues[i]
		tr := s.queues[o.q]
		first := tr == nil
		if first {
			tr = newTrack(s.l.queue, s.res[basic], now)
			s.queues[o.q] = tr
		}
		tr.add(s.tick, now, dt, n.vals[o.at:o.at+len(tr.l.metrics)], s.res[basic], first)
		s.trim(tr, now)
		if o.restless {
			s.restless = append(s.restless, o.q)
		}
		if o.consumed {
			s.lost += max(min(tr.rate(int(tr.l.at[Stalled]), s.tick)/1000, 1), 0)
		}
		s.watch(tr)
	}
	slot := &s.wheel[s.tick%wheelSize]
	due := *slot
	*slot = nil
	for _, tr := range due {
		tr.waits = false
		if !tr.gone {
			tr.catchUp(now.Unix(), s.res[basic])
			s.trim(tr, now)
			s.watch(tr)
		}
	}
}

// watch sees to it that a queue's histories are looked at again, if they hold
// something.
func (s *Sampler) watch(tr *track) {
	if !tr.waits && !tr.settled() {
		tr.waits = true
		slot := &s.wheel[s.tick%wheelSize]
		*slot = append(*slot, tr)
	}
}

func (s *Sampler) trim(tr *track, now time.Time) {
	s.held -= tr.size
	tr.size = tr.trim(now.Unix(), s.res[basic], s.single.limit)
	s.held += tr.size
}

// fit makes the histories of single objects shorter when they take too much, and
// longer again when there is room.
func (s *Sampler) fit(now time.Time) {
	s.wide.fit(s.res[global])
	if !s.single.fit(s.res[basic]) {
		return
	}
	for _, tr := range s.queues {
		s.single.bytes -= tr.size
		s.trim(tr, now)
		s.single.bytes += tr.size
	}
}

// look goes through all objects.
func (s *Sampler) look() {
	n := &s.seen
	now := s.o.Now()
	begin := time.Now()
	queue := func(q *broker.Queue, b *queueproc.Backlog) {
		if tr := s.queues[q]; tr != nil {
			if tr.looked == s.tick+1 {
				return
			}
			tr.looked = s.tick + 1
		}
		n.queue(q, b)
		if at := b.OldestReady; at > 0 {
			s.waits[q.Kind()].observe(now.UnixMilli() - at)
		}
	}
	visitor := broker.Visitor{
		Changed: queue,
		Gone:    func(q *broker.Queue) { n.gone = append(n.gone, q) },
		Channel: func(ch *broker.Channel, i *broker.ChannelInfo, sent *broker.Sent) {
			n.channel(ch, s.l.channel, i, sent)
			if s.o.Detailed {
				n.deliveries(ch, s.l.delivery)
			}
		},
		Session: func(ss broker.Session, t *broker.Traffic) {
			n.add(ss, s.l.connection, basic, int64(t.RecvBytes), int64(t.SendBytes))
		},
	}
	if s.all {
		visitor.Changed = func(*broker.Queue, *queueproc.Backlog) {}
	}
	sv := s.o.Broker.Survey(visitor)
	took := time.Since(begin)
	for i := range sv.VHosts {
		if s.all {
			for _, q := range sv.VHosts[i].VHost.Queues() {
				b := q.Backlog()
				queue(q, &b)
			}
		}
		n.vhost(&sv.VHosts[i], &s.l)
	}
	s.all = false
	for _, q := range s.restless {
		if !q.Deleted() {
			b := q.Backlog()
			queue(q, &b)
		}
	}
	n.node(s, sv)
	s.surveyMu.Lock()
	s.survey, s.surveyAt, s.surveyTook = sv, now, took
	s.surveyMu.Unlock()
}

func (n *seen) vhost(v *broker.VHostSurvey, l *layouts) {
	n.add(v.VHost, l.vhost, global, sums(&v.Totals, v.Ready, v.Unacked, v.Aside)...)
	for _, x := range v.VHost.Exchanges() {
		in, out := x.Passed()
		n.add(x, l.exchange, detailed, int64(in), int64(out))
		n.pairs(v.VHost, x, l)
	}
	in, out := v.VHost.DefaultPassed()
	n.add(defaultKey{v.VHost}, l.exchange, detailed, int64(in), int64(out))
	n.pairs(v.VHost, nil, l)
}

// pairs looks at what passed between an exchange, channels and queues. There are
// none but with rates_mode = detailed.
func (n *seen) pairs(v *broker.VHost, x *broker.Exchange, l *layouts) {
	for _, f := range v.Incoming(x) {
		s := f.Sent()
		n.add(f, l.feed, detailed, int64(s.Published), int64(s.Confirmed), int64(s.Dropped), int64(s.Returned))
	}
	for _, f := range v.Outgoing(x) {
		n.add(f, l.flow, detailed, int64(f.Published()))
	}
}

// sums are the figures that virtual hosts and the node have in common.
func sums(t *broker.Totals, ready, unacked, aside int) []int64 {
	q := t.AllQueues()
	return []int64{int64(ready), int64(unacked), int64(ready + unacked + aside),
		int64(t.Published), int64(t.Confirmed), int64(t.Dropped), int64(t.Returned),
		int64(q.Delivered), int64(q.DeliveredNoAck), int64(q.Got), int64(q.GotNoAck), int64(q.GotEmpty), int64(q.DeliverGet()), int64(q.Redelivered), int64(q.Acked),
		int64(t.RecvBytes), int64(t.SendBytes)}
}

func (n *seen) node(s *Sampler, sv *broker.Survey) {
	ready, unacked, aside := 0, 0, 0
	for i := range sv.VHosts {
		ready += sv.VHosts[i].Ready
		unacked += sv.VHosts[i].Unacked
		aside += sv.VHosts[i].Aside
	}
	q := sv.Node.AllQueues()
	c := s.o.Broker.Churn()
	p := s.Process()
	st := s.o.Broker.StoreStats()
	vals := append(sums(&sv.Node, ready, unacked, aside), int64(q.DiskReads), int64(q.DiskWrites),
		int64(c.ConnectionsCreated), int64(c.ConnectionsClosed), int64(c.ChannelsCreated), int64(c.ChannelsClosed),
		int64(c.QueuesDeclared), int64(c.QueuesCreated), int64(c.QueuesDeleted),
		p.RSS, p.FDs, int64(len(s.o.Broker.Sessions())), p.Goroutines, p.DiskFree, p.GCs, p.GCBytes, p.ContextSwitches,
		int64(q.DiskReads), 0, int64(st.Commits), int64(st.Bytes), int64(st.Syncs), st.SyncTotal.Microseconds())
	n.add(nodeKey{}, s.l.node, global, vals...)
}

// maxShare bounds the time that surveys take: one part in so many.
const maxShare = 200

// Survey returns a survey of the core that is not older than age; where one takes
// long, not older than a sample.
func (s *Sampler) Survey(age time.Duration) *broker.Survey {
	s.surveyMu.Lock()
	defer s.surveyMu.Unlock()
	age = max(age, min(maxShare*s.surveyTook, s.o.Interval))
	if now := s.o.Now(); s.survey == nil || now.Sub(s.surveyAt) > age {
		begin := time.Now()
		s.survey, s.surveyAt = s.o.Broker.Survey(broker.Visitor{}), now
		s.surveyTook = time.Since(begin)
	}
	return s.survey
}

// CapacityLost is how much of the capacity of the consumers of all queues was not
// used at the last sample; 1 for each queue whose consumers took nothing.
func (s *Sampler) CapacityLost() float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lost
}
