// Lesson 4, routing: hear only the severities asked for.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, severities := lesson.Arguments("Lesson 4, routing: hear only the severities asked for.", "SEVERITY...")
	conn, ch := lesson.Connect(url)
	lesson.Check(ch.ExchangeDeclare("log.severity", amqp.ExchangeDirect, false, false, false, false, nil))
	q := lesson.Must(ch.QueueDeclare("", false, false, true, false, nil))

	// One binding for each severity. A direct exchange compares the routing key
	// of a message with that of the binding, letter by letter.
	for _, severity := range severities {
		lesson.Check(ch.QueueBind(q.Name, severity, "log.severity", false, nil))
	}

	deliveries := lesson.Must(ch.Consume(q.Name, "", true, false, false, false, nil))
	lesson.Receive(conn, deliveries, func(d amqp.Delivery) {
		fmt.Printf("received %s: '%s'\n", d.RoutingKey, d.Body)
	})
}
