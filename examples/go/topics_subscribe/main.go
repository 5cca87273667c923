// Lesson 5, topics: hear what matches a pattern. * is one word, # any number.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, patterns := lesson.Arguments("Lesson 5, topics: hear what matches a pattern. * is one word, # any number.", "PATTERN...")
	conn, ch := lesson.Connect(url)
	lesson.Check(ch.ExchangeDeclare("log.topic", amqp.ExchangeTopic, false, false, false, false, nil))
	q := lesson.Must(ch.QueueDeclare("", false, false, true, false, nil))

	// A message that matches several patterns still comes once.
	for _, pattern := range patterns {
		lesson.Check(ch.QueueBind(q.Name, pattern, "log.topic", false, nil))
	}

	deliveries := lesson.Must(ch.Consume(q.Name, "", true, false, false, false, nil))
	lesson.Receive(conn, deliveries, func(d amqp.Delivery) {
		fmt.Printf("received %s: '%s'\n", d.RoutingKey, d.Body)
	})
}
