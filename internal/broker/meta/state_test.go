package meta

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// someCommands returns one of each, with every field set.
func someCommands() []Command {
	args := Args(nil).Set("x-max-length", wire.Int32(5)).Set("k", wire.String("\xff\x00"))
	return []Command{
		&PutVHost{"v", "text", []string{"a", "b"}, "quorum", true, true},
		&DeleteVHost{"v"},
		&SetVHostLimits{"v", Limits{"max-queues": -1, "max-connections": 7}},
		&SetTracing{"v", true},
		&PutUser{"u\xff", "hash", "alg", []string{"administrator"}},
		&DeleteUser{"u"},
		&SetUserLimits{"u", Limits{"max-channels": 1 << 40}},
		&SetPermissions{"u", "v", "a", "b", "c"},
		&ClearPermissions{"u", "v"},
		&SetTopicPermissions{"u", "v", "x", "a", "b"},
		&ClearTopicPermissions{"u", "v", "x", true},
		&SetPolicy{"v", "p", true, "^a", "queues", -5, []byte(`{"max-length":1}`)},
		&DeletePolicy{"v", "p", true},
		&SetParameter{"v", "shovel", "s", []byte(`{}`)},
		&DeleteParameter{"v", "shovel", "s"},
		&SetGlobalParameter{"g", []byte(`1`)},
		&DeleteGlobalParameter{"g"},
		&DeclareExchange{"v", "x", "topic", true, true, true, args, "u", false},
		&DeleteExchange{"v", "x", true},
		&DeclareQueue{"v", "q\xfe\n", true, true, true, "conn", args, 1 << 60, true, "u"},
		&DeleteQueue{"v", "q", 9, "conn", true},
		&Bind{"v", "x", ToExchange, "y", "k", args, "conn"},
		&Unbind{"v", "x", ToExchange, "y", "k", args, "conn"},
	}
}

func TestMarshal(t *testing.T) {
	seen := map[op]bool{}
	for _, c := range someCommands() {
		seen[c.op()] = true
		b, err := Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(b)
		if err != nil || !reflect.DeepEqual(c, back) {
			t.Errorf("%T: %v\n%+v\n%+v", c, err, c, back)
		}
		// What an older program wrote: fields at the end are missing.
		if _, err := Unmarshal(b[:2]); err != nil {
			t.Errorf("%T without fields: %v", c, err)
		}
		// What a newer program wrote.
		if _, err := Unmarshal(append(b, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%T with more fields: %v", c, err)
		}
		for i := 3; i < len(b); i++ {
			Unmarshal(b[:i]) // whatever it says, it does not panic
		}
	}
	for o := op(1); newCommand(o) != nil; o++ {
		if newCommand(o).op() != o || !seen[o] {
			t.Errorf("command %d is not tested or answers to another number", o)
		}
	}
	if _, err := Unmarshal([]byte{2, 1}); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	if _, err := Unmarshal([]byte{1, 200}); !errors.Is(err, ErrOp) {
		t.Error(err)
	}
	if _, err := Unmarshal(nil); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// TestOpcodes: what is on disk must be read by every later program.
func TestOpcodes(t *testing.T) {
	if opPutVHost != 1 || opSetPolicy != 12 || opDeclareExchange != 18 || opUnbind != 23 {
		t.Error("an opcode has moved")
	}
	b, _ := Marshal(&DeclareQueue{VHost: "/", Name: "q", Durable: true, ID: 300, User: "u"})
	want := []byte{1, 20, 1, '/', 1, 'q', 1, 0, 0, 0, 0, 0xac, 2, 0, 1, 'u'}
	if !bytes.Equal(b, want) {
		t.Errorf("%x", b)
	}
}

// random makes commands that collide often.
type random struct {
	*rand.Rand
	id uint64
}

func (r *random) pick(s ...string) string { return s[r.IntN(len(s))] }
func (r *random) yes() bool               { return r.IntN(2) == 0 }

func (r *random) command() Command {
	vhost := r.pick("/", "/", "/", "v")
	xs := []string{"amq.topic", "a", "b", "c", "d", "e"}
	qs := []string{"p", "q", "r", "s", "t"}
	var args Args
	if r.IntN(3) == 0 {
		args = args.Set("x-max-length", wire.Int32(r.IntN(2))).Set("a", wire.String(r.pick("x", "y")))
	}
	switch n := r.IntN(100); {
	case n < 20:
		return &DeclareExchange{VHost: vhost, Name: r.pick(xs...), Type: r.pick("fanout", "direct"), Durable: r.yes(), AutoDelete: r.IntN(3) > 0, Args: args}
	case n < 25:
		return &DeleteExchange{VHost: vhost, Name: r.pick(xs...), IfUnused: r.yes()}
	case n < 40:
		r.id++
		if r.IntN(4) == 0 {
			args = args.Set("x-queue-type", wire.String("quorum"))
		}
		return &DeclareQueue{VHost: vhost, Name: r.pick(qs...), Durable: r.yes(), Exclusive: r.IntN(4) == 0, Owner: r.pick("A", "B"), Args: args, ID: r.id}
	case n < 48:
		return &DeleteQueue{VHost: vhost, Name: r.pick(qs...), Conn: r.pick("A", "B"), Internal: r.yes()}
	case n < 80:
		b := Bind{VHost: vhost, Source: r.pick(xs...), Key: r.pick("k", "l"), Args: args, Conn: r.pick("A", "B")}
		if b.Dest = r.pick(qs...); r.yes() {
			b.DestKind, b.Dest = ToExchange, r.pick(xs...)
		}
		if r.IntN(3) == 0 {
			return (*Unbind)(&b)
		}
		return &b
	case n < 86:
		return &SetPolicy{VHost: vhost, Name: r.pick("1", "2", "3"), Operator: r.IntN(3) == 0, Pattern: r.pick("^[ap]", "[bq]$", ".", "^(?!a)"),
			ApplyTo: r.pick("all", "queues", "exchanges", "quorum_queues"), Priority: int64(r.IntN(3)),
			Definition: []byte(r.pick(`{"max-length":3}`, `{"max-length": 4, "overflow":"reject-publish"}`, `{"delivery-limit":3}`))}
	case n < 89:
		return &DeletePolicy{VHost: vhost, Name: r.pick("1", "2", "3"), Operator: r.IntN(3) == 0}
	case n < 91:
		return &PutUser{Name: r.pick("u", "w"), PasswordHash: r.pick("x", "y")}
	case n < 93:
		return &SetPermissions{User: r.pick("u", "w"), VHost: vhost, Read: r.pick("x", "y")}
	case n < 95:
		return &SetTopicPermissions{User: r.pick("u", "w"), VHost: vhost, Exchange: r.pick(xs...), Read: r.pick("x", "y")}
	case n < 96:
		return &DeleteUser{Name: r.pick("u", "w")}
	case n < 97:
		return &SetVHostLimits{VHost: vhost, Limits: Limits{"max-queues": int64(r.IntN(6) - 1)}}
	case n < 98:
		return &SetParameter{VHost: vhost, Component: "shovel", Name: r.pick("x", "y"), Value: []byte(r.pick("1", "{}"))}
	case n < 99:
		return &PutVHost{Name: vhost, Description: r.pick("x", "y"), DefaultQueueType: r.pick("", "quorum")}
	}
	return &DeleteVHost{Name: vhost}
}

// TestDeterministic: the same commands give the same changes and definitions;
// what was to be stored gives the same durable definitions; so does a snapshot.
func TestDeterministic(t *testing.T) {
	for seed := range uint64(30) {
		r := &random{Rand: rand.New(rand.NewPCG(seed, 1))}
		a, b, replayed := New(), New(), New()
		for i := range 1500 {
			c := r.command()
			raw, _ := Marshal(c)
			c2, err := Unmarshal(raw)
			if err != nil {
				t.Fatal(err)
			}
			before := a.Snapshot()
			ra, errA := a.Apply(c)
			rb, errB := b.Apply(c2)
			if fmt.Sprint(errA) != fmt.Sprint(errB) || !reflect.DeepEqual(describeAll(ra), describeAll(rb)) {
				t.Fatalf("seed %d, command %d: %+v: %v, %v", seed, i, c, errA, errB)
			}
			after := a.Snapshot()
			if errA != nil && !bytes.Equal(before, after) {
				t.Fatalf("seed %d, command %d: %+v: refused but done: %v", seed, i, c, errA)
			}
			if ra.Durable != (len(ra.Log) > 0) {
				t.Fatal("Durable does not fit Log")
			}
			if !ra.Durable && !bytes.Equal(withoutMax(before), withoutMax(after)) {
				t.Fatalf("seed %d, command %d: %+v changes what is durable and stores nothing", seed, i, c)
			}
			for _, l := range ra.Log {
				if err := replayed.Replay(l); err != nil {
					t.Fatal(err)
				}
				if err := replayed.Replay(l); err != nil {
					t.Fatalf("the second time: %v", err)
				}
			}
			if i%50 == 0 {
				check(t, a)
				check(t, replayed)
			}
		}
		snap := a.Snapshot()
		if !bytes.Equal(snap, b.Snapshot()) {
			t.Fatalf("seed %d: snapshots differ", seed)
		}
		replayed.maxID = a.maxID
		if !bytes.Equal(snap, replayed.Snapshot()) {
			t.Fatalf("seed %d: what was stored differs", seed)
		}
		restored := New()
		if err := restored.Restore(snap); err != nil {
			t.Fatal(err)
		}
		check(t, restored)
		if !bytes.Equal(snap, restored.Snapshot()) {
			t.Fatalf("seed %d: restored definitions differ", seed)
		}
		for v := range restored.VHosts() {
			for q := range restored.Queues(v.Name) {
				if o := a.Queue(v.Name, q.Name); !reflect.DeepEqual(o.Effective, q.Effective) || o.ID != q.ID || a.QueueByID(q.ID) != o {
					t.Fatalf("queue %+v was %+v", q, o)
				}
			}
		}
	}
}

func describeAll(r Result) (out []string) {
	for _, c := range r.Changes {
		out = append(out, describe(c))
	}
	return append(out, fmt.Sprint(r.Existed, len(r.Log)))
}

// withoutMax is a snapshot without the largest queue id, which transient queues raise too.
func withoutMax(b []byte) []byte {
	c := codec{buf: b[5:]}
	var id uint64
	c.uint(&id)
	return c.buf
}

// TestImmutable: a policy makes new values and leaves those that others hold.
func TestImmutable(t *testing.T) {
	s := newState(t, Options{})
	old := must(t, s, &DeclareQueue{VHost: "/", Name: "q", ID: 1}).Queue
	must(t, s, &SetPolicy{VHost: "/", Name: "p", Pattern: ".", Definition: []byte(`{"max-length":5}`)})
	q := s.Queue("/", "q")
	if old.Effective.MaxLength != None || q.Effective.MaxLength != 5 || q.ID != old.ID || s.QueueByID(1) != q {
		t.Errorf("%+v %+v", old, q)
	}
	if q.EffectivePolicy() == nil || old.EffectivePolicy() != nil {
		t.Error("effective policy")
	}
	v := s.VHost("/")
	must(t, s, &SetTracing{VHost: "/", On: true})
	if v.Tracing || !s.VHost("/").Tracing {
		t.Error("tracing")
	}
}

func TestQueueID(t *testing.T) {
	s := newState(t, Options{})
	must(t, s, &DeclareQueue{VHost: "/", Name: "q", ID: 7})
	for _, id := range []uint64{0, 7} {
		_, err := s.Apply(&DeclareQueue{VHost: "/", Name: "r", ID: id})
		if answer(t, err) != fmt.Sprintf("541 queue id %d is not new", id) {
			t.Error(err)
		}
	}
	must(t, s, &DeleteQueue{VHost: "/", Name: "q"})
	s2 := New()
	if err := s2.Restore(s.Snapshot()); err != nil || s2.MaxQueueID() != 7 {
		t.Error(err, s2.MaxQueueID())
	}
}

func TestDefaultDeliveryLimit(t *testing.T) {
	s := newState(t, Options{DefaultDeliveryLimit: -1})
	q := must(t, s, &DeclareQueue{VHost: "/", Name: "q", ID: 7, Durable: true, Args: table(t, `{x-queue-type:"quorum"}`)}).Queue
	if q.Effective.DeliveryLimit != None || !q.Effective.DeliveryLimitIsByDefault {
		t.Errorf("%+v", q.Effective)
	}
}

func TestBootstrap(t *testing.T) {
	s := New()
	for _, c := range Bootstrap(&PutUser{Name: "guest", PasswordHash: "hash", Algorithm: "alg", Tags: []string{"administrator"}},
		&SetPermissions{User: "guest", VHost: "/", Configure: ".*", Write: ".*", Read: ".*"}) {
		must(t, s, c)
	}
	if s.User("guest") == nil || s.Permission("guest", "/").Read != ".*" || s.ExchangeCount("/") != 6 {
		t.Error("not what it should be")
	}
}

func TestQueuesFrom(t *testing.T) {
	s := newState(t, Options{})
	for i, n := range []string{"d", "b", "a", "c"} {
		must(t, s, &DeclareQueue{VHost: "/", Name: n, ID: uint64(i + 1)})
	}
	var got []string
	for q := range s.QueuesFrom("/", "bb") {
		got = append(got, q.Name)
	}
	if fmt.Sprint(got) != "[c d]" {
		t.Error(got)
	}
}

// TestOrdered compares with a sorted slice.
func TestOrdered(t *testing.T) {
	for _, keys := range []int{10, 3000, 20000} {
		r := rand.New(rand.NewPCG(uint64(keys), 2))
		var o ordered[int]
		want := map[string]int{}
		for i := range 12000 {
			k := fmt.Sprint(r.IntN(keys))
			if keys == 3000 && i < 6000 {
				k = fmt.Sprintf("%06d", i) // in order
			}
			if r.IntN(3) == 0 {
				o.delete(k)
				delete(want, k)
			} else {
				o.set(k, i)
				want[k] = i
			}
		}
		var names []string
		for k, v := range want {
			names = append(names, k)
			if got, ok := o.get(k); !ok || got != v {
				t.Fatalf("%s: %d, %v", k, got, ok)
			}
		}
		slices.Sort(names)
		i := 0
		for v := range o.all() {
			if v != want[names[i]] {
				t.Fatalf("at %d: %d", i, v)
			}
			i++
		}
		if i != len(names) || o.n != i {
			t.Fatalf("%d of %d, %d", i, len(names), o.n)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, c := range someCommands() {
		b, _ := Marshal(c)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Unmarshal(b)
		if err != nil {
			return
		}
		again, _ := Marshal(c)
		c2, err := Unmarshal(again)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if b3, _ := Marshal(c2); !bytes.Equal(again, b3) {
			t.Fatalf("%+v\n%+v", c, c2)
		}
		s := newState(t, Options{})
		s.Apply(&PutUser{Name: "u"})
		s.Apply(c)
		s.Replay(c)
		check(t, s)
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(New().Snapshot())
	r := &random{Rand: rand.New(rand.NewPCG(1, 1))}
	s := New()
	s.Apply(&PutVHost{Name: "/"})
	for range 100 {
		s.Apply(r.command())
	}
	f.Add(s.Snapshot())
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New()
		if err := s.Restore(b); err != nil {
			return
		}
		check(t, s)
		snap := s.Snapshot()
		s2 := New()
		if err := s2.Restore(snap); err != nil || !bytes.Equal(snap, s2.Snapshot()) {
			t.Fatalf("not stable: %v", err)
		}
	})
}

func manyQueues(tb testing.TB, n int) *State {
	s := newState(tb, Options{})
	for i := range 100 {
		must(tb, s, &DeclareExchange{VHost: "/", Name: fmt.Sprint("exchange-", i), Type: "topic", Durable: true})
	}
	args := table(tb, `{x-max-length:100000,x-message-ttl:60000,x-queue-type:"classic"}`)
	for i := range n {
		name := fmt.Sprintf("service.%d.queue.%d", i%97, i)
		must(tb, s, &DeclareQueue{VHost: "/", Name: name, Durable: true, Args: args, ID: uint64(i + 1)})
		must(tb, s, &Bind{VHost: "/", Source: fmt.Sprint("exchange-", i%100), Dest: name, Key: fmt.Sprintf("a.b.%d.*", i)})
	}
	return s
}

func BenchmarkRestore10000(b *testing.B) {
	snap := manyQueues(b, 10_000).Snapshot()
	b.SetBytes(int64(len(snap)))
	for b.Loop() {
		if err := New().Restore(snap); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshot10000(b *testing.B) {
	s := manyQueues(b, 10_000)
	for b.Loop() {
		s.Snapshot()
	}
}

// A queue comes and goes beside 100,000 others.
func BenchmarkQueueAmong100000(b *testing.B) {
	s := manyQueues(b, 100_000)
	id := uint64(1 << 30)
	for b.Loop() {
		id++
		must(b, s, &DeclareQueue{VHost: "/", Name: "service.5.new", ID: id})
		must(b, s, &Bind{VHost: "/", Source: "exchange-1", Dest: "service.5.new", Key: "k"})
		must(b, s, &DeleteQueue{VHost: "/", Name: "service.5.new", ID: id})
	}
}

func BenchmarkPolicyOver100000(b *testing.B) {
	s := manyQueues(b, 100_000)
	for b.Loop() {
		must(b, s, &SetPolicy{VHost: "/", Name: "p", Pattern: `^service\.5\.`, Definition: []byte(`{"max-length":5}`)})
	}
}
