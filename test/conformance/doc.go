// Package conformance drives a broker with scripts of AMQP 0-9-1 operations and
// compares the answers with those of RabbitMQ. See README.md.
//
// A script (cases.go, gen*.go) is run by a Run (script_*.go, ops_*.go) over raw
// connections that hide nothing (wire_*.go); its trace is compared with the
// golden one (golden.go, diff.go, expected.go). Besides there are random
// sequences (fuzz_*.go) and abuse (abuse*.go).
package conformance
