package exchange

import "sync/atomic"

// dict is a persistent map by string that is read much more often than it is
// changed. A version that is looked up as often as it has entries makes itself a
// flat table: one with thousands of bindings is then found in two or three
// cache lines, where the tree needs a dozen.
type dict[V any] struct {
	tree hamt[string, V]
	flat *flat[V] // nil: too small to be worth it
}

// minFlat is how many entries are worth a flat table.
const minFlat = 16

func (d *dict[V]) len() int { return d.tree.n }

func (d dict[V]) with(hash uint64, key string, v V) dict[V] {
	return newDict(d.tree.with(hash, key, v))
}

func (d dict[V]) without(hash uint64, key string) dict[V] { return newDict(d.tree.without(hash, key)) }

func newDict[V any](tree hamt[string, V]) dict[V] {
	d := dict[V]{tree: tree}
	if tree.n >= minFlat {
		d.flat = new(flat[V])
	}
	return d
}

func (d *dict[V]) get(hash uint64, key string) (V, bool) {
	if f := d.flat; f != nil {
		if t := f.table.Load(); t != nil {
			return t.get(hash, key)
		}
		if f.asked.Add(1) == int64(d.tree.n) {
			f.table.Store(newTable(&d.tree))
		}
	}
	return d.tree.get(hash, key)
}

// flat is the table of a version of a dict, once it has one.
type flat[V any] struct {
	asked atomic.Int64 // look-ups so far
	table atomic.Pointer[table[V]]
}

// table is a hash table with open addressing. It is not changed once it is made.
type table[V any] []place[V] // a power of two, at least a third of it empty

type place[V any] struct {
	hash uint64 // 0: empty
	key  string
	val  V
}

// full is the hash as a table keeps it.
func full(hash uint64) uint64 { return hash | 1<<63 }

func newTable[V any](tree *hamt[string, V]) *table[V] {
	size := 32
	for size < tree.n*3/2 {
		size *= 2
	}
	t := make(table[V], size)
	tree.root.eachLeaf(func(l *leaf[string, V]) {
		i := l.hash & uint64(size-1)
		for t[i].hash != 0 {
			i = (i + 1) & uint64(size-1)
		}
		t[i] = place[V]{full(l.hash), l.key, l.val}
	})
	return &t
}

func (t table[V]) get(hash uint64, key string) (v V, ok bool) {
	mask := uint64(len(t) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch p := &t[i]; {
		case p.hash == full(hash) && p.key == key:
			return p.val, true
		case p.hash == 0:
			return v, false
		}
	}
}
