package brokertest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/server"
)

// dial connects and opens a channel that confirms.
func dial(t *testing.T, b *brokertest.Broker) (*amqp.Connection, *amqp.Channel) {
	t.Helper()
	conn, err := amqp.Dial(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

// put declares a durable queue and publishes to it, confirmed.
func put(t *testing.T, ch *amqp.Channel, queue, body string) {
	t.Helper()
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	c, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Wait() {
		t.Fatal("the publish was refused")
	}
}

// get fetches the only message of a queue.
func get(t *testing.T, ch *amqp.Channel, queue, want string) {
	t.Helper()
	d, ok, err := ch.Get(queue, true)
	if err != nil {
		t.Fatal(err)
	}
	if !ok || string(d.Body) != want || d.MessageCount != 0 {
		t.Fatalf("got %v %q with %d behind it, want %q alone", ok, d.Body, d.MessageCount, want)
	}
}

func TestKeepsOverRestart(t *testing.T) {
	for name, opts := range map[string][]brokertest.Option{"here": nil, "process": {brokertest.Process()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t, opts...)
			addr := b.Addr()
			conn, ch := dial(t, b)
			put(t, ch, "q", "kept")
			gone := conn.NotifyClose(make(chan *amqp.Error, 1))
			b.Restart()
			if e := <-gone; e == nil || e.Code != amqp.ConnectionForced {
				t.Errorf("the client was told %v, want code %d", e, amqp.ConnectionForced)
			}
			if b.Addr() != addr {
				t.Errorf("moved from %s to %s", addr, b.Addr())
			}
			_, ch = dial(t, b)
			get(t, ch, "q", "kept")
		})
	}
}

func TestKeepsOverCrash(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t, brokertest.Process())
	conn, ch := dial(t, b)
	put(t, ch, "q", "kept")
	gone := conn.NotifyClose(make(chan *amqp.Error, 1))
	b.Crash()
	select {
	case e := <-gone:
		if e != nil && e.Code == amqp.ConnectionForced {
			t.Errorf("a killed broker said goodbye: %v", e)
		}
	case <-time.After(10 * time.Second):
		t.Error("the connection has outlived the broker")
	}
	if c, err := b.Dial(); err == nil {
		c.Close()
		t.Error("a killed broker can be dialled")
	}
	b.Run()
	_, ch = dial(t, b)
	get(t, ch, "q", "kept")
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t, brokertest.InMemory())
	_, ch := dial(t, b)
	put(t, ch, "q", "gone")
	b.Restart()
	_, ch = dial(t, b)
	if _, err := ch.QueueDeclarePassive("q", true, false, false, false, nil); err == nil {
		t.Error("the queue has outlived the memory")
	}
}

func TestDialWithoutNetwork(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t, brokertest.InMemory())
	conn, err := amqp.DialConfig(b.URL(), amqp.Config{Dial: func(string, string) (net.Conn, error) { return b.Dial() }})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	put(t, ch, "q", "hello")
	get(t, ch, "q", "hello")
}

func TestConfigure(t *testing.T) {
	for name, opts := range map[string][]brokertest.Option{"here": nil, "process": {brokertest.Process()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t, append(opts, brokertest.InMemory(), brokertest.Configure(func(c *server.Config) {
				c.DefaultUser, c.DefaultPass, c.DefaultVHost = "ann", "s/e:c", "a/b"
			}))...)
			_, ch := dial(t, b)
			put(t, ch, "q", "hello")
			get(t, ch, "q", "hello")
		})
	}
}

// recorder stands for the test that Start fails.
type recorder struct {
	testing.TB
	failed []string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func TestSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := brokertest.Configure(func(c *server.Config) { c.Listeners = []string{ln.Addr().String()} })
	for _, opts := range [][]brokertest.Option{{taken}, {taken, brokertest.Process()}} {
		r := &recorder{TB: t}
		if b := brokertest.Start(r, opts...); b != nil || len(r.failed) != 1 || !strings.Contains(r.failed[0], "address already in use") {
			t.Errorf("Start on a port in use: failed with %q", r.failed)
		}
	}
	r := &recorder{TB: t}
	brokertest.Start(r, brokertest.InMemory()).Crash()
	if len(r.failed) != 1 || !strings.Contains(r.failed[0], "brokertest.Process()") {
		t.Errorf("Crash in the same process: failed with %q", r.failed)
	}
}

func TestNewCleansUp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b, err := brokertest.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// A broker that has ended leaves no goroutine, which tests that look for such would
// complain of.
func TestNoGoroutineIsLeft(t *testing.T) {
	t.Run("a test with a broker", func(t *testing.T) {
		_, ch := dial(t, brokertest.Start(t))
		put(t, ch, "q", "hello")
	})
	var left string
	for range 1000 {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = ""
		for g := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(g, "warren/internal") || strings.Contains(g, "warren/server") {
				left += g + "\n\n"
			}
		}
		if left == "" {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error(left)
}
