package crash

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store/check"
	"github.com/warrenmq/warren/internal/vfs"
)

var (
	seedFlag  = flag.Int64("seed", -1, "run this story of TestPowerLoss only")
	seedsFlag = flag.Int("seeds", 0, "number of stories of TestPowerLoss")
	firstFlag = flag.Int64("first", 0, "first story of TestPowerLoss")
	tellFlag  = flag.Bool("tell", false, "TestPowerLoss: print what happens")
)

// Every bigEvery-th story has queues so long that they are paged to disk.
const bigEvery = 50

// TestPowerLoss tells stories: a broker is used, the power fails at a random
// file operation, the broker starts on what the disk may have kept, is
// compared with what it had promised, and is used on.
func TestPowerLoss(t *testing.T) {
	if *seedFlag >= 0 {
		if err := tellStory(*seedFlag, nil); err != nil {
			t.Fatalf("seed %d: %v", *seedFlag, err)
		}
		return
	}
	n := 1000
	if testing.Short() {
		n = 100
	}
	if *seedsFlag > 0 {
		n = *seedsFlag
	}
	var next, failures atomic.Int64
	next.Store(*firstFlag)
	end := *firstFlag + int64(n)
	var sum totals
	var wg sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for failures.Load() < 10 {
				seed := next.Add(1) - 1
				if seed >= end {
					return
				}
				if err := tellStory(seed, &sum); err != nil {
					failures.Add(1)
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d stories: %d crashes (%d of them during recovery), %d clean stops, %d checkpoints, %d messages confirmed, %d dead letters found twice",
		n, sum.crashes.Load(), sum.inRecovery.Load(), sum.stops.Load(), sum.checkpoints.Load(), sum.confirmed.Load(), sum.twice.Load())
}

type totals struct {
	crashes, inRecovery, stops, checkpoints, confirmed, twice atomic.Int64
}

// what happened, in order. Intentions are noted before the call, outcomes
// after it, so that a crash in between leaves the call undecided.
type what uint8

const (
	published what = iota // id, into queues
	confirmed             // id
	taking                // id leaves queue, by acknowledgement or rejection
	taken
	requeuing
	requeued
	declaring // queue
	declared
	deleting
	deleted
	burying // id is rejected and goes to the dead-letter target
	buried
)

type event struct {
	what   what
	queue  string
	queues []string
	id     uint64
	prio   uint8
	size   int
}

// Tri-state of a definition.
const (
	absent = iota
	present
	unknown
)

// knowledge is what must be so after a crash.
type knowledge struct {
	queues map[string]*queueFacts
	order  uint64
}

type queueFacts struct {
	state int
	any   bool // messages may be missing: a deletion was under way
	msgs  map[uint64]*fact
}

type fact struct {
	order     uint64
	prio      uint8
	size      int
	confirmed bool
	mayGo     bool // somebody began to take it
	gone      bool // and that is durable
	buried    bool // left for the dead-letter target, durably
	returned  int  // at most so many failed deliveries
	returnedD int  // durable ones
}

// world is one story.
type world struct {
	seed    int64
	rng     *rand.Rand
	big     bool
	sum     *totals
	plan    map[string]queuePlan
	names   []string
	crashes int
	nextID  uint64
	k       *knowledge // at the start of the chapter

	segment, ckpt int64
	errors        lockedBuilder // what brokers logged

	mu     sync.Mutex
	events []event
	frozen int // events that had happened when the power failed; -1: it has not
	image  *vfs.Mem
	broken error
	logged bool // something was confirmed in this chapter: the log is not as a clean stop left it
}

// lockedBuilder is a strings.Builder for several goroutines.
type lockedBuilder struct {
	mu sync.Mutex
	strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

type queuePlan struct {
	durable bool
	args    wire.Table
	fan     bool   // bound to the fanout exchange
	target  string // dead letters go there
	timed   bool   // messages expire into target
	prio    uint8
	quorum  bool
	fixed   bool // declared at the start and never deleted
	isDL    bool // is a target
}

func text(s string) wire.Value { return wire.String(s) }

func newWorld(seed int64, sum *totals) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(uint64(seed), 0x77617272656e)), sum: sum, plan: map[string]queuePlan{}, nextID: 1}
	w.big = seed%bigEvery == bigEvery-1
	pick := func(p int) bool { return w.rng.IntN(100) < p }
	add := func(name string, p queuePlan) {
		p.durable = true
		w.plan[name] = p
		w.names = append(w.names, name)
	}
	quorum := wire.Table{{Key: "x-queue-type", Value: text("quorum")}}
	if pick(30) {
		quorum = append(quorum, wire.Field{Key: "x-delivery-limit", Value: wire.Int64(-1)})
	}
	if w.big {
		switch w.rng.IntN(3) {
		case 0:
			add("c", queuePlan{fixed: true})
		case 1:
			add("p", queuePlan{fixed: true, prio: 3, args: wire.Table{{Key: "x-max-priority", Value: wire.Int64(3)}}})
		case 2:
			add("k", queuePlan{fixed: true, quorum: true, args: quorum})
		}
		w.segment, w.ckpt = 256<<10, int64(256<<10+w.rng.IntN(4<<20))
	} else {
		add("c", queuePlan{fixed: true})
		if pick(50) {
			add("p", queuePlan{fixed: true, prio: 5, args: wire.Table{{Key: "x-max-priority", Value: wire.Int64(5)}}})
		}
		if pick(50) {
			add("k", queuePlan{fixed: true, quorum: true, args: quorum})
		}
		if pick(50) {
			for _, n := range []string{"f1", "f2", "f3"} {
				add(n, queuePlan{fixed: true, fan: true})
			}
		}
		dlx := func(to string) wire.Table {
			return wire.Table{{Key: "x-dead-letter-exchange", Value: text("")}, {Key: "x-dead-letter-routing-key", Value: text(to)}}
		}
		if pick(50) {
			add("d", queuePlan{fixed: true, target: "dt", args: dlx("dt")})
			add("dt", queuePlan{fixed: true, isDL: true})
		}
		if pick(30) {
			a := append(dlx("tt"), wire.Field{Key: "x-message-ttl", Value: wire.Int64(int64(1 + w.rng.IntN(60)))})
			add("t", queuePlan{fixed: true, target: "tt", timed: true, args: a})
			add("tt", queuePlan{fixed: true, isDL: true})
		}
		if pick(30) {
			a := append(dlx("mt"), wire.Field{Key: "x-max-length", Value: wire.Int64(int64(1 + w.rng.IntN(10)))})
			add("m", queuePlan{fixed: true, target: "mt", timed: true, args: a})
			add("mt", queuePlan{fixed: true, isDL: true})
		}
		for i := range w.rng.IntN(4) {
			add(fmt.Sprintf("x%d", i), queuePlan{fan: pick(50)})
		}
		w.segment = int64(4<<10) << w.rng.IntN(5)
		w.ckpt = w.segment * int64(1+w.rng.IntN(6))
	}
	w.k = &knowledge{queues: map[string]*queueFacts{}}
	return w
}

// tellStory runs one story.
func tellStory(seed int64, sum *totals) (err error) {
	if sum == nil {
		sum = &totals{}
	}
	w := newWorld(seed, sum)
	disk := vfs.NewMem()
	chapters := 2 + w.rng.IntN(3)
	if w.big {
		chapters = 3
	}
	for i := range chapters {
		clean, err := w.chapter(disk)
		if err == nil {
			disk, err = w.image, nil
			if !clean && w.rng.IntN(3) == 0 {
				disk, err = w.crashRecovery(disk)
			}
		}
		if err == nil {
			err = w.verify(disk, clean)
		}
		if err != nil {
			return fmt.Errorf("chapter %d: %w\n  log: %s", i, err, w.errors.String())
		}
	}
	return nil
}

func (w *world) open(fs vfs.FS) (*broker.Broker, error) {
	var out io.Writer = &w.errors
	level := slog.LevelError
	if *tellFlag {
		out, level = os.Stderr, slog.LevelDebug
	}
	return broker.Open(broker.Config{
		FS: fs, Dir: "data", SegmentSize: w.segment, CheckpointBytes: w.ckpt,
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}},
		Logger:    slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})),
	})
}

// freeze makes the power fail: what happened so far counts.
func (w *world) freeze(disk *vfs.Mem, rng *rand.Rand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frozen < 0 {
		w.frozen = len(w.events)
		w.image = disk.CrashClone(rng)
	}
}

func (w *world) note(e event) {
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
}

func (w *world) dead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frozen >= 0
}

// crashRecovery lets the power fail again while the broker starts.
func (w *world) crashRecovery(disk *vfs.Mem) (*vfs.Mem, error) {
	rng := rand.New(rand.NewPCG(w.rng.Uint64(), 1))
	var mu sync.Mutex
	var image *vfs.Mem
	f := vfs.NewFaults(disk)
	f.Add(vfs.Rule{Skip: w.rng.IntN(40), Count: 1, Do: func() {
		mu.Lock()
		defer mu.Unlock()
		if image == nil {
			image = disk.CrashClone(rng)
		}
	}})
	b, err := w.open(f)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if image == nil {
		image = disk.CrashClone(rng)
	}
	mu.Unlock()
	err = b.Close()
	mu.Lock()
	w.crashes++
	w.sum.crashes.Add(1)
	w.sum.inRecovery.Add(1)
	return image, err
}

// outlet is a channel's other side.
type outlet struct {
	w    *world
	ids  []event // the publishes, by number
	told uint64  // confirmed up to here
	held map[string][]delivery
	n    atomic.Int64
	got  func(queue string, d queueproc.Delivery, m *message.Message)
}

type delivery struct {
	q  *queueproc.Queue
	s  queueproc.Settle
	id uint64
	n  uint32
}

func (o *outlet) Deliver(c *queueproc.Consumer, d queueproc.Delivery, m *message.Message) {
	o.n.Add(1)
	if o.got != nil {
		o.got(c.Queue.Name, d, m)
		return
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.held[c.Queue.Name] = append(o.held[c.Queue.Name], delivery{c.Queue, queueproc.Settle{Slot: d.Slot, Seq: d.Seq}, idOf(m.Body), d.Count})
}
func (o *outlet) Flush() bool                { return false }
func (o *outlet) Cancel(*queueproc.Consumer) {}
func (o *outlet) Overdue() bool              { return false }
func (o *outlet) Refuse(seq uint64) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.told = seq
	if o.w.frozen < 0 {
		o.w.broken = fmt.Errorf("publish %d was refused", seq)
	}
}

func (o *outlet) Confirm(seq uint64, multiple bool) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if !multiple && seq != o.told+1 {
		o.w.broken = fmt.Errorf("confirm %d after %d", seq, o.told)
	}
	for o.told < seq {
		o.w.events = append(o.w.events, event{what: confirmed, id: o.ids[o.told].id, queues: o.ids[o.told].queues})
		o.told++
	}
}

// A body is the id, then bytes that follow from it.
func bodyOf(id uint64, size int) []byte {
	b := make([]byte, max(size, 8))
	binary.BigEndian.PutUint64(b, id)
	for i := 8; i < len(b); i++ {
		b[i] = byte(id) + byte(i)
	}
	return b
}

func idOf(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func bodyOK(b []byte) bool { return len(b) >= 8 && string(bodyOf(idOf(b), len(b))) == string(b) }

// actor is what drives the broker during a chapter.
type actor struct {
	w    *world
	b    *broker.Broker
	c    *broker.Client
	ch   *broker.Channel
	out  *outlet
	live map[string]bool // queues that exist
}

// chapter uses the broker on disk until the power fails or it is stopped in
// order. Afterwards w.image is the disk.
func (w *world) chapter(disk *vfs.Mem) (clean bool, err error) {
	w.events, w.frozen, w.image, w.broken, w.logged = nil, -1, nil, nil, false
	crashRNG := rand.New(rand.NewPCG(w.rng.Uint64(), 2))
	f := vfs.NewFaults(disk)
	var ckpts atomic.Int64
	f.Add(vfs.Rule{Op: vfs.OpRename, Match: "checkpoint", Do: func() { ckpts.Add(1) }})
	clean = w.rng.IntN(8) == 0
	if slow := w.rng.IntN(3); slow > 0 {
		d := time.Duration(w.rng.IntN(1000*slow)) * time.Microsecond
		f.Add(vfs.Rule{Op: vfs.OpSync, Do: func() { time.Sleep(d) }})
	}
	var rule *vfs.Rule
	if !clean {
		ops := []vfs.Op{vfs.OpAny, vfs.OpAny, vfs.OpWrite, vfs.OpSync, vfs.OpSync, vfs.OpRename, vfs.OpSyncDir, vfs.OpRemove}
		op := ops[w.rng.IntN(len(ops))]
		most := 1 << w.rng.IntN(9)
		if op == vfs.OpRename || op == vfs.OpSyncDir || op == vfs.OpRemove {
			most = 1 << w.rng.IntN(5)
		}
		rule = &vfs.Rule{Op: op, Skip: w.rng.IntN(most), Count: 1, Do: func() { w.freeze(disk, crashRNG) }}
	}
	b, err := w.open(f)
	if err != nil {
		return clean, fmt.Errorf("open: %w", err)
	}
	if rule != nil {
		f.Add(*rule)
	}
	a := &actor{w: w, b: b, live: map[string]bool{}}
	err = a.begin()
	if err == nil {
		err = a.act()
	}
	if clean && err == nil {
		a.flush(true)
	} else if w.rng.IntN(2) == 0 {
		a.flush(w.rng.IntN(2) == 0)
	}
	if !clean {
		w.freeze(disk, crashRNG)
	}
	a.ch.Close()
	a.c.Close()
	cerr := b.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if clean {
		w.frozen, w.image = len(w.events), disk.CrashClone(crashRNG)
		w.sum.stops.Add(1)
	} else {
		w.crashes++
		w.sum.crashes.Add(1)
	}
	w.sum.checkpoints.Add(ckpts.Load())
	if err == nil {
		err = cerr
	}
	if err == nil {
		err = w.broken
	}
	return clean, err
}

func (a *actor) begin() (err error) {
	w := a.w
	if a.c, err = a.b.Connect(broker.ClientInfo{ID: "story", User: "guest", VHost: "/", Name: "story"}); err != nil {
		return err
	}
	a.out = &outlet{w: w, held: map[string][]delivery{}}
	a.ch = a.c.NewChannel(a.out)
	if err := a.ch.SelectConfirm(); err != nil {
		return err
	}
	if err := a.c.DeclareExchange(broker.ExchangeSpec{Name: "fan", Type: "fanout", Durable: true}); err != nil {
		return err
	}
	for name, q := range w.k.queues {
		a.live[name] = q.state == present
	}
	for _, name := range w.names {
		// What is there is declared again: its binding may be lost.
		if w.plan[name].fixed || a.live[name] {
			if err := a.declare(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *actor) declare(name string) error {
	p := a.w.plan[name]
	a.w.note(event{what: declaring, queue: name})
	_, err := a.c.DeclareQueue(broker.QueueSpec{Name: name, Durable: p.durable, Args: meta.NewArgs(p.args)})
	if err != nil {
		return err
	}
	if p.fan {
		if err := a.c.Bind(broker.BindSpec{Source: "fan", DestKind: meta.ToQueue, Dest: name}); err != nil {
			return err
		}
	}
	a.live[name] = true
	a.w.note(event{what: declared, queue: name})
	return nil
}

func (a *actor) delete(name string) error {
	a.flush(false)
	a.w.note(event{what: deleting, queue: name})
	a.live[name] = false
	if err := a.c.DeleteQueue(name, false, false, func(int) {}); err != nil {
		return err
	}
	a.w.mu.Lock()
	delete(a.out.held, name)
	a.w.mu.Unlock()
	a.w.note(event{what: deleted, queue: name})
	return nil
}

// flush ends a run of input; wait: until all is confirmed.
func (a *actor) flush(wait bool) {
	a.c.Settle()
	deadline := time.Now().Add(20 * time.Second)
	for wait {
		a.w.mu.Lock()
		done := int(a.out.told) == len(a.out.ids) || a.w.frozen >= 0
		if !done && time.Now().After(deadline) {
			a.w.broken = fmt.Errorf("%d of %d publishes confirmed after 20 s", a.out.told, len(a.out.ids))
			done = true
		}
		a.w.mu.Unlock()
		if done {
			return
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func (a *actor) act() error {
	w := a.w
	steps := 20 + w.rng.IntN(100)
	if w.big {
		steps = 16 + w.rng.IntN(20)
	}
	consumed := map[string]*queueproc.Consumer{}
	for range steps {
		if w.dead() {
			return nil
		}
		name := w.names[w.rng.IntN(len(w.names))]
		p := w.plan[name]
		var err error
		switch r := w.rng.IntN(100); {
		case r < 40:
			if a.live[name] && !p.isDL {
				a.publish("", name, a.count())
			}
		case r < 48:
			a.publish("fan", "", 1+w.rng.IntN(10))
		case r < 53:
			if p.fixed || consumed[name] != nil {
				break
			}
			if a.live[name] {
				err = a.delete(name)
			} else {
				err = a.declare(name)
			}
		case r < 58:
			if c := consumed[name]; c != nil {
				a.ch.Cancel(c)
				delete(consumed, name)
			} else if a.live[name] && p.fixed {
				consumed[name], err = a.ch.Consume(broker.ConsumeSpec{Queue: name, Tag: name, Prefetch: uint32(1 + w.rng.IntN(50))}, nil)
			}
		case r < 72:
			if a.live[name] {
				err = a.get(name, a.count())
			}
		default:
			a.settle(name)
		}
		if err != nil {
			if w.dead() {
				return nil
			}
			return err
		}
		switch w.rng.IntN(6) {
		case 0:
			a.flush(true)
		case 1, 2:
			a.flush(false)
		}
	}
	return nil
}

func (a *actor) count() int {
	if a.w.big {
		return 1 + a.w.rng.IntN(5000)
	}
	return 1 + a.w.rng.IntN(15)
}

func (a *actor) publish(exchange, key string, n int) {
	w := a.w
	a.c.Flush()
	for range n {
		id := w.nextID
		w.nextID++
		size := 8 + w.rng.IntN(100)
		switch {
		case w.big:
			size = 8 + w.rng.IntN(20)
		case w.rng.IntN(10) == 0:
			size = 500 + w.rng.IntN(4000)
		}
		var queues []string
		if exchange == "" {
			queues = []string{key}
		} else {
			for _, q := range w.names {
				if a.live[q] && w.plan[q].fan {
					queues = append(queues, q)
				}
			}
		}
		prio := uint8(0)
		props := wire.Properties{DeliveryMode: 2}
		if exchange == "" && w.plan[key].prio > 0 {
			prio = uint8(w.rng.IntN(int(w.plan[key].prio) + 1))
			props.Priority = prio
			props.Flags |= wire.FlagPriority
		}
		if w.rng.IntN(10) == 0 && !w.plan[key].timed {
			props.Expiration = "3600000"
		}
		w.mu.Lock()
		e := event{what: published, queues: queues, id: id, prio: prio, size: size}
		w.events = append(w.events, e)
		a.out.ids = append(a.out.ids, e)
		w.mu.Unlock()
		m := message.Message{Exchange: []byte(exchange), RoutingKey: []byte(key), Props: props.Append(nil), Body: bodyOf(id, size)}
		routed, err := a.ch.Publish(&m)
		if err != nil {
			w.mu.Lock()
			if w.frozen < 0 {
				w.broken = err
			}
			w.mu.Unlock()
			return
		}
		if !routed {
			a.ch.Unrouted()
		}
	}
	a.c.Flush()
}

func (a *actor) get(name string, n int) error {
	w := a.w
	noAck := w.rng.IntN(3) == 0
	for range n {
		if n&63 == 63 && w.dead() {
			return nil
		}
		var id uint64
		ok, err := a.ch.Get(name, noAck, func(q *queueproc.Queue, d queueproc.Delivery, m *message.Message, _ int) {
			id = idOf(m.Body)
			w.mu.Lock()
			defer w.mu.Unlock()
			if noAck {
				w.events = append(w.events, event{what: taking, queue: name, id: id})
			} else {
				a.out.held[name] = append(a.out.held[name], delivery{q, queueproc.Settle{Slot: d.Slot, Seq: d.Seq}, id, d.Count})
			}
		})
		if !ok || err != nil {
			return err
		}
		if noAck {
			w.note(event{what: taken, queue: name, id: id})
		}
	}
	return nil
}

// settle ends some of the deliveries of a queue.
func (a *actor) settle(name string) {
	w := a.w
	w.mu.Lock()
	h := a.out.held[name]
	var mine []delivery
	if len(h) > 0 {
		from := 0
		if w.rng.IntN(2) == 0 {
			from = w.rng.IntN(len(h))
		}
		to := from + 1 + w.rng.IntN(len(h)-from)
		mine = append(mine, h[from:to]...)
		a.out.held[name] = append(h[:from:from], h[to:]...)
	}
	w.mu.Unlock()
	if len(mine) == 0 {
		return
	}
	p := w.plan[name]
	outcome, before, after := queue.Ack, taking, taken
	switch r := w.rng.IntN(10); {
	case r < 3:
		outcome, before, after = queue.Requeue, requeuing, requeued
		if p.quorum {
			for _, d := range mine {
				if d.n > 8 {
					outcome, before, after = queue.Ack, taking, taken
				}
			}
		}
	case r < 5:
		outcome = queue.Reject
		if p.target != "" {
			before, after = burying, buried
		}
	}
	s := make([]queueproc.Settle, len(mine))
	w.mu.Lock()
	for i, d := range mine {
		s[i] = d.s
		w.events = append(w.events, event{what: before, queue: name, id: d.id})
	}
	w.mu.Unlock()
	a.ch.Settle(mine[0].q, s, outcome)
	w.mu.Lock()
	for _, d := range mine {
		w.events = append(w.events, event{what: after, queue: name, id: d.id})
	}
	w.mu.Unlock()
}

// learn adds what happened until the crash to what must be so.
func (w *world) learn() {
	k := w.k
	type done struct {
		e event
		q *queueFacts
	}
	var list []done
	durable := 0
	marks := map[uint64]int{}
	sync := func(to int) {
		for ; durable < to; durable++ {
			d := list[durable]
			f := d.q.msgs[d.e.id]
			if f == nil {
				continue
			}
			switch d.e.what {
			case taken:
				f.gone = true
			case buried:
				f.buried = true
			case requeued:
				f.returnedD++
			}
		}
	}
	began := 0
	for _, e := range w.events[:w.frozen] {
		q := k.queues[e.queue]
		var f *fact
		if q != nil {
			f = q.msgs[e.id]
		}
		switch e.what {
		case published:
			marks[e.id] = len(list)
			k.order++
			for _, n := range e.queues {
				k.queues[n].msgs[e.id] = &fact{order: k.order, prio: e.prio, size: e.size}
			}
		case confirmed:
			for _, q := range k.queues {
				if f := q.msgs[e.id]; f != nil {
					f.confirmed = true
					w.logged = true
				}
			}
			w.sum.confirmed.Add(1)
			if len(e.queues) > 0 { // else nothing was written
				sync(marks[e.id])
			}
		case taking, burying:
			if t := w.plan[e.queue].target; e.what == burying && t != "" {
				break
			}
			if f == nil && w.plan[e.queue].isDL {
				f = w.dlFact(e.queue, e.id)
			}
			if f != nil {
				f.mayGo = true
			}
		case requeuing:
			if f != nil {
				f.returned++
			}
		case taken, buried, requeued:
			list = append(list, done{e, q})
		case declaring, deleting:
			began = len(list)
			if q == nil {
				q = &queueFacts{msgs: map[uint64]*fact{}}
				k.queues[e.queue] = q
			}
			if e.what == deleting {
				q.state, q.any = unknown, true
			} else if q.state == absent {
				q.state = unknown
			}
		case declared:
			if q.state == unknown { // else nothing was written
				sync(began)
			}
			q.state = present
		case deleted:
			sync(began)
			k.queues[e.queue] = &queueFacts{msgs: map[uint64]*fact{}}
		}
	}
}

// dlFact finds the fact of a message that is now in a dead-letter target.
func (w *world) dlFact(target string, id uint64) *fact {
	for name, p := range w.plan {
		if p.target == target {
			if q := w.k.queues[name]; q != nil {
				return q.msgs[id]
			}
		}
	}
	return nil
}

// seen is a message that was found.
type seen struct {
	id          uint64
	size        int
	count       uint32
	redelivered bool
}

// verify opens a copy of the disk, takes everything out and compares.
func (w *world) verify(disk *vfs.Mem, clean bool) error {
	w.learn()
	look := disk.Clone()
	found, err := w.look(look)
	if err != nil {
		return err
	}
	if _, ok := w.plan["t"]; ok {
		// What was on its way from t to tt in this very moment, nobody saw.
		more, err := w.look(look)
		if err != nil {
			return err
		}
		for name, list := range more {
			found[name] = append(found[name], list...)
		}
	}
	var bad []string
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	next := &knowledge{queues: map[string]*queueFacts{}, order: w.k.order}
	for _, name := range w.names {
		q := w.k.queues[name]
		if q == nil {
			q = &queueFacts{}
		}
		got, there := found[name]
		switch {
		case q.state == present && !there:
			wrong("queue %s is not there", name)
		case q.state == absent && there:
			wrong("queue %s is there", name)
		}
		nq := &queueFacts{msgs: map[uint64]*fact{}}
		if there {
			nq.state = present
		}
		next.queues[name] = nq
		p := w.plan[name]
		switch {
		case p.isDL: // with its source
		case p.target != "":
			w.comparePair(name, q, got, found[p.target], nq, wrong)
		default:
			w.compare(name, q, got, clean, nq, wrong)
		}
	}
	w.k = next
	if *tellFlag {
		defer fmt.Fprintln(os.Stderr, "END of chapter")
	}
	if len(bad) == 0 && !*tellFlag {
		return nil
	}
	if *tellFlag {
		fmt.Fprintln(os.Stderr, "DISK", clean)
		check.Dump(os.Stderr, disk.Clone(), "data", check.DumpOptions{Own: true, Text: true})
		for i, e := range w.events {
			if e.what >= declaring && e.what <= deleted {
				fmt.Fprintln(os.Stderr, i, w.frozen, e.what, e.queue)
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	if len(bad) > 12 {
		bad = append(bad[:12], fmt.Sprintf("… and %d more", len(bad)-12))
	}
	return fmt.Errorf("%s\n  files: %s", strings.Join(bad, "\n  "), disk)
}

func (w *world) compare(name string, q *queueFacts, got []seen, clean bool, next *queueFacts, wrong func(string, ...any)) {
	var last *fact
	var lastID uint64
	times := map[uint64]int{}
	for _, s := range got {
		if times[s.id]++; times[s.id] > 1 {
			wrong("queue %s: message %d comes %d times", name, s.id, times[s.id])
			continue
		}
		f := q.msgs[s.id]
		if f == nil {
			wrong("queue %s: message %d was never there, or was gone before", name, s.id)
			continue
		}
		if f.gone {
			wrong("queue %s: message %d was acknowledged durably and is back", name, s.id)
		}
		if s.size != f.size {
			wrong("queue %s: message %d has %d bytes, not %d", name, s.id, s.size, f.size)
		}
		if last != nil && (f.prio > last.prio || f.prio == last.prio && f.order < last.order) {
			wrong("queue %s: message %d (priority %d) comes after %d (priority %d)", name, s.id, f.prio, lastID, last.prio)
		}
		last, lastID = f, s.id
		if !clean && w.logged && !s.redelivered && !w.plan[name].quorum {
			wrong("queue %s: message %d is not marked redelivered after a crash", name, s.id)
		}
		if w.plan[name].quorum && (int(s.count) < f.returnedD || int(s.count) > f.returned) {
			wrong("queue %s: message %d has failed %d times, want %d to %d", name, s.id, s.count, f.returnedD, f.returned)
		}
		next.msgs[s.id] = &fact{order: f.order, prio: f.prio, size: f.size, confirmed: true, returned: int(s.count), returnedD: int(s.count)}
	}
	for id, f := range q.msgs {
		if f.confirmed && !f.mayGo && !q.any && times[id] == 0 {
			wrong("queue %s: message %d was confirmed and is lost", name, id)
		}
	}
}

// comparePair compares a queue and the target of its dead letters.
func (w *world) comparePair(name string, q *queueFacts, src, dst []seen, next *queueFacts, wrong func(string, ...any)) {
	p := w.plan[name]
	inSrc, inDst := map[uint64]int{}, map[uint64]int{}
	for _, s := range src {
		if inSrc[s.id]++; inSrc[s.id] > 1 {
			wrong("queue %s: message %d comes %d times", name, s.id, inSrc[s.id])
		}
		if f := q.msgs[s.id]; f != nil && (f.gone && !p.timed || f.buried) {
			wrong("queue %s: message %d was settled durably and is back", name, s.id)
		}
	}
	for _, s := range dst {
		if inDst[s.id]++; inDst[s.id] > 1+w.crashes {
			wrong("queue %s: message %d comes %d times", p.target, s.id, inDst[s.id])
		}
		if inDst[s.id] > 1 || inSrc[s.id] > 0 {
			w.sum.twice.Add(1)
		}
	}
	for _, list := range [][]seen{src, dst} {
		for _, s := range list {
			f := q.msgs[s.id]
			if f == nil {
				wrong("queue %s or %s: message %d was never there, or was gone before", name, p.target, s.id)
				continue
			}
			if s.size != f.size {
				wrong("queue %s or %s: message %d has %d bytes, not %d", name, p.target, s.id, s.size, f.size)
			}
			next.msgs[s.id] = &fact{order: f.order, size: f.size, confirmed: true}
		}
	}
	for id, f := range q.msgs {
		if f.confirmed && !f.mayGo && inSrc[id]+inDst[id] == 0 {
			wrong("queue %s: message %d was confirmed and is in neither it nor %s", name, id, p.target)
		}
		if f.buried && !f.mayGo && inDst[id] == 0 {
			wrong("queue %s: message %d was dead-lettered durably and is not in %s", name, id, p.target)
		}
	}
}

// look opens a broker on a disk and takes everything out of it.
func (w *world) look(disk *vfs.Mem) (map[string][]seen, error) {
	b, err := w.open(disk)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	found, err := w.drain(b)
	return found, errors.Join(err, b.Close())
}

// drain takes everything out of a broker.
func (w *world) drain(b *broker.Broker) (map[string][]seen, error) {
	c, err := b.Connect(broker.ClientInfo{ID: "drain", User: "guest", VHost: "/", Name: "drain"})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	found := map[string][]seen{}
	var corrupt error
	take := func(name string, d queueproc.Delivery, m *message.Message) {
		if !bodyOK(m.Body) {
			corrupt = fmt.Errorf("queue %s: a body of %d bytes is not what was published", name, len(m.Body))
		}
		found[name] = append(found[name], seen{idOf(m.Body), len(m.Body), d.Count, d.Redelivered})
	}
	out := &outlet{w: w}
	out.got = func(name string, d queueproc.Delivery, m *message.Message) {
		w.mu.Lock()
		defer w.mu.Unlock()
		take(name, d, m)
	}
	ch := c.NewChannel(out)
	defer ch.Close()
	ready := func(name string) (int, error) {
		st, err := c.DeclareQueue(broker.QueueSpec{Name: name, Passive: true})
		return st.Messages, err
	}
	until := func(what string, f func() bool) error {
		for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(200 * time.Microsecond) {
			if time.Now().After(end) {
				return fmt.Errorf("%s: not within 20 s", what)
			}
		}
		return nil
	}
	for i, name := range w.names { // sources of dead letters come before their targets
		if _, err := ready(name); err != nil {
			continue
		}
		found[name] = nil
		if p := w.plan[name]; p.timed && name == "t" {
			err := until("expiry of all of queue t", func() bool { n, _ := ready(name); return n == 0 })
			if err != nil {
				return nil, err
			}
		}
		if i > 0 && w.names[i-1] == "t" {
			time.Sleep(time.Millisecond) // the last may still be on their way
		}
		if w.rng.IntN(2) == 0 {
			for {
				ok, err := ch.Get(name, true, func(_ *queueproc.Queue, d queueproc.Delivery, m *message.Message, _ int) { take(name, d, m) })
				if err != nil {
					return nil, fmt.Errorf("queue %s: %w", name, err)
				}
				if !ok {
					break
				}
			}
			continue
		}
		cons, err := ch.Consume(broker.ConsumeSpec{Queue: name, Tag: name, NoAck: true}, nil)
		if err != nil {
			return nil, err
		}
		err = until("a consumer of queue "+name+" gets everything", func() bool { n, _ := ready(name); return n == 0 })
		if err != nil {
			return nil, err
		}
		ch.Cancel(cons)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return found, corrupt
}
