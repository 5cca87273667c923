// Package protection tests what keeps a node alive: alarms, limits, and holding
// publishers back, with a real client over the network.
package protection

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
)

// node is a broker with a listener.
type node struct {
	*broker.Broker
	t    *testing.T
	addr string
	log  *lines
}

// patience is how long anything may take on a machine that is busy.
const patience = 30 * time.Second

func start(t *testing.T, cfg broker.Config) *node {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	cfg.Bootstrap = broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}}
	n := &node{t: t, log: &lines{}}
	cfg.Logger = slog.New(slog.NewTextHandler(n.log, nil))
	var err error
	if n.Broker, err = broker.Open(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.addr = ln.Addr().String()
	srv := &session.Server{Broker: n.Broker, Logger: cfg.Logger, Config: session.Config{
		Product: "RabbitMQ", Version: "4.3.0", Heartbeat: time.Minute, FrameMax: 131072, ChannelMax: 2047,
		HandshakeTimeout: 10 * time.Second, Mechanisms: []string{"PLAIN"}}}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { srv.Serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		srv.Shutdown(ctx)
		conns.Wait()
		if err := n.Close(); err != nil {
			t.Error("closing the broker:", err)
		}
		if t.Failed() {
			t.Log(n.log.String())
		}
	})
	return n
}

// lines keeps what was logged.
type lines struct {
	mu sync.Mutex
	b  []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b...)
	return len(b), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

func (n *node) do(cmds ...meta.Command) {
	n.t.Helper()
	if _, err := n.Do(broker.Actor{User: "test", Source: "test"}, cmds...); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) dialErr(user, vhost string) (*amqp.Connection, error) {
	c, err := amqp.DialConfig("amqp://"+n.addr, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: user, Password: user}}, Vhost: vhost})
	if err == nil {
		n.t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func (n *node) dial() *amqp.Connection {
	n.t.Helper()
	c, err := n.dialErr("guest", "/")
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

func (n *node) channel(c *amqp.Connection) *amqp.Channel {
	n.t.Helper()
	ch, err := c.Channel()
	if err != nil {
		n.t.Fatal(err)
	}
	return ch
}

func (n *node) queue(ch *amqp.Channel, name string, args amqp.Table) {
	n.t.Helper()
	if _, err := ch.QueueDeclare(name, true, false, false, false, args); err != nil {
		n.t.Fatal(err)
	}
}

// publisher publishes without end on a connection of its own and notes what was
// confirmed.
type publisher struct {
	n        *node
	blocked  chan amqp.Blocking
	mu       sync.Mutex
	changed  *sync.Cond
	tags     map[uint64]string // delivery tag: body, not decided yet
	safe     map[string]bool
	refused  int
	gone     bool // the channel is closed
	stop     chan struct{}
	finished sync.WaitGroup
}

func (n *node) publish(exchange, key string, size int) *publisher {
	n.t.Helper()
	c := n.dial()
	p := &publisher{n: n, blocked: c.NotifyBlocked(make(chan amqp.Blocking, 64)), tags: map[uint64]string{}, safe: map[string]bool{}, stop: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	ch := n.channel(c)
	if err := ch.Confirm(false); err != nil {
		n.t.Fatal(err)
	}
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation, 1024))
	p.finished.Go(func() {
		for c := range confirms {
			p.mu.Lock()
			if c.Ack {
				p.safe[p.tags[c.DeliveryTag]] = true
			} else {
				p.refused++
			}
			delete(p.tags, c.DeliveryTag)
			p.changed.Broadcast()
			p.mu.Unlock()
		}
		p.mu.Lock()
		p.gone = true
		p.changed.Broadcast()
		p.mu.Unlock()
	})
	var run sync.WaitGroup
	run.Go(func() {
		body := make([]byte, size)
		for tag := uint64(1); ; tag++ {
			select {
			case <-p.stop:
				return
			default:
			}
			id := fmt.Sprint(key, "-", tag)
			copy(body, id)
			p.mu.Lock()
			for len(p.tags) > 100 && !p.gone {
				p.changed.Wait()
			}
			p.tags[tag] = id
			p.mu.Unlock()
			if err := ch.PublishWithContext(context.Background(), exchange, key, false, false,
				amqp.Publishing{DeliveryMode: amqp.Persistent, MessageId: id, Body: body}); err != nil {
				return
			}
		}
	})
	n.t.Cleanup(func() {
		select {
		case <-p.stop:
		default:
			close(p.stop)
		}
		c.Close()
		run.Wait()
		p.finished.Wait()
	})
	return p
}

// confirmed is how many publishes are safe.
func (p *publisher) confirmed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.safe)
}

// moreThan waits until so many are.
func (p *publisher) moreThan(count int) {
	p.n.t.Helper()
	p.n.until(fmt.Sprintf("more than %d confirms", count), func() bool { return p.confirmed() > count })
}

// drained ends publishing and waits until all that was published is decided.
func (p *publisher) drained() map[string]bool {
	p.n.t.Helper()
	close(p.stop)
	last := -1
	p.n.until("all publishes are decided", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		done := len(p.tags) == 0 && last == len(p.safe)
		last = len(p.safe)
		return done
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.safe
}

// told waits for connection.blocked or unblocked.
func (p *publisher) told(active bool, reason string) {
	p.n.t.Helper()
	select {
	case b := <-p.blocked:
		if b.Active != active || b.Reason != reason {
			p.n.t.Fatalf("the publisher was told %+v, want active=%v %q", b, active, reason)
		}
	case <-time.After(patience):
		p.n.t.Fatalf("the publisher was not told: active=%v %q", active, reason)
	}
}

// quiet fails if the publisher is told anything.
func (p *publisher) quiet() {
	p.n.t.Helper()
	select {
	case b := <-p.blocked:
		p.n.t.Fatalf("the publisher was told %+v", b)
	default:
	}
}

// until waits for a condition.
func (n *node) until(what string, ok func() bool) {
	n.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("not after %v: %s", patience, what)
		}
	}
}

// stands waits until the number of confirms does not change any more.
func (p *publisher) stands() int {
	p.n.t.Helper()
	last := -1
	p.n.until("publishing stands still", func() bool {
		now := p.confirmed()
		time.Sleep(300 * time.Millisecond)
		ok := now == p.confirmed() && now == last
		last = now
		return ok
	})
	return last
}

// consumer consumes and acknowledges until the test ends.
type consumer struct {
	mu  sync.Mutex
	got map[string]bool
}

func (n *node) consume(queue string) *consumer {
	n.t.Helper()
	ch := n.channel(n.dial())
	if err := ch.Qos(50, 0, false); err != nil {
		n.t.Fatal(err)
	}
	ds, err := ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	k := &consumer{got: map[string]bool{}}
	go func() { // ends with its connection
		for d := range ds {
			k.mu.Lock()
			k.got[d.MessageId] = true
			k.mu.Unlock()
			d.Ack(false)
		}
	}()
	return k
}

func (k *consumer) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.got)
}

// has reports whether every one of these has come.
func (k *consumer) has(ids map[string]bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id := range ids {
		if !k.got[id] {
			return false
		}
	}
	return true
}
