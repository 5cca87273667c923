package queue

import (
	"cmp"
	"math"
	"slices"
)

// Retry says which deliveries of a quorum queue that came back wait before they
// are tried again, and how long (x-delayed-retry-type, -min, -max).
type Retry struct {
	Failed   bool  // those that count
	Returned bool  // those that do not
	Min, Max int64 // ms; Min for each counted return, Max at most
}

// maxRetry bounds a delay, so that no time overflows: ten years.
const maxRetry = 315_360_000_000

// due returns when an item that came back at now is tried again.
func (r *Retry) due(now int64, count uint32) int64 {
	times := int64(max(count, 1))
	d := r.Max
	if r.Min <= math.MaxInt64/times {
		d = min(d, r.Min*times)
	}
	return now + min(d, maxRetry)
}

// delays are the items that wait for their next try, a heap: the one that is due
// first stands first.
type delays struct {
	heap []delayed
}

type delayed struct {
	due int64
	it  Item
}

func (a *delayed) compare(b *delayed) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.it.Seq, b.it.Seq))
}

func (d *delays) push(v delayed) {
	h := append(d.heap, v)
	for i := len(h) - 1; i > 0; {
		p := (i - 1) / 2
		if h[p].compare(&h[i]) <= 0 {
			break
		}
		h[p], h[i] = h[i], h[p]
		i = p
	}
	d.heap = h
}

func (d *delays) pop() Item {
	h := d.heap
	it := h[0].it
	n := len(h) - 1
	h[0] = h[n]
	h[n] = delayed{}
	h = h[:n]
	for i := 0; ; {
		k := 2*i + 1
		if k >= n {
			break
		}
		if k+1 < n && h[k+1].compare(&h[k]) < 0 {
			k++
		}
		if h[i].compare(&h[k]) <= 0 {
			break
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
	d.heap = h
	return it
}

// sort puts them in the order in which they are due, which a heap may be in.
func (d *delays) sort() {
	slices.SortFunc(d.heap, func(a, b delayed) int { return a.compare(&b) })
}

// retryAt returns when an item that came back is tried again; 0: it is ready.
func (m *Machine) retryAt(it *Item, o Outcome) int64 {
	r := m.cfg.Retry
	if r == nil || o == Requeue && !r.Failed || o == RequeueNoCount && !r.Returned || o == Unread {
		return 0
	}
	return r.due(m.now, it.Count)
}

// delay lets an item wait. Its bytes still count as those of a ready one.
func (m *Machine) delay(it *Item, due int64) {
	if m.delays == nil {
		m.delays = new(delays)
	}
	m.bytes += int64(it.Size)
	m.delays.push(delayed{due, *it})
}

// wake makes ready what is due: behind what was returned before.
func (m *Machine) wake() {
	d := m.delays
	for n := 0; n < expireBudget && len(d.heap) > 0 && d.heap[0].due <= m.now; n++ {
		it := d.pop()
		m.ready++
		if it.Expiry != 0 {
			m.mortal = true
		}
		if it.Mem.IsZero() {
			m.cold++
		}
		m.returns.pushBack(&it)
	}
	if len(d.heap) == 0 {
		m.delays = nil
	}
}

// Delayed returns how many messages wait for their next try.
func (m *Machine) Delayed() int {
	if m.delays == nil {
		return 0
	}
	return len(m.delays.heap)
}

// DelayedAt returns when the first and the last of the delayed messages are due.
func (m *Machine) DelayedAt() (first, last int64) {
	if m.delays == nil {
		return 0, 0
	}
	for i := range m.delays.heap {
		last = max(last, m.delays.heap[i].due)
	}
	return m.delays.heap[0].due, last
}

// RestoreDelayed is Restore for a message that waits until due.
func (m *Machine) RestoreDelayed(it Item, due int64) {
	it.Prio = min(it.Prio, m.cfg.MaxPriority)
	m.seq = max(m.seq, it.Seq+1)
	m.delay(&it, due)
}

// purgeDelayed ends all of them, as Purge does with ready ones.
func (m *Machine) purgeDelayed(eff *[]Effect) int {
	if m.delays == nil {
		return 0
	}
	h := m.delays.heap
	m.delays = nil
	for i := range h {
		m.bytes -= int64(h[i].it.Size)
		add(eff, Settled).Item = h[i].it
	}
	return len(h)
}

// trim gives back memory that a burst has left.
func (d *delays) trim() {
	if cap(d.heap) > 4*len(d.heap)+minRing {
		d.heap = slices.Clone(d.heap)
	}
}

// takeDelayed is Take for those that wait.
func (m *Machine) takeDelayed(want func(*Item) bool, dst []Taken) []Taken {
	if m.delays == nil {
		return dst
	}
	m.delays.sort()
	h := m.delays.heap
	kept := h[:0]
	for i := range h {
		if it := &h[i].it; want(it) {
			m.bytes -= int64(it.Size)
			dst = append(dst, Taken{m.held.put(it, nil, Dying), *it})
		} else {
			kept = append(kept, h[i])
		}
	}
	clear(h[len(kept):])
	if m.delays.heap = kept; len(kept) == 0 {
		m.delays = nil
	}
	return dst
}
