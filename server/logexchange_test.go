package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// handed is a log that hands over what it is told.
type handed struct{ publish func(LogEntry) }

func publishing(l *handed) func(*Config) {
	return func(c *Config) {
		c.LogExchange = func(publish func(LogEntry)) (stop func()) {
			l.publish = publish
			return func() { l.publish = nil }
		}
	}
}

// Entries of the log are messages as RabbitMQ's: key, headers, properties.
func TestLogExchange(t *testing.T) {
	l := &handed{}
	s := start(t, publishing(l))
	_, ch := open(t, s)
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"error", "warning"} {
		if err := ch.QueueBind(q.Name, key, "amq.rabbitmq.log", false, nil); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Unix(1795285708, 5)
	l.publish(LogEntry{Level: "info", Time: at, Text: []byte("nobody wants it\n")})
	l.publish(LogEntry{Level: "error", Time: at, Text: []byte("a line\n")})
	l.publish(LogEntry{Level: "warning", Time: at, JSON: true, Text: []byte("{}\n")})
	for _, want := range []string{
		"error text/plain map[node:" + s.Config().NodeName + "] 1795285708 0 a line\n",
		"warning application/json map[node:" + s.Config().NodeName + "] 1795285708 0 {}\n",
	} {
		d, ok, err := ch.Get(q.Name, true)
		if err != nil || !ok || d.Exchange != "amq.rabbitmq.log" {
			t.Fatalf("%+v %v %v", d, ok, err)
		}
		if got := fmt.Sprint(d.RoutingKey, " ", d.ContentType, " ", d.Headers, " ", d.Timestamp.Unix(), " ", d.DeliveryMode, " ", string(d.Body)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// It is the node's: durable, internal, and nobody else's to declare or delete.
	refused := func(code int, f func(ch *amqp.Channel) error) {
		t.Helper()
		_, ch := open(t, s)
		if err := f(ch); !strings.Contains(fmt.Sprint(err), fmt.Sprint(code)) {
			t.Errorf("%v", err)
		}
	}
	refused(403, func(ch *amqp.Channel) error { return ch.ExchangeDelete("amq.rabbitmq.log", false, false) })
	refused(406, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclare("amq.rabbitmq.log", "topic", false, false, true, false, nil)
	})
	if err := ch.ExchangeDeclare("amq.rabbitmq.log", "topic", true, false, true, false, nil); err != nil {
		t.Error(err)
	}
}

// A queue of entries that gives them back to itself does not go on for ever, and
// neither does a node whose application is stopped and started.
func TestLogExchangeCycle(t *testing.T) {
	l := &handed{}
	lines := &logged{}
	s := start(t, publishing(l), func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(lines, nil)) })
	_, ch := open(t, s)
	if _, err := ch.QueueDeclare("logs", true, false, false, false, amqp.Table{"x-max-length": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "logs"}); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("logs", "#", "amq.rabbitmq.log", false, nil); err != nil {
		t.Fatal(err)
	}
	l.publish(LogEntry{Level: "info", Text: []byte("x\n")})
	if err := s.StopApp(); err != nil {
		t.Fatal(err)
	}
	if l.publish != nil {
		t.Error("a stopped application is given entries")
	}
	lines.await(t, "the log is published")
	if strings.Contains(lines.b.String(), "dead-letter cycle") { // nobody writes any more
		t.Error(lines.b.String())
	}
	if err := s.StartApp(); err != nil {
		t.Fatal(err)
	}
	l.publish(LogEntry{Level: "info", Text: []byte("y\n")})
}
