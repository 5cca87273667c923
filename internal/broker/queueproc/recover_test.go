package queueproc

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// logged is a record of a log that was read back.
type logged struct {
	pos     store.Position
	kind    store.Kind
	payload []byte
}

// logReader reads a whole log.
type logReader struct {
	lone
	recs []logged
}

func (r *logReader) Replay(pos store.Position, kind store.Kind, _ uint64, payload []byte) error {
	r.recs = append(r.recs, logged{pos, kind, slices.Clone(payload)})
	return nil
}

// story is a queue, and the disk that its log is on.
type story struct {
	*testing.T
	fs  *vfs.Mem
	q   *Queue
	cfg queue.Config
	// start is where in its log the records of this story begin.
	start store.Position
}

func newStory(t *testing.T, cfg queue.Config) *story {
	t.Helper()
	s := &story{T: t, fs: vfs.NewMem(), cfg: cfg}
	s.q = s.queueOn(s.fs, 1)
	return s
}

func (s *story) queueOn(fs vfs.FS, epoch uint64) *Queue {
	s.Helper()
	h := &lone{}
	log, err := store.Open(store.Options{FS: fs, Dir: "d"}, h)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { log.Close() })
	return New(Options{ID: 1, Name: "q", Durable: true, Quorum: s.cfg.Kind == queue.Quorum, Epoch: epoch, Host: h, Log: log,
		Budget: &message.Budget{Limit: 1 << 30}, Waits: &Waits{}}, s.cfg)
}

func (s *story) publish(n int) {
	pubs := make([]Pub, n)
	for i := range pubs {
		pubs[i] = Pub{Msg: message.Message{RoutingKey: []byte("q"), Props: []byte{0, 0}, Body: []byte("body")}, Persistent: true}
	}
	s.q.Publish(nowMillis(), pubs)
}

// get takes n messages out.
func (s *story) get(n int, noAck bool) (ds []Settle) {
	s.Helper()
	for range n {
		ok, err := s.q.Get(noAck, func(d Delivery, _ *message.Message, _ int) {
			ds = append(ds, Settle{Slot: d.Slot, Seq: d.Seq})
		})
		if !ok || err != nil {
			s.Fatal(ok, err)
		}
	}
	return ds
}

// records are all that the log would hold after a loss of power now.
func (s *story) records() []logged {
	s.Helper()
	if err := s.q.Log.Sync(s.Context(), s.q.Log.End()-1); err != nil {
		s.Fatal(err)
	}
	r := &logReader{}
	log, err := store.Open(store.Options{FS: s.fs.CrashClone(rand.New(rand.NewPCG(1, 1))), Dir: "d"}, r)
	if err != nil {
		s.Fatal(err)
	}
	defer log.Close()
	return r.recs
}

// recover brings a queue back from a checkpoint and records. What it writes
// goes to a log of its own, with greater positions.
func (s *story) recover(checkpoint []byte, recs []logged) *story {
	s.Helper()
	rec := &Recovery{}
	if checkpoint != nil {
		var err error
		if _, rec, err = ParseCheckpoint(checkpoint); err != nil {
			s.Fatal(err)
		}
	}
	for _, r := range recs {
		if err := rec.Replay(r.pos, r.kind, r.payload); err != nil {
			s.Fatal(err)
		}
	}
	then := &story{T: s.T, fs: vfs.NewMem(), cfg: s.cfg}
	q := s.queueOn(then.fs, 2)
	then.q = q
	filler := make([]byte, recs[len(recs)-1].pos&(1<<32-1))
	if q.Log.Append(KindBody, 1, false, filler, nil, nil) == 0 {
		s.Fatal(q.Log.Err())
	}
	then.start = q.Log.End()
	if err := q.Restore(rec, true, func(pos store.Position) ([]byte, error) { return payloadAt(recs, pos) }); err != nil {
		s.Fatal(err)
	}
	return then
}

func payloadAt(recs []logged, pos store.Position) ([]byte, error) {
	for _, r := range recs {
		if r.pos == pos {
			return r.payload, nil
		}
	}
	return nil, store.ErrGone
}

// holds counts how often a queue has each message.
func (s *story) holds(recs []logged) map[uint64]int {
	s.Helper()
	q := s.q
	n := map[uint64]int{}
	q.m.Each(func(_ queue.State, it *queue.Item) bool {
		n[it.Seq]++
		return true
	})
	q.m.EachPage(func(p *queue.PageRef) bool {
		var raw []byte
		var err error
		if store.Position(p.Pos) <= recs[len(recs)-1].pos {
			raw, err = payloadAt(recs, store.Position(p.Pos))
		} else {
			raw, _, _, err = q.Log.Read(store.Position(p.Pos), nil)
		}
		if err != nil {
			s.Fatal(err)
		}
		pg, err := parsePage(raw)
		if err != nil {
			s.Fatal(err)
		}
		for _, it := range pg.items {
			n[it.Seq]++
		}
		return true
	})
	return n
}

// wantOnce checks that the queue has the messages first..last once each, and
// nothing else.
func (s *story) wantOnce(recs []logged, first, last uint64) {
	s.Helper()
	have := s.holds(recs)
	missing, twice := 0, 0
	for seq := first; seq <= last; seq++ {
		switch have[seq] {
		case 1:
		case 0:
			missing++
		default:
			twice++
		}
	}
	if missing+twice > 0 || len(have) != int(last-first+1) {
		s.Errorf("%d..%d: %d are missing, %d are there twice; %d messages in all", first, last, missing, twice, len(have))
	}
}

// wantOnceAtEveryCut is wantOnce for a log that ends after any of the records
// from position from on.
func (s *story) wantOnceAtEveryCut(checkpoint []byte, recs []logged, from store.Position, first, last uint64) {
	s.Helper()
	cuts := 0
	for i := range recs {
		if recs[i].pos >= from {
			s.recover(checkpoint, recs[:i+1]).wantOnce(recs[:i+1], first, last)
			cuts++
		}
	}
	if cuts < 2 {
		s.Errorf("%d records", cuts)
	}
}

func unlimited(kind queue.Kind) queue.Config {
	c := queue.Unlimited()
	c.Kind = kind
	return c
}

// Messages that came from a page, were returned and left memory once more before
// the next checkpoint are there once after a crash.
func TestReturnedAfterPageOnce(t *testing.T) {
	for name, kind := range map[string]queue.Kind{"classic": queue.Classic, "quorum": queue.Quorum} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, unlimited(kind))
			s.publish(8192 + 5*1024)
			checkpoint := s.q.AppendCheckpoint(nil)
			s.get(8192, true)
			s.q.Settle(s.get(600, false), queue.Requeue)
			s.publish(2048)
			recs := s.records()
			s.recover(checkpoint, recs).wantOnce(recs, 8193, 8192+7*1024)
		})
	}
}

// What was read back from a page and written to a newer one is in that one only,
// until this is dropped too.
func TestNewerPageTakesOver(t *testing.T) {
	s := newStory(t, unlimited(queue.Classic))
	s.publish(8192 + 2*1024)
	checkpoint := s.q.AppendCheckpoint(nil)
	s.get(8192, true)
	var items []queue.Item
	for _, d := range s.get(3, false) {
		s.q.m.Held(func(_ queue.State, it *queue.Item) {
			if it.Seq == d.Seq {
				items = append(items, *it)
			}
		})
	}
	slices.Reverse(items)
	ref := s.q.writePage(page{epoch: 1, items: items})
	if ref.First != 8193 || ref.Last != 8195 {
		t.Errorf("page of %d..%d", ref.First, ref.Last)
	}
	recs := s.records()
	s.recover(checkpoint, recs).wantOnce(recs, 8193, 8192+2*1024)
	s.q.dropPage(&ref, true)
	recs = s.records()
	s.recover(checkpoint, recs).wantOnce(recs, 8196, 8192+2*1024)
}

// Whatever of it reaches the disk, taking messages out of a page loses none and
// doubles none; nor does putting them back and taking others.
func TestTakeFromPageCut(t *testing.T) {
	for name, paged := range map[string]bool{"page of the checkpoint": true, "page since the checkpoint": false} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, unlimited(queue.Classic))
			checkpoint := s.q.AppendCheckpoint(nil)
			s.publish(8192 + 3*1024)
			if paged {
				checkpoint = s.q.AppendCheckpoint(nil)
			}
			from := s.q.Log.End()
			for _, seqs := range [][]uint64{{9000}, {8193, 8500, 9000, 9216, 9217}, {8500, 9600, 9601}} {
				ts, err := s.q.Take(seqs)
				if err != nil || len(ts) != len(seqs) {
					t.Fatal(len(ts), err)
				}
				for _, tk := range ts {
					tk.PutBack()
				}
			}
			s.wantOnceAtEveryCut(checkpoint, s.records(), from, 1, 8192+3*1024)
		})
	}
}

// A recovery that finds delayed messages in a page splits it. It may fail at any
// point, too.
func TestSplitInRecoveryCut(t *testing.T) {
	cfg := unlimited(queue.Quorum)
	cfg.Retry = &queue.Retry{Failed: true, Min: 3_600_000, Max: 3_600_000}
	s := newStory(t, cfg)
	s.publish(8192 + 3*1024)
	checkpoint := s.q.AppendCheckpoint(nil)
	s.get(8192, true)
	s.q.Settle(s.get(10, false)[3:7], queue.Requeue)
	recs := s.records()
	then := s.recover(checkpoint, recs)
	if n := then.q.m.Delayed(); n != 4 {
		t.Errorf("%d are delayed", n)
	}
	then.wantOnce(recs, 8193, 8192+3*1024)
	all := slices.Clone(recs)
	for _, r := range then.records() {
		if r.pos >= then.start {
			all = append(all, r)
		}
	}
	s.wantOnceAtEveryCut(checkpoint, all, then.start, 8193, 8192+3*1024)
}
