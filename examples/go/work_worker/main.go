// Lesson 2, work queues: do one task at a time. Start several of these.
package main

import (
	"bytes"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	queueType := lesson.QueueType("quorum")
	url, _ := lesson.Arguments("Lesson 2, work queues: do one task at a time. Start several of these.", "")
	conn, ch := lesson.Connect(url)
	q := lesson.Must(ch.QueueDeclare("tasks", true, false, false, false,
		amqp.Table{"x-queue-type": *queueType}))

	// No second task before the first one is acknowledged: whoever is free gets it.
	lesson.Check(ch.Qos(1, 0, false))

	deliveries := lesson.Must(ch.Consume(q.Name, "", false, false, false, false, nil))
	lesson.Receive(conn, deliveries, func(d amqp.Delivery) {
		again := ""
		if d.Redelivered {
			again = " again, somebody did not finish it"
		}
		fmt.Printf("got '%s'%s\n", d.Body, again)
		time.Sleep(time.Duration(bytes.Count(d.Body, []byte("."))) * time.Second)
		// Only now is the task done. Had this program died before, the broker
		// would give the task to another worker.
		lesson.Check(d.Ack(false))
		fmt.Printf("done '%s'\n", d.Body)
	})
}
