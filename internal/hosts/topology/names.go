// Package topology knows the exchanges and queues of host management, and how
// AMQP 0-9-1 is put to use with them: a queue is read without being emptied
// (Read), numbers are given out once (NextID), the broker's clock closes
// records (a task's timer). It works with any broker that has RabbitMQ 3.10's
// extensions. docs/format/hosts.md draws the whole.
package topology

import (
	"errors"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
)

// Prefix of the names of all exchanges and queues.
const Prefix = "warren.hosts."

// The exchange and the queues that all share.
const (
	Events   = Prefix + "events"   // topic exchange: all that happens
	Registry = Prefix + "registry" // every agent that ever was
	Beats    = Prefix + "beats"    // those of the last moments
	IDs      = Prefix + "ids"      // the next task's number
	Tasks    = Prefix + "tasks"    // one line of each task
)

// Types of messages that are no events of a record.
const (
	TypeTask     = "task"
	TypeCancel   = "cancel"
	TypePresence = "presence"
	TypeBeat     = "beat"
	TypeTicket   = "ticket"
	TypeSummary  = "summary"
	typeMarker   = "marker"
)

// AgentQueue is where an agent gets its tasks.
func AgentQueue(name string) string { return Prefix + "agent." + name }

// ControlQueue is where an agent is told to cancel.
func ControlQueue(name string) string { return Prefix + "control." + name }

// RecordQueue holds a task's record.
func RecordQueue(id record.ID) string { return Prefix + "task." + id.String() }

func timerQueue(id record.ID) string { return Prefix + "timer." + id.String() }

// TaskKey is the routing key of a task's events that concern no single host.
func TaskKey(id record.ID) string { return "task." + id.String() }

// HostKey is the routing key of a host's events in a task. The broker can be
// told to let each agent use its own only.
func HostKey(id record.ID, host string) string { return TaskKey(id) + "." + host }

// BeatKey and PresenceKey are those of what an agent says of itself.
func BeatKey(name string) string     { return "beat." + name }
func PresenceKey(name string) string { return "presence." + name }

// KeyHost is the host that a routing key of HostKey, BeatKey or PresenceKey names.
func KeyHost(key string) string {
	kind, rest, _ := strings.Cut(key, ".")
	if kind == "task" {
		_, rest, _ = strings.Cut(rest, ".")
	}
	return rest
}

// How much of what is shared is kept.
const (
	maxRegistry = 200_000
	maxTasks    = 20_000
)

// classic queues: they return what is not acknowledged to its old place.
func classic(more amqp.Table) amqp.Table {
	t := amqp.Table{"x-queue-type": "classic"}
	for k, v := range more {
		t[k] = v
	}
	return t
}

// Setup declares what is shared, where it is missing. Who may not declare it
// can still use it when it is there.
func Setup(conn *amqp.Connection) error {
	if err := onChannel(conn, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(Events, "topic", true, false, false, false, nil)
	}); IsCode(err, amqp.NotFound) {
		err = onChannel(conn, func(ch *amqp.Channel) error {
			return ch.ExchangeDeclare(Events, "topic", true, false, false, false, nil)
		})
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for _, q := range []struct {
		name, key string
		args      amqp.Table
	}{
		{Registry, "presence.#", amqp.Table{"x-max-length": int64(maxRegistry)}},
		{Beats, "beat.#", amqp.Table{"x-message-ttl": record.Lease.Milliseconds()}},
		{IDs, "", nil},
		{Tasks, "", amqp.Table{"x-message-ttl": (record.MaxKeep + record.MaxExpires).Milliseconds(), "x-max-length": int64(maxTasks)}},
	} {
		if err := ensure(conn, q.name, q.key, classic(q.args)); err != nil {
			return err
		}
	}
	return nil
}

// ensure declares a durable queue if it is not there. What it was declared
// with stands, so that versions of this program may differ.
func ensure(conn *amqp.Connection, name, key string, args amqp.Table) error {
	there, _, err := Exists(conn, name)
	if there || err != nil {
		return err
	}
	return onChannel(conn, func(ch *amqp.Channel) error {
		if _, err := ch.QueueDeclare(name, true, false, false, false, args); err != nil {
			return err
		}
		if key == "" {
			return nil
		}
		return ch.QueueBind(name, key, Events, false, nil)
	})
}

// Exists says whether there is a queue of this name, and how many messages are
// ready in it.
func Exists(conn *amqp.Connection, queue string) (there bool, ready int, err error) {
	err = onChannel(conn, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		ready = q.Messages
		return err
	})
	if IsCode(err, amqp.NotFound) {
		return false, 0, nil
	}
	return err == nil, ready, err
}

// SetupAgent declares an agent's queues.
func SetupAgent(ch *amqp.Channel, name string) (control int, err error) {
	if _, err := ch.QueueDeclare(AgentQueue(name), true, false, false, false, classic(nil)); err != nil {
		return 0, err
	}
	q, err := ch.QueueDeclare(ControlQueue(name), true, false, false, false, classic(nil))
	return q.Messages, err
}

// DeleteAgent deletes them.
func DeleteAgent(conn *amqp.Connection, name string) error {
	return onChannel(conn, func(ch *amqp.Channel) error {
		_, err1 := ch.QueueDelete(AgentQueue(name), false, false, false)
		if err1 != nil {
			return err1
		}
		_, err := ch.QueueDelete(ControlQueue(name), false, false, false)
		return err
	})
}

// SetupTask declares the record of a task, and its timer: a queue of messages
// that the broker's clock moves to the record when their time has come. Both
// go by themselves when nobody has looked at them for long.
func SetupTask(ch *amqp.Channel, t *record.Task) error {
	keep := t.DeadlineMS + t.KeepMS
	name := RecordQueue(t.ID)
	if _, err := ch.QueueDeclare(name, true, false, false, false, classic(amqp.Table{"x-message-ttl": keep, "x-expires": keep})); err != nil {
		return err
	}
	if err := ch.QueueBind(name, TaskKey(t.ID)+".#", Events, false, nil); err != nil {
		return err
	}
	_, err := ch.QueueDeclare(timerQueue(t.ID), true, false, false, false, classic(amqp.Table{
		"x-dead-letter-exchange":    Events,
		"x-dead-letter-routing-key": TaskKey(t.ID),
		"x-expires":                 t.DeadlineMS + time.Hour.Milliseconds(),
	}))
	return err
}

// Timer is the message that becomes an event of the record after a while.
// Those that come first must be published first.
func Timer(t *record.Task, kind record.Kind, after time.Duration) (queue string, msg amqp.Publishing, err error) {
	msg, err = EventMessage(&record.Event{Kind: kind, Task: t.ID, Nonce: t.Nonce})
	msg.Expiration = Millis(after)
	return timerQueue(t.ID), msg, err
}

func onChannel(conn *amqp.Connection, f func(*amqp.Channel) error) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	return f(ch)
}

// IsCode says whether an error is the broker's, with this reply code.
func IsCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}
