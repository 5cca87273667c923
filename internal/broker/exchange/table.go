// Package exchange decides where a message goes. A Table is one exchange's
// bindings as an immutable snapshot; routing is a pure function of it, of the
// routing key and of the headers. Bind and Unbind make new snapshots that
// share nearly everything with the old one, so binding thousands of queues one
// by one with publishes in between costs no more than binding them at once.
//
// The package knows neither queues nor protocols: a destination is anything
// comparable, arguments and headers are Values.
package exchange

import "hash/maphash"

// Type is how an exchange routes.
type Type uint8

const (
	Direct         Type = iota
	Fanout              // every binding
	Topic               // patterns of words
	Headers             // arguments against headers
	ConsistentHash      // x-consistent-hash: binding key = weight
	ModulusHash         // x-modulus-hash: one binding by the key's hash
	Random              // x-random: one binding by chance
)

var typeNames = [...]string{"direct", "fanout", "topic", "headers", "x-consistent-hash", "x-modulus-hash", "x-random"}

// String returns the name that exchange.declare uses.
func (t Type) String() string { return typeNames[t] }

// ParseType finds a type by the name that exchange.declare uses.
func ParseType(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name {
			return Type(i), true
		}
	}
	return 0, false
}

// ByKey reports whether the result of Route depends on nothing but the table
// and the routing key.
func (t Type) ByKey() bool { return t != Headers && t != Random }

// Binding leads from an exchange to a destination. Two bindings are the same if
// Dest, Key and ID are.
type Binding[D comparable] struct {
	Dest D
	Key  string
	// ID is what tells bindings apart that differ in their arguments only: the
	// caller's encoding of them, with the keys in a fixed order. "" = none.
	ID   string
	Args []Arg // the arguments; read by headers exchanges only
}

// HeaderLookup finds the headers of a message.
type HeaderLookup interface {
	Lookup(key string) (Value, bool)
}

// HeaderList may be implemented by a HeaderLookup in addition. Then a headers
// exchange whose bindings look at many different headers goes through those
// that the message has instead of asking for each.
type HeaderList interface {
	HeaderLookup
	Len() int
	At(i int) (key string, v Value)
}

// Table is the bindings of one exchange. It is immutable and may be used by
// many goroutines at once. Snapshots of one exchange must be made one after
// the other (each from the latest), by one goroutine at a time.
type Table[D comparable] struct {
	typ   Type
	seed  maphash.Seed
	all   hamt[identity[D], *Binding[D]]
	index index[D]
}

type identity[D comparable] struct {
	dest    D
	key, id string
}

// index is what a type of exchange makes of the bindings. It is immutable too.
type index[D comparable] interface {
	bind(b *Binding[D]) index[D]
	unbind(b *Binding[D]) index[D]
	route(dst []D, key []byte, h HeaderLookup) []D
}

// NewTable returns a table without bindings.
func NewTable[D comparable](typ Type) *Table[D] {
	return NewTableRand[D](typ, nil)
}

// NewTableRand is NewTable with a source of random numbers, for x-random. It
// must be safe for concurrent use.
func NewTableRand[D comparable](typ Type, rand func() uint64) *Table[D] {
	t := &Table[D]{typ: typ, seed: maphash.MakeSeed()}
	switch typ {
	case Direct:
		t.index = &direct[D]{seed: t.seed}
	case Fanout:
		t.index = &fanout[D]{}
	case Topic:
		t.index = newTopic[D](t.seed)
	case Headers:
		t.index = &headers[D]{seed: t.seed}
	case ConsistentHash:
		t.index = &consistent[D]{}
	case ModulusHash:
		t.index = &modulus[D]{}
	case Random:
		t.index = &random[D]{rand: rand}
	}
	return t
}

// Type returns the table's type.
func (t *Table[D]) Type() Type { return t.typ }

func (t *Table[D]) identify(b *Binding[D]) (uint64, identity[D]) {
	id := identity[D]{b.Dest, b.Key, b.ID}
	return maphash.Comparable(t.seed, id), id
}

// Bind returns a table with b. If there is such a binding already, it is t.
func (t *Table[D]) Bind(b Binding[D]) *Table[D] {
	hash, id := t.identify(&b)
	if _, ok := t.all.get(hash, id); ok {
		return t
	}
	n := *t
	n.all = t.all.with(hash, id, &b)
	n.index = t.index.bind(&b)
	return &n
}

// Unbind returns a table without the binding; t if there is none.
func (t *Table[D]) Unbind(b Binding[D]) *Table[D] {
	hash, id := t.identify(&b)
	have, ok := t.all.get(hash, id)
	if !ok {
		return t
	}
	n := *t
	n.all = t.all.without(hash, id)
	n.index = t.index.unbind(have)
	return &n
}

// Has reports whether there is such a binding.
func (t *Table[D]) Has(b Binding[D]) bool {
	_, ok := t.all.get(t.identify(&b))
	return ok
}

// Route appends the destinations of a message to dst. One that several
// bindings lead to may be there several times: the caller, which follows
// bindings from exchange to exchange, has to look for duplicates anyway. h may
// be nil if there are no headers.
func (t *Table[D]) Route(dst []D, key []byte, h HeaderLookup) []D {
	return t.index.route(dst, key, h)
}

// Len returns the number of bindings.
func (t *Table[D]) Len() int { return t.all.n }

// Each calls f for every binding, in no order, until it returns false.
func (t *Table[D]) Each(f func(b *Binding[D]) bool) {
	t.all.each(func(_ identity[D], b *Binding[D]) bool { return f(b) })
}
