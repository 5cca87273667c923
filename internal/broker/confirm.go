package broker

import (
	"sync"

	"github.com/warrenmq/warren/internal/store"
)

// confirms keeps the publishes of one channel whose fate its publisher has not
// been told, in order. A publish is confirmed when the log is durable up to
// the last record that it caused; what needs no record waits only for those
// before it.
type confirms struct {
	mu      sync.Mutex
	seq     uint64 // number of the last publish; 0 = none yet
	told    uint64 // publishes that were confirmed
	refused uint64 // and those that were not accepted
	pending []pendingConfirm
	head    int           // index of the oldest in pending
	feeds   *channelFeeds // nil: pairs are not counted
}

type pendingConfirm struct {
	last    uint64 // the last of a run of publishes with the same fate
	count   uint32
	pos     store.Position
	refused bool
}

// add notes the fate of the next n publishes, which is the same.
func (c *confirms) add(n int, pos store.Position, refused bool) {
	c.mu.Lock()
	c.seq += uint64(n)
	if c.feeds != nil {
		c.feeds.take(n)
	}
	if k := len(c.pending); k > c.head {
		if p := &c.pending[k-1]; !refused && !p.refused && p.pos >= pos {
			p.last = c.seq
			p.count += uint32(n)
			c.mu.Unlock()
			return
		}
	}
	c.pending = append(c.pending, pendingConfirm{c.seq, uint32(n), pos, refused})
	c.mu.Unlock()
}

// lone reports whether there is one publish that waits for the log.
func (c *confirms) lone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) == c.head+1 && c.pending[c.head].count == 1 && c.pending[c.head].pos != 0
}

// settle tells out about all publishes that are decided now. It reports
// whether it told something, which the caller then sees sent (Outlet.Flush),
// and whether some still wait for the log. Called by the channel's own reader
// and by the log's committer; the lock keeps what they tell in order.
func (c *confirms) settle(durable store.Position, out Outlet) (told, waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ackTo uint64
	var acks uint32
	flush := func() {
		if acks > 0 {
			out.Confirm(ackTo, acks > 1)
			c.told += uint64(acks)
			acks = 0
		}
	}
	for c.head < len(c.pending) {
		p := &c.pending[c.head]
		if p.pos != 0 && p.pos >= durable {
			break
		}
		told = true
		if c.feeds != nil {
			c.feeds.credit(p.count, p.refused)
		}
		if p.refused {
			flush()
			out.Refuse(p.last)
			c.refused += uint64(p.count)
		} else {
			ackTo = p.last
			acks += p.count
		}
		c.head++
	}
	flush()
	if c.head == len(c.pending) {
		c.pending, c.head = c.pending[:0], 0
		if cap(c.pending) > 4096 {
			c.pending = nil
		}
	} else if c.head > 1024 && c.head > len(c.pending)/2 {
		n := copy(c.pending, c.pending[c.head:])
		c.pending, c.head = c.pending[:n], 0
	}
	return told, c.head < len(c.pending)
}
