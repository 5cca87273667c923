package queue

import (
	"cmp"
	"slices"
)

// A level holds the ready items of one priority. In the order in which they
// leave:
//
//	back   requeued items; each is older than everything that follows
//	head   the window of the oldest others, in memory
//	pages  runs of items on disk
//	tail   the newest, in memory until they fill a page
//
// While there are no pages, new items go to the head until it is full.
type level struct {
	n     int // items, those in pages included
	back  *returned
	head  ring[Item]
	lead  int  // items at the front of head that are resident for sure
	mixed bool // head may be out of order: after a recovery, what was taken out of a page stands behind its rest
	pages ring[PageRef]
	tail  []Item
}

// front returns the item that leaves next, nil if there is none or it is in a page.
func (l *level) front() *Item {
	if l.back != nil {
		return l.back.front()
	}
	if l.head.n > 0 {
		return l.head.at(0)
	}
	return nil
}

// pop removes the item that front returned. The caller counts.
func (l *level) pop(dst *Item, sz *sizes) {
	l.n--
	if l.back != nil {
		l.back.pop(dst)
		if l.back.len() == 0 {
			l.back = nil
		}
		return
	}
	l.head.popFront(dst)
	if l.lead > 0 {
		l.lead--
	}
	if l.pages.n == 0 && len(l.tail) > 0 && l.head.n <= sz.head/2 {
		l.unwind()
	}
}

// unwind moves the tail to the head; there must be no pages in between.
func (l *level) unwind() {
	for i := range l.tail {
		l.follow(&l.tail[i])
	}
	l.clearTail()
	l.advance()
}

// follow adds an item to the head that was behind it.
func (l *level) follow(it *Item) {
	if n := l.head.n; n == 0 {
		l.mixed = false
	} else if it.Seq < l.head.at(n-1).Seq {
		l.mixed = true
	}
	l.head.pushBack(it)
}

func (l *level) clearTail() {
	clear(l.tail)
	l.tail = l.tail[:0]
}

// advance moves lead over resident items.
func (l *level) advance() {
	for l.lead < l.head.n && !l.head.at(l.lead).Mem.IsZero() {
		l.lead++
	}
}

// restore puts a requeued item where it was.
func (l *level) restore(it *Item) {
	l.n++
	if l.back == nil {
		l.back = new(returned)
	}
	l.back.push(it)
}

// returned holds items in the order of their sequence numbers. Items that come
// in ascending or descending order cost nothing. The others lie loose until
// somebody wants the first: many are sorted and merged into the run, few go to
// a heap, so that no order of requeues and deliveries costs much.
type returned struct {
	run   ring[Item]
	heap  []Item
	loose []Item
}

func (r *returned) len() int { return r.run.n + len(r.heap) + len(r.loose) }

func (r *returned) push(it *Item) {
	switch {
	case r.run.n == 0 || it.Seq > r.run.at(r.run.n-1).Seq:
		r.run.pushBack(it)
	case it.Seq < r.run.at(0).Seq:
		r.run.pushFront(it)
	default:
		r.loose = append(r.loose, *it)
	}
}

// order puts the loose items where they can be found.
func (r *returned) order() {
	if len(r.loose) >= 32 && len(r.loose) >= r.run.n/8 {
		r.settle()
		return
	}
	for i := range r.loose {
		r.heapPush(&r.loose[i])
	}
	clear(r.loose)
	r.loose = r.loose[:0]
}

func (r *returned) heapFirst() bool {
	if len(r.loose) > 0 {
		r.order()
	}
	return len(r.heap) > 0 && (r.run.n == 0 || r.heap[0].Seq < r.run.at(0).Seq)
}

func (r *returned) front() *Item {
	if r.heapFirst() {
		return &r.heap[0]
	}
	return r.run.at(0)
}

func (r *returned) pop(dst *Item) {
	if r.heapFirst() {
		r.heapPop(dst)
		return
	}
	r.run.popFront(dst)
}

func (r *returned) heapPush(it *Item) {
	h := append(r.heap, *it)
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if h[p].Seq <= h[i].Seq {
			break
		}
		h[p], h[i] = h[i], h[p]
		i = p
	}
	r.heap = h
}

func (r *returned) heapPop(dst *Item) {
	h := r.heap
	*dst = h[0]
	n := len(h) - 1
	h[0] = h[n]
	h[n] = Item{}
	h = h[:n]
	for i := 0; ; {
		k := 2*i + 1
		if k >= n {
			break
		}
		if k+1 < n && h[k+1].Seq < h[k].Seq {
			k++
		}
		if h[i].Seq <= h[k].Seq {
			break
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
	if r.heap = h; n == 0 {
		r.heap = nil
	}
}

// settle merges everything into the run, so that the items can be walked in order.
func (r *returned) settle() {
	rest := append(r.heap, r.loose...)
	r.heap, r.loose = nil, nil
	if len(rest) == 0 {
		return
	}
	slices.SortFunc(rest, func(a, b Item) int { return cmp.Compare(a.Seq, b.Seq) })
	if r.run.n == 0 || rest[0].Seq > r.run.at(r.run.n-1).Seq {
		for i := range rest {
			r.run.pushBack(&rest[i])
		}
		return
	}
	var out ring[Item]
	i, j := 0, 0
	for i < r.run.n || j < len(rest) {
		if j == len(rest) || i < r.run.n && r.run.at(i).Seq < rest[j].Seq {
			out.pushBack(r.run.at(i))
			i++
		} else {
			out.pushBack(&rest[j])
			j++
		}
	}
	r.run = out
}
