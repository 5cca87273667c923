// Lesson 4, routing: publish a log line under its severity.
package main

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, args := lesson.Arguments("Lesson 4, routing: publish a log line under its severity.", "[SEVERITY [TEXT]]")
	line := []string{"info", "All is well."}
	copy(line, args)
	severity, text := line[0], line[1]
	conn, ch := lesson.Connect(url)
	defer conn.Close()

	lesson.Check(ch.ExchangeDeclare("log.severity", amqp.ExchangeDirect, false, false, false, false, nil))
	lesson.Check(ch.PublishWithContext(context.Background(), "log.severity", severity, false, false,
		amqp.Publishing{Body: []byte(text)}))
	fmt.Printf("sent %s: '%s'\n", severity, text)
}
