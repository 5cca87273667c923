// Lesson 2, work queues: hand out tasks. Each dot in a task is a second of work.
package main

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	queueType := lesson.QueueType("quorum")
	url, tasks := lesson.Arguments("Lesson 2, work queues: hand out tasks. Each dot in a task is a second of work.", "TASK...")
	conn, ch := lesson.Connect(url)
	defer conn.Close()
	q := lesson.Must(ch.QueueDeclare("tasks", true, false, false, false,
		amqp.Table{"x-queue-type": *queueType}))

	// From here on the broker says of each message that it is safe on disk.
	lesson.Check(ch.Confirm(false))
	var confirms []*amqp.DeferredConfirmation
	for _, task := range tasks {
		confirms = append(confirms, lesson.Must(ch.PublishWithDeferredConfirmWithContext(context.Background(),
			"", q.Name, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(task)})))
	}
	// Waiting for all of them at the end is much faster than for one at a time.
	for i, c := range confirms {
		if !c.Wait() {
			lesson.Check(fmt.Errorf("the broker has refused '%s'", tasks[i]))
		}
		fmt.Printf("sent '%s'\n", tasks[i])
	}
}
