package message

import (
	"sync/atomic"
	"unsafe"
)

// An Arena asks the heap for chunks that double from minChunk, so that a queue
// with one small message is cheap, to chunkSize: large enough that one
// allocation serves many small messages, small enough that one message that
// stays behind does not hold much.
const (
	minChunk  = 1 << 10
	chunkSize = 32 << 10
)

// BlockSize is the size of a Block.
const BlockSize = 256 << 10

// maxBlocks is how many empty blocks an Arena keeps for the next load.
const maxBlocks = 2

// maxSpare is how many empty chunks an Arena keeps for the next burst.
const maxSpare = 8

// Budget is the memory that all arenas of a node may hold together. When it is
// used up, queues keep messages on disk only.
type Budget struct {
	Limit int64 // bytes
	used  atomic.Int64
}

// Used returns the bytes of all chunks that arenas on this budget hold.
func (b *Budget) Used() int64 { return b.used.Load() }

// Exhausted reports whether the limit is reached.
func (b *Budget) Exhausted() bool { return b.used.Load() >= b.Limit }

// Arena keeps the bytes of messages that wait in one queue. Messages come and
// go roughly first in, first out, so a chunk empties soon after it was filled
// and is used again. An Arena is guarded by the lock of the queue that owns it.
type Arena struct {
	budget *Budget
	cur    *chunk
	spare  []*chunk
	blocks []Block // empty ones, to be loaded into
	held   int64   // bytes of all chunks
}

// Block is memory that messages are read into where they are to stay. Until it
// is adopted it belongs to whoever took it from the Arena, who needs no lock for
// it.
type Block struct{ c *chunk }

type chunk struct {
	mem  []byte // never changed: Ref.Bytes reads it without the queue's lock
	used int    // bytes given out
	live int    // messages in it that were not released
}

// Ref is a message's place in an Arena. The zero Ref means: not in memory.
type Ref struct {
	c      *chunk
	off, n uint32
}

// IsZero reports whether the message is not in memory.
func (r Ref) IsZero() bool { return r.c == nil }

// Bytes returns the stored form. It is valid until the Ref is released; until
// then it may be read without the lock.
func (r Ref) Bytes() []byte { return r.c.mem[r.off : r.off+r.n : r.off+r.n] }

// Len returns the length of the stored form in bytes.
func (r Ref) Len() int { return int(r.n) }

// NewArena returns an empty arena that draws on budget.
func NewArena(budget *Budget) *Arena { return &Arena{budget: budget} }

// Held returns the bytes of memory that the arena holds, used or spare.
func (a *Arena) Held() int64 { return a.held }

// Alloc returns a place for n bytes.
func (a *Arena) Alloc(n int) Ref {
	c := a.cur
	if c == nil || len(c.mem)-c.used < n {
		if c = a.next(n); n > chunkSize/4 {
			// A chunk of its own: it must not end the current one early.
			c.used, c.live = n, 1
			return Ref{c: c, n: uint32(n)}
		}
		a.retire()
		a.cur = c
	}
	off := c.used
	c.used += n
	c.live++
	return Ref{c: c, off: uint32(off), n: uint32(n)}
}

// Put copies the stored form of m into the arena.
func (a *Arena) Put(m *Message) Ref {
	r := a.Alloc(m.StoredSize())
	m.Append(r.Bytes()[:0])
	return r
}

// PutBytes copies a stored form into the arena.
func (a *Arena) PutBytes(b []byte) Ref {
	r := a.Alloc(len(b))
	copy(r.Bytes(), b)
	return r
}

// Block returns a block to read into; Adopt takes it back.
func (a *Arena) Block() Block {
	if n := len(a.blocks); n > 0 {
		b := a.blocks[n-1]
		a.blocks = a.blocks[:n-1]
		return b
	}
	a.hold(BlockSize)
	return Block{&chunk{mem: make([]byte, BlockSize)}}
}

// Bytes returns the block's memory.
func (b Block) Bytes() []byte { return b.c.mem }

// Holds reports whether m lies in the block.
func (b Block) Holds(m []byte) bool { return b.at(m) >= 0 }

func (b Block) at(m []byte) int {
	off := uintptr(unsafe.Pointer(unsafe.SliceData(m))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.c.mem)))
	if size := uintptr(len(b.c.mem)); len(m) == 0 || off > size || off+uintptr(len(m)) > size {
		return -1
	}
	return int(off)
}

// Ref returns the place of m. ok is false when m does not lie in the block.
func (b Block) Ref(m []byte) (r Ref, ok bool) {
	at := b.at(m)
	if at < 0 {
		return r, false
	}
	b.c.live++
	return Ref{b.c, uint32(at), uint32(len(m))}, true
}

// Adopt takes a block over, with the messages that a Ref was made of.
func (a *Arena) Adopt(b Block) {
	if b.c.live == 0 {
		a.free(b.c)
	}
}

// TakeBack is Adopt for a block whose messages nobody wants.
func (a *Arena) TakeBack(b Block) {
	b.c.live = 0
	a.free(b.c)
}

// DropBlocks gives empty blocks back to the heap.
func (a *Arena) DropBlocks() {
	for i, b := range a.blocks {
		a.drop(b.c)
		a.blocks[i] = Block{}
	}
	a.blocks = a.blocks[:0]
}

// Release gives the bytes behind r back. The zero Ref is allowed.
func (a *Arena) Release(r Ref) {
	c := r.c
	if c == nil {
		return
	}
	c.live--
	if c.live > 0 || c == a.cur {
		if c.live == 0 {
			c.used = 0
		}
		return
	}
	a.free(c)
}

// Trim gives spare chunks back to the heap; called when the queue falls idle.
func (a *Arena) Trim() {
	for i, c := range a.spare {
		a.drop(c)
		a.spare[i] = nil
	}
	a.spare = a.spare[:0]
	a.DropBlocks()
	if a.cur != nil && a.cur.live == 0 {
		a.drop(a.cur)
		a.cur = nil
	}
}

func (a *Arena) next(n int) *chunk {
	if n <= chunkSize/4 {
		if k := len(a.spare); k > 0 {
			c := a.spare[k-1]
			a.spare = a.spare[:k-1]
			return c
		}
		size := minChunk
		if a.cur != nil {
			size = min(2*len(a.cur.mem), chunkSize)
		}
		for size < n {
			size *= 2
		}
		n = size
	}
	a.hold(n)
	return &chunk{mem: make([]byte, n)}
}

func (a *Arena) hold(n int) {
	a.held += int64(n)
	a.budget.used.Add(int64(n))
}

// retire lets go of the current chunk; it is freed with its last message.
func (a *Arena) retire() {
	if c := a.cur; c != nil && c.live == 0 {
		a.free(c)
	}
}

func (a *Arena) free(c *chunk) {
	switch {
	case len(c.mem) == chunkSize && len(a.spare) < maxSpare:
		c.used = 0
		a.spare = append(a.spare, c)
		return
	case len(c.mem) == BlockSize && len(a.blocks) < maxBlocks && a.budget.Used() < a.budget.Limit/2:
		a.blocks = append(a.blocks, Block{c})
		return
	}
	a.drop(c)
}

func (a *Arena) drop(c *chunk) {
	a.held -= int64(len(c.mem))
	a.budget.used.Add(-int64(len(c.mem)))
}

// Drop gives everything back; the arena and all its Refs are dead after it.
func (a *Arena) Drop() {
	a.budget.used.Add(-a.held)
	a.held, a.cur, a.spare, a.blocks = 0, nil, nil, nil
}
