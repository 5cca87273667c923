package exchange

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lookup is a message's headers.
type lookup []Arg

func (l lookup) Lookup(key string) (Value, bool) {
	for i := range l {
		if l[i].Key == key {
			return l[i].Value, true
		}
	}
	return Value{}, false
}

// listed is lookup with HeaderList.
type listed struct{ lookup }

func (l *listed) Len() int                 { return len(l.lookup) }
func (l *listed) At(i int) (string, Value) { return l.lookup[i].Key, l.lookup[i].Value }

func route[D comparable](t *Table[D], key string, h HeaderLookup) []D {
	return t.Route(nil, []byte(key), h)
}

func TestDirect(t *testing.T) {
	x := NewTable[int](Direct)
	y := x.Bind(Binding[int]{Dest: 1, Key: "a"})
	z := y.Bind(Binding[int]{Dest: 1, Key: "a"})
	if y != z {
		t.Error("the same binding twice makes a new table")
	}
	z = y.Bind(Binding[int]{Dest: 2, Key: "a"}).Bind(Binding[int]{Dest: 3, Key: ""})
	check := func(name string, got, want []int) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check("before", route(x, "a", nil), nil)
	check("one", route(y, "a", nil), []int{1})
	check("two", route(z, "a", nil), []int{1, 2})
	check("empty key", route(z, "", nil), []int{3})
	check("unbound", route(z.Unbind(Binding[int]{Dest: 1, Key: "a"}), "a", nil), []int{2})
	check("snapshot stays", route(z, "a", nil), []int{1, 2})
	if z.Len() != 3 || z.Unbind(Binding[int]{Dest: 9}) != z {
		t.Error("length or idle unbind")
	}
}

// Bindings that differ in their arguments only are different bindings.
func TestArgumentsDistinguish(t *testing.T) {
	for _, typ := range []Type{Direct, Fanout, Topic, ModulusHash, Random} {
		x := NewTable[int](typ)
		x = x.Bind(Binding[int]{Dest: 1, Key: "k", ID: "a:1"}).Bind(Binding[int]{Dest: 1, Key: "k", ID: "a:2"})
		if x.Len() != 2 {
			t.Fatal(typ, x.Len())
		}
		x = x.Unbind(Binding[int]{Dest: 1, Key: "k", ID: "a:1"})
		if got := route(x, "k", nil); !slices.Equal(got, []int{1}) {
			t.Error(typ, got)
		}
		x = x.Unbind(Binding[int]{Dest: 1, Key: "k", ID: "a:2"})
		if got := route(x, "k", nil); len(got) != 0 {
			t.Error(typ, got)
		}
	}
}

// naiveTopic is the definition: # takes any number of words.
func naiveTopic(p, k []string) bool {
	if len(p) == 0 {
		return len(k) == 0
	}
	if p[0] == "#" {
		for i := 0; i <= len(k); i++ {
			if naiveTopic(p[1:], k[i:]) {
				return true
			}
		}
		return false
	}
	return len(k) > 0 && (p[0] == "*" || p[0] == k[0]) && naiveTopic(p[1:], k[1:])
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ".")
}

func randomKey(r *rand.Rand, words []string, n int) string {
	var w []string
	for range r.IntN(n + 1) {
		w = append(w, words[r.IntN(len(words))])
	}
	return strings.Join(w, ".")
}

func TestTopicAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		x := NewTable[string](Topic)
		bound := map[string]bool{}
		for range 1 + r.IntN(60) {
			p := randomKey(r, []string{"a", "b", "c", "", "*", "#", "#", "aa"}, 6)
			if bound[p] && r.IntN(2) == 0 {
				x = x.Unbind(Binding[string]{Dest: p, Key: p})
				delete(bound, p)
				continue
			}
			x = x.Bind(Binding[string]{Dest: p, Key: p})
			bound[p] = true
		}
		for range 100 {
			k := randomKey(r, []string{"a", "b", "c", "", "aa", "x"}, 1+round%14)
			got := route(x, k, nil)
			var want []string
			for p := range bound {
				if naiveTopic(split(p), split(k)) {
					want = append(want, p)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("key %q: %q, want %q", k, got, want)
			}
		}
	}
}

// Many # and a key of equal words: the work must stay bounded.
func TestTopicManyHashes(t *testing.T) {
	x := NewTable[int](Topic)
	for i := 1; i < 60; i++ {
		x = x.Bind(Binding[int]{Dest: i, Key: strings.Repeat("#.a.", i) + "#"})
		x = x.Bind(Binding[int]{Dest: -i, Key: strings.Repeat("#.*.a.", i) + "b"})
	}
	key := strings.Repeat("a.", 127) + "a"
	if got := len(route(x, key, nil)); got != 59 {
		t.Error(got)
	}
	if got := len(route(x, strings.Repeat(".", 255), nil)); got != 0 {
		t.Error(got)
	}
}

func FuzzTopic(f *testing.F) {
	f.Add("a.*.#", "a.b.c")
	f.Add("#.a.#.b.#", "x.a.b.y")
	f.Add("", "")
	f.Add(".", "..")
	f.Fuzz(func(t *testing.T, p, k string) {
		if len(p) > 24 || len(k) > 255 || strings.Count(p, "#") > 4 {
			return
		}
		x := NewTable[int](Topic).Bind(Binding[int]{Dest: 1, Key: p}).Bind(Binding[int]{Dest: 2, Key: "a.#"})
		got := slices.Contains(route(x, k, nil), 1)
		if want := naiveTopic(split(p), split(k)); got != want {
			t.Errorf("%q matches %q: %v", p, k, got)
		}
		if y := x.Unbind(Binding[int]{Dest: 1, Key: p}); slices.Contains(route(y, k, nil), 1) {
			t.Error("unbound pattern matches")
		}
	})
}

func naiveHeaders(args []Arg, h lookup) bool {
	match := All
	for _, a := range args {
		if a.Key == "x-match" {
			match, _ = ParseMatch(string(a.Value.Data))
		}
	}
	n, hits := 0, 0
	for _, a := range args {
		if a.Key == "x-match" || match < AllWithX && strings.HasPrefix(a.Key, "x-") {
			continue
		}
		n++
		if v, ok := h.Lookup(a.Key); ok && (a.Value.Kind == Void || a.Value.Equal(v)) {
			hits++
		}
	}
	if match == Any || match == AnyWithX {
		return hits > 0
	}
	return hits == n
}

func randomValue(r *rand.Rand) Value {
	switch r.IntN(7) {
	case 0:
		return Value{}
	case 1:
		return BoolValue(r.IntN(2) == 0)
	case 2:
		return FloatValue(float64(r.IntN(3)) / 2)
	case 3:
		return StringValue(fmt.Sprint(r.IntN(2)))
	}
	return IntValue(int64(r.IntN(2)))
}

func randomArgs(r *rand.Rand, n int) []Arg {
	var as []Arg
	for _, k := range []string{"a", "b", "c", "x-d", "e"} {
		if r.IntN(5) < n {
			as = append(as, Arg{k, randomValue(r)})
		}
	}
	return as
}

func TestHeadersAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		x := NewTable[int](Headers)
		bound := map[int][]Arg{}
		for i := range 1 + r.IntN(50) {
			if a, ok := bound[i/2]; ok && r.IntN(4) == 0 {
				x = x.Unbind(Binding[int]{Dest: i / 2, Key: "k", Args: a})
				delete(bound, i/2)
				continue
			}
			a := randomArgs(r, 1+r.IntN(3))
			if m := r.IntN(5); m < 4 {
				a = append(a, Arg{"x-match", StringValue([]string{"all", "any", "all-with-x", "any-with-x"}[m])})
			}
			bound[i] = a
			x = x.Bind(Binding[int]{Dest: i, Key: "k", Args: a})
		}
		for j := range 50 {
			h := lookup(randomArgs(r, 1+r.IntN(4)))
			var hl HeaderLookup = h
			if j%2 == 0 {
				hl = &listed{h}
			}
			got := route(x, "", hl)
			var want []int
			for i, a := range bound {
				if naiveHeaders(a, h) {
					want = append(want, i)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("headers %v: %v, want %v", h, got, want)
			}
		}
		for i, a := range bound {
			x = x.Unbind(Binding[int]{Dest: i, Key: "k", Args: a})
		}
		if e := x.index.(*headers[int]); x.Len() != 0 || e.buckets.n+e.rules.n+e.uses.n+len(e.names.items)+len(e.always.items) != 0 {
			t.Fatal("something is left after the last unbind")
		}
	}
}

func TestHamt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	type snap struct {
		m    hamt[int, int]
		want map[int]int
	}
	var m hamt[int, int]
	want := map[int]int{}
	var snaps []snap
	hash := func(k int) uint64 {
		switch k % 3 {
		case 0:
			return uint64(k) * 0x9e3779b97f4a7c15
		case 1:
			return uint64(k) << 60 // meet only at the last bits
		}
		return 7 // all the same
	}
	for i := range 3000 {
		k := r.IntN(300)
		if r.IntN(3) == 0 {
			m = m.without(hash(k), k)
			delete(want, k)
		} else {
			m = m.with(hash(k), k, i)
			want[k] = i
		}
		if i%100 == 0 {
			c := map[int]int{}
			for k, v := range want {
				c[k] = v
			}
			snaps = append(snaps, snap{m, c})
		}
	}
	for _, s := range snaps {
		n := 0
		s.m.each(func(k, v int) bool {
			n++
			if s.want[k] != v {
				t.Fatal(k, v)
			}
			return true
		})
		if n != len(s.want) || n != s.m.n {
			t.Fatal(n, len(s.want), s.m.n)
		}
		for k := range 300 {
			v, ok := s.m.get(hash(k), k)
			if w, have := s.want[k]; ok != have || v != w {
				t.Fatal(k)
			}
		}
	}
}

// Each version of a dict finds what it holds, before and after it has made itself
// a table, whatever the versions after it hold.
func TestDict(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	type snap struct {
		d    dict[int]
		want map[string]int
	}
	seed := maphash.MakeSeed()
	var d dict[int]
	want := map[string]int{}
	var snaps []snap
	hash := func(k string) uint64 {
		if len(k)%2 == 0 {
			return uint64(k[0]) // many meet
		}
		return maphash.String(seed, k)
	}
	for i := range 2000 {
		k := strconv.Itoa(r.IntN(1200))
		if _, ok := want[k]; ok && r.IntN(2) == 0 {
			d = d.without(hash(k), k)
			delete(want, k)
		} else {
			d = d.with(hash(k), k, i)
			want[k] = i
		}
		if i%97 == 0 {
			snaps = append(snaps, snap{d, maps.Clone(want)})
		}
	}
	tables := 0
	for _, s := range snaps {
		for range 3 {
			for k := range 1200 {
				k := strconv.Itoa(k)
				v, ok := s.d.get(hash(k), k)
				if w, have := s.want[k]; ok != have || v != w {
					t.Fatalf("%q: %d %v, want %d %v", k, v, ok, w, have)
				}
			}
		}
		if s.d.flat != nil && s.d.flat.table.Load() != nil {
			tables++
		}
	}
	if tables < len(snaps)/2 {
		t.Errorf("%d of %d versions have a table", tables, len(snaps))
	}
}

// Older versions of a list must not see what is added to younger ones.
func TestListShares(t *testing.T) {
	var l list[int]
	l = l.with(1).with(2).with(3)
	a, b := l.with(4), l.with(5)
	c := a.with(6)
	if !slices.Equal(l.items, []int{1, 2, 3}) || !slices.Equal(a.items, []int{1, 2, 3, 4}) ||
		!slices.Equal(b.items, []int{1, 2, 3, 5}) || !slices.Equal(c.items, []int{1, 2, 3, 4, 6}) ||
		!slices.Equal(c.without(1).items, []int{1, 3, 4, 6}) {
		t.Error(l, a, b, c)
	}
}

func TestHashExchanges(t *testing.T) {
	x := NewTable[string](ConsistentHash).Bind(Binding[string]{Dest: "a", Key: "1"}).
		Bind(Binding[string]{Dest: "b", Key: "3"}).Bind(Binding[string]{Dest: "a", Key: "50"})
	n := map[string]int{}
	for i := range 4000 {
		n[route(x, fmt.Sprint(i), nil)[0]]++
	}
	if n["a"] < 800 || n["a"] > 1200 {
		t.Error(n)
	}
	y := NewTable[string](ModulusHash)
	if len(route(y, "k", nil)) != 0 {
		t.Error("no binding")
	}
	y = y.Bind(Binding[string]{Dest: "a"}).Bind(Binding[string]{Dest: "b"})
	n = map[string]int{}
	for i := range 1000 {
		n[route(y, fmt.Sprint(i), nil)[0]]++
	}
	if n["a"] < 400 || n["b"] < 400 {
		t.Error(n)
	}
	i := uint64(0)
	z := NewTableRand[string](Random, func() uint64 { i++; return i })
	z = z.Bind(Binding[string]{Dest: "a"}).Bind(Binding[string]{Dest: "b"})
	if got := route(z, "", nil)[0] + route(z, "", nil)[0]; got != "ba" {
		t.Error(got)
	}
}

type queueRef struct{ q, x *int }

func dests(n int) []queueRef {
	d := make([]queueRef, n)
	for i := range d {
		d[i].q = new(int)
	}
	return d
}

func benchRoute(b *testing.B, t *Table[queueRef], key func(i int) []byte, h HeaderLookup) {
	var keys [256][]byte
	for i := range keys {
		keys[i] = key(i)
	}
	dst := make([]queueRef, 0, 64)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		dst = t.Route(dst[:0], keys[i&255], h)
	}
}

func BenchmarkHotRouteDirect1000(b *testing.B) {
	t := NewTable[queueRef](Direct)
	for i, d := range dests(1000) {
		t = t.Bind(Binding[queueRef]{Dest: d, Key: fmt.Sprintf("key.%d", i)})
	}
	benchRoute(b, t, func(i int) []byte { return fmt.Appendf(nil, "key.%d", i) }, nil)
}

func BenchmarkHotRouteFanout10(b *testing.B) {
	t := NewTable[queueRef](Fanout)
	for _, d := range dests(10) {
		t = t.Bind(Binding[queueRef]{Dest: d})
	}
	benchRoute(b, t, func(int) []byte { return []byte("key") }, nil)
}

func topic10000() *Table[queueRef] {
	t := NewTable[queueRef](Topic)
	for i, d := range dests(10000) {
		var p string
		switch i % 4 {
		case 0:
			p = fmt.Sprintf("a%d.*.c", i)
		case 1:
			p = fmt.Sprintf("#.x%d", i)
		case 2:
			p = fmt.Sprintf("*.b%d.#", i)
		default:
			p = fmt.Sprintf("k%d.b.c", i)
		}
		t = t.Bind(Binding[queueRef]{Dest: d, Key: p})
	}
	return t
}

func BenchmarkHotRouteTopic10000(b *testing.B) {
	benchRoute(b, topic10000(), func(i int) []byte { return fmt.Appendf(nil, "a%d.b.c", i*4) }, nil)
}

func BenchmarkRouteTopic10000FiveWords(b *testing.B) {
	benchRoute(b, topic10000(), func(i int) []byte { return fmt.Appendf(nil, "w.b%d.c.d.x%d", i*4+2, i*4+1) }, nil)
}

func BenchmarkHotRouteTopicOneHash(b *testing.B) {
	t := NewTable[queueRef](Topic).Bind(Binding[queueRef]{Dest: dests(1)[0], Key: "#"})
	benchRoute(b, t, func(i int) []byte { return fmt.Appendf(nil, "a%d.b.c", i) }, nil)
}

func BenchmarkRouteTopicWorst(b *testing.B) {
	t := NewTable[queueRef](Topic)
	for i, d := range dests(60) {
		t = t.Bind(Binding[queueRef]{Dest: d, Key: strings.Repeat("#.a.", i) + "b"})
	}
	benchRoute(b, t, func(i int) []byte { return []byte(strings.Repeat("a.", 127) + "a") }, nil)
}

func BenchmarkHotRouteHeaders1000(b *testing.B) {
	for _, match := range []string{"all", "any"} {
		b.Run(match, func(b *testing.B) {
			t := NewTable[queueRef](Headers)
			for i, d := range dests(1000) {
				args := []Arg{{"x-match", StringValue(match)}, {"order", IntValue(int64(i))}}
				if match == "all" {
					args = append(args, Arg{"format", StringValue("pdf")}, Arg{"type", StringValue("report")})
				}
				t = t.Bind(Binding[queueRef]{Dest: d, ID: fmt.Sprint(i), Args: args})
			}
			h := &listed{lookup{{"format", StringValue("pdf")}, {"type", StringValue("report")}, {"order", IntValue(500)}, {"else", IntValue(1)}}}
			benchRoute(b, t, func(i int) []byte { return nil }, h)
		})
	}
}

func BenchmarkBind10000(b *testing.B) {
	for _, typ := range []Type{Direct, Fanout, Topic, Headers, ModulusHash} {
		b.Run(typ.String(), func(b *testing.B) {
			ds := dests(10000)
			keys := make([]string, len(ds))
			args := make([][]Arg, len(ds))
			for i := range keys {
				keys[i] = fmt.Sprintf("a.%d.*", i)
				args[i] = []Arg{{"n", IntValue(int64(i))}}
			}
			h := lookup{{"n", IntValue(7)}}
			b.ReportAllocs()
			for range b.N {
				t := NewTable[queueRef](typ)
				var dst []queueRef
				for i, d := range ds {
					t = t.Bind(Binding[queueRef]{Dest: d, Key: keys[i], ID: keys[i], Args: args[i]})
					if typ != Fanout {
						dst = t.Route(dst[:0], []byte("a.1.c"), h)
					}
				}
				for i, d := range ds {
					t = t.Unbind(Binding[queueRef]{Dest: d, Key: keys[i], ID: keys[i]})
				}
			}
		})
	}
}
