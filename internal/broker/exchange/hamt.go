package exchange

import "math/bits"

// hamt is a persistent hash map: with and without return a new map that shares
// all but a few nodes with the old one. The caller brings the hash of the key.
type hamt[K comparable, V any] struct {
	root *node[K, V]
	n    int
}

// node has an entry or a child for each of 32 values of five bits of the hash.
// Below the last bits of the hash it is a plain list of entries.
type node[K comparable, V any] struct {
	entries, children uint32 // which are there
	leaves            []leaf[K, V]
	kids              []*node[K, V]
}

type leaf[K comparable, V any] struct {
	hash uint64
	key  K
	val  V
}

const (
	hashStep = 5
	hashEnd  = 65 // shift at which the bits are used up
)

func (h *hamt[K, V]) get(hash uint64, key K) (v V, ok bool) {
	n := h.root
	for shift := 0; n != nil; shift += hashStep {
		if shift >= hashEnd {
			for i := range n.leaves {
				if n.leaves[i].key == key {
					return n.leaves[i].val, true
				}
			}
			return v, false
		}
		bit := uint32(1) << (hash >> shift & 31)
		if n.entries&bit != 0 {
			l := &n.leaves[bits.OnesCount32(n.entries&(bit-1))]
			if l.hash == hash && l.key == key {
				return l.val, true
			}
			return v, false
		}
		if n.children&bit == 0 {
			return v, false
		}
		n = n.kids[bits.OnesCount32(n.children&(bit-1))]
	}
	return v, false
}

func (h hamt[K, V]) with(hash uint64, key K, v V) hamt[K, V] {
	added := false
	root := h.root.with(0, leaf[K, V]{hash, key, v}, &added)
	if added {
		h.n++
	}
	h.root = root
	return h
}

func (n *node[K, V]) with(shift int, l leaf[K, V], added *bool) *node[K, V] {
	if n == nil {
		n = &node[K, V]{}
	}
	c := *n
	if shift >= hashEnd {
		for i := range n.leaves {
			if n.leaves[i].key == l.key {
				c.leaves = replaced(n.leaves, i, l)
				return &c
			}
		}
		*added = true
		c.leaves = inserted(n.leaves, len(n.leaves), l)
		return &c
	}
	bit := uint32(1) << (l.hash >> shift & 31)
	i := bits.OnesCount32(n.entries & (bit - 1))
	k := bits.OnesCount32(n.children & (bit - 1))
	switch {
	case n.children&bit != 0:
		c.kids = replaced(n.kids, k, n.kids[k].with(shift+hashStep, l, added))
	case n.entries&bit == 0:
		*added = true
		c.entries |= bit
		c.leaves = inserted(n.leaves, i, l)
	case n.leaves[i].hash == l.hash && n.leaves[i].key == l.key:
		c.leaves = replaced(n.leaves, i, l)
	default:
		// Two keys meet here: both go one level down.
		var ignore bool
		var kid *node[K, V]
		kid = kid.with(shift+hashStep, n.leaves[i], &ignore)
		kid = kid.with(shift+hashStep, l, added)
		c.entries &^= bit
		c.leaves = removed(n.leaves, i)
		c.children |= bit
		c.kids = inserted(n.kids, k, kid)
	}
	return &c
}

func (h hamt[K, V]) without(hash uint64, key K) hamt[K, V] {
	if _, ok := h.get(hash, key); !ok {
		return h
	}
	h.root = h.root.without(0, hash, key)
	h.n--
	return h
}

// without removes a key that is there; nil: the node is empty.
func (n *node[K, V]) without(shift int, hash uint64, key K) *node[K, V] {
	c := *n
	if shift >= hashEnd {
		for i := range n.leaves {
			if n.leaves[i].key == key {
				c.leaves = removed(n.leaves, i)
			}
		}
	} else {
		bit := uint32(1) << (hash >> shift & 31)
		if n.entries&bit != 0 {
			c.entries &^= bit
			c.leaves = removed(n.leaves, bits.OnesCount32(n.entries&(bit-1)))
		} else {
			c.removeBelow(n, bit, shift, hash, key)
		}
	}
	if len(c.leaves) == 0 && len(c.kids) == 0 {
		return nil
	}
	return &c
}

// removeBelow removes a key from a child. A child with one entry left comes up.
func (c *node[K, V]) removeBelow(n *node[K, V], bit uint32, shift int, hash uint64, key K) {
	k := bits.OnesCount32(n.children & (bit - 1))
	kid := n.kids[k].without(shift+hashStep, hash, key)
	switch {
	case kid == nil:
		c.children &^= bit
		c.kids = removed(n.kids, k)
	case len(kid.kids) == 0 && len(kid.leaves) == 1:
		c.children &^= bit
		c.kids = removed(n.kids, k)
		c.entries |= bit
		c.leaves = inserted(n.leaves, bits.OnesCount32(n.entries&(bit-1)), kid.leaves[0])
	default:
		c.kids = replaced(n.kids, k, kid)
	}
}

func (h *hamt[K, V]) each(f func(K, V) bool) bool { return h.root.each(f) }

func (n *node[K, V]) each(f func(K, V) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.leaves {
		if !f(n.leaves[i].key, n.leaves[i].val) {
			return false
		}
	}
	for _, k := range n.kids {
		if !k.each(f) {
			return false
		}
	}
	return true
}

func (n *node[K, V]) eachLeaf(f func(*leaf[K, V])) {
	if n == nil {
		return
	}
	for i := range n.leaves {
		f(&n.leaves[i])
	}
	for _, k := range n.kids {
		k.eachLeaf(f)
	}
}

func inserted[T any](s []T, i int, v T) []T {
	out := make([]T, len(s)+1)
	copy(out, s[:i])
	out[i] = v
	copy(out[i+1:], s[i:])
	return out
}

func replaced[T any](s []T, i int, v T) []T {
	out := make([]T, len(s))
	copy(out, s)
	out[i] = v
	return out
}

func removed[T any](s []T, i int) []T {
	if len(s) == 1 {
		return nil
	}
	out := make([]T, len(s)-1)
	copy(out, s[:i])
	copy(out[i:], s[i+1:])
	return out
}
