package queue

import "testing"

type nopStore struct{ pos uint64 }

func (s *nopStore) Keep(it *Item, delivered bool) { s.pos++; it.Pos = s.pos }
func (s *nopStore) WritePage(level uint8, items []Item) PageRef {
	s.pos++
	return PageRef{Pos: s.pos}
}

func TestSmoke(t *testing.T) {
	m := New(Unlimited(), &nopStore{}, 1)
	var eff []Effect
	for range 5000 {
		m.Enqueue(1, &Item{Size: 3}, &eff)
	}
	c := &Consumer{Tag: "a", Prefetch: 1}
	m.Attach(1, c, &eff)
	if m.Ready() != 5000 || len(eff) != 1 || eff[0].Kind != WantLoad {
		t.Fatal(m.Ready(), len(eff))
	}
}
