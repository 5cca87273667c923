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
	// 64 MiB. (Those of the node and of virtual hosts are small.)
	MaxBytes int
}

// Sampler looks at all objects at intervals. Its methods may be called by any
// goroutine.
type Sampler struct {
	o       Options
	l       layouts
	res     [2][]resolution // basic, global
	process process

	mu     sync.RWMutex
	tick   uint64
	last   time.Time
	tracks map[any]*track // by *broker.Queue, *broker.Channel, broker.Session, *broker.Exchange, default exchanges, virtual hosts, node
	limit  int64          // s: histories of single objects reach no further
	bytes  int            // of their histories
	waits  [broker.QueueKinds]Ages

	surveyMu sync.Mutex
	survey   *broker.Survey
	surveyAt time.Time
}

// Keys of tracks that are no pointers of the broker's.
type (
	nodeKey    struct{}
	defaultKey struct{ v *broker.VHost }
)

// Defaults of Options.
const (
	DefaultInterval = 5 * time.Second
	DefaultMaxBytes = 64 << 20
)

const (
	basic  = 0
	global = 1
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
	res := [2][]resolution{basicResolutions(), globalResolutions()}
	return &Sampler{o: o, l: newLayouts(), res: res, tracks: map[any]*track{}, limit: 1 << 40, process: process{dir: o.DataDir}}
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
	vals []int64
	objs []seenObj
}

type seenObj struct {
	key any
	l   *layout
	at  int
	res uint8
}

func (n *seen) add(key any, l *layout, res uint8, vals ...int64) {
	n.objs = append(n.objs, seenObj{key, l, len(n.vals), res})
	n.vals = append(n.vals, vals...)
}

// Sample takes one sample of everything.
func (s *Sampler) Sample() {
	n := s.look()
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick++
	dt := now.Sub(s.last).Seconds()
	if s.last.IsZero() {
		dt = 0
	}
	s.last = now
	size := 0
	for _, o := range n.objs {
		tr := s.tracks[o.key]
		first := tr == nil
		if first {
			tr = newTrack(o.l, s.res[o.res], now)
			s.tracks[o.key] = tr
		}
		tr.add(s.tick, now, dt, n.vals[o.at:o.at+len(o.l.metrics)], s.res[o.res], first)
		if o.res == basic {
			size += tr.trim(now.Unix(), s.res[basic], s.limit)
		} else {
			tr.trim(now.Unix(), s.res[global], 1<<40)
		}
	}
	for k, tr := range s.tracks {
		if tr.seen != s.tick {
			delete(s.tracks, k)
		}
	}
	s.fit(size)
}

// fit makes the histories of single objects shorter when they take too much, and
// longer again when there is room.
func (s *Sampler) fit(size int) {
	s.bytes = size
	longest := s.res[basic][len(s.res[basic])-1].span
	switch {
	case size > s.o.MaxBytes:
		s.limit = max(min(s.limit, longest)/2, 10)
	case size < s.o.MaxBytes/4 && s.limit < longest:
		s.limit *= 2
	}
}

// look goes through all objects.
func (s *Sampler) look() *seen {
	n := &seen{}
	now := s.o.Now()
	sv := s.o.Broker.Survey(broker.Visitor{
		Queue: func(q *broker.Queue, b *queueproc.Backlog) {
			c := &b.Counters
			n.add(q, s.l.queue, basic, int64(b.Ready), int64(b.Unacked), int64(b.Ready+b.Unacked), int64(c.Published),
				int64(c.Delivered), int64(c.DeliveredNoAck), int64(c.Got), int64(c.GotNoAck), int64(c.GotEmpty),
				int64(c.DeliverGet()), int64(c.Redelivered), int64(c.Acked), b.Stalled)
			if at := b.OldestReady; at > 0 {
				s.waits[q.Kind()].observe(now.UnixMilli() - at)
			}
		},
		Client: func(c *broker.Client, _ *broker.Sent) {
			for _, ch := range c.Channels() {
				n.channel(ch, s.l.channel)
			}
		},
		Session: func(ss broker.Session, i *broker.SessionInfo, t *broker.Traffic) {
			n.add(ss, s.l.connection, basic, int64(t.RecvBytes), int64(t.SendBytes))
		},
	})
	for i := range sv.VHosts {
		n.vhost(&sv.VHosts[i], &s.l)
	}
	n.node(s, sv)
	s.surveyMu.Lock()
	s.survey, s.surveyAt = sv, now
	s.surveyMu.Unlock()
	return n
}

func (n *seen) channel(ch *broker.Channel, l *layout) {
	sent, _ := ch.Sent()
	var r broker.Received
	if cs, ok := ch.Outlet().(broker.ChannelSession); ok {
		r = cs.Info().Received
	}
	n.add(ch, l, basic, int64(sent.Published), int64(sent.Confirmed), int64(sent.Dropped), int64(sent.Returned),
		int64(r.Delivered), int64(r.DeliveredNoAck), int64(r.Got), int64(r.GotNoAck), int64(r.GotEmpty), int64(r.DeliverGet()), int64(r.Redelivered), int64(r.Acked))
}

func (n *seen) vhost(v *broker.VHostSurvey, l *layouts) {
	n.add(v.VHost, l.vhost, global, sums(&v.Totals, v.Ready, v.Unacked)...)
	for _, x := range v.VHost.Exchanges() {
		in, out := x.Passed()
		n.add(x, l.exchange, basic, int64(in), int64(out))
	}
	in, out := v.VHost.DefaultPassed()
	n.add(defaultKey{v.VHost}, l.exchange, basic, int64(in), int64(out))
}

// sums are the figures that virtual hosts and the node have in common.
func sums(t *broker.Totals, ready, unacked int) []int64 {
	q := t.AllQueues()
	return []int64{int64(ready), int64(unacked), int64(ready + unacked),
		int64(t.Published), int64(t.Confirmed), int64(t.Dropped), int64(t.Returned),
		int64(q.Delivered), int64(q.DeliveredNoAck), int64(q.Got), int64(q.GotNoAck), int64(q.GotEmpty), int64(q.DeliverGet()), int64(q.Redelivered), int64(q.Acked),
		int64(t.RecvBytes), int64(t.SendBytes)}
}

func (n *seen) node(s *Sampler, sv *broker.Survey) {
	ready, unacked := 0, 0
	for i := range sv.VHosts {
		ready += sv.VHosts[i].Ready
		unacked += sv.VHosts[i].Unacked
	}
	q := sv.Node.AllQueues()
	c := s.o.Broker.Churn()
	p := s.process.look()
	st := s.o.Broker.StoreStats()
	vals := append(sums(&sv.Node, ready, unacked), int64(q.DiskReads), int64(q.DiskWrites),
		int64(c.ConnectionsCreated), int64(c.ConnectionsClosed), int64(c.ChannelsCreated), int64(c.ChannelsClosed),
		int64(c.QueuesDeclared), int64(c.QueuesCreated), int64(c.QueuesDeleted),
		p.RSS, p.FDs, int64(len(s.o.Broker.Sessions())), p.Goroutines, p.DiskFree, p.GCs, p.GCBytes, p.ContextSwitches,
		int64(q.DiskReads), 0, int64(st.Commits), int64(st.Bytes), int64(st.Syncs), st.SyncTotal.Microseconds())
	n.add(nodeKey{}, s.l.node, global, vals...)
}

// Survey returns a survey of the core that is not older than age.
func (s *Sampler) Survey(age time.Duration) *broker.Survey {
	s.surveyMu.Lock()
	defer s.surveyMu.Unlock()
	if now := s.o.Now(); s.survey == nil || now.Sub(s.surveyAt) > age {
		s.survey, s.surveyAt = s.o.Broker.Survey(broker.Visitor{}), now
	}
	return s.survey
}
