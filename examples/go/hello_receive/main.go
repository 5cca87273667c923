// Lesson 1, hello world: print what comes out of a queue.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	queueType := lesson.QueueType("classic")
	url, _ := lesson.Arguments("Lesson 1, hello world: print what comes out of a queue.", "")
	conn, ch := lesson.Connect(url)
	q := lesson.Must(ch.QueueDeclare("hello", *queueType == "quorum", false, false, false,
		amqp.Table{"x-queue-type": *queueType}))

	// autoAck: a message counts as done once it has been sent to us.
	const autoAck = true
	deliveries := lesson.Must(ch.Consume(q.Name, "", autoAck, false, false, false, nil))
	lesson.Receive(conn, deliveries, func(d amqp.Delivery) {
		fmt.Printf("received '%s'\n", d.Body)
	})
}
