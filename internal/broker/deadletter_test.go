package broker

import (
	"fmt"
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
