package queueproc

import (
	"encoding/binary"
	"reflect"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/store"
)

func sampleItems() []queue.Item {
	return []queue.Item{
		{Seq: 1, Pos: 1<<32 + 64, Size: 10, Time: 1700000000000, Flags: queue.Persistent},
		{Seq: 2, Pos: 1<<32 + 160, Size: 1024, Time: 1700000000001, Expiry: 1700000060000, Prio: 3, Flags: queue.Persistent | queue.Redelivered},
		{Seq: 9, Pos: 3<<32 + 64, Size: 0, Count: 7, Time: 1700000000002},
	}
}

func TestPageRoundTrip(t *testing.T) {
	want := sampleItems()
	b := appendPage(nil, 3, 77, 5, want)
	p, err := parsePage(b)
	if err != nil {
		t.Fatal(err)
	}
	if p.level != 3 || p.epoch != 77 || p.replaces != 5 || !reflect.DeepEqual(p.items, want) {
		t.Errorf("came back as %+v", p)
	}
}

// Numbers of all lengths, with much behind them and with nothing.
func TestNumbers(t *testing.T) {
	for shift := range 64 {
		for _, v := range []uint64{1 << shift, 1<<shift - 1, 1<<shift + 1, 0x123456789abcdef << shift} {
			for _, behind := range [][]byte{nil, {0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
				b := binary.AppendUvarint(nil, v)
				r := reader{b: append(slices.Clone(b), behind...)}
				if got := r.uvarint(); got != v || r.bad || !slices.Equal(r.b, behind) {
					t.Errorf("%x before %x came back as %x, %x is left", v, behind, got, r.b)
				}
				for n := range len(b) {
					if r := (reader{b: b[:n]}); r.uvarint() != 0 || !r.bad {
						t.Errorf("%x cut at %d of %d is taken for whole", v, n, len(b))
					}
				}
				s := int64(v)
				r = reader{b: append(binary.AppendVarint(nil, s), behind...)}
				if got := r.varint(); got != s || r.bad || !slices.Equal(r.b, behind) {
					t.Errorf("%d before %x came back as %d", s, behind, got)
				}
			}
		}
	}
}

func BenchmarkHotPage(b *testing.B) {
	items := make([]queue.Item, 1024)
	for i := range items {
		items[i] = queue.Item{Seq: uint64(i + 1), Pos: 1<<32 + uint64(i)*1100, Size: 1024, Time: 1700000000000 + int64(i)/100, Flags: queue.Persistent}
	}
	raw := appendPage(nil, 0, 1, 0, items)
	var p page
	b.ReportAllocs()
	for b.Loop() {
		if err := p.parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// One page after the other is read into the same memory.
func TestPageIntoUsedMemory(t *testing.T) {
	items := sampleItems()
	var p page
	for _, want := range [][]queue.Item{items, items[2:], items[:1], items[1:]} {
		if err := p.parse(appendPage(nil, 0, 1, 0, want)); err != nil || !reflect.DeepEqual(p.items, want) {
			t.Errorf("%+v came back as %+v, %v", want, p.items, err)
		}
	}
}

func TestSkipHead(t *testing.T) {
	for _, it := range sampleItems() {
		b := append(appendHead(nil, &it), "rest"...)
		if rest, err := skipHead(b); err != nil || string(rest) != "rest" {
			t.Errorf("%+v: %q, %v", it, rest, err)
		}
		for n := range len(b) - len("rest") {
			if _, err := skipHead(b[:n]); err == nil {
				t.Errorf("%+v cut at %d of %d is taken for whole", it, n, len(b))
			}
		}
	}
	if _, err := skipHead([]byte{recordVersion + 1, 0, 0, 0, 0, 0, 0, 0}); err == nil {
		t.Error("a newer version is taken for this one")
	}
}

// A page that an earlier run of the node wrote stands for its persistent items only.
func TestPageRefOfAnotherRun(t *testing.T) {
	p := page{level: 0, epoch: 77, items: sampleItems()}
	if r := pageRef(9, 100, &p, 77); r.Count != 3 || r.Persistent != 2 || r.Bytes != 1034 || r.Last != 9 {
		t.Errorf("own run: %+v", r)
	}
	r := pageRef(9, 100, &p, 78)
	if r.Count != 2 || r.Persistent != 2 || r.Last != 2 {
		t.Errorf("later run: %+v", r)
	}
	if segs := r.Ext.(*pageExt).segs; len(segs) != 1 || segs[0] != (segLive{seg: 1, count: 2, bytes: 1034}) {
		t.Errorf("segments %+v", segs)
	}
}

func TestRuns(t *testing.T) {
	for _, seqs := range [][]uint64{{1}, {1, 2, 3}, {5, 4, 3}, {1, 2, 9, 10, 11, 3}, {1 << 60, 1}} {
		var got []uint64
		err := eachRun(appendRuns(nil, seqs), func(first, last uint64) {
			for s := first; s <= last; s++ {
				got = append(got, s)
			}
		})
		if err != nil || !slices.Equal(got, seqs) {
			t.Errorf("%v came back as %v, %v", seqs, got, err)
		}
	}
}

func TestDescribeReturned(t *testing.T) {
	for _, c := range []struct {
		numbers []uint64
		want    string
	}{
		{[]uint64{7, 2, 3}, "seq=7 count=2"},
		{[]uint64{7, 2, 3, 2 * 1700000000000}, "seq=7 count=2 delayed until 2023-11-14T22:13:20.000Z"},
		{[]uint64{7, 2, 3, 0, uint64(queue.Rejected)}, "seq=7 count=2 dead rejected"},
		{[]uint64{7}, "malformed: malformed record"},
	} {
		if got := Describe(KindReturned, appendUvarints([]byte{recordVersion}, c.numbers...)); got != c.want {
			t.Errorf("%v: %q, want %q", c.numbers, got, c.want)
		}
	}
	// What is not a reason is no record of ours.
	r := &Recovery{items: sampleItems(), next: 10}
	if r.Replay(1<<40, KindReturned, appendUvarints([]byte{recordVersion}, 1, 2, 3, 0, uint64(queue.Reasons))) == nil {
		t.Error("an unknown reason is taken")
	}
}

// FuzzRecord feeds any bytes to whatever reads records at recovery.
func FuzzRecord(f *testing.F) {
	items := sampleItems()
	f.Add(byte(KindPublish), append(appendHead(nil, &items[1]), "\x01x\x01k\x00\x00\x00\x00body"...))
	f.Add(byte(KindRef), appendUvarints(appendHead(nil, &items[1]), 99, 5))
	f.Add(byte(KindSettle), appendRuns([]byte{recordVersion}, []uint64{1, 2, 3, 9}))
	f.Add(byte(KindPage), appendPage(nil, 0, 1, 0, items))
	f.Add(byte(KindPageDrop), appendUvarints([]byte{recordVersion}, 77))
	f.Add(byte(KindReturned), appendUvarints([]byte{recordVersion}, 1, 2))
	f.Add(byte(KindReturned), appendUvarints([]byte{recordVersion}, 1, 2, 3, 4))
	f.Add(byte(KindReturned), appendUvarints([]byte{recordVersion}, 1, 2, 3, 0, uint64(queue.Rejected)))
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		r := &Recovery{items: sampleItems(), next: 10}
		for _, k := range []byte{kind, byte(KindPublish), byte(KindSettle), byte(KindPage)} {
			_ = r.Replay(1<<40, store.Kind(k), b)
		}
		if p, err := parsePage(b); err == nil {
			q, err := parsePage(appendPage(nil, p.level, p.epoch, p.replaces, p.items))
			if err != nil || !reflect.DeepEqual(p, q) {
				t.Errorf("page %x is not stable", b)
			}
		}
		if _, rest, err := parseHead(b); err == nil {
			if skipped, err := skipHead(b); err != nil || !slices.Equal(rest, skipped) {
				t.Errorf("head of %x: skipped to %x, %v; want %x", b, skipped, err, rest)
			}
		}
		_, _, _ = ParseCheckpoint(b)
	})
}
