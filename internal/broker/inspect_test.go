package broker

import (
	"testing"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

func openTest(t *testing.T) *Broker {
	t.Helper()
	b, err := Open(Config{FS: vfs.NewMem(), Dir: "d", Sync: store.Memory,
		Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// What was counted stays in the sums when queues, channels, clients and virtual
// hosts go.
func TestTotalsNeverGoDown(t *testing.T) {
	b := openTest(t)
	if _, err := b.Do(Actor{User: "test"}, &meta.PutVHost{Name: "v"}, &meta.SetPermissions{User: "guest", VHost: "v", Configure: ".*", Write: ".*", Read: ".*"}); err != nil {
		t.Fatal(err)
	}
	c, err := b.Connect(ClientInfo{ID: "c", User: "guest", VHost: "v"})
	if err != nil {
		t.Fatal(err)
	}
	var out counter
	ch := c.NewChannel(&out)
	ch.SelectConfirm()
	if _, err := c.DeclareQueue(QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume(ConsumeSpec{Queue: "q", Tag: "t", NoAck: true}, nil); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := ch.Publish(plain("q", 200, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if routed, _ := ch.Publish(plain("nowhere", 5, 1)); !routed {
		ch.Unroutable(false)
		ch.Unrouted()
	}
	c.Settle()
	check := func(when string) {
		t.Helper()
		s := b.Survey(Visitor{})
		n, q := s.Node.Sent, s.Node.AllQueues()
		if n.Published != 11 || n.Routed != 10 || n.Dropped != 1 || n.Confirming != 11 || n.Confirmed != 11 || n.Bytes != 2005 || n.Sizes[0] != 1 || n.Sizes[1] != 10 {
			t.Errorf("%s: published %+v", when, n)
		}
		if q.Published != 10 || q.DeliveredNoAck != 10 {
			t.Errorf("%s: queues %+v", when, q)
		}
		for _, vs := range s.VHosts {
			if vs.VHost.Name == "v" && (vs.Totals.Published != 11 || vs.Totals.AllQueues() != q) {
				t.Errorf("%s: virtual host %+v", when, vs.Totals)
			}
		}
	}
	check("at work")
	if in, out := b.VHost("v").DefaultPassed(); in != 11 || out != 10 {
		t.Errorf("default exchange: %d in, %d out", in, out)
	}
	if _, err := b.DeleteQueueAs(Actor{}, "v", "q", false, false); err != nil {
		t.Fatal(err)
	}
	check("queue deleted")
	ch.Close()
	check("channel closed")
	c.Close()
	c.Close()
	check("client gone")
	if _, err := b.Do(Actor{}, &meta.DeleteVHost{Name: "v"}); err != nil {
		t.Fatal(err)
	}
	check("virtual host deleted")
	want := Churn{ConnectionsCreated: 1, ConnectionsClosed: 1, ChannelsCreated: 1, ChannelsClosed: 1, QueuesDeclared: 1, QueuesCreated: 1, QueuesDeleted: 1}
	if got := b.Churn(); got != want {
		t.Errorf("churn %+v, want %+v", got, want)
	}
	waited := uint64(0)
	for i := range b.Waits(ClassicQueue).Buckets {
		waited += b.Waits(ClassicQueue).Buckets[i].Load()
	}
	if waited != 1 {
		t.Errorf("%d waits sampled of 10 deliveries, want 1", waited)
	}
}

func TestQueueInfo(t *testing.T) {
	b := openTest(t)
	c, err := b.Connect(ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out := counter{keep: true}
	ch := c.NewChannel(&out)
	defer ch.Close()
	if _, err := c.DeclareQueue(QueueSpec{Name: "q", Durable: true}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		ch.Publish(plain("q", 100, uint8(1+i%2)))
	}
	c.Settle()
	if _, err := ch.Consume(ConsumeSpec{Queue: "q", Tag: "t", Prefetch: 1}, nil); err != nil {
		t.Fatal(err)
	}
	q := b.VHost("/").Queue("q")
	i := q.Info()
	if i.Ready != 2 || i.Unacked != 1 || i.ReadyBytes != 200 || i.UnackedBytes != 100 || i.ReadyInMemory != 2 || i.Persistent != 1 || i.PersistentBytes != 100 {
		t.Errorf("%+v", i)
	}
	if i.OldestReady == 0 || i.OldestUnacked == 0 || i.OldestUnacked > i.OldestReady {
		t.Errorf("oldest ready %d, unacknowledged %d", i.OldestReady, i.OldestUnacked)
	}
	cs := q.Consumers()
	if len(cs) != 1 || !cs[0].Full || cs[0].Gated || !cs[0].Active || cs[0].Unacked != 1 {
		t.Errorf("%+v", cs)
	}
	for len(out.settle) > 0 {
		s := out.settle
		out.settle = nil
		q.Settle(s, 0)
	}
	if i = q.Info(); i.Persistent != 0 || i.PersistentBytes != 0 || i.OldestReady != 0 || i.OldestUnacked != 0 {
		t.Errorf("drained: %+v", i)
	}
	if got := i.Counters; got != (queueproc.Counters{Published: 3, Delivered: 3, Acked: 3, DiskWrites: 1}) {
		t.Errorf("counters %+v", got)
	}
}
