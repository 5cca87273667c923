package broker

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/vfs"
)

// Queues that keep nothing hand one message down a long chain of dead-letter
// routes. It arrives, and memory does not grow with the square of the chain.
func TestLongChainOfDeadLetters(t *testing.T) {
	const n = 2000
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	for i := range n {
		args := meta.NewArgs(wire.Table{{Key: "x-max-length", Value: wire.Int64(0)},
			{Key: "x-dead-letter-exchange", Value: wire.String("")}, {Key: "x-dead-letter-routing-key", Value: wire.String(fmt.Sprintf("q%d", i+1))}})
		if _, err := d.client.DeclareQueue(QueueSpec{Name: fmt.Sprintf("q%d", i), Args: args}); err != nil { // on a disk in memory nothing is to be kept
			t.Fatal(err)
		}
	}
	d.declare(fmt.Sprintf("q%d", n), nil)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d.publish("q0", wire.Properties{}, "m")
	end := d.client.vhost.Queue(fmt.Sprintf("q%d", n))
	for deadline := time.Now().Add(time.Minute); end.Info().Ready == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the message did not arrive")
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 600<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// A dead letter goes to the keys of BCC too, and its own dead letter again, also
// after a restart. Nobody is shown them. A key of the queue's own replaces them.
func TestDeadLetterToHiddenKeys(t *testing.T) {
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	defer func() { d.close() }()
	dlx := func(name string) wire.Field { return arg("x-dead-letter-exchange", wire.String(name)) }
	bound := func(exchange, key, queue string, args ...wire.Field) {
		t.Helper()
		d.declare(queue, args)
		if err := d.client.Bind(BindSpec{Source: exchange, Dest: queue, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	d.declare("q", wire.Table{dlx("amq.direct")})
	d.declare("own", wire.Table{dlx("amq.direct"), arg("x-dead-letter-routing-key", wire.String("other"))})
	bound("amq.direct", "q", "dead.q")
	bound("amq.direct", "cc", "dead.cc")
	bound("amq.direct", "secret", "dead.secret", dlx("amq.topic"))
	bound("amq.direct", "other", "dead.other")
	bound("amq.topic", "secret", "again")
	restart := func() {
		t.Helper()
		d.close()
		d = newDesk(t, fs)
	}
	reject := func(name string) {
		t.Helper()
		var back []queueproc.Settle
		ok, err := d.ch.Get(name, false, func(_ *queueproc.Queue, dl queueproc.Delivery, m *message.Message, _ int) {
			back = append(back, queueproc.Settle{Slot: dl.Slot, Seq: dl.Seq})
		})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		d.client.vhost.Queue(name).Settle(back, queue.Reject)
	}
	keys := func(names ...string) (out wire.Array) {
		for _, n := range names {
			out = append(out, wire.String(n))
		}
		return out
	}
	props := wire.Properties{DeliveryMode: 2, Headers: wire.Table{{Key: "CC", Value: keys("cc")}, {Key: "BCC", Value: keys("secret", "nowhere")}}}
	d.publish("q", props, "m")
	restart()
	reject("q")
	for _, name := range []string{"dead.q", "dead.cc", "dead.secret"} {
		d.want(name, d.bodies(name, BrowseOptions{}), []string{"m"})
	}
	restart()
	reject("dead.secret")
	d.want("again", d.bodies("again", BrowseOptions{}), []string{"m"})
	_, err := d.ch.Get("again", true, func(_ *queueproc.Queue, _ queueproc.Delivery, m *message.Message, _ int) {
		p, err := wire.ParseProperties(m.Props)
		if err != nil {
			t.Fatal(err)
		}
		if s := fmt.Sprint(p.Headers); strings.Contains(s, "BCC") || strings.Contains(s, "nowhere") || !strings.Contains(s, "cc") {
			t.Errorf("headers of the dead letter: %s", s)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	d.publish("own", props, "n")
	reject("own")
	d.want("own key", d.bodies("dead.other", BrowseOptions{}), []string{"n"})
	d.want("not the others", d.bodies("dead.secret", BrowseOptions{}), nil)
}

// Dead letters that must arrive wait for their target over crashes and restarts,
// whether the log, a checkpoint or a page on disk tells of the message.
func TestDeadLettersThatMustArriveSurvive(t *testing.T) {
	const n = 20_000
	for _, checkpoint := range []int64{0, 100_000} {
		fs := vfs.NewMem()
		d := deskWith(t, fs, checkpoint)
		d.declare("q", wire.Table{arg("x-queue-type", wire.String("quorum")), arg("x-overflow", wire.String("reject-publish")),
			arg("x-dead-letter-exchange", wire.String("later")), arg("x-dead-letter-strategy", wire.String("at-least-once"))})
		for i := range n {
			d.publish("q", persistent, fmt.Sprintf("m%d", i))
		}
		var dead []string
		die := func(n int) {
			var back []queueproc.Settle
			for range n {
				if ok, err := d.ch.Get("q", false, func(_ *queueproc.Queue, dl queueproc.Delivery, m *message.Message, _ int) {
					back = append(back, queueproc.Settle{Slot: dl.Slot, Seq: dl.Seq})
					dead = append(dead, string(m.Body))
				}); err != nil || !ok {
					t.Fatal(ok, err)
				}
			}
			d.client.vhost.Queue("q").Settle(back, queue.Reject)
		}
		d.get("q", 8_500) // so that pages have come back into memory, whose records still count
		die(2)
		d.get("q", 500)
		die(2)
		left := n - 8_500 - 500 - 4
		check := func(what string, d *desk) {
			t.Helper()
			q := d.client.vhost.Queue("q")
			until(t, func() string {
				if i := q.Info(); i.Ready != left || q.Stuck() != 4 || i.Persistent != int64(left+4) {
					return fmt.Sprintf("%s: %d ready, %d dead, %d persistent", what, i.Ready, q.Stuck(), i.Persistent)
				}
				return ""
			})
		}
		d = outlive(t, fs, d, check)
		if err := d.client.DeclareExchange(ExchangeSpec{Name: "later", Type: "fanout", Durable: true}); err != nil {
			t.Fatal(err)
		}
		d.declare("dst", nil)
		if err := d.client.Bind(BindSpec{Source: "later", Dest: "dst"}); err != nil {
			t.Fatal(err)
		}
		q := d.client.vhost.Queue("q")
		until(t, func() string {
			if i := q.Info(); q.Stuck() != 0 || i.Persistent != int64(left) {
				return fmt.Sprintf("%d wait, %d persistent", q.Stuck(), i.Persistent)
			}
			return ""
		})
		d.want("arrived", d.bodies("dst", BrowseOptions{}), dead)
		d.close()
		d = newDesk(t, fs)
		if i := d.client.vhost.Queue("q").Info(); i.Ready != left || d.client.vhost.Queue("q").Stuck() != 0 {
			t.Errorf("after the last restart %d are ready", i.Ready)
		}
		d.close()
	}
}

// outlive lets a broker go through crashes, and at last a restart in order; check
// looks at each state. It returns the broker that is there then.
func outlive(t *testing.T, fs *vfs.Mem, d *desk, check func(what string, d *desk)) *desk {
	t.Helper()
	check("at first", d)
	if err := d.b.barrier(); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		after := fs.CrashClone(rand.New(rand.NewPCG(seed, 1)))
		c := newDesk(t, after)
		check("after a crash", c)
		if err := c.b.barrier(); err != nil {
			t.Fatal(err)
		}
		again := newDesk(t, after.CrashClone(rand.New(rand.NewPCG(seed, 2))))
		check("after two crashes", again)
		again.close()
		c.close()
		c = newDesk(t, after)
		check("after a crash and a restart", c)
		c.close()
	}
	d.close()
	d = newDesk(t, fs)
	check("after a restart", d)
	return d
}
