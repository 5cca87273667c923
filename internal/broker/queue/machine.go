package queue

import (
	"math"
	"math/bits"

	"github.com/warrenmq/warren/internal/message"
)

// sizes are the bounds of what a level keeps in memory.
type sizes struct {
	page int // items of a page
	head int // items of the head window
	look int // resident items that are kept ahead of the consumers
	step int // effects after which dispatch stops, to go on with Continue
}

var defaultSizes = sizes{page: 1024, head: 8192, look: 128, step: 256}

// expireBudget bounds the items that expire in one command, so that a Tick does
// not hold its caller for long.
const expireBudget = 1024

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

// Enqueue takes a published message. It completes it (Seq, Time, Expiry as the
// earlier of it.Expiry and the queue's TTL) and reports whether it was
// accepted. A refused message is gone, unless it.Pos or it.Mem is set: then it
// is being dead-lettered (reject-publish-dlx). So is one that expired at once.
func (m *Machine) Enqueue(now int64, it *Item, eff *[]Effect) bool {
	m.begin(now)
	it.Seq = m.seq
	m.seq++
	it.Time = now
	if m.log != nil {
		m.appendItem(it, eff)
		return true
	}
	if it.Prio > m.cfg.MaxPriority {
		it.Prio = m.cfg.MaxPriority
	}
	if m.cfg.Overflow != DropHead && m.over(1, int64(it.Size)) {
		if m.cfg.Overflow == RejectPublishDLX && m.cfg.DeadLetter {
			m.st.Keep(it, false)
			m.deadLetter(it, MaxLen, eff)
		}
		return false
	}
	if ttl := m.cfg.MessageTTL; ttl != None && (it.Expiry == 0 || now+ttl < it.Expiry) {
		it.Expiry = now + ttl
	}
	if m.isNext(it.Prio) {
		for c := m.next(); c != nil; c = m.next() {
			if !m.take(c) {
				continue
			}
			if !c.NoAck {
				m.st.Keep(it, true)
			}
			m.deliver(c, it, eff)
			return true
		}
		if m.expired(it) {
			// It has come to the head and nobody takes it.
			if m.cfg.DeadLetter {
				m.st.Keep(it, false)
				m.deadLetter(it, Expired, eff)
			}
			return true
		}
	}
	m.st.Keep(it, false)
	m.push(it)
	if m.limit(eff) {
		m.rest(eff)
	}
	return true
}

// isNext reports whether a new item of a priority would be the next to leave.
func (m *Machine) isNext(prio uint8) bool {
	if m.ready == 0 {
		return true
	}
	return m.levels != nil && m.returns.n == 0 && m.top() < int(prio)
}

// over reports whether n more ready messages with b bytes would break a limit.
// Delayed ones count as if they were ready.
func (m *Machine) over(n int, b int64) bool {
	if m.cfg.KeepDead {
		n += m.Dying()
	}
	if m.delays != nil {
		n += m.Delayed()
	}
	return m.cfg.MaxLength != None && int64(m.ready+n) > m.cfg.MaxLength ||
		m.cfg.MaxBytes != None && m.bytes+b > m.cfg.MaxBytes
}

// limit drops from the head what is over the limits. On a queue with
// priorities the head is the oldest message of the highest priority, as in
// RabbitMQ. It reports false if it has to wait for a page.
func (m *Machine) limit(eff *[]Effect) bool {
	if m.cfg.Overflow != DropHead {
		return true
	}
	for m.ready > 0 && m.over(0, 0) {
		if m.front() != nil {
			var it Item
			m.pop(&it)
			m.bury(&it, MaxLen, eff)
		} else if !m.dropPage(eff) {
			m.want(eff)
			return false
		}
	}
	return true
}

// dropPage drops the page at the head as a whole if all of it is over the limit
// and nobody wants to see its messages.
func (m *Machine) dropPage(eff *[]Effect) bool {
	p := m.level(m.top()).pages.at(0)
	length := m.cfg.MaxLength != None && int64(m.ready+m.Delayed())-int64(p.Count) >= m.cfg.MaxLength
	bytes := m.cfg.MaxBytes != None && m.bytes-int64(p.Bytes) > m.cfg.MaxBytes
	if m.cfg.DeadLetter || !length && !bytes {
		return false
	}
	m.popPage(m.top(), eff)
	(*eff)[len(*eff)-1].Reason = MaxLen
	return true
}

func (m *Machine) popPage(prio int, eff *[]Effect) {
	l := m.level(prio)
	p := new(PageRef)
	l.pages.popFront(p)
	add(eff, PageDropped).Page = p
	m.pages--
	l.n -= int(p.Count)
	m.uncount(prio, int(p.Count), int64(p.Bytes))
	if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
		l.unwind()
	}
}

// bury ends a ready item: it is dead-lettered or done with.
func (m *Machine) bury(it *Item, why Reason, eff *[]Effect) {
	if m.cfg.DeadLetter {
		m.deadLetter(it, why, eff)
		return
	}
	e := add(eff, Settled)
	e.Reason = why
	e.Item = *it
}

func (m *Machine) deadLetter(it *Item, why Reason, eff *[]Effect) {
	e := add(eff, DeadLettered)
	e.Reason = why
	e.Slot = m.held.put(it, nil, Dying)
	m.held.entries[e.Slot].why = why
	e.Item = *it
}

// Buried says that a dead-lettered item is safe elsewhere, or lost on purpose.
func (m *Machine) Buried(s Slot, eff *[]Effect) {
	h := m.held.get(s, Dying)
	if h == nil {
		return
	}
	e := add(eff, Settled)
	e.Item = h.it
	m.held.remove(s)
}

func (m *Machine) expired(it *Item) bool { return it.Expiry != 0 && it.Expiry <= m.now }

// expire removes expired items from the head of the queue; a quorum queue has a
// head for each priority. Behind the head nothing expires (head-first expiry is
// what RabbitMQ promises).
func (m *Machine) expire(eff *[]Effect) {
	for m.budget > 0 && m.returns.n > 0 && m.expired(m.returns.at(0)) {
		var it Item
		m.popReturned(&it)
		m.budget--
		m.bury(&it, Expired, eff)
	}
	for p := m.top(); p >= 0 && m.budget > 0; p = m.below(p) {
		for l := m.level(p); m.budget > 0; m.budget-- {
			head := l.front()
			if head == nil || !m.expired(head) {
				break
			}
			var it Item
			m.popLevel(p, &it)
			m.bury(&it, Expired, eff)
		}
		if m.level(p).n > 0 && m.cfg.Kind == Classic {
			return // the head of the whole queue lives; those behind wait
		}
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

// dispatch delivers as long as there are a message and a consumer for it.
func (m *Machine) dispatch(eff *[]Effect) {
	for m.ready > 0 {
		c := m.next()
		if c == nil {
			return
		}
		if len(*eff) >= m.sz.step {
			m.more = true
			return
		}
		head := m.front()
		if head == nil {
			m.want(eff)
			return
		}
		if m.expired(head) {
			if m.budget == 0 {
				return // rearm asks for a Tick at once
			}
			m.budget--
			var it Item
			m.pop(&it)
			m.bury(&it, Expired, eff)
			continue
		}
		if head.Mem.IsZero() {
			m.want(eff)
			return
		}
		if m.take(c) {
			var it Item
			m.pop(&it)
			m.deliver(c, &it, eff)
		}
	}
}

// deliver gives an item that is not among the ready ones to c.
func (m *Machine) deliver(c *Consumer, it *Item, eff *[]Effect) {
	e := add(eff, Deliver)
	e.Consumer = c
	e.Item = *it
	if !c.NoAck {
		e.Slot = m.hold(it, c)
		c.unacked++
	}
	if g := c.group; c.full() {
		g.leave(c)
	} else if g.first != g.last {
		g.leave(c)
		g.join(c)
	}
}

// hold makes an item unacknowledged.
func (m *Machine) hold(it *Item, c *Consumer) Slot {
	s := m.held.put(it, c, Unacked)
	if it.Pos != 0 {
		m.held.entries[s].it.Mem = message.Ref{} // whoever delivers it releases it
	}
	m.unacked++
	m.unackedB += int64(it.Size)
	return s
}

// Get takes the next message, for basic.get; of a stream it takes none. Without noAck it is
// unacknowledged under the slot, with noAck it is done with. If its Mem is
// zero, the bytes are at Pos; if both are set, the caller releases Mem.
func (m *Machine) Get(now int64, noAck bool, eff *[]Effect) (it Item, s Slot, st GetStatus) {
	m.begin(now)
	m.used = now
	for m.ready > 0 && m.log == nil {
		head := m.front()
		if head == nil {
			m.want(eff)
			return it, 0, NeedLoad
		}
		expired := m.expired(head)
		m.pop(&it)
		if expired {
			m.bury(&it, Expired, eff)
			continue
		}
		if !noAck {
			s = m.hold(&it, nil)
		}
		m.rest(eff)
		return it, s, Got
	}
	m.rest(eff)
	return Item{}, 0, Empty
}

// Settle ends a delivery. It reports false if there is no such one.
func (m *Machine) Settle(now int64, s Slot, seq uint64, o Outcome, eff *[]Effect) bool {
	if m.log != nil {
		return m.SettleBatch(now, []SlotSeq{{s, seq}}, o, eff) > 0
	}
	m.begin(now)
	if !m.settle(s, seq, o, eff) {
		return false
	}
	m.settled(o, eff)
	return true
}

// SettleBatch ends several deliveries in the same way and returns how many of
// them there were. What is requeued is back in its place before the next
// delivery is decided.
func (m *Machine) SettleBatch(now int64, batch []SlotSeq, o Outcome, eff *[]Effect) int {
	m.begin(now)
	if m.log != nil {
		return m.settleCursors(batch, eff)
	}
	n := 0
	for _, b := range batch {
		if m.settle(b.Slot, b.Seq, o, eff) {
			n++
		}
	}
	if n > 0 {
		m.settled(o, eff)
	}
	return n
}

func (m *Machine) settled(o Outcome, eff *[]Effect) {
	if o >= Requeue {
		m.settleDown(eff)
	} else if m.ready > 0 {
		m.dispatch(eff)
		m.rest(eff)
	}
}

func (m *Machine) settle(s Slot, seq uint64, o Outcome, eff *[]Effect) bool {
	h := m.held.get(s, Unacked)
	if h == nil || h.it.Seq != seq {
		return false
	}
	m.unacked--
	m.unackedB -= int64(h.it.Size)
	c := h.c
	if o == Ack {
		e := add(eff, Settled)
		e.Item = h.it
		m.held.remove(s)
	} else {
		m.refuse(h, s, o, eff)
	}
	if c != nil {
		c.unacked--
		if c == m.active {
			m.yield()
		}
		m.enter(c)
	}
	return true
}

// refuse settles a delivery that failed.
func (m *Machine) refuse(h *held, s Slot, o Outcome, eff *[]Effect) {
	why := Rejected
	if o == Requeue && m.cfg.Kind == Quorum {
		h.it.Count++
		if lim := m.cfg.DeliveryLimit; lim >= 0 && int64(h.it.Count) > lim {
			o, why = Reject, DeliveryLimit
		}
	}
	if o == Reject && m.cfg.DeadLetter {
		h.state, h.c, h.why = Dying, nil, why
		e := add(eff, DeadLettered)
		e.Reason, e.Slot, e.Item = why, s, h.it
		return
	}
	it := h.it
	m.held.remove(s)
	if o == Reject {
		e := add(eff, Settled)
		e.Reason, e.Item = why, it
		return
	}
	it.Flags |= Redelivered
	if m.cfg.Kind == Quorum {
		if o != Unread {
			it.Acquired++
		}
		due := m.retryAt(&it, o)
		e := add(eff, Returned)
		e.Item, e.At = it, due
		if due != 0 {
			m.delay(&it, due)
			return
		}
	}
	m.requeue(&it)
}

// requeue makes an item ready again. On a classic queue it goes back to its
// old place. A quorum queue with a delivery limit (negative: none, but as in
// RabbitMQ 4) keeps returned messages in a list of their own that is served
// first; one that knows no limit, as in RabbitMQ 3, puts them at the tail.
func (m *Machine) requeue(it *Item) {
	switch {
	case m.cfg.Kind == Classic:
		m.count(it)
		if it.Mem.IsZero() {
			m.cold++
		}
		m.level(int(it.Prio)).restore(it)
		m.mark(int(it.Prio))
	case m.cfg.DeliveryLimit != None:
		m.count(it)
		if it.Mem.IsZero() {
			m.cold++
		}
		m.returns.pushBack(it)
	default:
		m.push(it)
	}
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
	m.gone = true
	return n
}

// Tick is to be called when the time of the last SetTimer has come.
func (m *Machine) Tick(now int64, eff *[]Effect) {
	m.begin(now)
	m.timer = 0
	if at := m.expiresAt(); at != 0 && at <= now {
		m.goneFor(Expired, eff)
		return
	}
	m.settleDown(eff)
}

// Touch says that the queue was used (declared again): x-expires starts anew.
// Get does the same by itself.
func (m *Machine) Touch(now int64, eff *[]Effect) {
	m.begin(now)
	m.used = now
	m.rest(eff)
}

// expiresAt returns when a queue that stays unused goes; 0: it does not.
func (m *Machine) expiresAt() int64 {
	if m.cfg.Expires == None || len(m.consumers) > 0 || m.gone {
		return 0
	}
	return m.used + m.cfg.Expires
}

func (m *Machine) goneFor(why Reason, eff *[]Effect) {
	if !m.gone {
		m.gone = true
		add(eff, Gone).Reason = why
	}
}

// rearm sees to it that Tick is called in time. A timer that is early is left
// alone: Tick sets it right. So a busy queue does not set one per message.
func (m *Machine) rearm(eff *[]Effect) {
	at := int64(math.MaxInt64)
	if t := m.expiresAt(); t != 0 {
		at = t
	}
	if m.delays != nil {
		at = min(at, m.delays.heap[0].due)
	}
	if m.mortal {
		if m.returns.n > 0 {
			at = sooner(at, m.returns.at(0))
		}
		for p := m.top(); p >= 0; p = m.below(p) {
			at = sooner(at, m.level(p).front())
			if m.cfg.Kind == Classic {
				break
			}
		}
	}
	if at == math.MaxInt64 || m.timer != 0 && m.timer <= at {
		return
	}
	m.timer = max(at, m.now)
	add(eff, SetTimer).At = m.timer
}

func sooner(at int64, it *Item) int64 {
	if it == nil || it.Expiry == 0 {
		return at
	}
	return min(at, it.Expiry)
}

// The ready items.

// level returns a level; there is none above MaxPriority.
func (m *Machine) level(prio int) *level {
	if m.cfg.MaxPriority == 0 {
		return &m.base
	}
	if m.levels == nil {
		m.levels = make([]level, int(m.cfg.MaxPriority)+1)
	}
	return &m.levels[prio]
}

// top returns the highest level that is not empty, or -1.
func (m *Machine) top() int { return m.below(256) }

// below returns the highest level under prio that is not empty, or -1.
func (m *Machine) below(prio int) int {
	if m.cfg.MaxPriority == 0 {
		if prio > 0 && m.base.n > 0 {
			return 0
		}
		return -1
	}
	for w := (prio - 1) >> 6; w >= 0; w-- {
		set := m.bits[w]
		if w == (prio-1)>>6 {
			set &= ^uint64(0) >> (63 - (prio-1)&63)
		}
		if set != 0 {
			return w<<6 + 63 - bits.LeadingZeros64(set)
		}
	}
	return -1
}

func (m *Machine) mark(prio int) { m.bits[prio>>6] |= 1 << (prio & 63) }

func (m *Machine) unmark(prio int) { m.bits[prio>>6] &^= 1 << (prio & 63) }

// count counts an item that becomes ready.
func (m *Machine) count(it *Item) {
	m.ready++
	m.bytes += int64(it.Size)
	if it.Expiry != 0 {
		m.mortal = true
	}
}

func (m *Machine) uncount(prio, n int, bytes int64) {
	m.ready -= n
	m.bytes -= bytes
	if m.level(prio).n == 0 {
		m.unmark(prio)
	}
}

// push adds an item behind all others of its level.
func (m *Machine) push(it *Item) {
	l := m.level(int(it.Prio))
	m.mark(int(it.Prio))
	m.count(it)
	if it.Mem.IsZero() {
		m.cold++
	}
	l.n++
	if l.pages.n == 0 && len(l.tail) == 0 && l.head.n < m.sz.head {
		l.head.pushBack(it)
		if l.lead == l.head.n-1 && !it.Mem.IsZero() {
			l.lead++
		}
		return
	}
	if l.tail = append(l.tail, *it); len(l.tail) >= m.sz.page {
		if l.pages.n == 0 && l.head.n <= m.sz.head/2 {
			l.unwind()
		} else {
			m.spill(l, it.Prio)
		}
	}
}

// spill writes the tail of a level as a page.
func (m *Machine) spill(l *level, prio uint8) {
	ref := m.st.WritePage(prio, l.tail)
	ref.Level = prio
	ref.First, ref.Last = math.MaxUint64, 0
	ref.Count, ref.Persistent, ref.Bytes = uint32(len(l.tail)), 0, 0
	for i := range l.tail {
		it := &l.tail[i]
		ref.First, ref.Last = min(ref.First, it.Seq), max(ref.Last, it.Seq)
		ref.Bytes += uint64(it.Size)
		if it.Flags&Persistent != 0 {
			ref.Persistent++
		}
		if it.Mem.IsZero() {
			m.cold--
		}
	}
	ref.FirstTime, ref.LastTime = l.tail[0].Time, l.tail[len(l.tail)-1].Time
	l.pages.pushBack(&ref)
	m.pages++
	l.clearTail()
}

// front returns the next item to leave; nil if there is none or it is in a page.
func (m *Machine) front() *Item {
	if m.returns.n > 0 {
		return m.returns.at(0)
	}
	if m.ready == 0 {
		return nil
	}
	return m.level(m.top()).front()
}

// pop removes the item that front returned.
func (m *Machine) pop(dst *Item) {
	if m.returns.n > 0 {
		m.popReturned(dst)
		return
	}
	m.popLevel(m.top(), dst)
}

func (m *Machine) popLevel(prio int, dst *Item) {
	m.level(prio).pop(dst, &m.sz)
	if dst.Mem.IsZero() {
		m.cold--
	}
	m.uncount(prio, 1, int64(dst.Size))
}

func (m *Machine) popReturned(dst *Item) {
	m.returns.popFront(dst)
	if dst.Mem.IsZero() {
		m.cold--
	}
	m.ready--
	m.bytes -= int64(dst.Size)
}

// add appends an effect and returns it; the pointer is valid until the next.
func add(eff *[]Effect, k EffectKind) *Effect {
	*eff = append(*eff, Effect{Kind: k})
	return &(*eff)[len(*eff)-1]
}

// Figures for the owner.

// Ready returns how many messages wait for a consumer.
func (m *Machine) Ready() int { return m.ready }

// ReadyBytes returns the body bytes of the ready and the delayed messages.
func (m *Machine) ReadyBytes() int64 { return m.bytes }

// Unacked returns how many messages are delivered and not settled; of a stream,
// whose messages stay ready, none.
func (m *Machine) Unacked() int { return m.unacked }

// UnackedBytes returns the body bytes of the unacknowledged messages.
func (m *Machine) UnackedBytes() int64 { return m.unackedB }

// Dying returns how many dead-lettered messages are not buried yet.
func (m *Machine) Dying() int {
	if m.log != nil {
		return 0
	}
	return m.held.used - m.unacked
}

// Paged returns how many pages of ready messages are on disk.
func (m *Machine) Paged() int { return m.pages }

// Cold returns how many ready messages outside of pages have no bytes in memory.
func (m *Machine) Cold() int { return m.cold }

// NextSeq returns the sequence number that the next message gets.
func (m *Machine) NextSeq() uint64 { return m.seq }

// Timer returns when Tick is due; 0 = it is not needed.
func (m *Machine) Timer() int64 { return m.timer }

// HeadTime returns when the next message to leave was enqueued; ok is false
// when there is none or it is not known because it is on disk.
func (m *Machine) HeadTime() (at int64, ok bool) {
	if m.log != nil && m.pages > 0 {
		return m.base.pages.at(0).FirstTime, true
	}
	if it := m.front(); it != nil {
		return it.Time, true
	}
	return 0, false
}

// Idle reports whether the queue holds no message and has no consumer.
func (m *Machine) Idle() bool {
	return m.ready == 0 && m.held.used == 0 && m.delays == nil && len(m.consumers) == 0
}

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
