package queue

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/warrenmq/warren/internal/message"
)

// logModel is a stream as one would write it if neither speed nor memory
// mattered: all messages in a slice, and where each reader is.
type logModel struct {
	cfg       Config
	items     []Item // what is there
	committed uint64
	readers   map[string]*logReader
}

type logReader struct {
	c        *Consumer
	next     uint64
	want     byte // of the filter; 0: everything
	prefetch int
	unacked  []uint64
	closed   bool // its gate
}

func (r *logReader) Take(bool) bool { return !r.closed }

// kindFilter wants messages whose last byte is it.
type kindFilter byte

func (f kindFilter) Match(stored []byte) bool { return stored[8] == byte(f) }

func kindOf(seq uint64) byte { return byte('a' + seq*7%3) }

// due is what a reader must be given next, 0 if nothing.
func (m *logModel) due(r *logReader) uint64 {
	if len(r.unacked) >= r.prefetch || r.closed {
		return 0
	}
	for i := range m.items {
		seq := m.items[i].Seq
		if seq >= r.next && seq <= m.committed && (r.want == 0 || kindOf(seq) == r.want) {
			return seq
		}
	}
	return 0
}

// retain groups the messages into pages and segments from the head and cuts
// what is too much or too old.
func (m *logModel) retain(now int64, page int) {
	for {
		var sections []section
		var p, seg section
		for i := range m.items {
			it := &m.items[i]
			p.add(1, int64(it.Size), it.Seq, it.Time)
			if p.count == page || p.weight >= m.cfg.SegmentBytes {
				seg.count += p.count
				seg.weight += p.weight
				seg.last, seg.lastTime = p.last, p.lastTime
				p = section{}
				if seg.weight >= m.cfg.SegmentBytes {
					sections = append(sections, seg)
					seg = section{}
				}
			}
		}
		total := int64(0)
		for i := range m.items {
			total += int64(m.items[i].Size) + itemWeight
		}
		if len(sections) == 0 || len(sections) == 1 && seg.count+p.count == 0 {
			return
		}
		if !(m.cfg.MaxBytes != None && total > m.cfg.MaxBytes || m.cfg.MaxAge != None && sections[0].lastTime+m.cfg.MaxAge <= now) {
			return
		}
		m.items = m.items[sections[0].count:]
	}
}

// logWorld plays with a machine and a model.
type logWorld struct {
	t     *testing.T
	r     *rand.Rand
	m     *Machine
	model logModel
	arena *message.Arena
	disk  map[uint64][]byte // bodies, by position
	pages map[uint64][]Item
	pos   uint64
	now   int64
	eff   []Effect
	log   []string
	slots map[uint64]*logReader
}

func (w *logWorld) Keep(it *Item, delivered bool) {
	w.pos++
	it.Pos = w.pos
	b := binary.BigEndian.AppendUint64(nil, it.Seq)
	b = append(b, kindOf(it.Seq))
	w.disk[it.Pos] = b
	if w.r.IntN(8) > 0 { // else memory is short
		it.Mem = w.arena.PutBytes(b)
	}
}

func (w *logWorld) WritePage(level uint8, items []Item) PageRef {
	w.pos++
	kept := make([]Item, len(items))
	for i := range items {
		w.Cool(items[i].Mem)
		kept[i] = items[i]
		kept[i].Mem = message.Ref{}
	}
	w.pages[w.pos] = kept
	return PageRef{Pos: w.pos}
}

// Cool spoils the bytes, so that whoever still uses them is found out.
func (w *logWorld) Cool(mem message.Ref) {
	if !mem.IsZero() {
		for i := range mem.Bytes() {
			mem.Bytes()[i] = 0xff
		}
		w.arena.Release(mem)
	}
}

func (w *logWorld) fail(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log[max(0, len(w.log)-400):] {
		w.t.Log(l)
	}
	w.dump()
	w.t.Fatalf(format, args...)
}

func (w *logWorld) say(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// effects checks what the machine has decided.
func (w *logWorld) effects() {
	w.t.Helper()
	for {
		for i := range w.eff {
			e := &w.eff[i]
			switch e.Kind {
			case Deliver:
				r := e.Consumer.Owner.(*logReader)
				w.say("  %d to %s", e.Item.Seq, r.c.Tag)
				if want := w.model.due(r); want != e.Item.Seq {
					w.fail("%s was given %d, should be given %d", r.c.Tag, e.Item.Seq, want)
				}
				if b := e.Item.Mem.Bytes(); binary.BigEndian.Uint64(b) != e.Item.Seq || b[8] != kindOf(e.Item.Seq) {
					w.fail("%s was given %d with the bytes %x", r.c.Tag, e.Item.Seq, b)
				}
				r.next = e.Item.Seq + 1
				r.unacked = append(r.unacked, e.Item.Seq)
			case Settled:
				w.Cool(e.Item.Mem)
			}
		}
		w.eff = w.eff[:0]
		if !w.m.More() {
			return
		}
		w.m.Continue(w.now, &w.eff)
	}
}

// load does one load.
func (w *logWorld) load() bool {
	want, ok := w.m.WantedRun(w.now, 1+w.r.IntN(6), int64(1+w.r.IntN(500)), nil, &w.eff)
	w.effects()
	if !ok {
		return w.m.loading // the readers that could go on want something again
	}
	items := append([]Item(nil), want.Items...)
	if want.Page != nil {
		for _, it := range w.pages[want.Page.Pos] {
			if want.From <= it.Seq && it.Seq <= want.To {
				items = append(items, it)
			}
		}
	}
	w.say("load %d-%d", want.From, want.To)
	if len(items) == 0 {
		w.m.RunLost(w.now, want.From, want.To, &w.eff)
		w.effects()
		return true
	}
	if w.r.IntN(4) == 0 {
		w.step() // something happens meanwhile
	}
	for i := range items {
		items[i].Mem = w.arena.PutBytes(w.disk[items[i].Pos])
	}
	w.m.RunLoaded(w.now, items, want.From, want.To, 1+w.r.IntN(5), &w.eff)
	w.effects()
	return true
}

// settle loads until nothing is wanted; then everybody has what is due.
func (w *logWorld) settle() {
	w.t.Helper()
	for w.load() {
	}
	for _, r := range w.model.readers {
		if seq := w.model.due(r); seq != 0 {
			w.fail("%s waits for %d (unacked %d of %d)", r.c.Tag, seq, len(r.unacked), r.prefetch)
		}
	}
	w.same()
}

func (w *logWorld) same() {
	w.t.Helper()
	if n := len(w.model.items); n != w.m.Ready() || n > 0 && w.model.items[0].Seq != w.m.First() {
		w.fail("%d messages from %d on, should be %d from %d", w.m.Ready(), w.m.First(), n, w.model.items[0].Seq)
	}
	bytes, i := int64(0), 0
	w.m.Walk(func(e Entry) bool {
		if e.Page != nil {
			if e.Page.First != w.model.items[i].Seq {
				w.fail("page from %d, should be from %d", e.Page.First, w.model.items[i].Seq)
			}
			i += int(e.Page.Count)
			return true
		}
		if e.Item.Seq != w.model.items[i].Seq {
			w.fail("%d at %d, should be %d", e.Item.Seq, i, w.model.items[i].Seq)
		}
		i++
		return true
	})
	for i := range w.model.items {
		bytes += int64(w.model.items[i].Size)
	}
	if bytes != w.m.ReadyBytes() {
		w.fail("%d bytes, should be %d", w.m.ReadyBytes(), bytes)
	}
}

func (w *logWorld) pickReader() *logReader {
	n := w.r.IntN(max(1, len(w.model.readers)))
	for i := range 20 {
		if r := w.model.readers[fmt.Sprint("r", i)]; r != nil {
			if n == 0 {
				return r
			}
			n--
		}
	}
	return nil
}

func (w *logWorld) attach() {
	tag := fmt.Sprint("r", w.r.IntN(20))
	if w.model.readers[tag] != nil {
		return
	}
	r := &logReader{prefetch: 1 + w.r.IntN(12)}
	k := &Cursor{}
	first, end := w.m.First(), w.model.committed+1
	switch k.Start.Kind = StartKind(w.r.IntN(4)); k.Start.Kind {
	case StartNext:
		r.next = end
	case StartFirst:
		r.next = first
	case StartLast:
		if r.next = end; w.model.committed >= first {
			r.next = w.model.committed
		}
	case StartOffset:
		k.Start.Value = int64(w.r.Uint64N(w.m.NextSeq()+3)) - 2
		r.next = max(first, uint64(max(k.Start.Value, -1)+1))
	}
	if w.r.IntN(3) == 0 {
		r.want = byte('a' + w.r.IntN(3))
		k.Filter = kindFilter(r.want)
	}
	r.c = &Consumer{Tag: tag, Prefetch: uint32(r.prefetch), Gate: r, Owner: r, Cursor: k}
	w.model.readers[tag] = r
	w.say("attach %s %v prefetch %d want %q", tag, k.Start, r.prefetch, r.want)
	w.m.Attach(w.now, r.c, &w.eff)
	w.slots[uint64(k.slot)] = r
}

func (w *logWorld) ack(r *logReader) {
	if len(r.unacked) == 0 {
		return
	}
	var batch []SlotSeq
	for range 1 + w.r.IntN(len(r.unacked)) {
		i := w.r.IntN(len(r.unacked))
		batch = append(batch, SlotSeq{r.c.Cursor.slot, r.unacked[i]})
		r.unacked = append(r.unacked[:i], r.unacked[i+1:]...)
	}
	w.say("ack %s %d", r.c.Tag, len(batch))
	w.m.SettleBatch(w.now, batch, Ack, &w.eff)
}

func (w *logWorld) step() {
	w.now += int64(w.r.IntN(3))
	switch n := w.r.IntN(100); {
	case n < 35:
		it := Item{Size: uint32(w.r.IntN(120)), Flags: Persistent}
		w.m.Enqueue(w.now, &it, &w.eff)
		w.say("publish %d at %d, committed %d", it.Seq, w.now, w.model.committed)
		it.Mem = message.Ref{}
		w.model.items = append(w.model.items, it)
		w.model.begun(w)
	case n < 55:
		w.model.committed += w.r.Uint64N(w.m.NextSeq() - w.model.committed)
		w.say("commit %d", w.model.committed)
		w.m.Commit(w.now, w.model.committed, &w.eff)
	case n < 62:
		w.attach()
	case n < 65:
		if r := w.pickReader(); r != nil {
			delete(w.model.readers, r.c.Tag)
			w.say("detach %s", r.c.Tag)
			w.m.Detach(w.now, r.c, &w.eff)
		}
	case n < 85:
		if r := w.pickReader(); r != nil {
			w.ack(r)
		}
	case n < 90:
		if r := w.pickReader(); r != nil {
			if r.closed = !r.closed; !r.closed {
				w.m.Unblock(w.now, r.c, &w.eff)
			}
			w.say("gate of %s closed %v", r.c.Tag, r.closed)
		}
	case n < 92:
		w.model.cfg.MaxBytes = int64(300 + w.r.IntN(6000))
		w.model.cfg.MaxAge = int64(20 + w.r.IntN(300))
		if w.r.IntN(2) == 0 {
			w.model.cfg.MaxAge = None
		}
		w.say("configure %d %d", w.model.cfg.MaxBytes, w.model.cfg.MaxAge)
		w.model.retain(w.now, w.m.sz.page)
		w.m.Configure(w.now, w.model.cfg, &w.eff)
	case n < 93:
		w.m.Rest()
	case n < 97:
		if at := w.m.Timer(); at != 0 && at <= w.now {
			w.model.retain(w.now, w.m.sz.page)
			w.m.Tick(w.now, &w.eff)
		}
	}
	w.effects()
	w.same()
}

// begun looks at what is kept if the newest message begins a segment.
func (m *logModel) begun(w *logWorld) {
	all := m.items
	m.items = all[: len(all)-1 : len(all)-1]
	var p, seg section
	for i := range m.items {
		p.add(1, int64(m.items[i].Size), 0, 0)
		if p.count == w.m.sz.page || p.weight >= m.cfg.SegmentBytes {
			seg.count, seg.weight = seg.count+p.count, seg.weight+p.weight
			if p = (section{}); seg.weight >= m.cfg.SegmentBytes {
				seg = section{}
			}
		}
	}
	m.items = all
	if seg.count+p.count == 0 && len(all) > 1 {
		m.retain(w.now, w.m.sz.page)
	}
}

// restart builds the machine anew from what a recovery would find: messages that
// were not committed may be gone.
func (w *logWorld) restart() {
	lost := w.model.committed + w.r.Uint64N(w.m.NextSeq()-w.model.committed)
	next := NewWithSizes(w)
	var pages []PageRef
	var items []Item
	w.m.Walk(func(e Entry) bool {
		switch {
		case e.Page != nil && e.Page.Last <= lost:
			pages = append(pages, *e.Page)
		case e.Page != nil:
			for _, it := range w.pages[e.Page.Pos] {
				if it.Seq <= lost {
					items = append(items, it)
				}
			}
		case e.Item.Seq <= lost:
			items = append(items, *e.Item)
			items[len(items)-1].Mem = message.Ref{}
		}
		return true
	})
	for n := len(w.model.items); n > 0 && w.model.items[n-1].Seq > lost; n-- {
		w.model.items = w.model.items[:n-1]
	}
	w.say("restart, messages behind %d are lost", lost)
	w.m = next
	w.m.Restore(0, pages, items)
	w.model.retain(w.now, w.m.sz.page)
	w.m.RestoreDone(lost+1, w.now, &w.eff)
	w.model.committed, w.model.readers = lost, map[string]*logReader{}
	w.effects()
	w.same()
}

func NewWithSizes(w *logWorld) *Machine {
	m := New(w.model.cfg, w, w.now)
	m.sz = sizes{page: 4, head: 12, step: 8}
	return m
}

// TestStreamModel: whatever happens, each reader gets every message from where
// it began, once, in order, with its own bytes, and none before it is safe.
func TestStreamModel(t *testing.T) {
	for seed := range uint64(400) {
		w := &logWorld{t: t, r: rand.New(rand.NewPCG(seed, 7)), arena: message.NewArena(&message.Budget{Limit: 1 << 30}),
			disk: map[uint64][]byte{}, pages: map[uint64][]Item{}, now: 1000, slots: map[uint64]*logReader{}}
		w.model = logModel{readers: map[string]*logReader{}, cfg: Unlimited()}
		w.model.cfg.Kind, w.model.cfg.SegmentBytes, w.model.cfg.Window = Stream, int64(100+w.r.IntN(900)), int64(9*w.r.IntN(12))
		w.m = NewWithSizes(w)
		w.m.RestoreDone(1, w.now, &w.eff)
		w.say("seed %d, segment %d, window %d", seed, w.model.cfg.SegmentBytes, w.model.cfg.Window)
		for range 400 {
			w.step()
			switch w.r.IntN(40) {
			case 0, 1, 2, 3:
				w.load()
			case 4:
				w.settle()
			case 5:
				if w.r.IntN(4) == 0 {
					w.settle()
					w.restart()
				}
			}
		}
		w.settle()
	}
}

func (w *logWorld) dump() {
	w.m.Walk(func(e Entry) bool {
		if e.Page != nil {
			w.t.Log("page", e.Page.First, e.Page.Last, e.Page.Bytes, e.Page.LastTime)
		} else {
			w.t.Log(e.Item.Seq, e.Item.Size, e.Item.Time)
		}
		return true
	})
	for i := range w.m.log.segs.n {
		w.t.Log("seg", *w.m.log.segs.at(i))
	}
	w.t.Log(w.m.log.open, w.m.log.page, w.m.timer, w.now, w.m.cfg, w.model.cfg)
}
