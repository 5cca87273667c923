// Lesson 1, hello world: put a message into a queue.
package main

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	queueType := lesson.QueueType("classic")
	url, args := lesson.Arguments("Lesson 1, hello world: put a message into a queue.", "[TEXT]")
	text := "Hello!"
	if len(args) > 0 {
		text = args[0]
	}
	conn, ch := lesson.Connect(url)
	defer conn.Close()

	// Declaring is asking for the queue to be there. Sender and receiver both
	// do it, so either may start first.
	q := lesson.Must(ch.QueueDeclare("hello", *queueType == "quorum", false, false, false,
		amqp.Table{"x-queue-type": *queueType}))

	// The exchange without a name takes the routing key for the name of a queue.
	lesson.Check(ch.PublishWithContext(context.Background(), "", q.Name, false, false,
		amqp.Publishing{ContentType: "text/plain", Body: []byte(text)}))
	fmt.Printf("sent '%s'\n", text)
}
