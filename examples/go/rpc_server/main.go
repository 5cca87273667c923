// Lesson 6, remote procedure call: answer with Fibonacci numbers.
package main

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func fibonacci(n int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1)
	for range n {
		a.Add(a, b)
		a, b = b, a
	}
	return a
}

func main() {
	queueType := lesson.QueueType("quorum")
	url, _ := lesson.Arguments("Lesson 6, remote procedure call: answer with Fibonacci numbers.", "")
	conn, ch := lesson.Connect(url)
	q := lesson.Must(ch.QueueDeclare("rpc.fibonacci", true, false, false, false,
		amqp.Table{"x-queue-type": *queueType}))
	lesson.Check(ch.Qos(1, 0, false))

	questions := lesson.Must(ch.Consume(q.Name, "", false, false, false, false, nil))
	lesson.Receive(conn, questions, func(d amqp.Delivery) {
		n, err := strconv.Atoi(string(d.Body))
		if err != nil {
			// Nobody can answer this one; do not leave it to the next.
			fmt.Printf("not a number: '%s'\n", d.Body)
			lesson.Check(d.Reject(false))
			return
		}
		fmt.Printf("asked for fibonacci(%d)\n", n)
		// The question says where the answer goes, and what it is to be marked with.
		lesson.Check(ch.PublishWithContext(context.Background(), "", d.ReplyTo, false, false,
			amqp.Publishing{CorrelationId: d.CorrelationId, Body: []byte(fibonacci(n).String())}))
		lesson.Check(d.Ack(false))
	})
}
