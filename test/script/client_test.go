package script

import (
	"fmt"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// client is the command amqp of the scripts. It connects to $AMQP_URL.
//
//	amqp declare QUEUE [TYPE]      a durable queue
//	amqp publish QUEUE BODY...     persistent messages, each confirmed
//	amqp transient QUEUE BODY...   the same, not persistent
//	amqp take QUEUE ack|leave...   get a message for each word; acknowledge it, or leave it unacknowledged
//	amqp hold QUEUE                consume with the tag "held" and a prefetch of 5, until the connection is
//	                               closed; print why
//	amqp drain QUEUE               get and print all, one in a line; "again" follows those redelivered
func client() {
	if err := amqpMain(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func amqpMain(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: amqp COMMAND QUEUE ARG...")
	}
	conn, err := amqp.Dial(os.Getenv("AMQP_URL"))
	if err != nil {
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	queue, rest := args[1], args[2:]
	switch args[0] {
	case "declare":
		typ := strings.Join(append(rest, "classic")[:1], "")
		_, err := ch.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": typ})
		return err
	case "publish":
		return publish(ch, queue, amqp.Persistent, rest)
	case "transient":
		return publish(ch, queue, amqp.Transient, rest)
	case "take":
		return take(ch, queue, rest)
	case "hold":
		return hold(conn, ch, queue)
	case "drain":
		return drain(ch, queue)
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func publish(ch *amqp.Channel, queue string, mode uint8, bodies []string) error {
	if err := ch.Confirm(false); err != nil {
		return err
	}
	for _, body := range bodies {
		c, err := ch.PublishWithDeferredConfirm("", queue, true, false, amqp.Publishing{DeliveryMode: mode, Body: []byte(body)})
		if err != nil {
			return err
		}
		if !c.Wait() {
			return fmt.Errorf("%s: not confirmed", body)
		}
	}
	return nil
}

// take acknowledges one message for each word "ack", and for each "leave"
// gets one without acknowledging it; the connection's end gives it back.
func take(ch *amqp.Channel, queue string, what []string) error {
	for _, w := range what {
		d, ok, err := ch.Get(queue, false)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s is empty", queue)
		}
		fmt.Printf("%s %s\n", w, d.Body)
		if w == "ack" {
			if err := d.Ack(false); err != nil {
				return err
			}
		}
	}
	// A method that is answered: all that was sent before it has been done.
	_, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	return err
}

func drain(ch *amqp.Channel, queue string) error {
	for {
		d, ok, err := ch.Get(queue, true)
		if err != nil || !ok {
			return err
		}
		again := ""
		if d.Redelivered {
			again = " again"
		}
		fmt.Printf("%s%s\n", d.Body, again)
	}
}

// hold consumes without acknowledging until the broker closes the connection.
func hold(conn *amqp.Connection, ch *amqp.Channel, queue string) error {
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	if err := ch.Qos(5, 0, false); err != nil {
		return err
	}
	if _, err := ch.Consume(queue, "held", false, false, false, false, nil); err != nil {
		return err
	}
	fmt.Println("holding", queue)
	if why := <-closed; why != nil {
		fmt.Println(why.Code, why.Reason)
	}
	return nil
}
