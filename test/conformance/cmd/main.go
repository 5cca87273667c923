// The program conformance compares a broker with RabbitMQ's recorded answers,
// or with another broker.
package main

import (
	"os"

	"github.com/warrenmq/warren/test/conformance"
)

func main() { os.Exit(conformance.Command(os.Args[1:], os.Stdout)) }
