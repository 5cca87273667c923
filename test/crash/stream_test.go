package crash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
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
	"github.com/warrenmq/warren/internal/vfs"
)

// TestStreamPowerLoss tells stories of a stream: it is published to and read
// while the power fails again and again. What was confirmed must be there, and
// an offset that a reader has seen must for ever mean the same message.
func TestStreamPowerLoss(t *testing.T) {
	if *seedFlag >= 0 {
		if err := (&riverStory{seed: *seedFlag}).tell(); err != nil {
			t.Fatalf("seed %d: %v", *seedFlag, err)
		}
		return
	}
	n := 120
	if testing.Short() {
		n = 25
	}
	if *seedsFlag > 0 {
		n = *seedsFlag
	}
	var confirmed, delivered, cut, paged atomic.Int64
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 2 {
		wg.Go(func() {
			for seed := next.Add(1) - 1; seed < int64(n) && !t.Failed(); seed = next.Add(1) - 1 {
				s := &riverStory{seed: *firstFlag + seed}
				if err := s.tell(); err != nil {
					t.Errorf("seed %d: %v", s.seed, err)
				}
				confirmed.Add(int64(len(s.confirmed)))
				delivered.Add(int64(len(s.seen)))
				cut.Add(s.first)
				if s.longest > inMemory {
					paged.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d stories: %d messages confirmed, %d offsets seen, %d cut off by retention, %d long ones", n, confirmed.Load(), delivered.Load(), cut.Load(), paged.Load())
	if paged.Load() == 0 || confirmed.Load() == 0 || delivered.Load() == 0 || cut.Load() == 0 {
		t.Error("the stories say nothing")
	}
}

// Every bigRiver-th story has a stream so long that its index is paged to disk.
const bigRiver = 10

// inMemory is how many messages of a stream stay in memory at most.
const inMemory = 8192

// riverStory is one of them. What it knows is guarded by mu, and does not grow
// any more once the power has failed.
type riverStory struct {
	seed int64
	rng  *rand.Rand
	luck *rand.Rand // what a crash spares; guarded by mu

	mu        sync.Mutex
	image     *vfs.Mem         // after the power has failed
	seen      map[int64]uint64 // what readers saw at an offset
	confirmed []uint64         // ascending
	first     int64            // where the stream begins now
	longest   int              // that it was
	bad       error
	nextID    uint64
	noise     int // publishes that go to the classic queue alone, per message
	args      wire.Table
}

func (s *riverStory) fail(format string, args ...any) {
	if s.bad == nil {
		s.bad = fmt.Errorf(format, args...)
	}
}

// riverOut is the other side of a channel of the story.
type riverOut struct {
	s      *riverStory
	ids    []uint64 // the publishes, by number; 0: of no interest
	told   uint64
	acks   map[*queueproc.Queue][]queueproc.Settle
	newest atomic.Int64 // offset
}

func (o *riverOut) Deliver(c *queueproc.Consumer, d queueproc.Delivery, m *message.Message) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.acks[c.Queue] = append(o.acks[c.Queue], queueproc.Settle{Slot: d.Slot, Seq: d.Seq})
	if c.Queue.Name != "river" {
		return
	}
	offset := int64(d.Seq) - 1
	o.newest.Store(offset)
	if !bodyOK(m.Body) {
		o.s.fail("offset %d has a damaged body", offset)
	}
	if d.Redelivered {
		o.s.fail("offset %d is redelivered", offset)
	}
	if id, ok := o.s.seen[offset]; ok && id != idOf(m.Body) {
		o.s.fail("offset %d was message %d and is %d now", offset, id, idOf(m.Body))
	}
	if o.s.image == nil {
		o.s.seen[offset] = idOf(m.Body)
	}
}
func (o *riverOut) Flush() bool                { return false }
func (o *riverOut) Cancel(*queueproc.Consumer) {}
func (o *riverOut) Overdue() bool              { return false }
func (o *riverOut) Refuse(seq uint64) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	if o.told = seq; o.s.image == nil {
		o.s.fail("publish %d was refused", seq)
	}
}
func (o *riverOut) Confirm(seq uint64, multiple bool) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	for ; o.told < seq; o.told++ {
		if id := o.ids[o.told]; id != 0 && o.s.image == nil {
			o.s.confirmed = append(o.s.confirmed, id)
		}
	}
}

func (s *riverStory) tell() error {
	s.rng = rand.New(rand.NewPCG(uint64(s.seed), 77))
	s.luck = rand.New(rand.NewPCG(uint64(s.seed), 78))
	s.seen, s.nextID = map[int64]uint64{}, 1
	if s.noise = s.rng.IntN(4); s.noisy() {
		s.noise = 12 // so much that what is left of the stream in old segments is moved
	}
	s.args = wire.Table{{Key: "x-queue-type", Value: wire.String("stream")}}
	if !s.big() && !s.noisy() && s.rng.IntN(2) == 0 {
		s.args.Set("x-max-length-bytes", wire.Int64(int64(20_000+s.rng.IntN(200_000))))
		s.args.Set("x-stream-max-segment-size-bytes", wire.Int64(int64(1000+s.rng.IntN(20_000))))
	}
	disk := vfs.NewMem()
	for chapter := range 2 + s.rng.IntN(4) {
		if err := s.chapter(disk); err != nil {
			return fmt.Errorf("chapter %d: %w", chapter, err)
		}
		if disk = s.image; s.rng.IntN(4) == 0 { // the power fails again while the node starts
			f := vfs.NewFaults(disk)
			s.image = nil
			f.Add(vfs.Rule{Skip: s.rng.IntN(30), Count: 1, Do: func() { s.freeze(disk) }})
			b, err := s.open(f)
			if err != nil {
				return fmt.Errorf("chapter %d: start: %w", chapter, err)
			}
			s.freeze(disk)
			if err := b.Close(); err != nil {
				return err
			}
			disk = s.image
		}
		if err := s.verify(disk); err != nil {
			return fmt.Errorf("chapter %d: %w", chapter, err)
		}
	}
	return nil
}

func (s *riverStory) big() bool { return s.seed%bigRiver == bigRiver-1 }

func (s *riverStory) noisy() bool { return s.seed%4 == 1 }

func (s *riverStory) freeze(disk *vfs.Mem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.image == nil {
		s.image = disk.CrashClone(s.luck)
	}
}

func (s *riverStory) open(fs vfs.FS) (*broker.Broker, error) {
	logger := slog.New(slog.DiscardHandler)
	if *tellFlag {
		logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return broker.Open(broker.Config{FS: fs, Dir: "data", SegmentSize: 64 << 10, CheckpointBytes: 100 << 10, QueueWindow: 20 << 10,
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/"}, Logger: logger})
}

func (s *riverStory) out() *riverOut {
	o := &riverOut{s: s, acks: map[*queueproc.Queue][]queueproc.Settle{}}
	o.newest.Store(-1)
	return o
}

func (s *riverStory) read(ch *broker.Channel, from wire.Value, prefetch uint32) error {
	_, err := ch.Consume(broker.ConsumeSpec{Queue: "river", Tag: fmt.Sprint(from), Prefetch: prefetch,
		Args: wire.Table{{Key: "x-stream-offset", Value: from}}}, nil)
	return err
}

// chapter uses the broker until the power fails.
func (s *riverStory) chapter(disk *vfs.Mem) error {
	s.image = nil
	f := vfs.NewFaults(disk)
	b, err := s.open(f)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer b.Close()
	c, err := b.Connect(broker.ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		return err
	}
	defer c.Close()
	out := s.out()
	ch := c.NewChannel(out)
	if _, err = c.DeclareQueue(broker.QueueSpec{Name: "river", Durable: true, Args: meta.NewArgs(s.args)}); err != nil {
		return err
	}
	if _, err = c.DeclareQueue(broker.QueueSpec{Name: "pond", Durable: true}); err != nil {
		return err
	}
	for _, q := range []string{"river", "pond"} {
		if err := c.Bind(broker.BindSpec{Source: "amq.fanout", Dest: q}); err != nil {
			return err
		}
	}
	err = errors.Join(ch.SelectConfirm(), s.read(ch, wire.String("next"), 50), s.read(ch, wire.String("first"), 7))
	if err != nil {
		return err
	}
	if _, err := ch.Consume(broker.ConsumeSpec{Queue: "pond", Tag: "pond", Prefetch: 100}, nil); err != nil {
		return err
	}
	steps, batch := 400, 1+s.rng.IntN(20)
	if s.big() {
		batch = 150
		for s.nextID < inMemory*5/4 { // however early the power fails
			s.publish(c, ch, out, batch)
			s.ack(out)
		}
	}
	if s.noisy() {
		batch = 100
	}
	f.Add(vfs.Rule{Skip: 20 + s.rng.IntN(2*steps), Count: 1, Do: func() { s.freeze(disk) }})
	for range steps {
		s.publish(c, ch, out, 1+s.rng.IntN(batch))
		s.ack(out)
		if s.noisy() && s.rng.IntN(40) == 0 {
			for range 2 { // as if it had been quiet: its index goes to disk
				b.VHost("/").Queue("river").Trim()
			}
		}
		if s.dead() {
			break
		}
		time.Sleep(time.Duration(s.rng.IntN(200)) * time.Microsecond)
	}
	s.freeze(disk)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad
}

func (s *riverStory) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.image != nil
}

// publish sends a few messages, to the stream alone or to both queues.
func (s *riverStory) publish(c *broker.Client, ch *broker.Channel, out *riverOut, n int) {
	for range n {
		m := &message.Message{RoutingKey: []byte("river"), Body: bodyOf(s.nextID, s.rng.IntN(900))}
		id := s.nextID
		switch n := s.rng.IntN(4 + s.noise); {
		case n >= 4:
			m.RoutingKey, id = []byte("pond"), 0
			m.Props = (&wire.Properties{DeliveryMode: 2}).Append(nil)
		case n == 0:
			m.Exchange = []byte("amq.fanout")
			m.Props = (&wire.Properties{DeliveryMode: 2}).Append(nil)
		}
		if id != 0 {
			s.nextID++
		}
		s.mu.Lock()
		out.ids = append(out.ids, id)
		s.mu.Unlock()
		if _, err := ch.Publish(m); err != nil {
			s.mu.Lock()
			s.fail("publish: %v", err)
			s.mu.Unlock()
		}
	}
	c.Settle()
}

func (s *riverStory) ack(out *riverOut) {
	s.mu.Lock()
	acks := out.acks
	out.acks = map[*queueproc.Queue][]queueproc.Settle{}
	s.mu.Unlock()
	for q, a := range acks {
		q.Settle(a, queue.Ack)
	}
}

// verify reads the whole stream after a crash.
func (s *riverStory) verify(disk *vfs.Mem) error {
	s.image = disk // nothing is learned from here on
	b, err := s.open(disk.Clone())
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer b.Close()
	c, err := b.Connect(broker.ClientInfo{ID: "v", User: "guest", VHost: "/"})
	if err != nil {
		return err
	}
	defer c.Close()
	info := b.VHost("/").Queue("river").Info()
	first, committed := info.Stream.FirstOffset, info.Stream.Committed
	s.first, s.longest = first, max(s.longest, info.Ready)
	out := s.out()
	there := map[int64]uint64{}
	var ids []uint64
	err = b.VHost("/").Queue("river").Browse(context.Background(), queueproc.ReadyOnly, 0, 1<<30, func(m queueproc.Browsed) bool {
		there[int64(m.Item.Seq)-1] = idOf(m.Message.Body)
		ids = append(ids, idOf(m.Message.Body))
		return true
	}, func(seq uint64, err error) { s.fail("offset %d: %v", seq-1, err) })
	if err != nil {
		return err
	}
	if err := s.read(c.NewChannel(out), wire.Int64(0), 1<<30); err != nil {
		return err
	}
	for end := time.Now().Add(20 * time.Second); out.newest.Load() < committed; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("a reader from the beginning came to %d of %d", out.newest.Load(), committed)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := committed - first + 1; int64(len(ids)) != n || int64(len(out.acks[b.VHost("/").Queue("river").Queue])) != n {
		s.fail("%d messages browsed, %d read, should be %d", len(ids), len(out.acks[b.VHost("/").Queue("river").Queue]), n)
	}
	for offset, id := range s.seen {
		if offset > committed {
			s.fail("offset %d was message %d and is not given yet", offset, id)
		} else if offset >= first && there[offset] != id {
			s.fail("offset %d was message %d and is %d now", offset, id, there[offset])
		}
	}
	for i := 1; i < len(ids); i++ {
		if ids[i] <= ids[i-1] {
			s.fail("message %d comes after %d", ids[i], ids[i-1])
		}
	}
	have := map[uint64]bool{}
	for _, id := range ids {
		have[id] = true
	}
	for _, id := range s.confirmed {
		if !have[id] && (first == 0 || len(ids) == 0 || id > ids[0]) {
			s.fail("message %d was confirmed and is not there", id)
		}
	}
	return s.bad
}
