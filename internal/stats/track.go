package stats

import (
	"slices"
	"time"
)

// track is what is kept of one object.
type track struct {
	l     *layout
	seen  uint64 // number of the last tick at which the object was there
	born  int64  // s since 1970
	now   []int64
	prev  []int64   // at the tick before the last change
	moved uint64    // number of the tick of the last change
	idle  time.Time // since when nothing has changed
	dt    float64   // s between prev and now
	hist  []history

	// Of queues, which are not looked at at each tick.
	looked uint64 // number of the tick that saw it
	size   int    // of its histories, in bytes
	waits  bool   // on the wheel
	gone   bool
}

func newTrack(l *layout, res []resolution, t time.Time) *track {
	n := len(l.metrics)
	vals := make([]int64, 2*n)
	return &track{l: l, born: t.Unix(), now: vals[:n:n], prev: vals[n:], hist: make([]history, len(res)), idle: t}
}

// add notes the object's figures at a tick. dt is the time since the one before.
func (tr *track) add(tick uint64, t time.Time, dt float64, vals []int64, res []resolution, first bool) {
	changed := false
	for i, v := range vals {
		if v != tr.now[i] {
			changed = true
			break
		}
	}
	if first {
		copy(tr.now, vals)
		copy(tr.prev, vals)
	} else if changed {
		copy(tr.prev, tr.now)
		copy(tr.now, vals)
		tr.moved, tr.dt = tick, dt
		tr.idle = t
	}
	tr.seen = tick
	tr.catchUp(t.Unix(), res)
}

// catchUp notes in the histories what they do not have yet, if it is time.
func (tr *track) catchUp(s int64, res []resolution) {
	for i := range tr.hist {
		h := &tr.hist[i]
		if h.base == nil || res[i].every || s-h.lastT >= res[i].step {
			h.add(s, tr.now)
		}
	}
}

func (tr *track) trim(now int64, res []resolution, limit int64) (size int) {
	for i := range tr.hist {
		tr.hist[i].trim(now - min(res[i].span, limit) - res[i].step)
		size += tr.hist[i].size()
	}
	return size
}

// settled reports whether the histories hold nothing but the present figures.
func (tr *track) settled() bool {
	for i := range tr.hist {
		if h := &tr.hist[i]; h.size() > 0 || !slices.Equal(h.last, tr.now) {
			return false
		}
	}
	return true
}

// rate is the change of a figure over the last interval, per second.
func (tr *track) rate(i int, tick uint64) float64 {
	if tr.moved != tick || tr.dt <= 0 {
		return 0
	}
	return float64(tr.now[i]-tr.prev[i]) / tr.dt
}

func (tr *track) rateOf(m Metric, tick uint64) float64 {
	if tr == nil || tr.l.at[m] < 0 {
		return 0
	}
	return tr.rate(int(tr.l.at[m]), tick)
}
