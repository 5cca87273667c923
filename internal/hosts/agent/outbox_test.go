package agent

import (
	"context"
	"log/slog"
	"testing"

	"github.com/warrenmq/warren/internal/hosts/record"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestOutbox(t *testing.T) {
	o := newOutbox()
	settled := 0
	for i := range int64(5) {
		o.add(record.Event{Task: record.ID(i % 2), Seq: i}, func() { settled++ })
	}
	seqs := func(from uint64) (list []int64) {
		for _, q := range o.from(t.Context(), from) {
			list = append(list, q.event.Seq)
		}
		return list
	}
	if got := seqs(0); len(got) != 5 || got[0] != 0 || got[4] != 4 {
		t.Errorf("%v", got)
	}
	if got := seqs(3); len(got) != 2 || got[0] != 3 {
		t.Errorf("%v", got)
	}
	o.confirmed(0)
	o.confirmed(0) // once more: nothing
	o.confirmed(3) // not its turn: nothing
	if got := seqs(0); len(got) != 4 || got[0] != 1 || settled != 1 {
		t.Errorf("%v, %d", got, settled)
	}
	if got := o.of(0); len(got) != 2 || got[0].Event.Seq != 2 {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := o.from(ctx, 5); got != nil {
		t.Errorf("%v", got)
	}
	for i := uint64(1); i < 5; i++ {
		o.confirmed(i)
	}
	o.drained(t.Context())
	if settled != 5 {
		t.Error(settled)
	}
}
