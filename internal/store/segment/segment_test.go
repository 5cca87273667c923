package segment

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// build makes a segment with some records and returns their offsets.
func build(seed Seed, payloads ...[]byte) (b []byte, offs []uint32) {
	b = make([]byte, HeaderSize)
	PutHeader(b, Header{Number: 3, Capacity: 1 << 20, Created: time.Unix(1, 2), Prev: At(2, 8)})
	for i, p := range payloads {
		off := uint32(len(b))
		offs = append(offs, off)
		b = append(b, make([]byte, Size(len(p)))...)
		PutRecord(b[off:], seed, off, Kind(i%5+1), uint64(i)*7, len(p))
		copy(b[off+RecordHeader:], p)
		Finish(b[off:], seed, off)
	}
	return b, offs
}

func TestHeader(t *testing.T) {
	b, _ := build(0)
	h, err := ParseHeader(b)
	if err != nil || h.Number != 3 || h.Capacity != 1<<20 || h.Prev != At(2, 8) || !h.Created.Equal(time.Unix(1, 2)) {
		t.Error(h, err)
	}
}

// A record validates at its own place, under its own seed, and when no bit
// of it has changed.
func TestRecord(t *testing.T) {
	seed := SeedOf([16]byte{1}, 3)
	b, offs := build(seed, []byte("hello"), nil, []byte("world, wide"))
	for i, off := range offs {
		r, size, err := Parse(b[off:], seed, off)
		if err != nil || size%Align != 0 || r.Group != uint64(i)*7 {
			t.Fatal(r, size, err)
		}
		if _, _, err := Parse(b[off:], SeedOf([16]byte{1}, 4), off); err == nil {
			t.Error("validates in another segment")
		}
		if _, _, err := Parse(b[off:], SeedOf([16]byte{2}, 3), off); err == nil {
			t.Error("validates on another node")
		}
		if _, _, err := Parse(b[off:], seed, off+4); err == nil {
			t.Error("validates at another place")
		}
		for bit := range 8 * (RecordHeader + len(r.Payload)) {
			c := bytes.Clone(b[off:])
			c[bit/8] ^= 1 << (bit % 8)
			if _, _, err := Parse(c, seed, off); err == nil {
				t.Errorf("record %d: bit %d may change", i, bit)
			}
		}
	}
}

// The scanner finds its way over its buffer's ends and over damage.
func TestScanner(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	seed := SeedOf([16]byte{1}, 3)
	var payloads [][]byte
	for i := range 300 {
		n := rng.IntN(20000)
		if i%50 == 3 {
			n += 2 << 20
		}
		p := make([]byte, n)
		for j := range p {
			p[j] = byte(rng.Uint32())
		}
		payloads = append(payloads, p)
	}
	b, offs := build(seed, payloads...)
	for _, off := range []int{10, 100, 200} {
		b[offs[off]+RecordHeader+5] ^= 1
		b[offs[off+30]] ^= 1
		b[offs[off+31]+5] ^= 1
	}
	s := NewScanner(bytes.NewReader(b), int64(len(b)), seed, HeaderSize)
	lost := map[int]bool{10: true, 40: true, 41: true, 100: true, 130: true, 131: true, 200: true, 230: true, 231: true}
	i := 0
	for {
		for s.Next() {
			for lost[i] {
				i++
			}
			if s.Offset() != offs[i] || !bytes.Equal(s.Record().Payload, payloads[i]) {
				t.Fatalf("record %d at %d, want %d", i, s.Offset(), offs[i])
			}
			i++
		}
		if !s.Resync(s.Offset() + Align) {
			break
		}
	}
	if i != len(offs) || s.Err() != nil {
		t.Error(i, s.Err())
	}
}

func FuzzSegment(f *testing.F) {
	seed := SeedOf([16]byte{1}, 3)
	b, _ := build(seed, []byte("hello"), nil, bytes.Repeat([]byte("x"), 300))
	f.Add(b)
	mark := make([]byte, MarkLen)
	PutMark(mark, Mark{Durable: 99, Time: time.Unix(5, 5)})
	b, _ = build(seed, mark, []byte("z"))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := ParseHeader(b); err == nil {
			c := make([]byte, HeaderSize)
			PutHeader(c, h)
			if again, err := ParseHeader(c); err != nil || again != h {
				t.Error(h, again, err)
			}
		}
		s := NewScanner(bytes.NewReader(b), int64(len(b)), seed, HeaderSize)
		if _, err := s.LastMark(HeaderSize); err != nil {
			t.Error(err)
		}
		last := uint32(0)
		for range 2 {
			for s.Next() {
				r := s.Record()
				if s.Offset() <= last || s.End() <= s.Offset() {
					t.Fatal("does not go on")
				}
				last = s.Offset()
				c := make([]byte, Size(len(r.Payload)))
				PutRecord(c, seed, last, r.Kind, r.Group, len(r.Payload))
				copy(c[RecordHeader:], r.Payload)
				Finish(c, seed, last)
				if r.Flags == 0 && !bytes.Equal(c[:RecordHeader+len(r.Payload)], b[last:][:RecordHeader+len(r.Payload)]) {
					t.Error("does not read as it is written")
				}
			}
			if !s.Resync(s.Offset() + Align) {
				break
			}
		}
	})
}
