package meta

import (
	"iter"
	"slices"
	"strings"
)

// ordered holds values by name, in the order of the names, in chunks: inserting
// and removing move a chunk's part at most, so that 100,000 queues can come and
// go while a page of them is listed without sorting.
type ordered[V any] struct {
	chunks [][]entry[V]
	n      int
}

type entry[V any] struct {
	name string
	v    V
}

const chunkMax = 512

// find returns where name is or would be.
func (o *ordered[V]) find(name string) (c, i int, ok bool) {
	if len(o.chunks) == 0 {
		return 0, 0, false
	}
	// The last chunk whose first name is not greater.
	c, exact := slices.BinarySearchFunc(o.chunks, name, func(ch []entry[V], s string) int {
		return strings.Compare(ch[0].name, s)
	})
	if !exact && c > 0 {
		c--
	}
	i, ok = slices.BinarySearchFunc(o.chunks[c], name, func(e entry[V], s string) int {
		return strings.Compare(e.name, s)
	})
	return c, i, ok
}

// set inserts or replaces.
func (o *ordered[V]) set(name string, v V) {
	c, i, ok := o.find(name)
	if ok {
		o.chunks[c][i].v = v
		return
	}
	o.n++
	if len(o.chunks) == 0 {
		o.chunks = append(o.chunks, []entry[V]{{name, v}})
		return
	}
	ch := slices.Insert(o.chunks[c], i, entry[V]{name, v})
	o.chunks[c] = ch
	if len(ch) <= chunkMax {
		return
	}
	// Names that come in order fill the last chunk; leave those behind full.
	half := len(ch) / 2
	if c == len(o.chunks)-1 && i == len(ch)-1 {
		half = len(ch) - 1
	}
	right := append(make([]entry[V], 0, chunkMax+1), ch[half:]...)
	clear(ch[half:])
	o.chunks[c] = ch[:half]
	o.chunks = slices.Insert(o.chunks, c+1, right)
}

func (o *ordered[V]) delete(name string) {
	c, i, ok := o.find(name)
	if !ok {
		return
	}
	o.n--
	o.chunks[c] = slices.Delete(o.chunks[c], i, i+1)
	if len(o.chunks[c]) == 0 {
		o.chunks = slices.Delete(o.chunks, c, c+1)
	}
}

// from yields the values whose names are not less than start.
func (o *ordered[V]) from(start string) iter.Seq[V] {
	return func(yield func(V) bool) {
		c, i, _ := o.find(start)
		for ; c < len(o.chunks); c, i = c+1, 0 {
			for ; i < len(o.chunks[c]); i++ {
				if !yield(o.chunks[c][i].v) {
					return
				}
			}
		}
	}
}

func (o *ordered[V]) all() iter.Seq[V] { return o.from("") }

func (o *ordered[V]) get(name string) (v V, ok bool) {
	c, i, ok := o.find(name)
	if !ok {
		return v, false
	}
	return o.chunks[c][i].v, true
}
