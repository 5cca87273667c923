package broker

import (
	"sync"

	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// A survey is what dashboards and charts ask for every few seconds, so it must
// not go through all queues. Their sums are kept, and a survey looks only at the
// queues whose figures have changed since the one before.

// Survey is a look at everything that is counted.
type Survey struct {
	Node   Totals
	VHosts []VHostSurvey
	// Of what is there now, in all virtual hosts.
	Queues   QueueSums
	Channels ChannelSums
	Traffic  Traffic // of open connections
	Opened   int     // connections that have got as far as their virtual host
}

// VHostSurvey is a virtual host's part in it.
type VHostSurvey struct {
	VHost                     *VHost
	Totals                    Totals
	Ready, Unacked, Consumers int
	Aside                     int // messages that are neither
	QueueCount, Exchanges     int
	Connections, Channels     int
	Publishers                int // channels that have published
}

// QueueSums are sums over queues that are there, by their kind.
type QueueSums [QueueKinds]struct {
	Count    int
	Depths   queueproc.Depths
	Counters queueproc.Counters
}

// All is the sum over the kinds.
func (s *QueueSums) All() (n int, d queueproc.Depths, c queueproc.Counters) {
	for i := range s {
		n += s[i].Count
		d.Add(&s[i].Depths)
		c.Add(&s[i].Counters)
	}
	return n, d, c
}

// ChannelSums are sums over channels that are there.
type ChannelSums struct {
	Count       int
	Info        ChannelInfo // those of its figures that can be added up
	Sent        Sent
	Unconfirmed uint64
}

func (s *ChannelSums) add(i *ChannelInfo, sent *Sent, unconfirmed uint64) {
	s.Count++
	n := &s.Info
	n.Prefetch += i.Prefetch
	n.GlobalPrefetch += i.GlobalPrefetch
	n.Consumers += i.Consumers
	n.Unacked += i.Unacked
	n.UncommittedMessages += i.UncommittedMessages
	n.UncommittedAcks += i.UncommittedAcks
	n.Received.Add(&i.Received)
	s.Sent.Add(sent)
	if i.Confirm {
		s.Unconfirmed += unconfirmed
	}
}

// Visitor is shown the objects that a survey comes by. Any may be nil.
type Visitor struct {
	// Changed is shown the queues that have changed since the survey before
	// that had a Changed, and Gone those that were deleted. Only one may ask
	// for them. They must be quick and must not ask for another survey.
	Changed func(q *Queue, b *queueproc.Backlog)
	Gone    func(q *Queue)
	Channel func(ch *Channel, i *ChannelInfo, s *Sent)
	Session func(s Session, t *Traffic)
}

// surveyor keeps the sums over queues.
type surveyor struct {
	changes queueproc.Changes

	mu      sync.Mutex
	taken   []*queueproc.Queue // scratch
	watched bool               // there is one who asks what has changed
	unshown []*Queue           // what that one was not shown yet
	nothing queueproc.Backlog  // of queues in which nothing has happened; stays as it is
}

// catchUp takes into the sums what has changed.
func (s *surveyor) catchUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.absorb()
}

// absorb is catchUp with the lock held.
func (s *surveyor) absorb() {
	s.taken = s.changes.Take(s.taken[:0])
	for _, p := range s.taken {
		if q := p.Owner.(*Queue); !q.retired {
			b := p.Backlog()
			s.count(q, &b)
		}
	}
	clear(s.taken)
	if cap(s.taken) > 1024 {
		s.taken = nil
	}
}

// count takes a queue's figures into the sums.
func (s *surveyor) count(q *Queue, b *queueproc.Backlog) {
	n := &q.vhost.live[q.Kind()]
	if q.was == nil {
		q.was = &s.nothing
		n.Count++
	}
	n.Depths.Sub(&q.was.Depths)
	n.Counters.Sub(&q.was.Counters)
	switch {
	case *b == s.nothing: // as with most, where there are very many
		q.was = &s.nothing
	case q.was == &s.nothing:
		q.was = &queueproc.Backlog{}
		fallthrough
	default:
		*q.was = *b
	}
	n.Depths.Add(&b.Depths)
	n.Counters.Add(&b.Counters)
	s.list(q)
}

// forget takes a queue that is deleted out of the sums.
func (s *surveyor) forget(q *Queue) {
	q.retired = true
	if q.was != nil {
		n := &q.vhost.live[q.Kind()]
		n.Count--
		n.Depths.Sub(&q.was.Depths)
		n.Counters.Sub(&q.was.Counters)
		q.was = nil
	}
	s.list(q)
}

func (s *surveyor) list(q *Queue) {
	if s.watched && !q.listed {
		q.listed = true
		s.unshown = append(s.unshown, q)
	}
}

// show shows what has changed to the one who asks, and keeps in mind that there
// is one.
func (s *surveyor) show(v *Visitor, vhosts []*VHost) {
	if !s.watched {
		s.watched = true
		for _, vh := range vhosts {
			for _, q := range vh.Queues() {
				s.list(q)
			}
		}
	}
	for _, q := range s.unshown {
		q.listed = false
		switch {
		case !q.retired && q.was != nil:
			v.Changed(q, q.was)
		case q.retired && v.Gone != nil:
			v.Gone(q)
		}
	}
	clear(s.unshown)
	if s.unshown = s.unshown[:0]; cap(s.unshown) > 1024 {
		s.unshown = nil
	}
}

// Survey adds up. The sums never go down from one survey to the next, whatever
// is deleted.
func (b *Broker) Survey(v Visitor) *Survey {
	s := &Survey{}
	sessions, clients := b.surveyQueues(s, &v)
	at := make(map[*VHost]*VHostSurvey, len(s.VHosts))
	byName := make(map[string]*VHostSurvey, len(s.VHosts))
	for i := range s.VHosts {
		vs := &s.VHosts[i]
		at[vs.VHost], byName[vs.VHost.Name] = vs, vs
	}
	var chans []*Channel
	for _, c := range clients {
		sent, chs, publishers := c.tally.look(chans[:0])
		chans = chs
		s.Node.Sent.Add(&sent)
		if vs := at[c.vhost]; vs != nil {
			vs.Totals.Sent.Add(&sent)
			vs.Connections++
			vs.Channels += len(chs)
			vs.Publishers += publishers
		}
		for _, ch := range chs {
			s.channel(ch, &v)
		}
	}
	for _, ss := range sessions {
		t := ss.Traffic()
		s.Node.Traffic.Add(&t)
		if name, opened := ss.VHost(); opened {
			s.Opened++
			s.Traffic.Add(&t)
			if vs := byName[name]; vs != nil {
				vs.Totals.Traffic.Add(&t)
			}
		}
		if v.Session != nil {
			v.Session(ss, &t)
		}
	}
	return s
}

func (s *Survey) channel(ch *Channel, v *Visitor) {
	var i ChannelInfo
	if cs, ok := ch.Outlet().(ChannelSession); ok {
		i = cs.Info()
	}
	sent, unconfirmed := ch.Sent()
	s.Channels.add(&i, &sent, unconfirmed)
	if v.Channel != nil {
		v.Channel(ch, &i, &sent)
	}
}

// surveyQueues is the part of a survey that is about queues and what is gone. It
// returns who is there, at the same moment.
func (b *Broker) surveyQueues(s *Survey, v *Visitor) (sessions []Session, clients []*Client) {
	b.survey.mu.Lock()
	defer b.survey.mu.Unlock()
	b.survey.absorb()
	b.ledger.mu.Lock()
	s.Node = b.ledger.gone
	vhosts := b.VHosts()
	for _, vh := range vhosts {
		s.VHosts = append(s.VHosts, VHostSurvey{VHost: vh, Totals: vh.gone})
	}
	sessions = make([]Session, 0, len(b.ledger.sessions))
	for ss := range b.ledger.sessions {
		sessions = append(sessions, ss)
	}
	clients = b.allClients() // who retires has left them with the lock held
	b.ledger.mu.Unlock()
	for i := range s.VHosts {
		s.VHosts[i].queues(s)
	}
	if v.Changed != nil {
		b.survey.show(v, vhosts)
	}
	return sessions, clients
}

func (vs *VHostSurvey) queues(s *Survey) {
	vh := vs.VHost
	vh.mu.RLock()
	vs.QueueCount, vs.Exchanges = len(vh.queues), len(vh.exchanges)+1
	vh.mu.RUnlock()
	for kind := range vh.live {
		n := &vh.live[kind]
		vs.Ready += n.Depths.Ready
		vs.Unacked += n.Depths.Unacked
		vs.Aside += n.Depths.Aside()
		vs.Consumers += n.Depths.Consumers
		vs.Totals.Queues[kind].Add(&n.Counters)
		s.Node.Queues[kind].Add(&n.Counters)
		s.Queues[kind].Count += n.Count
		s.Queues[kind].Depths.Add(&n.Depths)
		s.Queues[kind].Counters.Add(&n.Counters)
	}
}
