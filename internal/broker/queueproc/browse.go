package queueproc

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Which says which messages Browse looks at.
type Which uint8

const (
	ReadyOnly Which = iota
	UnackedOnly
	ReadyThenUnacked
)

// Browsed is one message as Browse found it.
type Browsed struct {
	Position int // among those that Browse looks at, from 0
	Unacked  bool
	Due      int64 // ms since 1970 until which it is delayed; 0: it is not
	Item     queue.Item
	Message  message.Message // valid during the call only
}

// What Browse takes at a time.
const (
	browseItems  = 512
	browseMemory = 1 << 20   // bytes copied under the lock
	browseBytes  = 512 << 10 // bytes read from disk at once
)

// errStop ends a Browse early.
var errStop = errors.New("enough")

// Browse shows messages from position offset on, in the order in which they
// would leave, the delayed ones after those that are ready, until use returns false, n were shown or there are no more.
// Nothing about the queue changes. It looks at the queue a few hundred messages at a
// time: what is delivered meanwhile may be missed or seen twice. Messages that
// cannot be read are passed over and told to failed, if given.
func (q *Queue) Browse(ctx context.Context, which Which, offset, n int, use func(Browsed) bool, failed func(seq uint64, err error)) error {
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := q.browseSome(which, offset, min(n, browseItems), use, failed)
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil || got == 0 {
			return err
		}
		offset += got
		n -= got
	}
	return nil
}

// look is what Browse noted of a message under the lock.
type look struct {
	unacked bool
	due     int64
	item    queue.Item
	raw     []byte // a copy of what was in memory, if there is one
}

func (q *Queue) browseSome(which Which, offset, n int, use func(Browsed) bool, failed func(uint64, error)) (int, error) {
	looks, err := q.lookAt(which, offset, n)
	for try := 0; errors.Is(err, store.ErrGone) && try < 3; try++ {
		looks, err = q.lookAt(which, offset, n) // moved by the log's compaction, or loaded: look again
	}
	if err != nil {
		return 0, err
	}
	r := looksReader{q: q, looks: looks, use: func(i int, m message.Message) bool {
		l := &looks[i]
		return use(Browsed{Position: offset + i, Unacked: l.unacked, Due: l.due, Item: l.item, Message: m})
	}, failed: failed}
	return len(looks), r.all()
}

// looksReader reads the messages that were noted, those from disk many at a time.
type looksReader struct {
	q      *Queue
	looks  []look
	use    func(i int, m message.Message) bool
	failed func(seq uint64, err error)
	buf    []byte
}

func (r *looksReader) all() error {
	for i := 0; i < len(r.looks); {
		l := &r.looks[i]
		if l.item.Seq == 0 || l.raw != nil {
			if err := r.one(i); err != nil {
				return err
			}
			i++
			continue
		}
		n := 1
		size := int64(l.item.Size)
		for i+n < len(r.looks) && r.looks[i+n].raw == nil && r.looks[i+n].item.Seq != 0 && size < browseBytes {
			size += int64(r.looks[i+n].item.Size)
			n++
		}
		if err := r.many(i, n); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// many reads a run of messages from disk.
func (r *looksReader) many(from, n int) error {
	pos := make([]store.Position, n)
	for i := range n {
		pos[i] = store.Position(r.looks[from+i].item.Pos)
	}
	done := 0
	room := func(n int) []byte {
		r.buf = slices.Grow(r.buf[:0], n)[:n]
		return r.buf
	}
	err := r.q.Log.ReadMany(pos, browseBytes, room, func(i int, kind store.Kind, _ uint64, payload []byte) error {
		m, err := parseMessage(kind, payload)
		if err != nil {
			return err
		}
		done = i + 1
		if !r.use(from+i, m) {
			return errStop
		}
		return nil
	})
	if err == nil || errors.Is(err, errStop) {
		return err
	}
	for ; done < n; done++ { // one of them is gone, or damaged
		if err := r.one(from + done); err != nil {
			return err
		}
	}
	return nil
}

func (r *looksReader) one(i int) error {
	l := &r.looks[i]
	if l.item.Seq == 0 {
		return nil
	}
	var buf []byte
	m, err := l.message(r.q, &buf)
	switch {
	case err == nil:
		if !r.use(i, m) {
			return errStop
		}
	case r.failed != nil && !errors.Is(err, store.ErrGone): // gone: settled meanwhile
		r.failed(l.item.Seq, err)
	}
	return nil
}

func (l *look) message(q *Queue, buf *[]byte) (message.Message, error) {
	if l.raw != nil {
		m, ok := message.Parse(l.raw)
		if !ok {
			return m, errRecord
		}
		return m, nil
	}
	payload, kind, _, err := q.Log.Read(store.Position(l.item.Pos), *buf)
	if err != nil {
		return message.Message{}, err
	}
	*buf = payload
	return parseMessage(kind, payload)
}

// part is a run of a page that Browse looks at.
type part struct {
	ref     queue.PageRef
	from, n int
	at      int // its place among the looks
}

// lookAt notes n messages from offset on, in the order of Machine.Walk. Of those
// that a page turns out not to have the sequence number is 0.
func (q *Queue) lookAt(which Which, offset, n int) ([]look, error) {
	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return nil, ErrDeleted
	}
	looks := make([]look, 0, n)
	var parts []part
	copied := 0
	note := func(unacked bool, it *queue.Item) {
		l := look{unacked: unacked, item: *it}
		if !it.Mem.IsZero() && (it.Pos == 0 || copied < browseMemory) {
			l.raw = slices.Clone(it.Mem.Bytes())
			copied += len(l.raw)
		}
		l.item.Mem = message.Ref{}
		looks = append(looks, l)
	}
	skip := offset
	if which != UnackedOnly {
		q.m.Walk(func(e queue.Entry) bool {
			switch e.State {
			case queue.Ready, queue.Delayed:
				if skip > 0 {
					skip--
					return true
				}
				note(false, e.Item)
				looks[len(looks)-1].due = e.Due
			case queue.Paged:
				count := int(e.Page.Count)
				if skip >= count {
					skip -= count
					return true
				}
				p := part{ref: *e.Page, from: skip, n: min(count-skip, n-len(looks)), at: len(looks)}
				skip = 0
				parts = append(parts, p)
				looks = append(looks, make([]look, p.n)...)
			default:
				return false
			}
			return len(looks) < n
		})
	}
	if which != ReadyOnly && len(looks) < n {
		for _, it := range q.unackedAfter(skip, n-len(looks)) {
			note(true, it)
		}
	}
	q.mu.Unlock()
	for _, p := range parts {
		items, err := q.pageItems(p.ref)
		if err != nil {
			return nil, err
		}
		for i := range p.n {
			if p.from+i < len(items) {
				looks[p.at+i].item = items[p.from+i]
			}
		}
	}
	return looks, nil
}

// unackedAfter returns n unacknowledged items after the first skip, by age.
func (q *Queue) unackedAfter(skip, n int) []*queue.Item {
	all := make([]*queue.Item, 0, q.m.Unacked())
	q.m.Held(func(s queue.State, it *queue.Item) {
		if s == queue.Unacked {
			all = append(all, it)
		}
	})
	slices.SortFunc(all, func(a, b *queue.Item) int { return cmp.Compare(a.Seq, b.Seq) })
	all = all[min(skip, len(all)):]
	return all[:min(n, len(all))]
}

// pageItems reads the items of a page that counts in this run. Called without
// the lock.
func (q *Queue) pageItems(ref queue.PageRef) ([]queue.Item, error) {
	payload, _, _, err := q.Log.Read(store.Position(ref.Pos), nil)
	if err != nil {
		return nil, err
	}
	p, err := parsePage(payload)
	if err != nil {
		return nil, err
	}
	items := p.items
	if p.epoch != q.Epoch {
		items = persistentOnly(items)
	}
	if ref.Ext.(*pageExt).redelivered {
		for i := range items {
			items[i].Flags |= queue.Redelivered
		}
	}
	return items, nil
}

// Look shows one message, wherever it is. It reports whether the queue has it.
func (q *Queue) Look(seq uint64, use func(Browsed)) (bool, error) {
	for try := 0; ; try++ {
		l, pages, err := q.find(seq)
		if err != nil {
			return false, err
		}
		for _, ref := range pages {
			items, err := q.pageItems(ref)
			if err != nil && !errors.Is(err, store.ErrGone) {
				return false, err
			}
			if i := slices.IndexFunc(items, func(it queue.Item) bool { return it.Seq == seq }); i >= 0 {
				l = &look{item: items[i]}
			}
		}
		if l == nil && (len(pages) == 0 || try >= 3) {
			return false, nil
		}
		if l != nil {
			var buf []byte
			m, err := l.message(q, &buf)
			if err == nil {
				use(Browsed{Unacked: l.unacked, Due: l.due, Item: l.item, Message: m})
				return true, nil
			}
			if !errors.Is(err, store.ErrGone) || try >= 3 {
				return false, err
			}
		} else if try >= 1 {
			return false, nil // no page had it, twice
		}
	}
}

// find notes the message with seq, or the pages that may hold it.
func (q *Queue) find(seq uint64) (l *look, pages []queue.PageRef, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return nil, nil, ErrDeleted
	}
	q.m.Walk(func(e queue.Entry) bool {
		switch {
		case e.Page != nil:
			if e.Page.First <= seq && seq <= e.Page.Last {
				pages = append(pages, *e.Page)
			}
		case e.Item.Seq == seq && e.State != queue.Dying:
			l = &look{unacked: e.State == queue.Unacked, due: e.Due, item: *e.Item}
			if !e.Item.Mem.IsZero() {
				l.raw = slices.Clone(e.Item.Mem.Bytes())
			}
			return false
		}
		return true
	})
	return l, pages, nil
}
