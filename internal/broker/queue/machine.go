package queue

// sizes are the bounds of what a level keeps in memory.
type sizes struct {
	page int // items of a page
	head int // items of the head window
	look int // resident items that are kept ahead of the consumers
	step int // effects after which dispatch stops, to go on with Continue
}

var defaultSizes = sizes{page: 1024, head: 8192, look: 128, step: 256}

// Machine is one queue. It is not safe for concurrent use.
//
// The effects of a command are appended to a slice that the caller owns and
// are to be done in order. Times are in ms since 1970 and never go back.
type Machine struct {
	cfg Config
	st  Storage
	sz  sizes

	now    int64
	budget int // items that may still expire in this command

	seq      uint64  // next sequence number
	base     level   // the only level, unless there are priorities
	levels   []level // by priority
	bits     [4]uint64
	returns  ring[Item] // quorum: requeued items, served before all levels
	delays   *delays    // quorum: items that wait for their next try; nil: none
	ready    int
	bytes    int64 // of ready and delayed items
	cold     int   // ready items in memory without their bytes
	pages    int
	mortal   bool // a ready item may have an expiry
	loading  bool // WantLoad is out
	more     bool // dispatch has stopped because there are enough effects
	unacked  int
	unackedB int64
	dead     int // of held: dead letters
	deadB    int64
	held     slab

	consumers []*Consumer // by age
	groups    []*group    // by priority, highest first
	ages      uint64
	active    *Consumer // the single active one
	yielding  bool      // active gets no more: one with a higher priority waits

	log *stream // of a stream; else nil

	used  int64 // when the queue was last used (x-expires)
	timer int64 // when Tick is due; 0 = not asked for
	gone  bool
}

// New returns an empty queue. Call RestoreDone or Touch once afterwards: that
// starts the clock of x-expires.
func New(cfg Config, st Storage, now int64) *Machine {
	m := &Machine{cfg: cfg, st: st, sz: defaultSizes, seq: 1, used: now, now: now}
	m.normalise()
	if cfg.Kind == Stream {
		m.log = newStream(&cfg)
	}
	return m
}

// normalise removes what the kind of queue does not know.
func (m *Machine) normalise() {
	if m.cfg.Kind == Quorum && m.cfg.Overflow == RejectPublishDLX {
		m.cfg.Overflow = DropHead
	}
	if m.cfg.Kind == Classic {
		m.cfg.DeliveryLimit = None
	}
	if m.cfg.Kind != Quorum {
		m.cfg.Retry = nil
	}
}

// Config returns what is in force.
func (m *Machine) Config() Config { return m.cfg }

// Configure changes what is in force. Limits apply at once. A new message TTL
// applies to messages that are published from now on: RabbitMQ computes the
// expiry when a message arrives and keeps it. Kind, MaxPriority, SingleActive
// and AutoDelete belong to the queue for life and stay as they are.
func (m *Machine) Configure(now int64, cfg Config, eff *[]Effect) {
	m.begin(now)
	old := m.cfg
	m.cfg = cfg
	m.cfg.Kind, m.cfg.MaxPriority = old.Kind, old.MaxPriority
	m.cfg.SingleActive, m.cfg.AutoDelete, m.cfg.Window = old.SingleActive, old.AutoDelete, old.Window
	m.normalise()
	if m.log != nil && m.cfg.SegmentBytes != old.SegmentBytes {
		m.log.setSegment(&m.cfg)
		m.measureSegments()
	}
	if m.cfg.Expires != old.Expires {
		m.used = now
	}
	m.settleDown(eff)
}

func (m *Machine) begin(now int64) {
	m.now = now
	m.budget = expireBudget
	if m.log != nil {
		m.log.looks = 0
	}
}

// settleDown brings the queue to rest at the end of a command: what is over
// the limit or expired goes, what can be delivered is delivered, what will be
// needed is asked for.
func (m *Machine) settleDown(eff *[]Effect) {
	if m.log != nil {
		m.settleStream(eff)
		return
	}
	if m.delays != nil {
		m.wake()
	}
	if !m.limit(eff) {
		return // goes on when the page is there
	}
	if m.mortal {
		m.expire(eff)
	}
	m.dispatch(eff)
	m.rest(eff)
}

// rest is the end of settleDown, for commands that make nothing deliverable.
func (m *Machine) rest(eff *[]Effect) {
	if m.log != nil {
		return
	}
	if m.mortal {
		m.expire(eff)
		m.mortal = m.ready > 0
	}
	if m.pages > 0 || m.cold > 0 {
		m.lookAhead(eff)
	}
	if m.mortal || m.delays != nil || m.cfg.Expires != None {
		m.rearm(eff)
	}
}

// More reports whether a command has left something undone, so that its effects
// do not become too many: when they are done, call Continue.
func (m *Machine) More() bool { return m.more }

// Continue goes on with what the command before has left undone.
func (m *Machine) Continue(now int64, eff *[]Effect) {
	m.begin(now)
	m.more = false
	if m.log != nil {
		m.flow(eff)
		return
	}
	m.settleDown(eff)
}

// Purge removes all ready and delayed messages and returns how many there were.
func (m *Machine) Purge(now int64, eff *[]Effect) int {
	m.begin(now)
	n := m.ready
	if m.log != nil {
		m.truncate(m.seq-1, ReasonNone, eff)
		m.measureSegments()
	}
	n += m.purgeDelayed(eff)
	for m.ready > 0 {
		if m.front() == nil {
			m.popPage(m.top(), eff)
			continue
		}
		e := add(eff, Settled)
		m.pop(&e.Item)
	}
	m.rest(eff)
	return n
}

// Close removes everything, unacknowledged and dying messages too: the queue
// is being deleted. It returns how many messages were ready.
func (m *Machine) Close(now int64, eff *[]Effect) int {
	n := m.Purge(now, eff)
	for i := range m.held.entries {
		if h := &m.held.entries[i]; h.state != Ready {
			add(eff, Settled).Item = h.it
		}
	}
	m.held = slab{}
	m.unacked, m.unackedB = 0, 0
	m.dead, m.deadB = 0, 0
	m.gone = true
	return n
}

// The ready items.

// add appends an effect and returns it; the pointer is valid until the next.
func add(eff *[]Effect, k EffectKind) *Effect {
	*eff = append(*eff, Effect{Kind: k})
	return &(*eff)[len(*eff)-1]
}

// Figures for the owner.

// Trim gives back memory that bursts left behind: what was not needed since the
// last Trim. Called now and then.
func (m *Machine) Trim() {
	m.base.trim()
	for i := range m.levels {
		m.levels[i].trim()
	}
	if m.ready == 0 {
		m.levels = nil
	}
	if m.delays != nil {
		m.delays.trim()
	}
	m.returns.trim()
	m.held.trim()
}

func (l *level) trim() {
	l.head.trim()
	l.pages.trim()
	if len(l.tail) == 0 {
		l.tail = nil
	}
}
