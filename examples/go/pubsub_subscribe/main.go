// Lesson 3, publish and subscribe: hear what is published from now on.
package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, _ := lesson.Arguments("Lesson 3, publish and subscribe: hear what is published from now on.", "")
	conn, ch := lesson.Connect(url)
	lesson.Check(ch.ExchangeDeclare("news", amqp.ExchangeFanout, false, false, false, false, nil))

	// A queue of our own: the broker picks its name and removes it when we leave.
	const exclusive = true
	q := lesson.Must(ch.QueueDeclare("", false, false, exclusive, false, nil))
	lesson.Check(ch.QueueBind(q.Name, "", "news", false, nil))

	deliveries := lesson.Must(ch.Consume(q.Name, "", true, false, false, false, nil))
	lesson.Receive(conn, deliveries, func(d amqp.Delivery) {
		fmt.Printf("received '%s'\n", d.Body)
	})
}
