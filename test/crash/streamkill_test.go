package crash

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestStreamKill9 kills the broker while one client publishes to a stream and
// another reads it, who goes on where it was each time. It must see every
// message that was confirmed, once, in order, at offsets without gaps.
func TestStreamKill9(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	var confirmed sync.Map // id
	nextID, nextOffset, lastID := uint64(1), int64(0), uint64(0)
	seen := map[uint64]bool{}
	for round := range rounds + 1 {
		n, err := startNode(t, dir)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := amqp.Dial("amqp://guest:guest@" + n.addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		reader, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = reader.QueueDeclare("river", true, false, false, false, amqp.Table{"x-queue-type": "stream"}); err != nil {
			t.Fatal(err)
		}
		if err := reader.Qos(200, 0, false); err != nil {
			t.Fatal(err)
		}
		ds, err := reader.Consume("river", "", false, false, false, false, amqp.Table{"x-stream-offset": nextOffset})
		if err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		if round < rounds {
			work.Go(func() { nextID = publishUntilKilled(conn, nextID, &confirmed) })
			time.AfterFunc(time.Duration(300+rand.IntN(700))*time.Millisecond, func() { n.cmd.Process.Kill() })
		}
		idle := time.NewTimer(time.Hour)
		if round == rounds {
			idle.Reset(2 * time.Second)
		}
		for open := true; open; {
			var d amqp.Delivery
			select {
			case d, open = <-ds:
			case <-idle.C:
				open = false
			}
			if !open {
				break
			}
			id := binary.BigEndian.Uint64(d.Body)
			if offset := d.Headers["x-stream-offset"]; offset != nextOffset || id <= lastID {
				t.Fatalf("offset %v has message %d; offset %d, after message %d, is next", offset, id, nextOffset, lastID)
			}
			nextOffset, lastID = nextOffset+1, id
			seen[id] = true
			d.Ack(false) // fails when the broker is dead
			if round == rounds {
				idle.Reset(2 * time.Second)
			}
		}
		work.Wait()
		conn.Close()
		n.kill()
	}
	confirmed.Range(func(id, _ any) bool {
		if !seen[id.(uint64)] {
			t.Errorf("message %d was confirmed and did not come", id)
		}
		return true
	})
	t.Logf("%d kills, %d messages read", rounds, len(seen))
	if len(seen) == 0 {
		t.Error("nothing was read")
	}
}

// publishUntilKilled publishes ids from next on, and notes those that are
// confirmed. It returns the next id.
func publishUntilKilled(conn *amqp.Connection, next uint64, confirmed *sync.Map) uint64 {
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		return next // killed already
	}
	acks := ch.NotifyPublish(make(chan amqp.Confirmation, 1000))
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	first := next
	for {
		for range 50 {
			err := ch.PublishWithContext(context.Background(), "", "river", true, false, amqp.Publishing{Body: binary.BigEndian.AppendUint64(nil, next)})
			if err != nil {
				return next + 1
			}
			next++
		}
		for range 50 {
			select {
			case c, ok := <-acks:
				if !ok {
					return next
				}
				if c.Ack {
					confirmed.Store(first+c.DeliveryTag-1, true)
				}
			case <-closed:
				return next
			}
		}
	}
}
