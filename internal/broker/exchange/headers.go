package exchange

import (
	"hash/maphash"
	"strings"
)

// Match is how a headers binding compares (argument x-match).
type Match uint8

const (
	All      Match = iota // all arguments match
	Any                   // at least one does
	AllWithX              // like All, with keys that begin with x-
	AnyWithX
)

// ParseMatch reads x-match.
func ParseMatch(s string) (Match, bool) {
	switch s {
	case "all":
		return All, true
	case "any":
		return Any, true
	case "all-with-x":
		return AllWithX, true
	case "any-with-x":
		return AnyWithX, true
	}
	return All, false
}

// headers: the binding's arguments match the message's headers.
//
// A binding stands in a bucket of one header and value that it needs, an
// any-binding in a bucket of each of its headers. Only bindings in buckets of
// the message's own headers are looked at. Of the headers of an all-binding the
// one with the fewest bindings is taken, so that what distinguishes bindings
// (order=17) is used rather than what they share (format=pdf).
type headers[D comparable] struct {
	seed    maphash.Seed
	always  list[D]                         // all of no arguments
	buckets hamt[bucketKey, list[*rule[D]]] // by what has to be there
	rules   hamt[identity[D], *rule[D]]     // to find them again
	names   list[string]                    // headers that have buckets
	uses    hamt[string, int]               // places in buckets by name
}

// bucketKey is a header's name and the hash of its value; 0 stands for any value.
type bucketKey struct {
	name  string
	value uint64
}

// rule is a binding as it is compared.
type rule[D comparable] struct {
	dest  D
	any   bool
	pairs []Arg // of two with the same key the first counts
	at    int   // the pair under which an all-rule stands in a bucket
}

func newRule[D comparable](b *Binding[D]) *rule[D] {
	r := &rule[D]{dest: b.Dest}
	match := All
	for _, a := range b.Args {
		if a.Key == "x-match" {
			match, _ = ParseMatch(string(a.Value.Data))
			break
		}
	}
	r.any = match == Any || match == AnyWithX
	for _, a := range b.Args {
		skip := a.Key == "x-match" || match < AllWithX && strings.HasPrefix(a.Key, "x-")
		if !skip && r.pair(a.Key) < 0 {
			r.pairs = append(r.pairs, a)
		}
	}
	return r
}

func (r *rule[D]) pair(key string) int {
	for i := range r.pairs {
		if r.pairs[i].Key == key {
			return i
		}
	}
	return -1
}

func (a *Arg) match(v Value) bool { return a.Value.Kind == Void || a.Value.Equal(v) }

// matches decides about a rule that was found in a bucket of the header name
// with the value v. An any-rule may be found several times: the first of its
// pairs that matches counts.
func (r *rule[D]) matches(h HeaderLookup, name string, v Value) bool {
	for i := range r.pairs {
		p := &r.pairs[i]
		if p.Key == name {
			ok := p.match(v)
			if r.any || !ok {
				return ok
			}
			continue
		}
		w, ok := h.Lookup(p.Key)
		ok = ok && p.match(w)
		if r.any == ok {
			return false // found by an earlier pair; or a pair is not there
		}
	}
	return !r.any
}

func (x *headers[D]) bucket(a *Arg) (uint64, bucketKey) {
	if a.Value.Kind == Void {
		return maphash.String(x.seed, a.Key), bucketKey{a.Key, 0}
	}
	v := a.Value.hash(x.seed)
	return maphash.String(x.seed, a.Key) ^ v, bucketKey{a.Key, v}
}

// choose finds the pair under which an all-rule is found with the least work.
func (x *headers[D]) choose(r *rule[D]) int {
	best, cost := 0, -1
	for i := range r.pairs {
		a := &r.pairs[i]
		l, _ := x.buckets.get(x.bucket(a))
		n := 4 * len(l.items)
		if a.Value.Kind == Void {
			n += 2
		}
		if _, ok := x.uses.get(maphash.String(x.seed, a.Key), a.Key); !ok {
			n++ // one more header to look up
		}
		if cost < 0 || n < cost {
			best, cost = i, n
		}
	}
	return best
}

func (x *headers[D]) bind(b *Binding[D]) index[D] {
	n := *x
	r := newRule(b)
	if len(r.pairs) == 0 {
		if !r.any {
			n.always = n.always.with(b.Dest)
		}
		return &n // any of nothing never matches
	}
	if !r.any {
		r.at = n.choose(r)
	}
	id := identity[D]{b.Dest, b.Key, b.ID}
	n.rules = n.rules.with(maphash.Comparable(n.seed, id), id, r)
	for i := range r.pairs {
		if r.any || i == r.at {
			n.enter(&r.pairs[i], r)
		}
	}
	return &n
}

func (x *headers[D]) enter(a *Arg, r *rule[D]) {
	hash, key := x.bucket(a)
	l, _ := x.buckets.get(hash, key)
	x.buckets = x.buckets.with(hash, key, l.with(r))
	hash = maphash.String(x.seed, a.Key)
	n, _ := x.uses.get(hash, a.Key)
	if n == 0 {
		x.names = x.names.with(a.Key)
	}
	x.uses = x.uses.with(hash, a.Key, n+1)
}

func (x *headers[D]) unbind(b *Binding[D]) index[D] {
	n := *x
	id := identity[D]{b.Dest, b.Key, b.ID}
	hash := maphash.Comparable(n.seed, id)
	r, ok := n.rules.get(hash, id)
	if !ok {
		if i := indexOf(n.always.items, b.Dest); i >= 0 && !newRule(b).any {
			n.always = n.always.without(i)
		}
		return &n
	}
	n.rules = n.rules.without(hash, id)
	for i := range r.pairs {
		if r.any || i == r.at {
			n.leave(&r.pairs[i], r)
		}
	}
	return &n
}

func (x *headers[D]) leave(a *Arg, r *rule[D]) {
	hash, key := x.bucket(a)
	l, _ := x.buckets.get(hash, key)
	if l = l.without(indexOf(l.items, r)); len(l.items) > 0 {
		x.buckets = x.buckets.with(hash, key, l)
	} else {
		x.buckets = x.buckets.without(hash, key)
	}
	hash = maphash.String(x.seed, a.Key)
	if n, _ := x.uses.get(hash, a.Key); n > 1 {
		x.uses = x.uses.with(hash, a.Key, n-1)
		return
	}
	x.uses = x.uses.without(hash, a.Key)
	x.names = x.names.without(indexOf(x.names.items, a.Key))
}

func (x *headers[D]) route(dst []D, _ []byte, h HeaderLookup) []D {
	dst = append(dst, x.always.items...)
	if h == nil || len(x.names.items) == 0 {
		return dst
	}
	if l, ok := h.(HeaderList); ok && l.Len() < len(x.names.items) {
		for i := range l.Len() {
			// The first of several headers with the same name counts.
			name, v := l.At(i)
			if !repeated(l, i, name) {
				dst = x.collect(dst, h, name, v)
			}
		}
		return dst
	}
	for _, name := range x.names.items {
		if v, ok := h.Lookup(name); ok {
			dst = x.collect(dst, h, name, v)
		}
	}
	return dst
}

func repeated(l HeaderList, i int, name string) bool {
	for j := range i {
		if k, _ := l.At(j); k == name {
			return true
		}
	}
	return false
}

// collect appends the rules that are found by one header of the message.
func (x *headers[D]) collect(dst []D, h HeaderLookup, name string, v Value) []D {
	hash := maphash.String(x.seed, name)
	val := v.hash(x.seed)
	for {
		l, _ := x.buckets.get(hash^val, bucketKey{name, val})
		for _, r := range l.items {
			if r.matches(h, name, v) {
				dst = append(dst, r.dest)
			}
		}
		if val == 0 {
			return dst
		}
		val = 0 // those that want it to exist
	}
}
