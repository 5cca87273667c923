package stats

import (
	"encoding/binary"
	"slices"
)

// history is how the figures of one object went, back to a horizon. It keeps
// changes only: base holds the figures at start, buf what changed since. An
// entry is the time since the one before, in seconds, a bit set of the figures
// that changed, and their differences.
type history struct {
	base  []int64
	start int64 // s since 1970
	last  []int64
	lastT int64 // of the newest entry
	buf   []byte
}

// add notes the figures at a time. The first call makes the base.
func (h *history) add(t int64, now []int64) {
	if h.base == nil {
		h.base = slices.Clone(now)
		h.last = h.base // until something changes
		h.start, h.lastT = t, t
		return
	}
	var changed uint64
	for i, v := range now {
		if v != h.last[i] {
			changed |= 1 << i
		}
	}
	if changed == 0 || t <= h.lastT {
		return
	}
	if h.buf == nil {
		h.buf = make([]byte, 0, 32)
	}
	h.buf = binary.AppendUvarint(h.buf, uint64(t-h.lastT))
	h.buf = binary.AppendUvarint(h.buf, changed)
	for i, v := range now {
		if v != h.last[i] {
			h.buf = binary.AppendVarint(h.buf, v-h.last[i])
		}
	}
	if &h.last[0] == &h.base[0] {
		h.last = slices.Clone(now)
	} else {
		copy(h.last, now)
	}
	h.lastT = t
}

// entry reads one entry of buf and returns its length.
func entry(buf []byte, vals []int64, t *int64) int {
	dt, n := binary.Uvarint(buf)
	changed, k := binary.Uvarint(buf[n:])
	n += k
	*t += int64(dt)
	for i := range vals {
		if changed&(1<<i) != 0 {
			d, k := binary.Varint(buf[n:])
			vals[i] += d
			n += k
		}
	}
	return n
}

// trim forgets what was before a time.
func (h *history) trim(before int64) {
	n := 0
	for n < len(h.buf) {
		dt, _ := binary.Uvarint(h.buf[n:])
		if h.start+int64(dt) > before {
			break
		}
		n += entry(h.buf[n:], h.base, &h.start)
	}
	if n == 0 {
		return
	}
	rest := len(h.buf) - n
	switch {
	case rest == 0:
		h.buf = nil
	case cap(h.buf) > 4*rest+64:
		h.buf = append(make([]byte, 0, rest+rest/4), h.buf[n:]...)
	default:
		h.buf = h.buf[:copy(h.buf, h.buf[n:])]
	}
}

// size is how many bytes it holds, without the fixed part.
func (h *history) size() int { return cap(h.buf) }

// walk calls f with the figures from each time on, oldest first. f must not keep
// the slice.
func (h *history) walk(f func(t int64, vals []int64)) {
	if h.base == nil {
		return
	}
	vals, t := append([]int64(nil), h.base...), h.start
	f(t, vals)
	for n := 0; n < len(h.buf); {
		n += entry(h.buf[n:], vals, &t)
		f(t, vals)
	}
}
