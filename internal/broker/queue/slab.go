package queue

import "github.com/warrenmq/warren/internal/message"

// held is an item that left the ready ones but is not done with.
type held struct {
	it    Item
	c     *Consumer // it was delivered to; nil for Get and dying items
	next  uint32    // next free entry + 1
	state State     // Unacked or Dying; free: Ready
	why   Reason    // of what was dead-lettered
}

// A slab keeps held items in numbered places.
type slab struct {
	entries []held
	free    uint32 // first free entry + 1
	used    int
	high    int // most used since the last trim
}

func (s *slab) put(it *Item, c *Consumer, st State) Slot {
	var i uint32
	if s.free != 0 {
		i = s.free - 1
		s.free = s.entries[i].next
	} else {
		i = uint32(len(s.entries))
		s.entries = append(s.entries, held{})
	}
	h := &s.entries[i]
	h.it, h.c, h.state, h.why = *it, c, st, ReasonNone
	s.used++
	s.high = max(s.high, s.used)
	return Slot(i)
}

// get returns what is in a place, nil if it is not in the state.
func (s *slab) get(slot Slot, st State) *held {
	if int(slot) >= len(s.entries) || s.entries[slot].state != st {
		return nil
	}
	return &s.entries[slot]
}

func (s *slab) remove(slot Slot) {
	h := &s.entries[slot]
	h.it.Seq, h.it.Mem, h.c, h.state = 0, message.Ref{}, nil, Ready
	h.next = s.free
	s.free = uint32(slot) + 1
	if s.used--; s.used == 0 {
		// Start afresh, so that a burst does not scatter what comes later.
		s.free, s.entries = 0, s.entries[:0]
	}
}

// trim gives back memory that was not in use since the last trim. It can do so
// only when the slab is empty.
func (s *slab) trim() {
	if s.used == 0 && s.high <= cap(s.entries)/4 {
		s.entries = nil
	}
	s.high = s.used
}
