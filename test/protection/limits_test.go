package protection

import (
	"errors"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

func wants(t *testing.T, err error, code int, text string) {
	t.Helper()
	var e *amqp.Error
	if !errors.As(err, &e) || e.Code != code || e.Reason != text {
		t.Errorf("got %v, want %d %q", err, code, text)
	}
}

// closed is why a connection was closed by the server.
func closed(t *testing.T, c *amqp.Connection, do func()) error {
	t.Helper()
	notice := c.NotifyClose(make(chan *amqp.Error, 1))
	do()
	return <-notice
}

func TestNodeLimits(t *testing.T) {
	n := start(t, broker.Config{NodeName: "warren@here", Limits: broker.Limits{
		Connections: 2, Channels: 3, ConsumersPerChannel: 1, VHosts: 2, Queues: 2, Exchanges: 9}})
	a := n.dial()
	b := n.dial()
	_, err := n.dialErr("guest", "/")
	wants(t, err, 530, "NOT_ALLOWED - connection refused: node connection limit (2) is reached")

	ch := n.channel(a)
	n.channel(a)
	n.channel(a)
	wants(t, closed(t, b, func() { b.Channel() }), 530,
		"NOT_ALLOWED - number of channels opened on node 'warren@here' has reached the maximum allowed limit of (3)")
	n.until("the connection that was closed has left", func() bool { c, err := n.dialErr("guest", "/"); return err == nil && c.Close() == nil })

	n.queue(ch, "q1", nil)
	n.queue(ch, "q2", nil)
	n.queue(ch, "q2", nil)
	_, err = ch.QueueDeclare("q3", true, false, false, false, nil)
	wants(t, err, 406, "PRECONDITION_FAILED - cannot declare queue 'q3': queue limit in cluster (2) is reached")
	ch = n.channel(a)

	for _, x := range []string{"x1", "x2"} { // seven are there, the default one with them
		if err := ch.ExchangeDeclare(x, "direct", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, ch.ExchangeDeclare("x3", "direct", false, false, false, false, nil), 406,
		"PRECONDITION_FAILED - cannot declare exchange 'x3' in vhost '/': exchange limit of 9 is reached")

	n.do(&meta.DeleteExchange{VHost: "/", Name: "x1"})
	_, err = n.Do(broker.Actor{}, &meta.PutVHost{Name: "v2"}, &meta.PutVHost{Name: "v3"})
	if err == nil || err.Error() != "cannot create vhost 'v3': vhost limit of 2 is reached" {
		t.Error(err)
	}

	ch = n.channel(a)
	if _, err := ch.Consume("q1", "one", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	wants(t, closed(t, a, func() { ch.Consume("q1", "two", true, false, false, false, nil) }), 530,
		"NOT_ALLOWED - reached maximum (1) of consumers per channel")
}

func TestDefaultQueueType(t *testing.T) {
	n := start(t, broker.Config{DefaultQueueType: "quorum"})
	n.do(&meta.PutVHost{Name: "old", DefaultQueueType: "classic"},
		&meta.SetPermissions{User: "guest", VHost: "old", Configure: ".*", Write: ".*", Read: ".*"})
	for _, c := range []struct {
		vhost, name string
		durable     bool
		args        amqp.Table
		want        string
	}{
		{"/", "plain", true, nil, "quorum"},
		{"/", "named", true, amqp.Table{"x-queue-type": "classic"}, "classic"},
		{"/", "fleeting", false, nil, "classic"}, // cannot be one
		{"old", "plain", true, nil, "classic"},
	} {
		conn, err := n.dialErr("guest", c.vhost)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.channel(conn).QueueDeclare(c.name, c.durable, false, false, false, c.args); err != nil {
			t.Errorf("%s in %s: %v", c.name, c.vhost, err)
			continue
		}
		if got := n.VHost(c.vhost).Queue(c.name).Definition().Type; got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.name, c.vhost, got, c.want)
		}
	}
}

// Refusals and changes are on record with who, from where and why.
func TestAudit(t *testing.T) {
	entries := make(chan broker.AuditEntry, 100)
	n := start(t, broker.Config{Audit: func(e broker.AuditEntry) { entries <- e }})
	for len(entries) > 0 {
		<-entries
	}
	next := func(action, user, object, result, reason string) {
		t.Helper()
		e := <-entries
		if e.Action != action || e.User != user || e.Object != object || e.Result != result || e.Reason != reason || e.Source == "" || e.Time.IsZero() {
			t.Errorf("on record: %+v", e)
		}
	}
	n.do(&meta.PutUser{Name: "u", PasswordHash: auth.Hash("u"), Algorithm: auth.SHA256})
	next("put user", "test", "u", "ok", "")
	if _, err := n.dialErr("u", "/"); err == nil {
		t.Error("let in without access to the virtual host")
	}
	next("open connection", "u", "/", "refused", "access to vhost '/' refused for user 'u'")
	if _, err := n.dialErr("nobody", "/"); err == nil {
		t.Error("let in")
	}
	next("log in", "nobody", "nobody", "refused", "user 'nobody' - invalid credentials")
	n.do(&meta.SetPermissions{User: "u", VHost: "/", Configure: "^mine"})
	next("set permissions", "test", "u", "ok", "")
	c, err := n.dialErr("u", "/")
	if err != nil {
		t.Fatal(err)
	}
	n.queue(n.channel(c), "mine", nil)
	next("declare queue", "u", "mine", "ok", "")
	n.queue(n.channel(c), "mine", nil) // changes nothing
	if _, err := n.channel(c).QueueDeclare("yours", false, false, false, false, nil); err == nil {
		t.Error("declared")
	}
	next("declare queue", "u", "yours", "refused", "access to queue 'yours' in vhost '/' refused for user 'u'")
	ch := n.channel(c)
	if err := ch.Publish("amq.topic", "k", false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	next("publish", "u", "amq.topic", "refused", "access to exchange 'amq.topic' in vhost '/' refused for user 'u'")
	n.do(&meta.DeleteUser{Name: "u"})
	next("delete user", "test", "u", "ok", "")
	if len(entries) > 0 {
		t.Errorf("more is on record: %+v", <-entries)
	}
}
