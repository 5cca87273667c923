// Lesson 6, remote procedure call: ask for Fibonacci numbers.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/examples/go/lesson"
)

func main() {
	direct := flag.Bool("direct", false, "get answers by direct reply-to, without a queue")
	url, numbers := lesson.Arguments("Lesson 6, remote procedure call: ask for Fibonacci numbers.", "[N...]")
	if len(numbers) == 0 {
		numbers = []string{"30"}
	}
	conn, ch := lesson.Connect(url)
	defer conn.Close()

	// Not a queue but a name for this channel. Its consumer must not acknowledge.
	replyTo := "amq.rabbitmq.reply-to"
	if !*direct {
		replyTo = lesson.Must(ch.QueueDeclare("", false, false, true, false, nil)).Name
	}
	answers := lesson.Must(ch.Consume(replyTo, "", true, false, false, false, nil))

	// All questions at once: the id tells which answer belongs to which.
	waiting := map[string]string{} // correlation id of a question without an answer: its n
	for _, n := range numbers {
		question := rand.Text()
		waiting[question] = n
		lesson.Check(ch.PublishWithContext(context.Background(), "", "rpc.fibonacci", false, false,
			amqp.Publishing{ReplyTo: replyTo, CorrelationId: question, Body: []byte(n)}))
	}
	for len(waiting) > 0 {
		d, ok := <-answers
		if !ok {
			lesson.Check(fmt.Errorf("the broker has closed the connection"))
		}
		// An id that nobody waits for is an answer to somebody else, or one too many.
		if n, ok := waiting[d.CorrelationId]; ok {
			delete(waiting, d.CorrelationId)
			fmt.Printf("fibonacci(%s) = %s\n", n, d.Body)
		}
	}
}
