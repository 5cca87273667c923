package broker

import (
	"testing"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/vfs"
)

// Copies are not traced, nor are they as dead letters: what a full queue of
// copies gives away is delivered, and that is all.
func TestTraceOfDeadCopies(t *testing.T) {
	d := newDesk(t, vfs.NewMem())
	defer d.close()
	d.declare("q", nil)
	d.declare("dead", nil)
	d.declare("copies", wire.Table{{Key: "x-max-length", Value: wire.Int32(1)}, {Key: "x-dead-letter-exchange", Value: wire.String("")},
		{Key: "x-dead-letter-routing-key", Value: wire.String("dead")}})
	if err := d.client.Bind(BindSpec{Source: traceExchange, Dest: "copies", Key: "#"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.b.Do(operator, &meta.SetTracing{VHost: "/", On: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ch.Consume(ConsumeSpec{Queue: "dead", Tag: "c", NoAck: true}, nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.publish("q", wire.Properties{}, "x")
	}
	if d.out.delivered != 2 {
		t.Errorf("%d dead copies, want 2", d.out.delivered)
	}
	d.want("q", d.bodies("q", BrowseOptions{}), []string{"x", "x", "x"})
}
