package queueproc

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Recovery gathers what the log says of one queue: first what the checkpoint
// holds, then the records since. Only persistent messages count.
type Recovery struct {
	cut     store.Position // records before are in the checkpoint already
	next    uint64         // the next sequence number
	items   []queue.Item   // in memory, ascending by Seq; Pos 0 = gone
	gone    int            // of them gone
	pages   []queue.PageRef
	settled []run // of items that are in pages
	// moved holds, by a page's position, what of it was written to a newer page.
	moved map[uint64][]run
	// tops is, for each level, the highest sequence number of its pages.
	tops map[uint8]uint64
	// returned holds the counts of items that came back and are in pages.
	returned map[uint64]queue.Item
	aside    map[uint64]aside // items that are not ready
}

type run struct{ first, last uint64 }

// find returns the index of the item with seq, or -1.
func (r *Recovery) find(seq uint64) int {
	i := sort.Search(len(r.items), func(i int) bool { return r.items[i].Seq >= seq })
	if i < len(r.items) && r.items[i].Seq == seq && r.items[i].Pos != 0 {
		return i
	}
	return -1
}

// Replay takes a record in. The payload is valid during the call only.
func (r *Recovery) Replay(pos store.Position, kind store.Kind, payload []byte) error {
	if pos < r.cut {
		return nil
	}
	switch kind {
	case KindPublish, KindRef:
		it, rest, err := parseHead(payload)
		if err != nil {
			return err
		}
		if it.Flags&queue.Persistent == 0 {
			return nil
		}
		if kind == KindRef {
			rd := reader{b: rest}
			it.Pos, it.Size = rd.uvarint(), uint32(rd.uvarint())
			if rd.bad {
				return errRecord
			}
		} else {
			m, err := parseMessage(kind, payload)
			if err != nil {
				return err
			}
			it.Pos, it.Size = uint64(pos), uint32(len(m.Body))
		}
		if it.Seq < r.next {
			// Written again by the log's compaction.
			if i := r.find(it.Seq); i >= 0 {
				r.items[i].Pos = it.Pos
			}
			return nil
		}
		r.items = append(r.items, it)
		r.next = it.Seq + 1
	case KindSettle:
		if len(payload) < 1 || payload[0] != recordVersion {
			return errRecord
		}
		return eachRun(payload[1:], r.settle)
	case KindPage:
		p, err := parsePage(payload)
		if err != nil {
			return err
		}
		r.page(uint64(pos), len(payload), &p)
	case KindPageDrop:
		rd := reader{b: payload}
		version, at := rd.byte(), rd.uvarint()
		if rd.bad || version != recordVersion {
			return errRecord
		}
		r.dropPage(at)
	case KindReturned:
		rd := reader{b: payload}
		version := rd.byte()
		seq, count, acquired := rd.uvarint(), rd.uvarint(), rd.uvarint()
		var a aside
		if len(rd.b) > 0 {
			a.due = rd.varint()
		}
		if len(rd.b) > 0 {
			a.dead = queue.Reason(rd.byte())
		}
		if rd.bad || a.dead >= queue.Reasons || version != recordVersion {
			return errRecord
		}
		if i := r.find(seq); i >= 0 {
			r.items[i].Count, r.items[i].Acquired = uint32(count), uint32(acquired)
			r.items[i].Flags |= queue.Redelivered
			r.setAside(seq, a)
		} else if len(r.pages) > 0 {
			r.setAside(seq, a)
			if r.returned == nil {
				r.returned = map[uint64]queue.Item{}
			}
			r.returned[seq] = queue.Item{Count: uint32(count), Acquired: uint32(acquired)}
		}
	}
	return nil
}

// returnedIn reports whether an item of first..last came back.
func (r *Recovery) returnedIn(first, last uint64) bool {
	for seq := range r.returned {
		if first <= seq && seq <= last {
			return true
		}
	}
	return false
}

func (r *Recovery) settle(first, last uint64) {
	// Numbers that are not in memory belong to a page, or to a message that
	// was transient or is settled already; finish sorts that out.
	i := sort.Search(len(r.items), func(i int) bool { return r.items[i].Seq >= first })
	for ; i < len(r.items) && r.items[i].Seq <= last; i++ {
		if r.items[i].Pos != 0 {
			r.items[i].Pos = 0
			r.gone++
			delete(r.aside, r.items[i].Seq)
		}
	}
	if len(r.pages) > 0 {
		if n := len(r.settled); n > 0 && r.settled[n-1].last+1 == first {
			r.settled[n-1].last = last
		} else {
			r.settled = append(r.settled, run{first, last})
		}
	}
	r.compact()
}

// compact drops items that are gone when they are most of those in memory, so
// that a long log with a short queue does not gather them.
func (r *Recovery) compact() {
	if r.gone > 4096 && r.gone > len(r.items)/2 {
		r.items = slices.DeleteFunc(r.items, func(it queue.Item) bool { return it.Pos == 0 })
		r.gone = 0
	}
}

// page lets a page take its items over, from memory or from older pages.
func (r *Recovery) page(pos uint64, size int, p *page) {
	if p.replaces != 0 {
		r.dropPage(p.replaces)
	}
	for i := range p.items {
		if k := r.find(p.items[i].Seq); k >= 0 {
			r.items[k].Pos = 0
			r.gone++
		}
	}
	r.compact()
	ref := pageRef(pos, size, p, 0)
	if ref.Count == 0 {
		return
	}
	if ref.First <= r.tops[p.level] { // else, as mostly, it begins behind all of them
		for i := range r.pages {
			if old := &r.pages[i]; old.Level == p.level && old.First <= ref.Last && old.Last >= ref.First {
				r.takeOver(old, p)
			}
		}
	}
	r.addPage(ref)
}

func (r *Recovery) addPage(ref queue.PageRef) {
	r.pages = append(r.pages, ref)
	if r.tops == nil {
		r.tops = map[uint8]uint64{}
	}
	r.tops[ref.Level] = max(r.tops[ref.Level], ref.Last)
}

func (r *Recovery) dropPage(pos uint64) {
	r.pages = slices.DeleteFunc(r.pages, func(p queue.PageRef) bool { return p.Pos == pos })
	delete(r.moved, pos)
}

// takeOver notes which items of p may lie in an older page too: they had been
// read back into memory, which leaves no record, or p is a part of that page.
func (r *Recovery) takeOver(old *queue.PageRef, p *page) {
	var runs []run
	for i := range p.items {
		switch seq := p.items[i].Seq; {
		case seq < old.First || seq > old.Last:
		case len(runs) > 0 && runs[len(runs)-1].last+1 == seq:
			runs[len(runs)-1].last = seq
		default:
			runs = append(runs, run{seq, seq})
		}
	}
	if len(runs) > 0 {
		if r.moved == nil {
			r.moved = map[uint64][]run{}
		}
		r.moved[old.Pos] = append(r.moved[old.Pos], runs...)
	}
}

// LoadPage reads a page's record back; see Restore.
type LoadPage func(pos store.Position) ([]byte, error)

// Restore fills q with what was gathered. It is called once, before q is used;
// Start follows.
// redelivered: the node did not stop cleanly, so that any message may have
// been delivered.
func (q *Queue) Restore(r *Recovery, redelivered bool, load LoadPage) error {
	redelivered = redelivered && !q.Quorum && !q.Stream // whose deliveries leave a trace, or none
	q.mu.Lock()
	r.settled = merge(r.settled)
	slices.SortFunc(r.pages, func(a, b queue.PageRef) int { return cmp.Compare(a.First, b.First) })
	items := slices.DeleteFunc(r.items, func(it queue.Item) bool { return it.Pos == 0 })
	var pages []queue.PageRef
	rewritten := map[uint64]bool{}
	for _, ref := range r.pages {
		moved := merge(r.moved[ref.Pos])
		if len(moved) == 0 && !overlaps(r.settled, ref.First, ref.Last) && !r.returnedIn(ref.First, ref.Last) {
			pages = append(pages, ref)
			continue
		}
		raw, err := load(store.Position(ref.Pos))
		if err != nil {
			q.mu.Unlock()
			return err
		}
		p, err := parsePage(raw)
		if err != nil {
			q.mu.Unlock()
			return err
		}
		p.items = slices.DeleteFunc(persistentOnly(p.items), func(it queue.Item) bool {
			return overlaps(r.settled, it.Seq, it.Seq) || overlaps(moved, it.Seq, it.Seq)
		})
		if len(p.items) == 0 {
			continue
		}
		for i := range p.items {
			it := &p.items[i]
			if back, ok := r.returned[it.Seq]; ok {
				it.Count, it.Acquired = back.Count, back.Acquired
				it.Flags |= queue.Redelivered
			}
		}
		// What is left becomes a page of its own.
		p.replaces = ref.Pos
		ready, aside := r.splitAside(p.items)
		items = append(items, aside...)
		if next, ok := q.splitPage(p, ready, aside); ok {
			pages = append(pages, next)
			rewritten[next.Pos] = true
		}
	}
	slices.SortFunc(items, func(a, b queue.Item) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := range items {
		if redelivered {
			items[i].Flags |= queue.Redelivered
		}
		q.Log.Retain(store.Position(items[i].Pos), items[i].Size)
	}
	for _, p := range pages {
		ext := p.Ext.(*pageExt)
		ext.redelivered = ext.redelivered || redelivered
		for _, s := range ext.segs {
			q.Log.RetainN(s.seg, s.count, s.bytes)
		}
		if !rewritten[p.Pos] {
			q.Log.Retain(store.Position(p.Pos), ext.size)
		}
	}
	items, dying := q.restoreAside(r, items)
	q.restoreLevels(items, pages)
	q.kept = kept{count: int64(q.m.Ready() + q.m.Delayed() + q.m.Dying()), bytes: q.m.ReadyBytes() + dying}
	q.m.RestoreDone(r.next, nowMillis(), &q.eff)
	q.mu.Unlock()
	return nil
}

// Start does what a restored queue has to do (bury what has expired, say).
// It is called once all queues are restored, as dead letters go to others: one
// that came too early would get a sequence number that was given before.
func (q *Queue) Start() {
	q.mu.Lock()
	if s := &q.stuck; len(s.letters) > 0 && s.timer == nil && !q.stopped {
		s.timer = time.AfterFunc(0, q.retryDead)
	}
	q.unlock()
}

// restoreLevels hands items and pages to the machine, each priority's in order.
func (q *Queue) restoreLevels(items []queue.Item, pages []queue.PageRef) {
	level := func(prio uint8) uint8 { return min(prio, q.cfg.MaxPriority) }
	for l := range int(q.cfg.MaxPriority) + 1 {
		var its []queue.Item
		for i := range items {
			if level(items[i].Prio) == uint8(l) {
				its = append(its, items[i])
			}
		}
		for _, p := range pages {
			if p.Level != uint8(l) {
				continue
			}
			n := sort.Search(len(its), func(i int) bool { return its[i].Seq > p.First })
			q.m.Restore(uint8(l), nil, its[:n])
			q.m.Restore(uint8(l), []queue.PageRef{p}, nil)
			its = its[n:]
		}
		q.m.Restore(uint8(l), nil, its)
	}
}

// merge sorts runs and joins those that overlap.
func merge(runs []run) []run {
	slices.SortFunc(runs, func(a, b run) int { return cmp.Compare(a.first, b.first) })
	out := runs[:0]
	for _, v := range runs {
		if n := len(out); n > 0 && v.first <= out[n-1].last {
			out[n-1].last = max(out[n-1].last, v.last)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// overlaps reports whether any of the runs, as merge returns them, touches first..last.
func overlaps(runs []run, first, last uint64) bool {
	i := sort.Search(len(runs), func(i int) bool { return runs[i].last >= first })
	return i < len(runs) && runs[i].first <= last
}

// AppendCheckpoint appends what a recovery needs of the queue, so that no
// record written before the call is needed. ParseCheckpoint reads it.
func (q *Queue) AppendCheckpoint(dst []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	dst = binary.AppendUvarint(dst, q.ID)
	dst = binary.AppendUvarint(dst, uint64(q.Log.End()))
	dst = binary.AppendUvarint(dst, q.m.NextSeq())
	if q.deleted {
		return appendUvarints(dst, 0, 0)
	}
	n := 0
	q.m.EachPage(func(p *queue.PageRef) bool {
		if p.Persistent > 0 {
			n++
		}
		return true
	})
	dst = binary.AppendUvarint(dst, uint64(n))
	q.m.EachPage(func(p *queue.PageRef) bool {
		if p.Persistent == 0 {
			return true
		}
		ext := p.Ext.(*pageExt)
		dst = append(dst, p.Level, boolByte(ext.redelivered)|pageTimes)
		dst = appendUvarints(dst, p.Pos, ext.epoch, uint64(ext.size), p.First, p.Last, uint64(p.Persistent), ext.lastingBytes, uint64(len(ext.lasting)))
		for _, s := range ext.lasting {
			dst = appendUvarints(dst, uint64(s.seg), uint64(s.count), s.bytes)
		}
		dst = binary.AppendVarint(dst, p.FirstTime)
		dst = binary.AppendVarint(dst, p.LastTime-p.FirstTime)
		return true
	})
	live := make([]queue.Item, 0, 16)
	q.m.Each(func(s queue.State, it *queue.Item) bool {
		if it.Flags&queue.Persistent != 0 && it.Pos != 0 {
			live = append(live, *it)
			if s == queue.Unacked {
				live[len(live)-1].Flags |= queue.Redelivered
			}
		}
		return true
	})
	slices.SortFunc(live, func(a, b queue.Item) int { return cmp.Compare(a.Seq, b.Seq) })
	dst = binary.AppendUvarint(dst, uint64(len(live)))
	var seq, pos uint64
	for i := range live {
		dst = appendItem(dst, &live[i], seq, pos)
		seq, pos = live[i].Seq, live[i].Pos
	}
	return q.appendAside(dst)
}

// pageTimes: in a checkpoint, the times of a page's items follow.
const pageTimes = 2

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ParseCheckpoint reads one queue's part of a checkpoint.
func ParseCheckpoint(b []byte) (id uint64, rec *Recovery, err error) {
	r := reader{b: b}
	id = r.uvarint()
	rec = &Recovery{cut: store.Position(r.uvarint()), next: r.uvarint()}
	pages := r.uvarint()
	if pages > uint64(len(r.b)) {
		return 0, nil, errRecord
	}
	for range pages {
		ref := queue.PageRef{Level: r.byte()}
		flags := r.byte()
		ext := &pageExt{redelivered: flags&1 != 0}
		ref.Pos = r.uvarint()
		ext.epoch, ext.size = r.uvarint(), uint32(r.uvarint())
		ref.First, ref.Last, ref.Persistent, ref.Bytes = r.uvarint(), r.uvarint(), uint32(r.uvarint()), r.uvarint()
		ref.Count, ref.Ext = ref.Persistent, ext
		segs := r.uvarint()
		if segs > uint64(len(r.b)) {
			return 0, nil, errRecord
		}
		for range segs {
			ext.segs = append(ext.segs, segLive{uint32(r.uvarint()), uint32(r.uvarint()), r.uvarint()})
		}
		if flags&pageTimes != 0 {
			ref.FirstTime = r.varint()
			ref.LastTime = ref.FirstTime + r.varint()
		}
		ext.lasting, ext.lastingBytes = ext.segs, ref.Bytes
		rec.addPage(ref)
	}
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		return 0, nil, errRecord
	}
	rec.items = make([]queue.Item, 0, n)
	var seq, pos uint64
	for range n {
		var it queue.Item
		r.item(&it, seq, pos)
		seq, pos = it.Seq, it.Pos
		rec.items = append(rec.items, it)
	}
	if len(r.b) > 0 {
		rec.parseAside(&r)
	}
	if r.bad {
		return 0, nil, errRecord
	}
	return id, rec, nil
}
