package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// desk is a broker on a disk in memory, and an operator.
type desk struct {
	*testing.T
	fs     *vfs.Mem
	b      *Broker
	client *Client
	ch     *Channel
	out    counter
}

var operator = Actor{User: "op", Source: "test"}

func newDesk(t *testing.T, fs *vfs.Mem) *desk { return deskWith(t, fs, 0) }

// deskWith is newDesk with a checkpoint each time that so many bytes were written.
func deskWith(t *testing.T, fs *vfs.Mem, checkpoint int64) *desk {
	t.Helper()
	d := &desk{T: t, fs: fs}
	var err error
	d.b, err = Open(Config{FS: fs, Dir: "d", Sync: store.Disk, SegmentSize: 1 << 20, CheckpointBytes: checkpoint,
		Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	if d.client, err = d.b.Connect(ClientInfo{ID: "desk", User: "guest", VHost: "/"}); err != nil {
		t.Fatal(err)
	}
	d.ch = d.client.NewChannel(&d.out)
	return d
}

func (d *desk) close() {
	d.client.Close()
	if err := d.b.Close(); err != nil {
		d.Error(err)
	}
}

func (d *desk) declare(name string, args wire.Table) {
	d.Helper()
	if _, err := d.client.DeclareQueue(QueueSpec{Name: name, Durable: true, Args: meta.NewArgs(args)}); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) publish(queue string, p wire.Properties, body string) {
	d.Helper()
	if _, err := d.ch.Publish(&message.Message{RoutingKey: []byte(queue), Props: p.Append(nil), Body: []byte(body)}); err != nil {
		d.Fatal(err)
	}
	d.client.Flush()
}

// bodies browses a queue.
func (d *desk) bodies(queue string, o BrowseOptions) (out []string) {
	d.Helper()
	if o.Count == 0 {
		o.Count = 1 << 30
	}
	o.MaxScan = 1 << 30
	_, err := d.b.BrowseMessages(context.Background(), "/", queue, o, func(f *Found) {
		s := string(f.Message.Body)
		if f.Unacked {
			s += " unacked"
		}
		if f.Item.Flags&redelivered != 0 {
			s += " redelivered"
		}
		out = append(out, s)
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

const redelivered = queue.Redelivered

func (d *desk) seqs(name string, bodies ...string) (out []uint64) {
	d.Helper()
	_, err := d.b.BrowseMessages(context.Background(), "/", name, BrowseOptions{Count: 1 << 30, MaxScan: 1 << 30}, func(f *Found) {
		if slices.Contains(bodies, string(f.Message.Body)) {
			out = append(out, f.Item.Seq)
		}
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

func (d *desk) act(queue string, w MessageWork) MessageResult {
	d.Helper()
	r, err := d.b.ActOnMessages(context.Background(), operator, "/", queue, w)
	if err != nil {
		d.Fatal(err)
	}
	return r
}

func (d *desk) get(queue string, n int) (out []string) {
	d.Helper()
	for range n {
		ok, err := d.ch.Get(queue, true, func(_ *queueproc.Queue, dl queueproc.Delivery, m *message.Message, _ int) {
			s := string(m.Body)
			if dl.Redelivered {
				s += " redelivered"
			}
			out = append(out, s)
		})
		if err != nil {
			d.Fatal(err)
		}
		if !ok {
			break
		}
	}
	return out
}

var persistent = wire.Properties{DeliveryMode: 2}

func numbered(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("m%d", i))
	}
	return out
}

func (d *desk) want(what string, got []string, want []string) {
	d.Helper()
	if !slices.Equal(got, want) {
		if len(got) > 20 || len(want) > 20 {
			i := 0
			for i < len(got) && i < len(want) && got[i] == want[i] {
				i++
			}
			d.Fatalf("%s: %d messages, want %d; they differ at %d: %q, want %q", what, len(got), len(want), i, got[i:min(i+5, len(got))], want[i:min(i+5, len(want))])
		}
		d.Fatalf("%s: %q, want %q", what, got, want)
	}
}

// A queue of which most is on disk is read at any depth, and nothing about it
// changes.
func TestBrowseAtAnyDepth(t *testing.T) {
	for _, kind := range []string{"classic", "quorum"} {
		t.Run(kind, func(t *testing.T) {
			d := newDesk(t, vfs.NewMem())
			defer d.close()
			d.declare("q", wire.Table{{Key: "x-queue-type", Value: wire.String(kind)}})
			const n = 20_000
			for i := range n {
				p := persistent
				if i%3 == 0 {
					p = wire.Properties{}
				}
				d.publish("q", p, fmt.Sprintf("m%d", i))
			}
			before := d.client.vhost.Queue("q").Info()
			for _, at := range []int{0, 1, 8191, 8192, 9000, 12_345, 19_990, n - 1, n, n + 5} {
				d.want(fmt.Sprint("from ", at), d.bodies("q", BrowseOptions{Offset: at, Count: 30}), numbered(at, min(n, at+30)))
			}
			d.want("all", d.bodies("q", BrowseOptions{}), numbered(0, n))
			for _, want := range []string{"m0", "m8192", "m12345", "m19999"} {
				got := ""
				if err := d.b.LookAtMessage("/", "q", d.seqs("q", want)[0], func(f *Found) { got = string(f.Message.Body) }); err != nil || got != want {
					t.Errorf("looked at %q, %v, want %q", got, err, want)
				}
			}
			if err := d.b.LookAtMessage("/", "q", n+100, func(*Found) {}); err == nil {
				t.Error("found a message that is not there")
			}
			if after := d.client.vhost.Queue("q").Info(); after != before {
				t.Errorf("browsing changed the queue: %+v, was %+v", after, before)
			}
			d.want("first", d.get("q", 3), numbered(0, 3))
		})
	}
}

func TestBrowseUnacked(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	for i := range 5 {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	for range 2 {
		if _, err := d.ch.Get("q", false, func(*queueproc.Queue, queueproc.Delivery, *message.Message, int) {}); err != nil {
			t.Fatal(err)
		}
	}
	d.want("ready", d.bodies("q", BrowseOptions{}), []string{"m2", "m3", "m4"})
	d.want("unacked", d.bodies("q", BrowseOptions{Which: queueproc.UnackedOnly}), []string{"m0 unacked", "m1 unacked"})
	d.want("both", d.bodies("q", BrowseOptions{Which: queueproc.ReadyThenUnacked, Offset: 2}), []string{"m4", "m0 unacked", "m1 unacked"})
}

func TestSearch(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	d.publish("q", wire.Properties{CorrelationID: "c-1", Headers: wire.Table{{Key: "tenant", Value: wire.String("blue")}}}, "order 1: Apples")
	d.publish("q", wire.Properties{CorrelationID: "c-2", Headers: wire.Table{{Key: "tenant", Value: wire.LongInt(7)}}}, "order 2: pears")
	d.publish("q", wire.Properties{ContentType: "text/plain"}, "Ünïcode APPLES")
	for _, c := range []struct {
		f    MessageFilter
		want string
	}{
		{MessageFilter{Text: "apples"}, "order 1: Apples|Ünïcode APPLES"},
		{MessageFilter{Text: "ünïcode"}, ""}, // only ASCII letters are folded
		{MessageFilter{Text: "Ünï"}, "Ünïcode APPLES"},
		{MessageFilter{Text: "apples and more"}, ""},
		{MessageFilter{Headers: map[string]string{"tenant": ""}}, "order 1: Apples|order 2: pears"},
		{MessageFilter{Headers: map[string]string{"tenant": "7"}}, "order 2: pears"},
		{MessageFilter{Properties: map[string]string{"correlation_id": "c-1"}}, "order 1: Apples"},
		{MessageFilter{Properties: map[string]string{"content_type": ""}}, "Ünïcode APPLES"},
		{MessageFilter{Properties: map[string]string{"routing_key": "q"}, Text: "order"}, "order 1: Apples|order 2: pears"},
		{MessageFilter{Properties: map[string]string{"no_such": "x"}}, ""},
		{MessageFilter{From: 1}, "order 1: Apples|order 2: pears|Ünïcode APPLES"},
		{MessageFilter{To: 1}, ""},
		{MessageFilter{Reason: "rejected"}, ""},
	} {
		if got := strings.Join(d.bodies("q", BrowseOptions{Filter: c.f}), "|"); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}

// Messages leave from the window in memory, from pages on disk and from the tail,
// and are where they should be also after a restart and after a crash.
func TestMoveSurvives(t *testing.T) {
	const n = 20_000
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	d.declare("q", nil)
	d.declare("to", nil)
	for i := range n {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	picked := []string{"m5", "m8191", "m9000", "m9001", "m12000", "m19999"}
	r := d.act("q", MessageWork{Action: MoveMessages, Seqs: d.seqs("q", picked...), Target: MessageTarget{Queue: "to"}})
	if r != (MessageResult{Matched: 6, Done: 6}) {
		t.Fatalf("%+v", r)
	}
	// A whole page, and one message that stays because there is no place for it.
	page := numbered(10_240, 11_264)
	if r := d.act("q", MessageWork{Action: DeleteMessages, Seqs: d.seqs("q", page...)}); r.Done != len(page) {
		t.Fatalf("%+v", r)
	}
	if r := d.act("q", MessageWork{Action: MoveMessages, Seqs: d.seqs("q", "m7"), Target: MessageTarget{Exchange: "amq.direct"}}); r.Failed != 1 || r.Reason == "" {
		t.Fatalf("%+v", r)
	}
	left := slices.DeleteFunc(numbered(0, n), func(s string) bool { return slices.Contains(picked, s) || slices.Contains(page, s) })
	check := func(d *desk, mark string) {
		d.Helper()
		marked := func(in []string) (out []string) {
			for _, s := range in {
				out = append(out, s+mark)
			}
			return out
		}
		d.want("left", d.bodies("q", BrowseOptions{}), marked(left))
		d.want("moved", d.bodies("to", BrowseOptions{}), marked(picked))
		if got := d.client.vhost.Queue("q").Info().Ready; got != len(left) {
			d.Errorf("%d ready, want %d", got, len(left))
		}
	}
	check(d, "")
	for seed := range uint64(3) {
		c := newDesk(t, fs.CrashClone(rand.New(rand.NewPCG(seed, 1))))
		check(c, " redelivered")
		c.want("drained", c.get("q", n), func() (out []string) {
			for _, s := range left {
				out = append(out, s+" redelivered")
			}
			return out
		}())
		c.close()
	}
	d.close()
	d = newDesk(t, fs)
	check(d, "")
	d.close()
}

// Pages come into memory while messages are taken out in front of them.
func TestTakeFromTheFront(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	const n = 30_000
	for i := range n {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	if r := d.act("q", MessageWork{Action: DeleteMessages, Limit: 25_000}); r != (MessageResult{Matched: 25_000, Done: 25_000}) {
		t.Errorf("%+v", r)
	}
	d.want("left", d.bodies("q", BrowseOptions{}), numbered(25_000, n))
}

// A crash in the middle: what was taken and not yet safe elsewhere is there again.
func TestTakenComesBackAfterCrash(t *testing.T) {
	const n = 12_000
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	d.declare("q", nil)
	for i := range n {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	q := d.client.vhost.Queue("q")
	seqs := append(d.seqs("q", "m3", "m8500", "m11999"), d.seqs("q", numbered(9216, 10_240)...)...)
	slices.Sort(seqs)
	taken, err := q.Take(seqs)
	if err != nil || len(taken) != len(seqs) {
		t.Fatal(len(taken), err)
	}
	taken[0].Bury()
	if err := d.b.barrier(); err != nil {
		t.Fatal(err)
	}
	c := newDesk(t, fs.CrashClone(rand.New(rand.NewPCG(1, 1))))
	if got, want := len(c.bodies("q", BrowseOptions{})), n-1; got != want {
		t.Errorf("%d after the crash, want %d", got, want)
	}
	seen := map[string]bool{}
	for _, s := range c.bodies("q", BrowseOptions{}) {
		if seen[s] {
			t.Fatalf("%s is there twice", s)
		}
		seen[s] = true
	}
	c.close()
	for _, t := range taken[1:] {
		t.PutBack()
	}
	if got := q.Info().Ready; got != n-1 {
		t.Errorf("%d ready after all were put back, want %d", got, n-1)
	}
	d.close()
	d = newDesk(t, fs)
	if got := len(d.get("q", n+1)); got != n-1 {
		t.Errorf("%d after the restart, want %d", got, n-1)
	}
	d.close()
}

// An operator works on a queue that is busy. Each message is seen once, by the
// consumer or in the queue that it was moved to.
func TestWorkOnBusyQueue(t *testing.T) {
	const n = 30_000
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	d.declare("to", nil)
	for i := range n {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	taker, err := d.b.Connect(ClientInfo{ID: "taker", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	out := &counter{}
	ch := taker.NewChannel(out)
	q := d.client.vhost.Queue("q")
	var wg sync.WaitGroup
	var consumed []string
	wg.Go(func() {
		for q.Info().Ready > 0 {
			ok, err := ch.Get("q", true, func(_ *queueproc.Queue, _ queueproc.Delivery, m *message.Message, _ int) {
				consumed = append(consumed, string(m.Body))
			})
			if err != nil {
				t.Error(err)
				return
			}
			if !ok {
				runtime.Gosched()
			}
		}
	})
	wg.Go(func() {
		r := rand.New(rand.NewPCG(1, 2))
		for q.Info().Ready > 0 {
			seqs := make([]uint64, 20)
			for i := range seqs {
				seqs[i] = uint64(1 + r.IntN(n))
			}
			if r.IntN(2) == 0 {
				slices.Sort(seqs)
				taken, err := q.Take(slices.Compact(seqs))
				if err != nil {
					t.Error(err)
				}
				for _, k := range taken {
					k.PutBack()
				}
				continue
			}
			if _, err := d.b.ActOnMessages(context.Background(), operator, "/", "q", MessageWork{Action: MoveMessages, Seqs: seqs, Target: MessageTarget{Queue: "to"}}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for at := 0; q.Info().Ready > 0; at = (at + 997) % n {
			if _, err := d.b.BrowseMessages(context.Background(), "/", "q", BrowseOptions{Offset: at, Count: 20}, func(*Found) {}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	for ok := true; ok; { // what was put back last
		if ok, err = ch.Get("q", true, func(_ *queueproc.Queue, _ queueproc.Delivery, m *message.Message, _ int) {
			consumed = append(consumed, string(m.Body))
		}); err != nil {
			t.Fatal(err)
		}
	}
	ch.Close()
	moved := d.bodies("to", BrowseOptions{})
	all := append(consumed, moved...)
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != n || len(consumed)+len(moved) != n {
		t.Errorf("%d consumed and %d moved, %d different, want %d", len(consumed), len(moved), got, n)
	}
	if len(moved) == 0 || len(consumed) == 0 {
		t.Errorf("%d consumed, %d moved: one of them did nothing", len(consumed), len(moved))
	}
}

func TestReturnToWhereItDied(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("work", wire.Table{{Key: "x-dead-letter-exchange", Value: wire.String("")}, {Key: "x-dead-letter-routing-key", Value: wire.String("dead")}})
	d.declare("dead", nil)
	d.publish("work", wire.Properties{DeliveryMode: 2, MessageID: "one"}, "m1")
	d.publish("dead", persistent, "never died")
	q := d.client.vhost.Queue("work")
	if _, err := d.ch.Get("work", false, func(_ *queueproc.Queue, dl queueproc.Delivery, _ *message.Message, _ int) {
		d.out.settle = []queueproc.Settle{{Slot: dl.Slot, Seq: dl.Seq}}
	}); err != nil {
		t.Fatal(err)
	}
	q.Settle(d.out.settle, queue.Reject)
	d.want("dead", d.bodies("dead", BrowseOptions{Filter: MessageFilter{Reason: "rejected"}}), []string{"m1"})
	r := d.act("dead", MessageWork{Action: ReturnMessages})
	if r.Matched != 2 || r.Done != 1 || r.Failed != 1 || r.Reason != "the message is no dead letter" {
		t.Errorf("%+v", r)
	}
	d.want("work", d.bodies("work", BrowseOptions{}), []string{"m1"})
	d.want("dead", d.bodies("dead", BrowseOptions{}), []string{"never died"})
	_, err := d.b.BrowseMessages(context.Background(), "/", "work", BrowseOptions{Count: 1}, func(f *Found) {
		if string(f.Message.RoutingKey) != "work" || f.Props.MessageID != "one" {
			t.Errorf("returned as %q %+v", f.Message.RoutingKey, f.Props)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCopyEditAndRefusals(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	d.declare("small", wire.Table{{Key: "x-max-length", Value: wire.LongInt(1)}, {Key: "x-overflow", Value: wire.String("reject-publish")}})
	for i := range 3 {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	if r := d.act("q", MessageWork{Action: CopyMessages, Target: MessageTarget{Queue: "small"}}); r.Done != 1 || r.Failed != 2 {
		t.Errorf("%+v", r)
	}
	d.want("q", d.bodies("q", BrowseOptions{}), numbered(0, 3))
	if r := d.act("q", MessageWork{Action: MoveMessages, Target: MessageTarget{Queue: "small"}}); r.Failed != 3 {
		t.Errorf("%+v", r)
	}
	d.want("q after a refused move", d.bodies("q", BrowseOptions{}), numbered(0, 3))
	seq := d.seqs("q", "m1")[0]
	if err := d.b.EditMessage(context.Background(), operator, "/", "q", seq, wire.Properties{Type: "edited"}, []byte("new"), MessageTarget{}); err != nil {
		t.Fatal(err)
	}
	if err := d.b.EditMessage(context.Background(), operator, "/", "q", d.seqs("q", "m0")[0], wire.Properties{UserID: "boss"}, nil, MessageTarget{}); err == nil {
		t.Error("an operator spoke in somebody else's name")
	}
	d.want("q after an edit", d.bodies("q", BrowseOptions{}), []string{"m0", "m2", "new"})
	err := d.b.EditMessage(context.Background(), operator, "/", "q", seq, wire.Properties{}, nil, MessageTarget{})
	if err == nil || err.Error() != "no ready message 2 in queue 'q' in vhost '/'" {
		t.Error(err)
	}
	if _, err := d.b.ActOnMessages(context.Background(), operator, "/", "nope", MessageWork{Action: DeleteMessages}); err == nil {
		t.Error("no error for a queue that is not there")
	}
	if _, err := d.b.ActOnMessages(context.Background(), operator, "/", "q", MessageWork{Action: "burn"}); err == nil {
		t.Error("no error for an unknown action")
	}
}

// A rate spreads the work over time.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(10)
		began := time.Now()
		for range 21 {
			if err := p.wait(context.Background(), p.batch); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("21 messages at 10/s took %v, want 2s after the first", d)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if p.wait(ctx, 1) == nil {
			t.Error("a cancelled wait goes on")
		}
	})
}

// A message is not moved to a queue that is deleted meanwhile: it stays.
func TestMoveToQueueThatGoes(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("src", nil)
	d.declare("dst", nil)
	d.publish("src", persistent, "m")
	src := d.client.vhost.Queue("src")
	send, err := d.b.sender(src, MessageTarget{Queue: "dst"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.client.DeleteQueue("dst", false, false, func(int) {}); err != nil {
		t.Fatal(err)
	}
	taken, err := src.Take(d.seqs("src", "m"))
	if err != nil {
		t.Fatal(err)
	}
	var res MessageResult
	d.b.actOn(taken[0], send, &res)
	if res.Done != 0 || res.Failed != 1 {
		t.Errorf("%+v", res)
	}
	d.want("source", d.bodies("src", BrowseOptions{}), []string{"m"})
}
