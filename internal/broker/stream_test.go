package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

func stream(args ...wire.Field) wire.Table {
	return append(wire.Table{{Key: "x-queue-type", Value: wire.String("stream")}}, args...)
}

func arg(key string, v wire.Value) wire.Field { return wire.Field{Key: key, Value: v} }

// readings is the other side of a reader's channel.
type readings struct {
	counter
	mu  sync.Mutex
	got []string // offset:body
	ack []queueproc.Settle
}

func (r *readings) Deliver(_ *queueproc.Consumer, d queueproc.Delivery, m *message.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, fmt.Sprintf("%d:%.20s", d.Seq-1, m.Body))
	r.ack = append(r.ack, queueproc.Settle{Slot: d.Slot, Seq: d.Seq})
}

// take returns what came once there are n deliveries.
func (r *readings) take(t *testing.T, n int) string {
	t.Helper()
	var got []string
	until(t, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.got) < n {
			return fmt.Sprintf("%d of %d deliveries: %v", len(r.got), n, r.got[:min(len(r.got), 5)])
		}
		got, r.got = r.got, nil
		return ""
	})
	return strings.Join(got, " ")
}

// until waits until what returns nothing to complain about.
func until(t *testing.T, what func() string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		complaint := what()
		if complaint == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(complaint)
		}
	}
}

func (d *desk) read(queue string, prefetch uint32, args ...wire.Field) *readings {
	d.Helper()
	r := &readings{}
	if _, err := d.client.NewChannel(r).Consume(ConsumeSpec{Queue: queue, Tag: "t", Prefetch: prefetch, Args: args}, nil); err != nil {
		d.Fatal(err)
	}
	return r
}

func (d *desk) fill(queue string, from, to, size int) {
	d.Helper()
	pad := strings.Repeat(".", size)
	for i := from; i < to; i++ {
		if _, err := d.ch.Publish(&message.Message{RoutingKey: []byte(queue), Body: []byte(fmt.Sprint(i, pad))}); err != nil {
			d.Fatal(err)
		}
		if i%256 == 0 {
			d.client.Flush()
			if err := d.b.log.Throttle(context.Background()); err != nil {
				d.Fatal(err)
			}
		}
	}
	d.client.Flush()
	if err := d.b.barrier(); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) stream(name string) *queueproc.StreamInfo {
	return d.b.VHost("/").Queue(name).Info().Stream
}

// What is cut off gives its space on the disk back. Readers go on at the new
// head, and offsets go on over a restart.
func TestStreamRetention(t *testing.T) {
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	d.declare("s", stream(arg("x-max-length-bytes", wire.Int64(4_000_000)), arg("x-stream-max-segment-size-bytes", wire.Int64(500_000))))
	d.declare("c", nil)
	slow := d.read("s", 1, arg("x-stream-offset", wire.String("first")))
	const n = 40_000
	d.fill("s", 0, 1, 1000)
	if got := slow.take(t, 1); got != "0:0..................." {
		t.Error(got)
	}
	d.fill("s", 1, n, 1000)
	i := d.stream("s")
	if kept := i.NextOffset - i.FirstOffset; i.NextOffset != n || kept < 3000 || kept > 4600 || i.Segments < 7 || i.Segments > 9 {
		t.Errorf("%+v", i)
	}
	until(t, func() string {
		d.publish("c", wire.Properties{DeliveryMode: 2}, "so that the log goes on")
		if used := fs.Used(); used > 20<<20 {
			return fmt.Sprintf("%d bytes on disk", used)
		}
		return ""
	})
	d.b.VHost("/").Queue("s").Settle(slow.ack[:1], 0)
	if got, want := slow.take(t, 1), fmt.Sprintf("%d:%d..", i.FirstOffset, i.FirstOffset); !strings.HasPrefix(got, want) {
		t.Error(got, want)
	}
	d.close()

	d = newDesk(t, fs)
	defer d.close()
	again := d.stream("s")
	if again.FirstOffset != i.FirstOffset || again.NextOffset != n || again.Committed != n-1 || again.Segments != i.Segments || again.FirstTime != i.FirstTime {
		t.Errorf("%+v, was %+v", again, i)
	}
	all := d.read("s", 1<<20, arg("x-stream-offset", wire.String("first")))
	got := strings.Fields(all.take(t, int(n-i.FirstOffset)))
	for k, s := range got {
		if want := fmt.Sprintf("%d:%d..", int(i.FirstOffset)+k, int(i.FirstOffset)+k); !strings.HasPrefix(s, want) {
			t.Fatal(s, want)
		}
	}
}

// Policies work at once, on what is there.
func TestStreamPolicies(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("s", stream(arg("x-max-age", wire.String("1h")), arg("x-max-length-bytes", wire.Int64(1<<40))))
	d.fill("s", 0, 10_000, 100)
	policy := func(def string) {
		t.Helper()
		if _, err := d.b.apply(&meta.SetPolicy{VHost: "/", Name: "p", Pattern: ".*", ApplyTo: "streams", Definition: []byte(def)}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() string {
		if i := d.stream("s"); i.Segments != 1 || i.Committed != 9999 {
			return fmt.Sprintf("%+v", i)
		}
		return ""
	})
	policy(`{"stream-max-segment-size-bytes":10000}`)
	until(t, func() string {
		if i := d.stream("s"); i.Segments < 100 || i.FirstOffset != 0 {
			return fmt.Sprintf("%+v", i)
		}
		return ""
	})
	policy(`{"stream-max-segment-size-bytes":10000,"max-length-bytes":500000}`)
	var first int64
	until(t, func() string {
		i := d.stream("s")
		if first = i.FirstOffset; first < 6000 {
			return fmt.Sprintf("%+v", i)
		}
		return ""
	})
	policy(`{"stream-max-segment-size-bytes":10000,"max-age":"1s"}`) // wins over the argument
	until(t, func() string {
		if i := d.stream("s"); i.Segments != 1 || i.FirstOffset <= first || i.NextOffset != 10_000 {
			return fmt.Sprintf("%+v", i)
		}
		return ""
	})
}

// Single messages cannot be taken out; they can be found and copied, wherever
// they are.
func TestStreamMessages(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("s", stream())
	d.declare("c", nil)
	d.fill("s", 0, 12_000, 10)
	for _, w := range []MessageWork{{Action: MoveMessages, Target: MessageTarget{Queue: "c"}}, {Action: DeleteMessages, Seqs: []uint64{5}}, {Action: ReturnMessages}} {
		_, err := d.b.ActOnMessages(context.Background(), operator, "/", "s", w)
		if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != PreconditionFailed || !strings.Contains(e.Text, "only copied") {
			t.Error(w.Action, err)
		}
	}
	if err := d.b.EditMessage(context.Background(), operator, "/", "s", 5, wire.Properties{}, []byte("x"), MessageTarget{}); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
		t.Error(err)
	}
	if _, err := d.b.PurgeQueueAs(operator, "/", "s"); err == nil || err.Error() != "queue.purge not supported by stream queues queue 's' in vhost '/'" {
		t.Error(err)
	}
	r := d.act("s", MessageWork{Action: CopyMessages, Seqs: []uint64{1, 2, 5000, 11_999, 12_000, 99_999}, Target: MessageTarget{Queue: "c"}})
	if r.Done != 5 || r.Failed != 0 {
		t.Errorf("%+v", r)
	}
	if got := d.bodies("c", BrowseOptions{}); !slices.Equal(got, []string{"0..........", "1..........", "4999..........", "11998..........", "11999.........."}) {
		t.Error(got)
	}
	if got := d.bodies("s", BrowseOptions{Offset: 6000, Count: 2}); !slices.Equal(got, []string{"6000..........", "6001.........."}) {
		t.Error(got)
	}
	if got := d.bodies("s", BrowseOptions{Filter: MessageFilter{Text: "11997"}}); len(got) != 1 {
		t.Error(got)
	}
	if i := d.b.VHost("/").Queue("s").Info(); i.Ready != 12_000 {
		t.Error(i.Ready)
	}
}

// A dead letter, a fan-out and a transaction reach a stream as others do.
func TestStreamTakesFromEverywhere(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("s", stream())
	d.declare("s2", stream())
	d.declare("c", wire.Table{{Key: "x-dead-letter-exchange", Value: wire.String("")}, {Key: "x-dead-letter-routing-key", Value: wire.String("s")},
		{Key: "x-max-length", Value: wire.Int64(0)}})
	r := d.read("s", 100)
	for _, q := range []string{"s", "s2"} {
		if err := d.client.Bind(BindSpec{Source: "amq.fanout", Dest: q}); err != nil {
			t.Fatal(err)
		}
	}
	d.publish("c", wire.Properties{}, "dead")
	if got := r.take(t, 1); got != "0:dead" {
		t.Error(got)
	}
	long := strings.Repeat("long", 300)
	if _, err := d.ch.Publish(&message.Message{Exchange: []byte("amq.fanout"), Body: []byte(long)}); err != nil {
		t.Fatal(err)
	}
	d.client.Flush()
	if got := r.take(t, 1); got != "1:"+long[:20] {
		t.Error(got)
	}
	if err := d.ch.SelectTx(); err != nil {
		t.Fatal(err)
	}
	d.publish("s", wire.Properties{}, "in a transaction")
	if err := d.ch.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := r.take(t, 1); got != "2:in a transaction" {
		t.Error(got)
	}
	if got := d.bodies("s2", BrowseOptions{}); len(got) != 1 || got[0] != long {
		t.Error(got)
	}
}

// Memory: a long stream with readers everywhere in it takes little.
func TestStreamMemory(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("s", stream())
	d.fill("s", 0, 60_000, 400)
	var rs []*readings
	for i := range 300 {
		rs = append(rs, d.read("s", 5, arg("x-stream-offset", wire.Int64(int64(i)*200))))
	}
	for i, r := range rs {
		if got, want := r.take(t, 5), fmt.Sprintf("%d:%d..", i*200, i*200); !strings.HasPrefix(got, want) {
			t.Error(got, want)
		}
	}
	if n := d.b.VHost("/").Queue("s").Info().Memory; n > 24<<20 {
		t.Errorf("%d bytes", n)
	}
	d.b.VHost("/").Queue("s").Trim() // what was done in the meantime
	d.b.VHost("/").Queue("s").Trim()
	if n := d.b.VHost("/").Queue("s").Info().Memory; n > 1<<20 {
		t.Errorf("%d bytes at rest", n)
	}
}

func TestStreamStart(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_123)
	for _, c := range []struct {
		v    wire.Value
		want string
	}{
		{wire.String("first"), "{1 0} true"},
		{wire.String("last"), "{2 0} true"},
		{wire.String("next"), "{0 0} true"},
		{wire.Int32(7), "{3 7} true"},
		{wire.Int64(-7), "{3 -7} true"},
		{wire.Timestamp(1_700_000_000), "{4 1700000000000} true"},
		{wire.Timestamp(1 << 63), "{4 9223372036854775000} true"},
		{wire.String("1Y"), "{4 1668464000123} true"},
		{wire.String("1M"), "{4 1697408000123} true"},
		{wire.String("2D"), "{4 1699827200123} true"},
		{wire.String("3h"), "{4 1699989200123} true"},
		{wire.String("4m"), "{4 1699999760123} true"},
		{wire.String("5s"), "{4 1699999995123} true"},
		{wire.String("2000000000Y"), "{4 0} true"},
		{wire.String("0s"), "false"},
		{wire.String("5"), "false"},
		{wire.String("s"), "false"},
		{wire.String("5x"), "false"},
		{wire.String("5ms"), "false"},
		{wire.String("-5s"), "false"},
		{wire.String("99999999999s"), "false"},
		{wire.String(""), "false"},
		{wire.Bool(true), "false"},
		{wire.Float64(1), "false"},
	} {
		start, ok := parseStart(c.v, now)
		if got := fmt.Sprint(start, ok); got != c.want && !(c.want == "false" && !ok) {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
}

// A message that cannot be read any more is passed over; all others arrive.
func TestStreamDamage(t *testing.T) {
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	defer d.close()
	d.declare("s", stream())
	d.fill("s", 0, 3000, 50)
	q := d.b.VHost("/").Queue("s")
	for range 2 {
		q.Trim()
	}
	damaged := map[int]bool{}
	for _, seq := range []uint64{1, 500, 501, 1024, 2999} {
		if _, err := q.Look(seq, func(m queueproc.Browsed) {
			pos := store.Position(m.Item.Pos)
			f, err := fs.OpenFile("d/"+store.SegmentName(pos.Segment()), os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte("damage"), int64(pos.Offset())+40); err != nil {
				t.Error(err)
			}
			f.Close()
		}); err != nil {
			t.Fatal(err)
		}
		damaged[int(seq)-1] = true
	}
	r := d.read("s", 1<<20, arg("x-stream-offset", wire.String("first")))
	got := strings.Fields(r.take(t, 2995))
	for i := range 3000 {
		if damaged[i] {
			continue
		}
		if want := fmt.Sprintf("%d:%d..", i, i); !strings.HasPrefix(got[0], want) {
			t.Fatal(got[0], want)
		}
		got = got[1:]
	}
	if n := q.Info().Counters.Lost; n != 5 {
		t.Error("lost", n)
	}
}

// What is left of a stream between the remains of another queue is moved, pages
// and all, while somebody reads it.
func TestStreamIsMoved(t *testing.T) {
	fs := vfs.NewMem()
	d := deskWith(t, fs, 2<<20)
	d.declare("s", stream())
	d.declare("c", nil)
	const n = 6000
	pad, long := strings.Repeat(".", 200), strings.Repeat("x", 2000)
	for i := range n {
		d.publish("s", wire.Properties{}, fmt.Sprint(i, pad))
		d.publish("c", wire.Properties{DeliveryMode: 2}, long)
		if i%100 == 0 {
			if err := d.b.log.Throttle(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.b.barrier(); err != nil {
		t.Fatal(err)
	}
	q := d.b.VHost("/").Queue("s")
	for range 2 {
		q.Trim() // the index goes to disk
	}
	r := d.read("s", 10, arg("x-stream-offset", wire.String("first")))
	d.b.VHost("/").Queue("c").Purge()
	next := 0
	until(t, func() string {
		r.mu.Lock()
		got, acks := r.got, r.ack
		r.got, r.ack = nil, nil
		r.mu.Unlock()
		for _, s := range got {
			if want := fmt.Sprintf("%d:%d..", next, next); !strings.HasPrefix(s, want) {
				t.Fatal(s, want)
			}
			next++
		}
		q.Settle(acks, queue.Ack)
		d.publish("c", wire.Properties{DeliveryMode: 2}, long)
		d.b.VHost("/").Queue("c").Purge()
		if used := fs.Used(); next < n || used > 12<<20 {
			return fmt.Sprintf("%d read, %d bytes on disk", next, used)
		}
		return ""
	})
	if n := d.b.log.Stats().Evacuations; n == 0 {
		t.Error("nothing was moved")
	}
	d.close()
	d = newDesk(t, fs)
	defer d.close()
	for _, from := range []int{0, 1023, 1024, 3000, n - 1} {
		want := fmt.Sprintf("%d:%d..", from, from)
		if got := d.read("s", 1, arg("x-stream-offset", wire.Int64(int64(from)))).take(t, 1); !strings.HasPrefix(got, want) {
			t.Error(got, want)
		}
	}
}
