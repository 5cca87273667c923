package exchange

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Weight reads the binding key of a consistent-hash exchange.
func Weight(key string) (int, bool) {
	n, err := strconv.Atoi(key)
	return n, err == nil && n >= 1
}

// consistent: a destination gets a share of the keys that is proportional to
// its weight, and a key stays with its destination when others come or go, as
// far as possible. Of several bindings of a destination the first counts. What
// is hashed is the key given to Route: with the exchange arguments hash-header
// or hash-property the caller passes that value as the key.
type consistent[D comparable] struct {
	all  list[*Binding[D]]
	ends []share[D] // by end
}

type share[D comparable] struct {
	end  int64 // buckets up to here
	dest D
}

func (x *consistent[D]) bind(b *Binding[D]) index[D] {
	return newConsistent(x.all.with(b))
}

func (x *consistent[D]) unbind(b *Binding[D]) index[D] {
	return newConsistent(x.all.without(indexOf(x.all.items, b)))
}

func newConsistent[D comparable](all list[*Binding[D]]) *consistent[D] {
	x := &consistent[D]{all: all}
	seen := make(map[D]bool, len(all.items))
	end := int64(0)
	for _, b := range all.items {
		if w, ok := Weight(b.Key); ok && !seen[b.Dest] {
			seen[b.Dest] = true
			end += int64(w)
			x.ends = append(x.ends, share[D]{end, b.Dest})
		}
	}
	return x
}

func (x *consistent[D]) route(dst []D, key []byte, _ HeaderLookup) []D {
	if len(x.ends) == 0 {
		return dst
	}
	bucket := jump(hashKey(key), x.ends[len(x.ends)-1].end)
	i, _ := slices.BinarySearchFunc(x.ends, bucket+1, func(s share[D], b int64) int { return cmp.Compare(s.end, b) })
	return append(dst, x.ends[i].dest)
}

// jump is the jump consistent hash of Lamping and Veach, which RabbitMQ uses too.
func jump(key uint64, buckets int64) int64 {
	b, j := int64(-1), int64(0)
	for j < buckets {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(int64(1)<<31) / float64(key>>33+1)))
	}
	return b
}

// hashKey is FNV-1a with a final mix: the same in every run of every node.
func hashKey(key []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// modulus: one of the bindings, chosen by the key's hash. The bindings count in
// the order in which they were made.
type modulus[D comparable] struct {
	all list[D]
}

func (x *modulus[D]) bind(b *Binding[D]) index[D] { return &modulus[D]{x.all.with(b.Dest)} }

func (x *modulus[D]) unbind(b *Binding[D]) index[D] {
	return &modulus[D]{x.all.without(indexOf(x.all.items, b.Dest))}
}

func (x *modulus[D]) route(dst []D, key []byte, _ HeaderLookup) []D {
	if len(x.all.items) == 0 {
		return dst
	}
	return append(dst, x.all.items[hashKey(key)%uint64(len(x.all.items))])
}

// random: one of the bindings by chance.
type random[D comparable] struct {
	all  list[D]
	rand func() uint64
}

func (x *random[D]) bind(b *Binding[D]) index[D] { return &random[D]{x.all.with(b.Dest), x.rand} }

func (x *random[D]) unbind(b *Binding[D]) index[D] {
	return &random[D]{x.all.without(indexOf(x.all.items, b.Dest)), x.rand}
}

func (x *random[D]) route(dst []D, _ []byte, _ HeaderLookup) []D {
	if len(x.all.items) == 0 {
		return dst
	}
	var r uint64
	if x.rand != nil {
		r = x.rand()
	} else {
		r = rand.Uint64()
	}
	return append(dst, x.all.items[r%uint64(len(x.all.items))])
}
