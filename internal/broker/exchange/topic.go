package exchange

import (
	"hash/maphash"
	"math/bits"
	"sync"
)

// topic: the binding key is a pattern of words with dots in between; * stands
// for one word, # for any number of them. A word may be empty; a key that is
// empty as a whole has no words.
//
// The patterns form a trie, word by word. A search goes down with the set of
// positions in the routing key that can be reached at a node, so that every
// node is visited at most once, however many # there are.
type topic[D comparable] struct {
	seed  maphash.Seed
	spare *sync.Pool // of *[maxWords]word, shared by all snapshots
	root  trie[D]
}

func newTopic[D comparable](seed maphash.Seed) *topic[D] {
	return &topic[D]{seed: seed, spare: &sync.Pool{New: func() any { return new([maxWords]word) }}}
}

type trie[D comparable] struct {
	dests list[D]        // of patterns that end here
	words dict[*trie[D]] // by the next word
	star  *trie[D]
	hash  *trie[D]
}

// cut takes the first word off a pattern; rest is valid if more.
func cut(p string) (word, rest string, more bool) {
	for i := range len(p) {
		if p[i] == '.' {
			return p[:i], p[i+1:], true
		}
	}
	return p, "", false
}

func (x *topic[D]) bind(b *Binding[D]) index[D] {
	return &topic[D]{x.seed, x.spare, *x.root.with(x.seed, b.Key, b.Key != "", b.Dest)}
}

func (x *topic[D]) unbind(b *Binding[D]) index[D] {
	n := &topic[D]{seed: x.seed, spare: x.spare}
	if root := x.root.without(x.seed, b.Key, b.Key != "", b.Dest); root != nil {
		n.root = *root
	}
	return n
}

func (t *trie[D]) with(seed maphash.Seed, p string, more bool, d D) *trie[D] {
	if t == nil {
		t = &trie[D]{}
	}
	c := *t
	if !more {
		c.dests = t.dests.with(d)
		return &c
	}
	word, p, more := cut(p)
	switch word {
	case "*":
		c.star = t.star.with(seed, p, more, d)
	case "#":
		c.hash = t.hash.with(seed, p, more, d)
	default:
		hash := maphash.String(seed, word)
		kid, _ := t.words.get(hash, word)
		c.words = t.words.with(hash, word, kid.with(seed, p, more, d))
	}
	return &c
}

// without removes a pattern that is there; nil: nothing is left.
func (t *trie[D]) without(seed maphash.Seed, p string, more bool, d D) *trie[D] {
	c := *t
	if !more {
		c.dests = t.dests.without(indexOf(t.dests.items, d))
	} else {
		word, p, more := cut(p)
		switch word {
		case "*":
			c.star = t.star.without(seed, p, more, d)
		case "#":
			c.hash = t.hash.without(seed, p, more, d)
		default:
			hash := maphash.String(seed, word)
			kid, _ := t.words.get(hash, word)
			if kid = kid.without(seed, p, more, d); kid != nil {
				c.words = t.words.with(hash, word, kid)
			} else {
				c.words = t.words.without(hash, word)
			}
		}
	}
	if len(c.dests.items) == 0 && c.words.len() == 0 && c.star == nil && c.hash == nil {
		return nil
	}
	return &c
}

// word is one word of a routing key.
type word struct {
	text string
	hash uint64
}

// maxWords is how many words the search is laid out for: a key of AMQP has at
// most 255 bytes. More are matched as if the rest were one word.
const maxWords = 256

// set is a set of positions 0…maxWords.
type set [maxWords/64 + 1]uint64

func (s *set) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }
func (s *set) add(i int)      { s[i>>6] |= 1 << (i & 63) }

// search is one routing key on its way through a trie.
type search[D comparable] struct {
	words []word
	dst   []D
}

func (x *topic[D]) route(dst []D, key []byte, _ HeaderLookup) []D {
	// The words are not on the stack: the compiler believes that they escape.
	words := x.spare.Get().(*[maxWords]word)
	s := search[D]{words[:x.split(words, view(key))], dst}
	s.at(&x.root, 0)
	clear(s.words) // they are views of key
	x.spare.Put(words)
	return s.dst
}

// split takes a routing key apart and returns the number of words.
func (x *topic[D]) split(words *[maxWords]word, key string) int {
	for n := 0; ; n++ {
		w, rest, more := cut(key)
		if n == maxWords-1 {
			w, more = key, false
		}
		if n == 0 && key == "" {
			return 0
		}
		words[n] = word{w, maphash.String(x.seed, w)}
		if !more {
			return n + 1
		}
		key = rest
	}
}

// at continues at node t with the words from i on.
func (s *search[D]) at(t *trie[D], i int) {
	for {
		if t.hash != nil {
			s.any(t.hash, i)
		}
		if i == len(s.words) {
			s.dst = append(s.dst, t.dests.items...)
			return
		}
		w := &s.words[i]
		i++
		var kid *trie[D]
		if t.words.len() > 0 {
			kid, _ = t.words.get(w.hash, w.text)
		}
		switch {
		case t.star == nil && kid == nil:
			return
		case t.star == nil:
			t = kid
		case kid == nil:
			t = t.star
		default:
			s.at(kid, i)
			t = t.star
		}
	}
}

// any continues at a node that a # led to, with the words from i on: the # may
// have taken any number of them.
func (s *search[D]) any(t *trie[D], i int) {
	s.dst = append(s.dst, t.dests.items...)
	if t.words.len() == 0 && t.star == nil && t.hash == nil {
		return
	}
	var from set
	for ; i <= len(s.words); i++ {
		from.add(i)
	}
	s.below(t, from)
}

// below continues at the children of t, which was reached at several positions.
func (s *search[D]) below(t *trie[D], from set) {
	if t.hash != nil {
		s.any(t.hash, from.first())
	}
	n := len(s.words)
	if t.star != nil {
		if to, ok := from.shift(n); ok {
			s.many(t.star, to)
		}
	}
	if t.words.len() == 0 {
		return
	}
	var done set
	for i := range n {
		if !from.has(i) || done.has(i) {
			continue
		}
		kid, ok := t.words.get(s.words[i].hash, s.words[i].text)
		if !ok {
			continue
		}
		var to set
		to.add(i + 1)
		for j := i + 1; j < n; j++ {
			if from.has(j) && s.words[j] == s.words[i] {
				done.add(j)
				to.add(j + 1)
			}
		}
		s.many(kid, to)
	}
}

// many continues at a node that was reached at a set of positions.
func (s *search[D]) many(t *trie[D], from set) {
	if i, ok := from.only(); ok {
		s.at(t, i)
		return
	}
	if from.has(len(s.words)) {
		s.dst = append(s.dst, t.dests.items...)
	}
	s.below(t, from)
}

func (s *set) first() int {
	for w := range s {
		if s[w] != 0 {
			return w<<6 + bits.TrailingZeros64(s[w])
		}
	}
	return 0
}

// only returns the element of a set that has just one.
func (s *set) only() (int, bool) {
	n := 0
	for w := range s {
		n += bits.OnesCount64(s[w])
	}
	return s.first(), n == 1
}

// shift returns what is one further than an element below n, and whether there
// is anything.
func (s *set) shift(n int) (to set, ok bool) {
	any := uint64(0)
	carry := uint64(0)
	for w := range s {
		v := s[w]
		if n>>6 == w {
			v &= 1<<(n&63) - 1
		}
		to[w] = v<<1 | carry
		carry = v >> 63
		any |= to[w]
	}
	return to, any != 0
}
