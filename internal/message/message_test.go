package message

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	m := Message{Exchange: []byte("x"), RoutingKey: []byte("a.b"), Props: []byte{0x10, 0, 2}, Body: []byte("body")}
	f.Add(m.Append(nil))
	f.Add((&Message{}).Append(nil))
	m.Hidden = AppendKey(AppendKey(nil, []byte("secret")), nil)
	f.Add(m.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := Parse(b)
		if !ok {
			return
		}
		if got := m.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("%x came back as %x", b, got)
		}
		if m.StoredSize() != len(b) {
			t.Errorf("%x has %d bytes, not %d", b, len(b), m.StoredSize())
		}
		m.HiddenKeys()
	})
}

// The form without hidden keys is what it was before there were any.
func TestHidden(t *testing.T) {
	m := Message{Exchange: []byte("x"), RoutingKey: []byte("k"), Props: []byte{0, 0}, Body: []byte("body")}
	if got, want := string(m.Append(nil)), "\x01x\x01k\x00\x00\x00\x02\x00\x00body"; got != want {
		t.Errorf("stored as %q, want %q", got, want)
	}
	for _, key := range []string{"one", "", strings.Repeat("long", 1000)} {
		m.Hidden = AppendKey(m.Hidden, []byte(key))
	}
	got, ok := Parse(m.Append(nil))
	if !ok || !reflect.DeepEqual(got, m) {
		t.Fatalf("came back as %+v", got)
	}
	keys := got.HiddenKeys()
	if len(keys) != 3 || string(keys[0]) != "one" || len(keys[1]) != 0 || len(keys[2]) != 4000 {
		t.Errorf("the keys came back as %q", keys)
	}
	b := m.Append(nil)
	for n := range len(b) - len(m.Body) {
		if _, ok := Parse(b[:n]); ok {
			t.Errorf("cut at %d of %d it is taken for whole", n, len(b))
		}
	}
}

// What is put into an arena stays as it was until it is released, whatever
// comes and goes around it; in the end nothing is held.
func TestArena(t *testing.T) {
	budget := &Budget{Limit: 1 << 20}
	a := NewArena(budget)
	type kept struct {
		ref  Ref
		want []byte
	}
	var live []kept
	rnd := uint32(1)
	next := func(n int) int { rnd = rnd*1664525 + 1013904223; return int(rnd>>8) % n }
	for i := range 20000 {
		if len(live) > 200 || len(live) > 0 && next(3) == 0 {
			k := next(len(live))
			if !bytes.Equal(live[k].ref.Bytes(), live[k].want) {
				t.Fatalf("message %d has changed", i)
			}
			a.Release(live[k].ref)
			live[k] = live[len(live)-1]
			live = live[:len(live)-1]
			continue
		}
		size := next(300)
		if next(50) == 0 {
			size = next(100 << 10)
		}
		b := bytes.Repeat([]byte{byte(i)}, size)
		live = append(live, kept{a.PutBytes(b), b})
	}
	for _, k := range live {
		if !bytes.Equal(k.ref.Bytes(), k.want) {
			t.Fatal("a message has changed")
		}
		a.Release(k.ref)
	}
	a.Trim()
	if a.Held() != 0 || budget.Used() != 0 {
		t.Errorf("%d bytes held, %d on the budget, after everything was released", a.Held(), budget.Used())
	}
}

// Messages that were read into a block stay there; the block is used again when
// the last one is released.
func TestBlock(t *testing.T) {
	budget := &Budget{Limit: 1 << 20}
	a := NewArena(budget)
	b := a.Block()
	mem := b.Bytes()
	copy(mem[100:], "first")
	copy(mem[BlockSize-4:], "last")
	first, ok1 := b.Ref(mem[100:105])
	last, ok2 := b.Ref(mem[BlockSize-4:])
	if !ok1 || !ok2 {
		t.Fatal("the block does not know its messages")
	}
	if _, ok := b.Ref([]byte("elsewhere")); ok || b.Holds(make([]byte, 1)) || b.Holds(nil) {
		t.Error("the block takes what does not lie in it")
	}
	a.Adopt(b)
	if string(first.Bytes()) != "first" || string(last.Bytes()) != "last" {
		t.Errorf("%q, %q", first.Bytes(), last.Bytes())
	}
	a.Release(first)
	if c := a.Block(); &c.Bytes()[0] == &mem[0] {
		t.Error("a block with a message in it was given out again")
	} else {
		a.TakeBack(c)
	}
	a.Release(last)
	c, d := a.Block(), a.Block()
	if &c.Bytes()[0] != &mem[0] && &d.Bytes()[0] != &mem[0] {
		t.Error("an empty block was not given out again")
	}
	a.TakeBack(c)
	a.Adopt(d)
	a.Trim()
	if a.Held() != 0 || budget.Used() != 0 {
		t.Errorf("%d bytes held, %d on the budget", a.Held(), budget.Used())
	}
}

func BenchmarkHotArenaPutRelease(b *testing.B) {
	a := NewArena(&Budget{Limit: 1 << 30})
	m := Message{RoutingKey: []byte("queue"), Props: []byte{0x10, 0, 1}, Body: make([]byte, 1024)}
	var window [64]Ref
	b.ReportAllocs()
	for i := range b.N {
		a.Release(window[i%64])
		window[i%64] = a.Put(&m)
	}
}
