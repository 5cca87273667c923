package script

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

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
//	amqp fill QUEUE N              N transient messages of 1 MB
//	amqp deaf QUEUE FILE           consume, make the file, and read nothing more, until killed
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
	if args[0] == "deaf" && len(args) == 3 {
		return stopReading(args[1], args[2])
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
	case "fill":
		n, err := strconv.Atoi(strings.Join(rest, ""))
		if err != nil {
			return err
		}
		return publish(ch, queue, amqp.Transient, slices.Repeat([]string{strings.Repeat("x", 1_000_000)}, n))
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

// deaf is a connection that, from some time on, reads nothing.
type deaf struct {
	net.Conn
	now atomic.Bool
}

func (d *deaf) Read(b []byte) (int, error) {
	if d.now.Load() {
		select {}
	}
	return d.Conn.Read(b)
}

// stopReading is a consumer that takes nothing of what it is sent, so that it
// cannot be told either that the broker stops.
func stopReading(queue, file string) error {
	d := &deaf{}
	conn, err := amqp.DialConfig(os.Getenv("AMQP_URL"), amqp.Config{Dial: func(network, addr string) (net.Conn, error) {
		nc, err := net.Dial(network, addr)
		d.Conn = nc
		return d, err
	}})
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	ds, err := ch.Consume(queue, "", true, false, false, false, nil)
	if err != nil {
		return err
	}
	<-ds
	d.now.Store(true)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	select {}
}
