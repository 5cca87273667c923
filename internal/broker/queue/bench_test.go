package queue

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/internal/message"
)

// benchStore keeps everything in memory and forgets pages.
type benchStore struct {
	ref message.Ref
	pos uint64
}

func (s *benchStore) Keep(it *Item, delivered bool) { it.Mem = s.ref }
func (s *benchStore) Cool(message.Ref)              {}

func (s *benchStore) WritePage(uint8, []Item) PageRef {
	s.pos++
	return PageRef{Pos: s.pos}
}

func newBench() (*Machine, *benchStore) {
	a := message.NewArena(&message.Budget{Limit: 1 << 30})
	s := &benchStore{ref: a.PutBytes([]byte("hello"))}
	return New(Unlimited(), s, 0), s
}

func BenchmarkHotPublishDeliverNoAck(b *testing.B) {
	m, _ := newBench()
	var eff []Effect
	m.Attach(0, &Consumer{NoAck: true}, &eff)
	it := new(Item)
	b.ReportAllocs()
	for range b.N {
		*it = Item{Size: 100}
		m.Enqueue(1, it, &eff)
		if len(eff) >= 64 {
			eff = eff[:0]
		}
	}
}

func BenchmarkHotPublishDeliverAck(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run([]string{1: "consumer", 4: "consumers4"}[n], func(b *testing.B) {
			m, _ := newBench()
			var eff []Effect
			for range n {
				m.Attach(0, &Consumer{Prefetch: 100}, &eff)
			}
			it := new(Item)
			b.ReportAllocs()
			for range b.N {
				*it = Item{Size: 100}
				eff = eff[:0]
				m.Enqueue(1, it, &eff)
				m.Settle(1, eff[0].Slot, it.Seq, Ack, &eff)
			}
		})
	}
}

// A thousand messages wait, then a consumer takes them, and so on.
func BenchmarkPublishThenDrain(b *testing.B) {
	m, _ := newBench()
	var eff []Effect
	it := new(Item)
	c := &Consumer{NoAck: true}
	b.ReportAllocs()
	for i := range b.N {
		*it = Item{Size: 100}
		m.Enqueue(1, it, &eff)
		if i%1000 == 999 {
			m.Attach(1, c, &eff)
			m.Detach(1, c, &eff)
			eff = eff[:0]
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m, _ := newBench()
	var eff []Effect
	it := new(Item)
	b.ReportAllocs()
	for range b.N {
		*it = Item{Size: 100}
		eff = eff[:0]
		m.Enqueue(1, it, &eff)
		m.Get(1, true, &eff)
	}
}

// A backlog that grows without end costs page references only.
func BenchmarkBacklog(b *testing.B) {
	m, _ := newBench()
	var eff []Effect
	it := new(Item)
	b.ReportAllocs()
	for range b.N {
		*it = Item{Size: 100}
		eff = eff[:0]
		m.Enqueue(1, it, &eff)
	}
}

// Requeues in a bad order: even positions ascending, odd ones descending.
func BenchmarkRequeueMillion(b *testing.B) {
	const n = 1 << 20
	for range b.N {
		m, _ := newBench()
		var eff []Effect
		c := &Consumer{}
		m.Attach(0, c, &eff)
		batch := make([]SlotSeq, n)
		it := new(Item)
		for i := range n {
			*it = Item{Size: 1}
			eff = eff[:0]
			m.Enqueue(1, it, &eff)
			k := i / 2
			if i%2 == 1 {
				k = n - 1 - i/2
			}
			batch[k] = SlotSeq{eff[0].Slot, it.Seq}
		}
		m.Detach(1, c, &eff)
		for _, s := range batch {
			m.Settle(1, s.Slot, s.Seq, Requeue, &eff)
		}
		last := uint64(0)
		for range n {
			eff = eff[:0]
			it, _, _ := m.Get(1, true, &eff)
			if it.Seq <= last {
				b.Fatal("order")
			}
			last = it.Seq
		}
	}
}

func (s *benchStore) stream(window int64) *Machine {
	cfg := Unlimited()
	cfg.Kind, cfg.Window, cfg.SegmentBytes = Stream, window, 1<<20
	cfg.MaxBytes = 4 << 20 // so that it does not grow
	m := New(cfg, s, 0)
	m.RestoreDone(1, 0, new([]Effect))
	return m
}

// A message goes into a stream and to the readers that wait for it.
func BenchmarkHotStream(b *testing.B) {
	for _, n := range []int{0, 1, 4} {
		b.Run(fmt.Sprintf("readers%d", n), func(b *testing.B) {
			_, s := newBench()
			m := s.stream(1 << 20)
			var eff []Effect
			for range n {
				m.Attach(0, &Consumer{Prefetch: 100}, &eff)
			}
			it := new(Item)
			acks := make([]SlotSeq, n)
			b.ReportAllocs()
			for range b.N {
				*it = Item{Size: 100, Pos: 1}
				eff = eff[:0]
				m.Enqueue(1, it, &eff)
				eff = eff[:0]
				m.Commit(1, it.Seq, &eff)
				for i := range acks {
					acks[i] = SlotSeq{eff[i].Slot, it.Seq}
				}
				m.SettleBatch(1, acks, Ack, &eff)
			}
		})
	}
}
