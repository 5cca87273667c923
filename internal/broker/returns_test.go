package broker

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/vfs"
)

// What comes back to a quorum queue is served first, in the order of its return,
// whatever the delivery limit and however it came back; not so in a classic one.
func TestReturnsAreServedFirst(t *testing.T) {
	quorum := arg("x-queue-type", wire.String("quorum"))
	limit := func(n int64) wire.Table { return wire.Table{quorum, arg("x-delivery-limit", wire.Int64(n))} }
	back := []string{"2 redelivered", "0 redelivered", "3", "4"}
	for name, c := range map[string]struct {
		args wire.Table
		want []string
	}{
		"classic":      {nil, []string{"0 redelivered", "2 redelivered", "3", "4"}},
		"limit of 20":  {wire.Table{quorum}, back},
		"limit of 1":   {limit(1), back},
		"no limit":     {limit(-1), back},
		"no limit, -7": {limit(-7), back},
	} {
		for how, o := range map[string]queue.Outcome{"reject": queue.Requeue, "nack": queue.RequeueNoCount} {
			t.Run(name+", "+how, func(t *testing.T) {
				d := deskWith(t, vfs.NewMem(), 0)
				d.declare("q", c.args)
				for i := range 5 {
					d.publish("q", persistent, fmt.Sprint(i))
				}
				var got []queueproc.Settle
				for range 3 {
					if ok, err := d.ch.Get("q", false, func(_ *queueproc.Queue, dl queueproc.Delivery, _ *message.Message, _ int) {
						got = append(got, queueproc.Settle{Slot: dl.Slot, Seq: dl.Seq})
					}); !ok || err != nil {
						t.Fatal(ok, err)
					}
				}
				q := d.client.vhost.Queue("q")
				for _, i := range []int{2, 0} {
					q.Settle(got[i:i+1], o)
				}
				d.want("order", d.get("q", 4), c.want)
			})
		}
	}
}
