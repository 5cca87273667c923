// Lesson 3, publish and subscribe: tell everybody who listens.
package main

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, args := lesson.Arguments("Lesson 3, publish and subscribe: tell everybody who listens.", "[TEXT]")
	text := "Something has happened."
	if len(args) > 0 {
		text = args[0]
	}
	conn, ch := lesson.Connect(url)
	defer conn.Close()

	// A fanout exchange copies each message to all queues bound to it. Where
	// none is, nobody listens, and the message goes nowhere.
	lesson.Check(ch.ExchangeDeclare("news", amqp.ExchangeFanout, false, false, false, false, nil))
	lesson.Check(ch.PublishWithContext(context.Background(), "news", "", false, false,
		amqp.Publishing{Body: []byte(text)}))
	fmt.Printf("sent '%s'\n", text)
}
