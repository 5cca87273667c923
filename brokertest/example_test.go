package brokertest_test

import (
	"fmt"
	"log"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/server"
)

// A broker in memory, a queue, and a message through it.
func Example() {
	b, err := brokertest.New(brokertest.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	conn, err := amqp.Dial(b.URL())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		log.Fatal(err)
	}
	q, err := ch.QueueDeclare("orders", true, false, false, false, nil)
	if err != nil {
		log.Fatal(err)
	}
	orders, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := ch.Publish("", q.Name, false, false, amqp.Publishing{Body: []byte("two rabbits")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(string((<-orders).Body))
	// Output: two rabbits
}

// In a test, Start takes the test and cleans up after itself.
func ExampleStart() {
	_ = func(t *testing.T) {
		b := brokertest.Start(t)

		conn, err := amqp.Dial(b.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

// Does the program under test survive a broker that is killed?
func ExampleBroker_Crash() {
	_ = func(t *testing.T) {
		b := brokertest.Start(t, brokertest.Process())
		// … the program connects to b.URL() and publishes …
		b.Crash()
		// … and notices …
		b.Run()
		// … and finds everything that the broker had confirmed.
	}
}

// Any setting of the node can be changed.
func ExampleConfigure() {
	_ = func(t *testing.T) {
		brokertest.Start(t, brokertest.InMemory(), brokertest.Configure(func(c *server.Config) {
			c.DefaultVHost = "shop"
			c.MaxMessageSize = 64 << 10
		}))
	}
}
