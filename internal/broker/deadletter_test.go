package broker

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
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
