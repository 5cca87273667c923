package exchange

import (
	"sync/atomic"
	"unsafe"
)

// list is a persistent sequence. Adding at the end of the newest version does
// not copy: versions share an array and differ in length.
type list[T any] struct {
	items []T
	used  *atomic.Int64 // how much of the array some version has taken
}

func (l list[T]) with(v T) list[T] {
	n := len(l.items)
	if n < cap(l.items) && l.used.CompareAndSwap(int64(n), int64(n+1)) {
		l.items = l.items[:n+1]
		l.items[n] = v
		return l
	}
	items := make([]T, n+1, max(1, n+1+n/2))
	copy(items, l.items)
	items[n] = v
	l.items, l.used = items, new(atomic.Int64)
	l.used.Store(int64(n + 1))
	return l
}

// without returns the list without element i.
func (l list[T]) without(i int) list[T] {
	if len(l.items) == 1 {
		return list[T]{}
	}
	out := list[T]{items: removed(l.items, i), used: new(atomic.Int64)}
	out.used.Store(int64(len(out.items)))
	return out
}

func indexOf[T comparable](s []T, v T) int {
	for i := range s {
		if s[i] == v {
			return i
		}
	}
	return -1
}

// view returns b as a string without copying; it must not outlive the call
// that b was passed to.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
