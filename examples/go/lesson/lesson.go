// Package lesson is what all the lessons share: the broker's address, the
// connection to it, and a way to give up.
package lesson

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Arguments reads the command line: --url, the flags that the program has
// defined, and what follows them. The text is what the program does, for --help.
func Arguments(text, rest string) (url string, args []string) {
	def := os.Getenv("AMQP_URL")
	if def == "" {
		def = "amqp://guest:guest@localhost:5672/"
	}
	u := flag.String("url", def, "the broker; otherwise $AMQP_URL")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "%s\n\nUsage: %s [flags] %s\n\n", text, os.Args[0], rest)
		flag.PrintDefaults()
	}
	flag.Parse()
	return *u, flag.Args()
}

// QueueType defines the flag of the lessons where the type of queue is a choice.
func QueueType(def string) *string {
	return flag.String("queue-type", def, "classic or quorum")
}

// Connect opens a connection and a channel on it.
func Connect(url string) (*amqp.Connection, *amqp.Channel) {
	conn := Must(amqp.Dial(url))
	return conn, Must(conn.Channel())
}

// Receive hands deliveries to the function until Ctrl-C or SIGTERM. If the
// broker goes first, it gives up.
func Receive(conn *amqp.Connection, deliveries <-chan amqp.Delivery, receive func(amqp.Delivery)) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fmt.Println("waiting for messages; Ctrl-C ends")
	for {
		select {
		case <-ctx.Done():
			conn.Close()
			return
		case d, ok := <-deliveries:
			if !ok {
				Check(fmt.Errorf("the broker has closed the connection"))
			}
			receive(d)
		}
	}
}

// Must is for calls whose failure ends the program.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
