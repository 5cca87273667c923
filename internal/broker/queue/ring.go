package queue

// A ring is a double-ended queue that grows with what is put into it. What it
// does not need any more it gives back in trim, so that a queue that fills and
// empties all the time does not ask for memory all the time. The zero ring is
// empty and holds no memory.
type ring[T any] struct {
	buf  []T // length a power of two, or nil
	off  int // index of the first element
	n    int
	high int // most elements since the last trim
}

const minRing = 8

func (r *ring[T]) len() int { return r.n }

// at returns element i, counted from the front. The pointer is valid until the
// next push or pop.
func (r *ring[T]) at(i int) *T { return &r.buf[(r.off+i)&(len(r.buf)-1)] }

func (r *ring[T]) pushBack(v *T) {
	if r.n == len(r.buf) {
		r.resize(max(minRing, 2*r.n))
	}
	r.n++
	r.high = max(r.high, r.n)
	*r.at(r.n - 1) = *v
}

func (r *ring[T]) pushFront(v *T) {
	if r.n == len(r.buf) {
		r.resize(max(minRing, 2*r.n))
	}
	r.off = (r.off - 1) & (len(r.buf) - 1)
	r.n++
	r.high = max(r.high, r.n)
	r.buf[r.off] = *v
}

// popFront removes the first element into dst.
func (r *ring[T]) popFront(dst *T) {
	p := &r.buf[r.off]
	*dst = *p
	var zero T
	*p = zero // it may refer to memory
	r.off = (r.off + 1) & (len(r.buf) - 1)
	r.n--
}

func (r *ring[T]) resize(size int) {
	buf := make([]T, size)
	for i := range r.n {
		buf[i] = *r.at(i)
	}
	r.buf, r.off = buf, 0
}

// trim gives back memory that was not in use since the last trim.
func (r *ring[T]) trim() {
	high := r.high
	r.high = r.n
	if high == 0 {
		*r = ring[T]{}
		return
	}
	size := minRing
	for size < high {
		size *= 2
	}
	if size <= len(r.buf)/4 {
		r.resize(size)
	}
}
