// Lesson 5, topics: publish a log line under source and severity.
package main

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	url, args := lesson.Arguments("Lesson 5, topics: publish a log line under source and severity.", "[TOPIC [TEXT]]")
	line := []string{"door.info", "The door is open."}
	copy(line, args)
	topic, text := line[0], line[1]
	conn, ch := lesson.Connect(url)
	defer conn.Close()

	lesson.Check(ch.ExchangeDeclare("log.topic", amqp.ExchangeTopic, false, false, false, false, nil))
	lesson.Check(ch.PublishWithContext(context.Background(), "log.topic", topic, false, false,
		amqp.Publishing{Body: []byte(text)}))
	fmt.Printf("sent %s: '%s'\n", topic, text)
}
