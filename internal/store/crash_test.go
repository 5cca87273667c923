package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/check"
	"github.com/warrenmq/warren/internal/vfs"
)

// The crash tests drive a log through its steps in one goroutine, so that a
// seed is a story that can be told again. At a random file operation the disk
// is cloned as after a power loss; the clone is opened, compared with what
// the model knows, and the story goes on from there.

const (
	kindPut    store.Kind = 1
	kindSettle store.Kind = 2
	kindMove   store.Kind = 3
)

const groups = 5

// op is one record that was appended, in order of seq.
type op struct {
	kind  store.Kind
	group uint64
	id    uint64
	sum   uint64 // of the body
	pos   store.Position
}

type item struct {
	pos  store.Position
	size int // of the payload
	sum  uint64
}

type toyGroup struct {
	live map[uint64]item
	seq  uint64 // of the last record that counts in live
}

// toy is an owner: groups of live items. It tells of each append to ops.
type toy struct {
	log    *store.Log
	groups [groups]toyGroup
	cut    [groups]store.Position // by the checkpoint
	ops    []op                   // ops[i] has seq i+1
	during func()                 // called between groups of a checkpoint
	clean  bool
	fail   error // returned by Checkpoint
}

func newToy(ops []op) *toy {
	t := &toy{ops: ops}
	for i := range t.groups {
		t.groups[i].live = map[uint64]item{}
	}
	return t
}

func sum(b []byte) uint64 { h := fnv.New64a(); h.Write(b); return h.Sum64() }

func (t *toy) append(kind store.Kind, g, id uint64, urgent bool, body []byte) store.Position {
	var head [16]byte
	binary.LittleEndian.PutUint64(head[:], uint64(len(t.ops)+1))
	binary.LittleEndian.PutUint64(head[8:], id)
	half := len(body) / 2
	var pos store.Position
	if kind == kindSettle {
		pos = t.log.Append(kind, g, urgent, head[:], nil, nil)
	} else {
		pos = t.log.AppendLive(kind, g, urgent, head[:], body[:half], body[half:])
	}
	if pos == 0 {
		return 0
	}
	t.ops = append(t.ops, op{kind, g, id, sum(body), pos})
	t.groups[g].seq = uint64(len(t.ops))
	return pos
}

func (t *toy) put(g, id uint64, urgent bool, body []byte) {
	if pos := t.append(kindPut, g, id, urgent, body); pos != 0 {
		t.groups[g].live[id] = item{pos, 16 + len(body), sum(body)}
	}
}

func (t *toy) settle(g, id uint64, urgent bool) {
	it, ok := t.groups[g].live[id]
	if !ok || t.append(kindSettle, g, id, urgent, nil) == 0 {
		return
	}
	delete(t.groups[g].live, id)
	t.log.Release(it.pos, store.LiveSize(it.size))
}

func (t *toy) Restore(l *store.Log, blob []byte) error {
	t.log = l
	r := bytes.NewReader(blob)
	for g := range t.groups {
		if blob == nil {
			break
		}
		var head [3]uint64
		if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
			return err
		}
		t.cut[g] = store.Position(head[0])
		t.groups[g].seq = head[1]
		for range head[2] {
			var e [4]uint64
			if err := binary.Read(r, binary.LittleEndian, &e); err != nil {
				return err
			}
			it := item{store.Position(e[1]), int(e[2]), e[3]}
			t.groups[g].live[e[0]] = it
			l.Retain(it.pos, store.LiveSize(it.size))
		}
	}
	return nil
}

func (t *toy) Replay(pos store.Position, kind store.Kind, g uint64, p []byte) error {
	if pos < t.cut[g] {
		return nil
	}
	seq, id, body := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:]), p[16:]
	gr := &t.groups[g]
	if seq <= gr.seq {
		return fmt.Errorf("record %d of group %d after %d: order is lost", seq, g, gr.seq)
	}
	gr.seq = seq
	old, had := gr.live[id]
	switch kind {
	case kindPut:
		gr.live[id] = item{pos, len(p), sum(body)}
		t.log.Retain(pos, store.LiveSize(len(p)))
	case kindMove:
		if !had {
			return fmt.Errorf("move of unknown %d", id)
		}
		gr.live[id] = item{pos, len(p), sum(body)}
		t.log.Retain(pos, store.LiveSize(len(p)))
		t.log.Release(old.pos, store.LiveSize(old.size))
	case kindSettle:
		if !had {
			return fmt.Errorf("settle of unknown %d", id)
		}
		delete(gr.live, id)
		t.log.Release(old.pos, store.LiveSize(old.size))
	}
	return nil
}

func (t *toy) Recovered(clean bool) error { t.clean = clean; return nil }

func (t *toy) Checkpoint(w io.Writer) error {
	for g := range t.groups {
		if t.during != nil {
			t.during()
		}
		gr := &t.groups[g]
		binary.Write(w, binary.LittleEndian, [3]uint64{uint64(t.log.End()), gr.seq, uint64(len(gr.live))})
		for _, id := range gr.ids() {
			it := gr.live[id]
			if err := binary.Write(w, binary.LittleEndian, [4]uint64{id, uint64(it.pos), uint64(it.size), it.sum}); err != nil {
				return err
			}
		}
	}
	return t.fail
}

func (g *toyGroup) ids() []uint64 {
	ids := make([]uint64, 0, len(g.live))
	for id := range g.live {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

func (t *toy) Evacuate(seg uint32, gs []uint64) error {
	for _, g := range gs {
		gr := &t.groups[g]
		for _, id := range gr.ids() {
			it := gr.live[id]
			if it.pos.Segment() != seg {
				continue
			}
			p, _, _, err := t.log.Read(it.pos, nil)
			if err != nil {
				return err
			}
			pos := t.append(kindMove, g, id, false, p[16:])
			if pos == 0 {
				return t.log.Err()
			}
			gr.live[id] = item{pos, it.size, it.sum}
			t.log.Release(it.pos, store.LiveSize(it.size))
		}
	}
	return nil
}

// verify compares the recovered owner with the story. mustHave: so many
// records had been reported as durable. It returns the story as it now is.
func (t *toy) verify(mustHave int) error {
	have := uint64(0)
	for g := range t.groups {
		have = max(have, t.groups[g].seq)
	}
	if have < uint64(mustHave) {
		return fmt.Errorf("%d records were durable, %d are left", mustHave, have)
	}
	if have > uint64(len(t.ops)) {
		return fmt.Errorf("record %d was never appended (%d were)", have, len(t.ops))
	}
	t.ops = t.ops[:have:have]
	var want [groups]map[uint64]uint64
	for g := range want {
		want[g] = map[uint64]uint64{}
	}
	for _, o := range t.ops {
		if o.kind == kindSettle {
			delete(want[o.group], o.id)
		} else {
			want[o.group][o.id] = o.sum
		}
	}
	var buf []byte
	count := map[uint32]int64{}
	for g := range t.groups {
		if len(want[g]) != len(t.groups[g].live) {
			return fmt.Errorf("group %d: %d live, want %d", g, len(t.groups[g].live), len(want[g]))
		}
		var poss []store.Position
		sums := map[store.Position]uint64{}
		for id, it := range t.groups[g].live {
			if want[g][id] != it.sum {
				return fmt.Errorf("group %d: item %d has another body", g, id)
			}
			count[it.pos.Segment()]++
			poss = append(poss, it.pos)
			sums[it.pos] = it.sum
			p, _, _, err := t.log.Read(it.pos, buf)
			if err != nil {
				return fmt.Errorf("item %d: %w", id, err)
			}
			if binary.LittleEndian.Uint64(p[8:]) != id || sum(p[16:]) != it.sum {
				return fmt.Errorf("item %d reads as another", id)
			}
			buf = p[:0]
		}
		sort.Slice(poss, func(i, j int) bool { return poss[i] < poss[j] })
		n := 0
		if err := t.log.ReadMany(poss, 64<<10, nil, func(i int, _ store.Kind, group uint64, p []byte) error {
			if i != n || group != uint64(g) || sum(p[16:]) != sums[poss[i]] {
				return fmt.Errorf("ReadMany: %d of %v", i, poss)
			}
			n++
			return nil
		}); err != nil || n != len(poss) {
			return fmt.Errorf("ReadMany: %d of %d: %w", n, len(poss), err)
		}
	}
	for _, s := range t.log.Segments() {
		if s.Live != count[s.Number] {
			return fmt.Errorf("segment %d counts %d live, want %d", s.Number, s.Live, count[s.Number])
		}
	}
	if d := t.log.Stats().Dangling; d != 0 {
		return fmt.Errorf("%d references to segments that are gone", d)
	}
	return nil
}

type story struct {
	rng  *rand.Rand
	mem  *vfs.Mem
	opt  store.Options
	toy  *toy
	next uint64 // id
	log  io.Writer
}

func (s *story) say(format string, args ...any) {
	if s.log != nil {
		fmt.Fprintf(s.log, format+"\n", args...)
	}
}

func (s *story) body() []byte {
	n := s.rng.IntN(200)
	switch s.rng.IntN(30) {
	case 0:
		n = s.rng.IntN(3000)
	case 1:
		n = int(s.opt.SegmentSize) + s.rng.IntN(3000)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return b
}

func (s *story) write() {
	g := s.rng.Uint64N(groups)
	ids := s.toy.groups[g].ids()
	urgent := s.rng.IntN(2) == 0
	if n := len(ids); n > 0 && s.rng.IntN(100) < 55 {
		s.toy.settle(g, ids[min(n-1, s.rng.IntN(n)*s.rng.IntN(2))], urgent)
		return
	}
	s.next++
	s.toy.put(g, s.next, urgent, s.body())
}

func (s *story) step(l *store.Log) (err error) {
	switch s.rng.IntN(40) {
	default:
		for range s.rng.IntN(8) {
			s.write()
		}
	case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11:
		err = l.StepCommit()
	case 12, 13, 14, 15:
		err = l.Sync(context.Background(), l.End()-1)
	case 16, 17, 18:
		err = l.StepPrepare()
	case 19, 20:
		err = l.StepKeep()
	case 21:
		s.say("checkpoint at %v", l.End())
		err = l.StepCheckpoint()
	case 22:
		err = l.StepIdle()
	}
	return err
}

func runStory(seed uint64, log io.Writer) (err error) {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &story{rng: rng, mem: vfs.NewMem(), log: log, toy: newToy(nil)}
	s.opt = store.Manual(store.Options{Dir: "data", Identity: [16]byte{byte(seed)}, SegmentSize: []int64{1024, 2048, 4096, 16384}[rng.IntN(4)],
		CheckpointBytes: int64(4096 << rng.IntN(6)), Spares: 1 + rng.IntN(3)})
	if log != nil {
		s.opt.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	mustHave := 0
	wasClosed := false
	for generation := range 4 {
		s.say("--- generation %d: %v", generation, s.mem)
		rep, err := check.Check(s.mem, "data")
		if err != nil && !vfs.IsNotExist(err) {
			return err
		}
		faults := vfs.NewFaults(s.mem)
		s.opt.FS = faults
		ops := s.toy.ops
		s.toy = newToy(ops)
		var clone *vfs.Mem
		durable := 0
		var l *store.Log
		crash := func() {
			if rng.IntN(4) == 0 {
				clone = s.mem.Clone()
			} else {
				clone = s.mem.CrashClone(rng)
			}
			durable = mustHave
			if l != nil { // recovered
				d := l.Durable()
				durable = sort.Search(len(s.toy.ops), func(i int) bool { return s.toy.ops[i].pos >= d })
				s.say("crash: durable %v, %d of %d records", d, durable, len(s.toy.ops))
			}
		}
		faults.Add(vfs.Rule{Skip: rng.IntN(300), Count: 1, Do: crash})
		opened, err := store.Open(s.opt, s.toy)
		if err != nil {
			return fmt.Errorf("generation %d: open: %w", generation, err)
		}
		rec := opened.Recovery()
		s.say("recovery %+v", rec)
		if len(rec.Damaged) > 0 {
			return fmt.Errorf("generation %d: a crash is taken for damage: %v", generation, rec.Damaged)
		}
		if rep != nil && rep.Err() != nil {
			return fmt.Errorf("generation %d: check: %w", generation, rep.Err())
		}
		if wasClosed && !s.toy.clean || rep != nil && len(rep.Segments) > 0 && rep.Clean != s.toy.clean {
			return fmt.Errorf("generation %d: closed %v, clean %v, check says %v", generation, wasClosed, s.toy.clean, rep.Clean)
		}
		wasClosed = false
		if err := s.toy.verify(mustHave); err != nil {
			return fmt.Errorf("generation %d: %w", generation, err)
		}
		l = opened
		if rng.IntN(2) == 0 {
			s.toy.during = func() {
				if rng.IntN(3) == 0 {
					s.write()
				}
			}
		}
		for i := 0; clone == nil && i < 1000; i++ {
			if err := s.step(l); err != nil {
				return fmt.Errorf("generation %d: %w", generation, err)
			}
		}
		if clone == nil || rng.IntN(3) == 0 {
			before := clone
			if err := l.Close(); err != nil {
				return fmt.Errorf("generation %d: close: %w", generation, err)
			}
			if before == nil && clone == nil {
				durable, clone, wasClosed = len(s.toy.ops), s.mem, true
			}
		}
		mustHave = durable
		s.mem = clone
		if !wasClosed && clone != nil {
			s.mem = clone
		}
		// The next generation judges by the story up to the crash; what was
		// appended after the clone was taken never happened.
	}
	return nil
}

func TestCrash(t *testing.T) {
	seeds := uint64(1500)
	if testing.Short() {
		seeds = 200
	}
	for seed := range seeds {
		if err := runStory(seed, nil); err != nil {
			var log bytes.Buffer
			again := runStory(seed, &log)
			t.Fatalf("seed %d: %v\nagain: %v\n%s", seed, err, again, log.String())
		}
	}
}
