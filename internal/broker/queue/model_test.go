package queue

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/message"
)

// model is a queue as one would write it if neither speed nor memory mattered:
// slices, no pages, no timers. The machine, on a storage that pages and evicts
// as much as it can, has to do the same.
type model struct {
	cfg       Config
	seq       uint64
	levels    [][]Item
	returns   []Item
	delayed   []mDelayed
	unacked   []mUnacked
	dying     []uint64
	consumers []*mConsumer // by age
	turn      []*mConsumer // round robin; priorities are looked at on the way
	active    *mConsumer
	yielding  bool
	used      int64
	now       int64
	delivered []string
	other     []string
	gone      string
}

type mDelayed struct {
	it  Item
	due int64
}

type mUnacked struct {
	it Item
	c  *mConsumer
}

type mConsumer struct {
	tag      string
	noAck    bool
	prefetch int
	prio     int64
	credit   int // of its gate; -1: no gate
	blocked  bool
	unacked  int
	attached bool
}

func (m *model) say(format string, args ...any) {
	m.other = append(m.other, fmt.Sprintf(format, args...))
}

func (m *model) ready() (n int, bytes int64) {
	for _, l := range append([][]Item{m.returns}, m.levels...) {
		n += len(l)
		for _, it := range l {
			bytes += int64(it.Size)
		}
	}
	return n, bytes
}

func (m *model) over(extra int, size int64) bool {
	n, b := m.ready()
	for _, d := range m.delayed {
		n++
		b += int64(d.it.Size)
	}
	return m.cfg.MaxLength != None && int64(n+extra) > m.cfg.MaxLength || m.cfg.MaxBytes != None && b+size > m.cfg.MaxBytes
}

func (m *model) head() *[]Item {
	if len(m.returns) > 0 {
		return &m.returns
	}
	for p := len(m.levels) - 1; p >= 0; p-- {
		if len(m.levels[p]) > 0 {
			return &m.levels[p]
		}
	}
	return nil
}

func pop(l *[]Item) Item {
	it := (*l)[0]
	*l = slices.Delete(*l, 0, 1)
	return it
}

func (m *model) bury(it Item, why Reason) {
	if m.cfg.DeadLetter {
		m.dead(it, why)
	} else {
		m.say("settled %d", it.Seq)
	}
}

func (m *model) dead(it Item, why Reason) {
	m.dying = append(m.dying, it.Seq)
	m.say("dead %d %v", it.Seq, why)
}

func (m *model) limit() {
	for m.cfg.Overflow == DropHead && m.head() != nil && m.over(0, 0) {
		m.bury(pop(m.head()), MaxLen)
	}
}

func (m *model) expired(it Item) bool { return it.Expiry != 0 && it.Expiry <= m.now }

func (m *model) expire() {
	for len(m.returns) > 0 && m.expired(m.returns[0]) {
		m.bury(pop(&m.returns), Expired)
	}
	for p := len(m.levels) - 1; p >= 0; p-- {
		for len(m.levels[p]) > 0 && m.expired(m.levels[p][0]) {
			m.bury(pop(&m.levels[p]), Expired)
		}
		if len(m.levels[p]) > 0 && m.cfg.Kind == Classic {
			break
		}
	}
}

func (m *model) mayTake(c *mConsumer) bool {
	return !c.blocked && (c.noAck || c.prefetch == 0 || c.unacked < c.prefetch) &&
		(!m.cfg.SingleActive || c == m.active && !m.yielding)
}

// next finds the consumer for a message and asks its gate.
func (m *model) next() *mConsumer {
	for {
		var best *mConsumer
		for _, c := range m.turn {
			if m.mayTake(c) && (best == nil || c.prio > best.prio) {
				best = c
			}
		}
		if best == nil || best.credit < 0 {
			return best
		}
		if best.credit > 0 {
			best.credit--
			return best
		}
		best.blocked = true
		m.toBack(best)
	}
}

func (m *model) toBack(c *mConsumer) {
	m.turn = append(slices.DeleteFunc(m.turn, func(x *mConsumer) bool { return x == c }), c)
}

func (m *model) deliver(c *mConsumer, it Item) {
	m.delivered = append(m.delivered, fmt.Sprintf("%s %d %v %d", c.tag, it.Seq, it.Flags&Redelivered != 0, it.Count))
	if !c.noAck {
		m.unacked = append(m.unacked, mUnacked{it, c})
		c.unacked++
	}
	m.toBack(c)
}

// wake makes ready what is due.
func (m *model) wake() {
	m.sortDelayed()
	for len(m.delayed) > 0 && m.delayed[0].due <= m.now {
		m.returns = append(m.returns, m.delayed[0].it)
		m.delayed = m.delayed[1:]
	}
}

func (m *model) sortDelayed() {
	slices.SortFunc(m.delayed, func(a, b mDelayed) int {
		if a.due != b.due {
			return int(a.due - b.due)
		}
		return int(int64(a.it.Seq) - int64(b.it.Seq))
	})
}

func (m *model) settleDown() {
	m.wake()
	m.limit()
	m.expire()
	for m.head() != nil {
		c := m.next()
		if c == nil {
			break
		}
		m.deliver(c, pop(m.head()))
		m.expire()
	}
}

func (m *model) enqueue(it Item) bool {
	it.Seq = m.seq
	m.seq++
	it.Time = m.now
	it.Prio = min(it.Prio, m.cfg.MaxPriority)
	if m.cfg.Overflow != DropHead && m.over(1, int64(it.Size)) {
		if m.cfg.Overflow == RejectPublishDLX && m.cfg.DeadLetter {
			m.dead(it, MaxLen)
		}
		return false
	}
	if m.cfg.MessageTTL != None && (it.Expiry == 0 || it.Expiry > m.now+m.cfg.MessageTTL) {
		it.Expiry = m.now + m.cfg.MessageTTL
	}
	front := len(m.returns) == 0
	for p := int(it.Prio); p < len(m.levels); p++ {
		front = front && len(m.levels[p]) == 0
	}
	if front {
		if c := m.next(); c != nil {
			m.deliver(c, it)
			return true
		}
		if m.expired(it) {
			if m.cfg.DeadLetter {
				m.dead(it, Expired)
			}
			return true
		}
	}
	m.levels[it.Prio] = append(m.levels[it.Prio], it)
	m.limit()
	m.expire()
	return true
}

func (m *model) settle(seq uint64, o Outcome) {
	i := slices.IndexFunc(m.unacked, func(u mUnacked) bool { return u.it.Seq == seq })
	u := m.unacked[i]
	m.unacked = slices.Delete(m.unacked, i, i+1)
	it := u.it
	why := Rejected
	if o == Requeue && m.cfg.Kind == Quorum {
		it.Count++
		if m.cfg.DeliveryLimit >= 0 && int64(it.Count) > m.cfg.DeliveryLimit {
			o, why = Reject, DeliveryLimit
		}
	}
	switch o {
	case Ack:
		m.say("settled %d", seq)
	case Reject:
		m.bury(it, why)
	default:
		due := int64(0)
		if m.cfg.Kind == Quorum {
			if o != Unread {
				it.Acquired++
			}
			if r := m.cfg.Retry; r != nil && (o == Requeue && r.Failed || o == RequeueNoCount && r.Returned) {
				due = m.now + min(r.Min*int64(max(it.Count, 1)), r.Max)
			}
			m.say("returned %d %d %d %d", seq, it.Count, it.Acquired, due)
		}
		it.Flags |= Redelivered
		l := &m.levels[it.Prio]
		switch {
		case due != 0:
			m.delayed = append(m.delayed, mDelayed{it, due})
		case m.cfg.Kind == Quorum:
			m.returns = append(m.returns, it)
		default:
			*l = append(*l, it)
			slices.SortFunc(*l, func(a, b Item) int { return int(int64(a.Seq) - int64(b.Seq)) })
		}
	}
	if c := u.c; c != nil {
		full := c.prefetch != 0 && !c.noAck && c.unacked >= c.prefetch
		c.unacked--
		if c == m.active && m.yielding && c.unacked == 0 {
			m.yielding = false
			m.active = m.eldest()
		} else if full && c.attached {
			m.toBack(c)
		}
	}
}

func (m *model) eldest() (best *mConsumer) {
	for _, c := range m.consumers {
		if best == nil || c.prio > best.prio {
			best = c
		}
	}
	return best
}

func (m *model) elect() {
	if !m.cfg.SingleActive {
		return
	}
	if m.active == nil {
		m.active = m.eldest()
	}
	m.yielding = false
	if m.active != nil && m.cfg.Kind == Quorum && m.eldest().prio > m.active.prio {
		if m.active.unacked == 0 {
			m.active = m.eldest()
		} else {
			m.yielding = true
		}
	}
}

// world drives a machine and its model with the same commands.
type world struct {
	t     testing.TB
	pick  func(n int) int // 0 … n-1
	now   int64
	m     *Machine
	ref   *model
	eff   []Effect
	arena *message.Arena
	mems  int // Refs that were not released
	pos   uint64
	log   map[uint64][]byte // bodies and
	pages map[uint64][]Item // pages on disk
	cur   []byte            // body of the message under way

	consumers map[*mConsumer]*Consumer
	slots     map[uint64]Slot // of unacknowledged messages
	dying     map[uint64]Slot
	delivered []string
	other     []string
	loads     int
	gone      string
	history   []string
}

type modelGate struct{ c *int }

func (g modelGate) Take(bool) bool {
	if *g.c > 0 {
		*g.c--
		return true
	}
	return false
}

func newWorld(t testing.TB, pick func(int) int) *world {
	w := &world{t: t, pick: pick, now: 1000, log: map[uint64][]byte{}, pages: map[uint64][]Item{},
		consumers: map[*mConsumer]*Consumer{}, slots: map[uint64]Slot{}, dying: map[uint64]Slot{}}
	w.arena = message.NewArena(&message.Budget{Limit: 1 << 40})
	cfg := Unlimited()
	if pick(3) == 0 {
		cfg.Kind = Quorum
		if pick(2) == 0 {
			cfg.DeliveryLimit = int64(pick(4)) - 1
		}
		w.retry(&cfg)
	}
	w.limits(&cfg)
	if pick(3) == 0 {
		cfg.MaxPriority = []uint8{1, 3, 200}[pick(3)]
	}
	cfg.SingleActive = pick(4) == 0
	cfg.AutoDelete = pick(10) == 0
	w.m = New(cfg, w, w.now)
	w.shrink()
	w.ref = &model{cfg: w.m.Config(), seq: 1, levels: make([][]Item, int(cfg.MaxPriority)+1), used: w.now, now: w.now}
	w.m.RestoreDone(1, w.now, &w.eff)
	w.note("config %+v", cfg)
	w.check()
	return w
}

func (w *world) shrink() { w.m.sz = sizes{page: 4, head: 8, look: 3, step: 3} }

func (w *world) retry(cfg *Config) {
	if cfg.Retry = nil; cfg.Kind == Quorum && w.pick(3) > 0 {
		kind := w.pick(3)
		cfg.Retry = &Retry{Failed: kind != 1, Returned: kind != 0, Min: int64(1 + w.pick(10)), Max: int64(5 + w.pick(20))}
	}
}

func (w *world) limits(cfg *Config) {
	cfg.MessageTTL, cfg.MaxLength, cfg.MaxBytes, cfg.Overflow, cfg.Expires = None, None, None, DropHead, None
	if w.pick(4) == 0 {
		cfg.MessageTTL = int64(w.pick(4) * 5)
	}
	if w.pick(3) == 0 {
		cfg.MaxLength = int64(w.pick(40))
	}
	if w.pick(5) == 0 {
		cfg.MaxBytes = int64(w.pick(200))
	}
	if w.pick(30) == 0 {
		cfg.Expires = 100
	}
	cfg.Overflow = []Overflow{DropHead, DropHead, RejectPublish, RejectPublishDLX}[w.pick(4)]
	cfg.DeadLetter = w.pick(2) == 0
}

func (w *world) note(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf("t=%d ", w.now)+fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	h := w.history
	h = h[max(0, len(h)-40):]
	w.t.Fatalf("%s\n%s\n%s", w.history[0], strings.Join(h, "\n"), fmt.Sprintf(format, args...))
}

// Keep implements Storage.
func (w *world) Keep(it *Item, delivered bool) {
	how := w.pick(3)
	if how != 1 {
		it.Mem = w.put(w.cur)
	}
	if how != 0 {
		w.pos++
		it.Pos = w.pos
		w.log[w.pos] = slices.Clone(w.cur)
	}
}

func (w *world) put(b []byte) message.Ref {
	w.mems++
	return w.arena.PutBytes(b)
}

func (w *world) release(r message.Ref) {
	if !r.IsZero() {
		w.mems--
		w.arena.Release(r)
	}
}

// WritePage implements Storage.
func (w *world) Cool(message.Ref) {}

func (w *world) WritePage(level uint8, items []Item) PageRef {
	kept := slices.Clone(items)
	for i := range kept {
		it := &kept[i]
		if it.Prio != level {
			w.fail("priority %d in a page of %d", it.Prio, level)
		}
		if it.Pos == 0 {
			w.pos++
			it.Pos = w.pos
			w.log[w.pos] = slices.Clone(it.Mem.Bytes())
		}
		w.release(it.Mem)
		it.Mem = message.Ref{}
	}
	w.pos++
	w.pages[w.pos] = kept
	return PageRef{Pos: w.pos, Ext: w}
}

func (w *world) body(it *Item, fallback []byte) {
	b := fallback
	if !it.Mem.IsZero() {
		b = it.Mem.Bytes()
	}
	if len(b) < 8 || binary.BigEndian.Uint64(b) != it.Seq {
		w.fail("message %d has the bytes %x", it.Seq, b)
	}
}

// do carries out effects until nothing is left to do.
func (w *world) do() {
	for len(w.eff) > 0 || w.m.More() {
		if len(w.eff) == 0 {
			w.m.Continue(w.now, &w.eff)
			continue
		}
		eff := w.eff
		w.eff = nil
		load := false
		for i := range eff {
			e := &eff[i]
			it := &e.Item
			switch e.Kind {
			case Deliver:
				w.body(it, w.cur)
				w.delivered = append(w.delivered, fmt.Sprintf("%s %d %v %d", e.Consumer.Tag, it.Seq, it.Flags&Redelivered != 0, it.Count))
				if !e.Consumer.NoAck {
					w.slots[it.Seq] = e.Slot
				}
				if e.Consumer.NoAck || it.Pos != 0 {
					w.release(it.Mem)
				}
			case Settled:
				w.release(it.Mem)
				w.other = append(w.other, fmt.Sprintf("settled %d", it.Seq))
			case DeadLettered:
				w.dying[it.Seq] = e.Slot
				if it.Mem.IsZero() {
					w.body(it, w.log[it.Pos])
				} else {
					w.body(it, nil)
				}
				w.other = append(w.other, fmt.Sprintf("dead %d %v", it.Seq, e.Reason))
			case PageDropped:
				for _, it := range w.pages[e.Page.Pos] {
					w.other = append(w.other, fmt.Sprintf("settled %d", it.Seq))
				}
				delete(w.pages, e.Page.Pos)
			case Returned:
				w.other = append(w.other, fmt.Sprintf("returned %d %d %d %d", it.Seq, it.Count, it.Acquired, e.At))
			case WantLoad:
				if load {
					w.fail("two loads")
				}
				load = true
			case SetTimer:
				if e.At < w.now || e.At != w.m.Timer() {
					w.fail("timer %d now %d", e.At, w.now)
				}
			case Gone:
				w.gone = "gone " + e.Reason.String()
			}
		}
		if load {
			w.load()
		}
	}
}

func (w *world) load() {
	w.loads++
	page, items := w.m.Wanted(1+w.pick(5), 1+int64(w.pick(30)), nil)
	if page != nil {
		got := slices.Clone(w.pages[page.Pos])
		if len(got) != int(page.Count) {
			w.fail("page %+v has %d items", page, len(got))
		}
		for i := range got {
			if w.pick(2) == 0 {
				got[i].Mem = w.put(w.log[got[i].Pos])
			}
		}
		if !w.m.PageLoaded(w.now, *page, got, &w.eff) {
			w.fail("page not wanted")
		}
		delete(w.pages, page.Pos)
		return
	}
	for i := range items {
		items[i].Mem = w.put(w.log[items[i].Pos])
	}
	if len(items) > 0 {
		for _, r := range w.m.BodiesLoaded(w.now, items, &w.eff) {
			w.release(r)
		}
	}
}

// check compares the machine with the model after a command.
func (w *world) check() {
	w.t.Helper()
	w.do()
	if !slices.Equal(w.delivered, w.ref.delivered) {
		w.fail("delivered %q, want %q", w.delivered, w.ref.delivered)
	}
	slices.Sort(w.other)
	slices.Sort(w.ref.other)
	if !slices.Equal(w.other, w.ref.other) {
		w.fail("effects %q, want %q", w.other, w.ref.other)
	}
	if w.gone != w.ref.gone {
		w.fail("%q, want %q", w.gone, w.ref.gone)
	}
	w.delivered, w.other, w.ref.delivered, w.ref.other = nil, nil, nil, nil
	n, bytes := w.ref.ready()
	for _, d := range w.ref.delayed {
		bytes += int64(d.it.Size)
	}
	if w.m.Delayed() != len(w.ref.delayed) {
		w.fail("delayed %d, want %d", w.m.Delayed(), len(w.ref.delayed))
	}
	if w.m.Ready() != n || w.m.ReadyBytes() != bytes || w.m.Unacked() != len(w.ref.unacked) || w.m.Dying() != len(w.ref.dying) {
		w.fail("ready %d bytes %d unacked %d dying %d, want %d %d %d %d", w.m.Ready(), w.m.ReadyBytes(), w.m.Unacked(), w.m.Dying(),
			n, bytes, len(w.ref.unacked), len(w.ref.dying))
	}
	letters, size := 0, int64(0)
	w.m.Walk(func(e Entry) bool {
		if e.State == Dying && e.Reason != ReasonNone {
			letters++
			size += int64(e.Item.Size)
		}
		return true
	})
	if n, bytes := w.m.DeadLetters(); n != letters || bytes != size {
		w.fail("%d dead letters of %d bytes, want %d of %d", n, bytes, letters, size)
	}
	for c, real := range w.consumers {
		if real.Unacked() != c.unacked {
			w.fail("%s has %d unacked, want %d", c.tag, real.Unacked(), c.unacked)
		}
		if w.m.IsActive(real) != (c.attached && (!w.ref.cfg.SingleActive || c == w.ref.active)) {
			w.fail("%s active %v", c.tag, w.m.IsActive(real))
		}
	}
}

// checkOrder compares everything that waits, item by item.
func (w *world) checkOrder() {
	var got, want []uint64
	cold := 0
	w.m.Walk(func(e Entry) bool {
		switch e.State {
		case Ready:
			got = append(got, e.Item.Seq)
			if e.Item.Mem.IsZero() {
				cold++
			}
		case Paged:
			for _, it := range w.pages[e.Page.Pos] {
				got = append(got, it.Seq)
			}
		case Delayed:
			got = append(got, e.Item.Seq)
		}
		return true
	})
	for _, it := range w.ref.returns {
		want = append(want, it.Seq)
	}
	for p := len(w.ref.levels) - 1; p >= 0; p-- {
		for _, it := range w.ref.levels[p] {
			want = append(want, it.Seq)
		}
	}
	w.ref.sortDelayed()
	for _, d := range w.ref.delayed {
		want = append(want, d.it.Seq)
	}
	if !slices.Equal(got, want) {
		w.fail("order %v, want %v", got, want)
	}
	if cold != w.m.Cold() {
		w.fail("%d cold items, counted %d", cold, w.m.Cold())
	}
}

func (w *world) step() bool {
	if w.gone != "" {
		return false
	}
	if w.pick(3) == 0 {
		w.pass(int64(w.pick(12)))
		if w.gone != "" {
			return false
		}
	}
	switch w.pick(16) {
	case 0, 1, 2, 3, 4:
		for range 1 + w.pick(6) {
			w.enqueue()
		}
	case 5:
		w.attach()
	case 6:
		w.detach()
	case 7, 8, 9:
		w.settle()
	case 10:
		w.get()
	case 11:
		w.unblock()
	case 12:
		w.buried()
	case 13:
		w.memory()
	case 14:
		w.rare()
	case 15:
		w.settleAll()
	}
	return true
}

func (w *world) pass(ms int64) {
	w.now += ms
	w.ref.now = w.now
	w.note("pass %d", ms)
	for i := 0; w.m.Timer() != 0 && w.m.Timer() <= w.now && w.gone == ""; i++ {
		w.m.Tick(w.now, &w.eff)
		w.do()
		if i > 100 {
			w.fail("the timer does not rest")
		}
	}
	if w.ref.cfg.Expires != None && len(w.ref.consumers) == 0 && w.now >= w.ref.used+w.ref.cfg.Expires {
		w.ref.gone = "gone expired"
		w.gone = w.gone + ""
		if w.gone != w.ref.gone {
			w.fail("not gone")
		}
		return
	}
	w.ref.settleDown()
	w.check()
}

func (w *world) enqueue() {
	it := Item{Size: uint32(w.pick(20)), Prio: uint8(w.pick(5))}
	switch w.pick(8) {
	case 0:
		it.Expiry = w.now + int64(w.pick(30))
	case 1:
		it.Flags = Persistent
	}
	w.note("enqueue %d %+v", w.ref.seq, it)
	w.cur = binary.BigEndian.AppendUint64(nil, w.ref.seq)
	ok := w.m.Enqueue(w.now, &it, &w.eff)
	want := w.ref.enqueue(Item{Size: it.Size, Prio: it.Prio, Expiry: it.Expiry, Flags: it.Flags})
	if ok != want {
		w.fail("accepted %v", ok)
	}
	w.check()
	w.cur = nil
}

func (w *world) attach() {
	c := &mConsumer{tag: fmt.Sprintf("c%d", len(w.consumers)), noAck: w.pick(3) == 0, prefetch: w.pick(4),
		prio: int64(w.pick(3)), credit: -1, attached: true}
	real := &Consumer{Tag: c.tag, NoAck: c.noAck, Prefetch: uint32(c.prefetch), Priority: c.prio}
	if w.pick(3) == 0 {
		c.credit = w.pick(4)
		n := c.credit
		real.Gate = modelGate{&n}
	}
	w.note("attach %+v", *c)
	w.consumers[c] = real
	w.ref.consumers = append(w.ref.consumers, c)
	w.ref.turn = append(w.ref.turn, c)
	w.ref.elect()
	w.ref.settleDown()
	w.m.Attach(w.now, real, &w.eff)
	w.check()
}

func (w *world) detach() {
	if len(w.ref.consumers) == 0 {
		return
	}
	c := w.ref.consumers[w.pick(len(w.ref.consumers))]
	w.note("detach %s", c.tag)
	c.attached = false
	is := func(x *mConsumer) bool { return x == c }
	w.ref.consumers = slices.DeleteFunc(w.ref.consumers, is)
	w.ref.turn = slices.DeleteFunc(w.ref.turn, is)
	if w.ref.active == c {
		w.ref.active = nil
	}
	w.ref.elect()
	if len(w.ref.consumers) == 0 {
		w.ref.used = w.now
		if w.ref.cfg.AutoDelete {
			w.ref.gone = "gone none"
		}
	}
	if w.ref.gone == "" {
		w.ref.settleDown()
	}
	w.m.Detach(w.now, w.consumers[c], &w.eff)
	w.check()
}

func (w *world) outcome() Outcome {
	return []Outcome{Ack, Ack, Reject, Requeue, RequeueNoCount, Unread}[w.pick(6)]
}

func (w *world) settle() {
	if len(w.ref.unacked) == 0 {
		return
	}
	o := w.outcome()
	var batch []SlotSeq
	for range 1 + w.pick(4) {
		if len(w.ref.unacked) == 0 {
			break
		}
		seq := w.ref.unacked[w.pick(len(w.ref.unacked))].it.Seq
		w.ref.settle(seq, o)
		batch = append(batch, SlotSeq{w.slots[seq], seq})
		delete(w.slots, seq)
	}
	w.finish(batch, o)
}

func (w *world) settleAll() {
	o := w.outcome()
	var batch []SlotSeq
	for len(w.ref.unacked) > 0 {
		seq := w.ref.unacked[w.pick(len(w.ref.unacked))].it.Seq
		w.ref.settle(seq, o)
		batch = append(batch, SlotSeq{w.slots[seq], seq})
		delete(w.slots, seq)
	}
	if len(batch) > 0 {
		w.finish(batch, o)
	}
}

func (w *world) finish(batch []SlotSeq, o Outcome) {
	w.note("settle %v %d", batch, o)
	w.ref.settleDown()
	if len(batch) == 1 {
		if !w.m.Settle(w.now, batch[0].Slot, batch[0].Seq, o, &w.eff) {
			w.fail("not settled")
		}
	} else if w.m.SettleBatch(w.now, batch, o, &w.eff) != len(batch) {
		w.fail("not all settled")
	}
	w.check()
	if w.m.Settle(w.now, batch[0].Slot, batch[0].Seq+1<<40, Ack, &w.eff) {
		w.fail("settled what is not there")
	}
}

func (w *world) get() {
	noAck := w.pick(2) == 0
	w.note("get %v", noAck)
	w.ref.used = w.now
	for {
		it, slot, st := w.m.Get(w.now, noAck, &w.eff)
		if st == NeedLoad {
			n := w.loads
			w.do()
			if w.loads == n {
				w.fail("nothing was loaded")
			}
			continue
		}
		l := w.ref.head()
		if (st == Got) != (l != nil) {
			w.fail("status %d", st)
		}
		if st == Got {
			want := pop(l)
			if it.Seq != want.Seq || it.Flags != want.Flags || it.Count != want.Count || it.Acquired != want.Acquired || it.Prio != want.Prio || it.Time != want.Time {
				w.fail("got %+v, want %+v", it, want)
			}
			w.body(&it, w.log[it.Pos])
			if noAck || it.Pos != 0 {
				w.release(it.Mem)
			}
			if !noAck {
				w.slots[it.Seq] = slot
				w.ref.unacked = append(w.ref.unacked, mUnacked{want, nil})
			}
		}
		w.ref.expire()
		w.check()
		return
	}
}

func (w *world) unblock() {
	if len(w.ref.consumers) == 0 {
		return
	}
	c := w.ref.consumers[w.pick(len(w.ref.consumers))]
	real := w.consumers[c]
	if c.credit < 0 {
		return
	}
	n := 1 + w.pick(3)
	w.note("unblock %s %d", c.tag, n)
	c.credit += n
	*real.Gate.(modelGate).c += n
	if c.blocked {
		c.blocked = false
		w.ref.toBack(c)
	}
	w.ref.settleDown()
	w.m.Unblock(w.now, real, &w.eff)
	w.check()
}

func (w *world) buried() {
	if len(w.ref.dying) == 0 {
		return
	}
	i := w.pick(len(w.ref.dying))
	seq := w.ref.dying[i]
	w.note("buried %d", seq)
	w.ref.dying = slices.Delete(w.ref.dying, i, i+1)
	w.ref.say("settled %d", seq)
	w.m.Buried(w.dying[seq], &w.eff)
	delete(w.dying, seq)
	w.check()
}

// memory does what must not change anything.
func (w *world) memory() {
	switch w.pick(4) {
	case 0:
		for _, it := range w.m.Evict(1+w.pick(10), nil) {
			w.release(it.Mem)
		}
	case 1:
		w.m.Trim()
	case 2:
		w.relocate()
	case 3:
		w.checkOrder()
	}
	w.check()
}

func (w *world) relocate() {
	var moves []Move
	w.m.Each(func(_ State, it *Item) bool {
		if it.Pos != 0 && w.pick(2) == 0 {
			w.pos++
			w.log[w.pos] = w.log[it.Pos]
			delete(w.log, it.Pos)
			moves = append(moves, Move{it.Seq, w.pos})
		}
		return true
	})
	slices.SortFunc(moves, func(a, b Move) int { return int(int64(a.Seq) - int64(b.Seq)) })
	if n := w.m.Relocated(moves); n != len(moves) {
		w.fail("%d of %d relocated", n, len(moves))
	}
	var refs []PageRef
	w.m.EachPage(func(p *PageRef) bool {
		refs = append(refs, *p)
		return true
	})
	for _, p := range refs {
		if w.pick(2) == 0 {
			w.pos++
			w.pages[w.pos] = w.pages[p.Pos]
			delete(w.pages, p.Pos)
			n := p
			n.Pos = w.pos
			if !w.m.ReplacePage(p, n) {
				w.fail("no page %+v", p)
			}
		}
	}
}

func (w *world) rare() {
	switch w.pick(9) {
	case 6:
		w.take()
	case 7:
		w.takePaged()
	case 8:
		w.putBack()
	case 0:
		w.note("purge")
		n, _ := w.ref.ready()
		n += len(w.ref.delayed)
		for _, d := range w.ref.delayed {
			w.ref.say("settled %d", d.it.Seq)
		}
		w.ref.delayed = nil
		for l := w.ref.head(); l != nil; l = w.ref.head() {
			w.ref.say("settled %d", pop(l).Seq)
		}
		if got := w.m.Purge(w.now, &w.eff); got != n {
			w.fail("purged %d, want %d", got, n)
		}
	case 1:
		cfg := w.m.Config()
		w.limits(&cfg)
		w.retry(&cfg)
		w.note("configure %+v", cfg)
		if cfg.Expires != w.ref.cfg.Expires {
			w.ref.used = w.now
		}
		w.m.Configure(w.now, cfg, &w.eff)
		w.ref.cfg = w.m.Config()
		w.ref.settleDown()
	case 2:
		w.note("touch")
		w.ref.used = w.now
		w.m.Touch(w.now, &w.eff)
	case 3:
		w.restart()
	}
	w.check()
}

// taken says that items left the ready ones and are held.
func (w *world) taken(ts []Taken) {
	for _, t := range ts {
		seq := t.Item.Seq
		is := func(it Item) bool { return it.Seq == seq }
		n := len(w.ref.returns)
		w.ref.returns = slices.DeleteFunc(w.ref.returns, is)
		found := len(w.ref.returns) < n
		n = len(w.ref.delayed)
		w.ref.delayed = slices.DeleteFunc(w.ref.delayed, func(d mDelayed) bool { return is(d.it) })
		found = found || len(w.ref.delayed) < n
		for p := range w.ref.levels {
			n := len(w.ref.levels[p])
			w.ref.levels[p] = slices.DeleteFunc(w.ref.levels[p], is)
			found = found || len(w.ref.levels[p]) < n
		}
		if !found {
			w.fail("took %d", seq)
		}
		w.dying[seq] = t.Slot
		w.ref.dying = append(w.ref.dying, seq)
		w.body(&t.Item, w.log[t.Item.Pos])
	}
}

func (w *world) take() {
	k, r := uint64(1+w.pick(5)), uint64(w.pick(5))
	ts := w.m.Take(w.now, func(it *Item) bool { return it.Seq%k == r }, nil, &w.eff)
	w.note("take %d of %%%d==%d", len(ts), k, r)
	if len(ts) == 0 {
		return
	}
	w.taken(ts)
	w.ref.settleDown()
}

func (w *world) takePaged() {
	var refs []PageRef
	w.m.EachPage(func(p *PageRef) bool {
		refs = append(refs, *p)
		return true
	})
	if len(refs) == 0 {
		return
	}
	p := refs[w.pick(len(refs))]
	k := uint64(1 + w.pick(3))
	var out, rest []Item
	next := p
	next.Count, next.Bytes = 0, 0
	for _, it := range w.pages[p.Pos] {
		if it.Seq%k == 0 {
			out = append(out, it)
			continue
		}
		rest = append(rest, it)
		next.Count++
		next.Bytes += uint64(it.Size)
	}
	if len(out) == 0 {
		return
	}
	w.note("take from page %d-%d", p.First, p.Last)
	delete(w.pages, p.Pos)
	to := &next
	if len(rest) == 0 {
		to = nil
	} else {
		w.pos++
		next.Pos = w.pos
		w.pages[w.pos] = rest
	}
	ts, ok := w.m.TakePaged(w.now, p, to, out, nil, &w.eff)
	if !ok || len(ts) != len(out) {
		w.fail("took %d of %d", len(ts), len(out))
	}
	if _, again := w.m.TakePaged(w.now, p, to, out, nil, &w.eff); again {
		w.fail("took from a page that is not there")
	}
	w.taken(ts)
	w.ref.settleDown()
}

// putBack undoes a take, where the order is known.
func (w *world) putBack() {
	if len(w.ref.dying) == 0 || w.m.cfg.Kind != Classic || w.m.Paged() > 0 {
		return
	}
	i := w.pick(len(w.ref.dying))
	seq := w.ref.dying[i]
	it := w.m.held.get(w.dying[seq], Dying).it
	w.note("put back %d", seq)
	w.ref.dying = slices.Delete(w.ref.dying, i, i+1)
	l := &w.ref.levels[it.Prio]
	at := slices.IndexFunc(*l, func(o Item) bool { return o.Seq > seq })
	if at < 0 {
		at = len(*l)
	}
	*l = slices.Insert(*l, at, it)
	w.ref.settleDown()
	w.m.PutBack(w.now, w.dying[seq], &w.eff)
	delete(w.dying, seq)
}

// restart moves all waiting messages to a new machine.
func (w *world) restart() {
	if len(w.ref.unacked)+len(w.ref.dying)+len(w.ref.consumers)+len(w.ref.returns) > 0 {
		return
	}
	w.note("restart")
	w.check()
	next := New(w.m.Config(), w, w.now)
	old := w.m
	w.m = next
	w.shrink()
	var items []Item
	level := uint8(0)
	flush := func(pages []PageRef) {
		next.Restore(level, pages, items)
		items = nil
	}
	old.Walk(func(e Entry) bool {
		if e.Page != nil {
			if len(items) > 0 {
				flush(nil)
			}
			next.Restore(e.Page.Level, []PageRef{*e.Page}, nil)
			return true
		}
		if e.State == Delayed {
			next.RestoreDelayed(*e.Item, e.Due)
			return true
		}
		if e.Item.Prio != level && len(items) > 0 {
			flush(nil)
		}
		level = e.Item.Prio
		items = append(items, *e.Item)
		return true
	})
	flush(nil)
	w.ref.used = w.now
	next.RestoreDone(w.ref.seq, w.now, &w.eff)
	w.check()
	w.checkOrder()
}

func (w *world) end() {
	w.note("close")
	w.m.Close(w.now, &w.eff)
	for i := range w.eff {
		if w.eff[i].Kind == Settled {
			w.release(w.eff[i].Item.Mem)
		}
	}
	if w.mems != 0 {
		w.fail("%d messages were not released", w.mems)
	}
	if w.m.Ready()+w.m.Unacked()+w.m.Dying()+w.m.Paged()+w.m.Cold() != 0 {
		w.fail("not empty")
	}
}

func TestAgainstModel(t *testing.T) {
	seeds, steps := 300, 500
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		w := newWorld(t, r.IntN)
		w.history[0] = fmt.Sprintf("seed %d: %s", seed, w.history[0])
		for i := 0; i < steps && w.step(); i++ {
		}
		w.checkOrder()
		w.end()
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte("warren"))
	f.Add(make([]byte, 300))
	for seed := range 4 {
		b := make([]byte, 2000)
		r := rand.NewChaCha8([32]byte{byte(seed)})
		r.Read(b)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), 4096)] // the model is slow
		w := newWorld(t, func(n int) int {
			if len(b) == 0 {
				return 0
			}
			v := int(b[0])
			b = b[1:]
			return v % n
		})
		for len(b) > 0 && w.step() {
		}
		w.checkOrder()
		w.end()
	})
}
