package session

import (
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// delivery is an outstanding delivery.
type delivery struct {
	queue    *queueproc.Queue // nil: settled
	consumer *consumer        // nil: basic.get
	seq      uint64
	slot     queue.Slot
	pending  bool // acknowledged in a transaction that is not committed
}

// unacked is a channel's outstanding deliveries: a ring in the order of their
// tags, which run on without gaps. Settled ones leave when those before have.
type unacked struct {
	ring  []delivery // len is a power of two, or 0
	head  int        // index of the oldest
	n     int
	next  wire.DeliveryTag // the next tag
	alive int              // not settled
}

// skip uses up a tag for a delivery that needs no acknowledgement.
func (u *unacked) skip() wire.DeliveryTag {
	if u.n > 0 {
		u.grow()
		u.ring[(u.head+u.n)&(len(u.ring)-1)] = delivery{}
		u.n++
	}
	u.next++
	return u.next - 1
}

func (u *unacked) push(d delivery) wire.DeliveryTag {
	u.grow()
	u.ring[(u.head+u.n)&(len(u.ring)-1)] = d
	u.n++
	u.alive++
	u.next++
	return u.next - 1
}

func (u *unacked) grow() {
	if u.n < len(u.ring) {
		return
	}
	ring := make([]delivery, max(8, 2*len(u.ring)))
	for i := range u.n {
		ring[i] = u.ring[(u.head+i)&(len(u.ring)-1)]
	}
	u.ring, u.head = ring, 0
}

// at returns the outstanding delivery with tag, or nil.
func (u *unacked) at(tag wire.DeliveryTag) *delivery {
	first := u.next - wire.DeliveryTag(u.n)
	if tag < first || tag >= u.next {
		return nil
	}
	d := &u.ring[(u.head+int(tag-first))&(len(u.ring)-1)]
	if d.queue == nil || d.pending {
		return nil
	}
	return d
}

// remove forgets the delivery at d and those settled at the front.
func (u *unacked) remove(d *delivery) {
	*d = delivery{}
	u.alive--
	u.trim()
}

func (u *unacked) trim() {
	for u.n > 0 && u.ring[u.head].queue == nil {
		u.head = (u.head + 1) & (len(u.ring) - 1)
		u.n--
	}
	if u.n == 0 {
		u.head = 0
		if len(u.ring) > 1024 {
			u.ring = nil
		}
	}
}

// upTo calls f with all outstanding deliveries up to tag (0: all), in order.
func (u *unacked) upTo(tag wire.DeliveryTag, f func(*delivery)) {
	first := u.next - wire.DeliveryTag(u.n)
	for i := range u.n {
		if tag != 0 && first+wire.DeliveryTag(i) > tag {
			break
		}
		if d := &u.ring[(u.head+i)&(len(u.ring)-1)]; d.queue != nil && !d.pending {
			f(d)
		}
	}
}

// all appends all deliveries, those pending in a transaction too.
func (u *unacked) all(dst []delivery) []delivery {
	for i := range u.n {
		if d := u.ring[(u.head+i)&(len(u.ring)-1)]; d.queue != nil {
			dst = append(dst, d)
		}
	}
	return dst
}

// eachPending calls f with the deliveries that a transaction holds.
func (u *unacked) eachPending(f func(*delivery)) {
	for i := range u.n {
		if d := &u.ring[(u.head+i)&(len(u.ring)-1)]; d.queue != nil && d.pending {
			f(d)
		}
	}
}
