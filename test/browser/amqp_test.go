package browser

import (
	"context"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
)

// connect gives a channel of a connection with this name.
func connect(t *testing.T, b *brokertest.Broker, name string) (*amqp.Connection, *amqp.Channel) {
	t.Helper()
	props := amqp.NewConnectionProperties()
	props.SetClientConnectionName(name)
	conn, err := amqp.DialConfig(b.URL(), amqp.Config{Properties: props})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) // closed already by some tests
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

func declare(t *testing.T, ch *amqp.Channel, name string, args amqp.Table) {
	t.Helper()
	if _, err := ch.QueueDeclare(name, true, false, false, false, args); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, ch *amqp.Channel, queue string, m amqp.Publishing) {
	t.Helper()
	if err := ch.PublishWithContext(context.Background(), "", queue, false, false, m); err != nil {
		t.Fatal(err)
	}
}

// settled returns when the broker has done all that the channel asked for.
func settled(t *testing.T, ch *amqp.Channel, queue string) amqp.Queue {
	t.Helper()
	q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// count is how many messages wait in a queue.
func count(t *testing.T, ch *amqp.Channel, queue string) int {
	t.Helper()
	return settled(t, ch, queue).Messages
}
