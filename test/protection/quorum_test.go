package protection

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

var sure = amqp.Table{"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-dead-letter-exchange": "dlx", "x-dead-letter-strategy": "at-least-once"}

func (n *node) put(ch *amqp.Channel, key, body string) bool {
	n.t.Helper()
	d, err := ch.PublishWithDeferredConfirm("", key, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)})
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ok, err := d.WaitContext(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	return ok
}

func (n *node) reject(ch *amqp.Channel, queue string) {
	n.t.Helper()
	d, ok, err := ch.Get(queue, false)
	if err != nil || !ok {
		n.t.Fatal("nothing to reject", err)
	}
	if err := d.Reject(false); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) next(ch *amqp.Channel, queue, want string) {
	n.t.Helper()
	n.until(queue+" has "+want, func() bool {
		d, ok, err := ch.Get(queue, true)
		if err != nil {
			n.t.Fatal(err)
		}
		if ok && string(d.Body) != want {
			n.t.Fatalf("%s has %q, want %q", queue, d.Body, want)
		}
		return ok
	})
}

// What must arrive waits until there is somewhere to arrive.
func TestAtLeastOnceWithoutTarget(t *testing.T) {
	n := start(t, broker.Config{})
	ch := n.channel(n.dial())
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	args := amqp.Table{"x-max-length": 2}
	for k, v := range sure {
		args[k] = v
	}
	n.queue(ch, "src", args)
	for _, body := range []string{"a", "b"} {
		if !n.put(ch, "src", body) {
			t.Fatal("refused", body)
		}
		n.reject(ch, "src")
	}
	q := n.VHost("/").Queue("src")
	n.until("both wait for a target", func() bool { return q.Stuck() == 2 })
	if n.put(ch, "src", "c") {
		t.Error("dead letters that wait do not count towards max-length")
	}
	if err := ch.ExchangeDeclare("dlx", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	n.queue(ch, "dst", nil)
	if err := ch.QueueBind("dst", "", "dlx", false, nil); err != nil {
		t.Fatal(err)
	}
	n.next(ch, "dst", "a")
	n.next(ch, "dst", "b")
	n.until("there is room again", func() bool { return q.Stuck() == 0 })
	if !n.put(ch, "src", "d") {
		t.Error("refused although there is room")
	}
}

// A target that refuses is asked again; the others get the message once.
func TestAtLeastOnceRefused(t *testing.T) {
	n := start(t, broker.Config{})
	ch := n.channel(n.dial())
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("dlx", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	n.queue(ch, "src", sure)
	n.queue(ch, "open", nil)
	n.queue(ch, "full", amqp.Table{"x-max-length": 1, "x-overflow": "reject-publish"})
	for _, q := range []string{"open", "full"} {
		if err := ch.QueueBind(q, "", "dlx", false, nil); err != nil {
			t.Fatal(err)
		}
	}
	n.put(ch, "full", "first")
	n.put(ch, "src", "letter")
	n.reject(ch, "src")
	n.next(ch, "open", "letter")
	n.until("the letter waits", func() bool { return n.VHost("/").Queue("src").Stuck() == 1 })
	n.next(ch, "full", "first")
	n.next(ch, "full", "letter")
	n.until("the letter waits no more", func() bool { return n.VHost("/").Queue("src").Stuck() == 0 })
	if d, ok, err := ch.Get("open", true); ok || err != nil {
		t.Errorf("came twice: %q %v", d.Body, err)
	}
}

// Without the strategy a letter that has no target is dropped; so is one that
// waits when the strategy is taken back.
func TestAtMostOnce(t *testing.T) {
	n := start(t, broker.Config{})
	ch := n.channel(n.dial())
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	n.queue(ch, "src", amqp.Table{"x-queue-type": "quorum"})
	n.do(&meta.SetPolicy{VHost: "/", Name: "p", Pattern: "src", ApplyTo: "queues",
		Definition: []byte(`{"dead-letter-exchange":"dlx","dead-letter-strategy":"at-least-once","overflow":"reject-publish"}`)})
	n.put(ch, "src", "a")
	n.reject(ch, "src")
	q := n.VHost("/").Queue("src")
	n.until("the letter waits", func() bool { return q.Stuck() == 1 })
	n.do(&meta.SetPolicy{VHost: "/", Name: "p", Pattern: "src", ApplyTo: "queues", Definition: []byte(`{"dead-letter-exchange":"dlx"}`)})
	n.until("the letter is dropped", func() bool { return q.Stuck() == 0 })
}

// Dead letters that wait for a target still do after a restart, and arrive with
// what they died of.
func TestAtLeastOnceRestart(t *testing.T) {
	dir := t.TempDir()
	t.Run("before", func(t *testing.T) {
		n := start(t, broker.Config{Dir: dir})
		ch := n.channel(n.dial())
		if err := ch.Confirm(false); err != nil {
			t.Fatal(err)
		}
		n.queue(ch, "src", sure)
		n.put(ch, "src", "a")
		n.reject(ch, "src")
		n.until("the letter waits", func() bool { return n.VHost("/").Queue("src").Stuck() == 1 })
	})
	n := start(t, broker.Config{Dir: dir})
	ch := n.channel(n.dial())
	if d, ok, err := ch.Get("src", true); ok || err != nil {
		t.Errorf("%q is ready again, %v", d.Body, err)
	}
	q := n.VHost("/").Queue("src")
	n.until("the letter waits again", func() bool { return q.Stuck() == 1 })
	n.queue(ch, "dst", nil)
	if err := ch.ExchangeDeclare("dlx", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("dst", "", "dlx", false, nil); err != nil {
		t.Fatal(err)
	}
	n.until("the letter arrives", func() bool { return n.VHost("/").Queue("dst").Info().Ready == 1 })
	d, ok, err := ch.Get("dst", true)
	if err != nil || !ok || string(d.Body) != "a" || d.Headers["x-first-death-reason"] != "rejected" {
		t.Errorf("%q %v %v %v", d.Body, d.Headers, ok, err)
	}
}

func timeoutError(channel, ms string) string {
	return "PRECONDITION_FAILED - delivery acknowledgement on channel " + channel + " timed out. Timeout value used: " + ms +
		" ms. This timeout value can be configured, see consumers doc guide to learn more"
}

// A delivery of a quorum queue must be settled in time; its channel is closed if
// not, and nothing else.
func TestConsumerTimeout(t *testing.T) {
	for _, c := range []struct {
		name      string
		node      time.Duration
		queueArgs amqp.Table
		args      amqp.Table
		ms        string
	}{
		{"node", 200 * time.Millisecond, nil, nil, "200"},
		{"queue", 0, amqp.Table{"x-consumer-timeout": 150}, nil, "150"},
		{"consumer", 100 * time.Millisecond, amqp.Table{"x-consumer-timeout": 100}, amqp.Table{"x-consumer-timeout": 300}, "300"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := start(t, broker.Config{ConsumerTimeout: c.node})
			conn := n.dial()
			other := n.channel(conn)
			args := amqp.Table{"x-queue-type": "quorum"}
			for k, v := range c.queueArgs {
				args[k] = v
			}
			n.queue(other, "work", args)
			ch := n.channel(conn)
			ds, err := ch.Consume("work", "slow", false, false, false, false, c.args)
			if err != nil {
				t.Fatal(err)
			}
			closed := ch.NotifyClose(make(chan *amqp.Error, 1))
			if err := other.Confirm(false); err != nil {
				t.Fatal(err)
			}
			// What is acknowledged in time does no harm.
			n.put(other, "work", "quick")
			(<-ds).Ack(false)
			n.put(other, "work", "slow")
			if d := <-ds; string(d.Body) != "slow" {
				t.Fatalf("%q", d.Body)
			}
			select {
			case e := <-closed:
				wants(t, e, 406, timeoutError("2", c.ms))
			case <-time.After(patience):
				t.Fatal("the channel is open")
			}
			n.next(other, "work", "slow")
		})
	}
}

func TestNoConsumerTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		node        time.Duration
		queue, args amqp.Table
	}{
		"classic": {100 * time.Millisecond, nil, nil},
		"never":   {-1, amqp.Table{"x-queue-type": "quorum"}, nil},
		"zero":    {100 * time.Millisecond, amqp.Table{"x-queue-type": "quorum"}, amqp.Table{"x-consumer-timeout": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, broker.Config{ConsumerTimeout: c.node})
			ch := n.channel(n.dial())
			n.queue(ch, "work", c.queue)
			ds, err := ch.Consume("work", "slow", false, false, false, false, c.args)
			if err != nil {
				t.Fatal(err)
			}
			if err := ch.Confirm(false); err != nil {
				t.Fatal(err)
			}
			n.put(ch, "work", "x")
			d := <-ds
			time.Sleep(400 * time.Millisecond) // four timeouts
			if err := d.Ack(false); err != nil {
				t.Fatal(err)
			}
			n.put(ch, "work", "y")
			if strings.Contains(n.log.String(), "timed out") {
				t.Error("the channel was closed")
			}
		})
	}
}

// How a message comes back to a quorum queue decides whether that counts as a
// failed delivery; it is served first in any case, with a delivery limit or without.
func TestWaysBack(t *testing.T) {
	n := start(t, broker.Config{})
	ch := n.channel(n.dial())
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	ways := []struct {
		name   string
		failed int64
		back   func(from *amqp.Channel, tags []uint64) error
	}{
		{"reject", 1, func(from *amqp.Channel, tags []uint64) error {
			return errors.Join(from.Reject(tags[0], true), from.Reject(tags[1], true))
		}},
		{"nack", 0, func(from *amqp.Channel, tags []uint64) error { return from.Nack(tags[1], true, true) }},
		{"recover", 0, func(from *amqp.Channel, _ []uint64) error { return from.Recover(true) }},
		{"close", 1, func(from *amqp.Channel, _ []uint64) error { return from.Close() }},
	}
	for name, args := range map[string]amqp.Table{"default": {"x-queue-type": "quorum"}, "unlimited": {"x-queue-type": "quorum", "x-delivery-limit": -1}} {
		n.queue(ch, name, args)
		for _, w := range ways {
			for _, body := range []string{"a", "b", "c"} {
				n.put(ch, name, body)
			}
			from := n.channel(n.dial())
			var tags []uint64
			for range 2 {
				d, ok, err := from.Get(name, false)
				if !ok || err != nil {
					t.Fatal(ok, err)
				}
				tags = append(tags, d.DeliveryTag)
			}
			if err := w.back(from, tags); err != nil {
				t.Fatal(err)
			}
			n.until("all are back", func() bool { ready, _ := n.VHost("/").Queue(name).Depth(); return ready == 3 })
			for _, want := range []string{"a", "b", "c"} {
				d, ok, err := ch.Get(name, true)
				if !ok || err != nil {
					t.Fatal(ok, err)
				}
				headers := amqp.Table{"x-delivery-count": w.failed, "x-acquired-count": int64(1)}
				if want == "c" {
					headers = nil
				}
				if string(d.Body) != want || d.Redelivered != (want != "c") || !maps.Equal(d.Headers, headers) {
					t.Errorf("%s, %s: got %s %v %v, want %s %v", name, w.name, d.Body, d.Redelivered, d.Headers, want, headers)
				}
			}
		}
	}
}
