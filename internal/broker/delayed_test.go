package broker

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/vfs"
)

func delayedRetry(ms int64) wire.Table {
	return wire.Table{arg("x-queue-type", wire.String("quorum")), arg("x-delayed-retry-type", wire.String("failed")),
		arg("x-delayed-retry-min", wire.Int64(ms)), arg("x-delayed-retry-max", wire.Int64(3*ms))}
}

// fail gets n messages and lets them fail.
func (d *desk) fail(name string, n int) (bodies []string) {
	d.Helper()
	var back []queueproc.Settle
	for range n {
		ok, err := d.ch.Get(name, false, func(_ *queueproc.Queue, dl queueproc.Delivery, m *message.Message, _ int) {
			back = append(back, queueproc.Settle{Slot: dl.Slot, Seq: dl.Seq})
			bodies = append(bodies, string(m.Body))
		})
		if err != nil || !ok {
			d.Fatal(ok, err)
		}
	}
	d.client.vhost.Queue(name).Settle(back, queue.Requeue)
	return bodies
}

// delayed browses a queue for what is delayed: body, count, minutes.
func (d *desk) delayed(name string) (out []string) {
	d.Helper()
	_, err := d.b.BrowseMessages(context.Background(), "/", name, BrowseOptions{Count: 1 << 30, MaxScan: 1 << 30}, func(f *Found) {
		if f.Due != 0 {
			left := time.Until(time.UnixMilli(f.Due)).Round(time.Minute)
			out = append(out, fmt.Sprintf("%s %d %.0fm", f.Message.Body, f.Item.Count, left.Minutes()))
		}
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// What is delayed is so after a restart and after a crash, whether the log, a
// checkpoint or a page on disk tells of the message.
func TestDelayedRetrySurvives(t *testing.T) {
	const n, hour = 20_000, 3_600_000
	for _, checkpoint := range []int64{0, 100_000} {
		fs := vfs.NewMem()
		d := deskWith(t, fs, checkpoint)
		d.declare("q", delayedRetry(hour))
		for i := range n {
			d.publish("q", persistent, fmt.Sprintf("m%d", i))
		}
		// Deep enough that pages have come back into memory, whose records still count.
		d.get("q", 8_500)
		first := d.fail("q", 2)
		d.want("failed", first, []string{"m8500", "m8501"})
		d.get("q", 500)
		last := d.fail("q", 2)
		var want []string
		for _, m := range append(first, last...) {
			want = append(want, m+" 1 60m")
		}
		left := n - 8_500 - 500 - 2 - 2
		check := func(what string, d *desk) {
			t.Helper()
			d.want(what, d.delayed("q"), want)
			i := d.client.vhost.Queue("q").Info()
			if i.Ready != left || i.Delayed != 4 || i.Persistent != int64(left+4) {
				t.Fatalf("%s: %d ready, %d delayed, %d persistent, want %d, 4", what, i.Ready, i.Delayed, i.Persistent, left)
			}
			if all := d.bodies("q", BrowseOptions{}); len(all) != left+4 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != left+4 {
				t.Fatalf("%s: %d messages, or some of them twice", what, len(all))
			}
		}
		outlive(t, fs, d, check).close()
	}
}

// What became due while the node was down is there at once, with its count.
func TestDelayedRetryIsDueAfterRestart(t *testing.T) {
	fs := vfs.NewMem()
	d := newDesk(t, fs)
	d.declare("q", delayedRetry(1))
	d.publish("q", persistent, "m")
	d.fail("q", 1)
	d.close()
	d = newDesk(t, fs)
	defer d.close()
	q := d.client.vhost.Queue("q")
	until(t, func() string {
		if i := q.Info(); i.Ready != 1 || i.Delayed != 0 {
			return fmt.Sprintf("%d ready, %d delayed", i.Ready, i.Delayed)
		}
		return ""
	})
	d.want("due", d.get("q", 2), []string{"m redelivered"})
}

// An operator purges, deletes and moves what is delayed.
func TestDelayedRetryAndOperator(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", delayedRetry(3_600_000))
	d.declare("to", nil)
	for i := range 5 {
		d.publish("q", persistent, fmt.Sprintf("m%d", i))
	}
	d.fail("q", 4)
	if r := d.act("q", MessageWork{Action: MoveMessages, Seqs: d.seqs("q", "m1"), Target: MessageTarget{Queue: "to"}}); r.Done != 1 {
		t.Errorf("%+v", r)
	}
	d.want("moved", d.bodies("to", BrowseOptions{}), []string{"m1"})
	d.want("left", d.delayed("q"), []string{"m0 1 60m", "m2 1 60m", "m3 1 60m"})
	if n := d.client.vhost.Queue("q").Purge(); n != 4 {
		t.Errorf("purged %d", n)
	}
	d.want("purged", d.bodies("q", BrowseOptions{}), nil)
}
