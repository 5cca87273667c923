package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/perf"
)

// perfOptions are the flags of all scenarios; each has its own defaults.
type perfOptions struct {
	load     perf.Load
	op       perf.Operation
	json     bool
	quiet    bool
	html     string
	scenario string
}

func perfCommand() *cobra.Command {
	cmd := loadCommand("perf", "throughput", "Measure an AMQP 0-9-1 broker", perf.Load{Producers: 1, Consumers: 1, Size: 16})
	cmd.Long = `Measure any AMQP 0-9-1 broker: without a subcommand, how many messages pass
through it. What was published is counted, and so is what arrives: a message that
is lost or out of order is reported, and the exit code is 70.`
	cmd.Example = `  warren perf --size 16 --duration 10s
  warren perf latency --rate 2000
  warren perf confirms --persistent --durable --size 1024
  warren perf --url amqp://user:pass@host:5672/vhost --producers 4 --consumers 4 --queues 4
  warren perf compare --broker rabbitmq --broker warren --broker null`
	cmd.AddCommand(
		loadCommand("throughput", "throughput", "As many messages as go through", perf.Load{Producers: 1, Consumers: 1, Size: 16}),
		loadCommand("latency", "latency", "From publish to delivery, at a fixed rate", perf.Load{Producers: 1, Consumers: 1, Size: 16, Rate: 2000, Latency: true}),
		loadCommand("confirms", "confirms", "Publisher confirms and acknowledgements",
			perf.Load{Producers: 1, Consumers: 1, Size: 1024, Confirm: 1000, Ack: 100, Prefetch: 1000}),
		loadCommand("publish", "publish only", "Publish to queues that nobody consumes", perf.Load{Producers: 1, Size: 1024}),
		loadCommand("consume", "consume only", "Consume what is in the queues (--queue)", perf.Load{Consumers: 1, Size: 1024, Ack: 100, Prefetch: 1000, Drain: true, Keep: true}),
		loadCommand("fan-out", "fan-out", "One publisher, many queues through a fanout exchange", perf.Load{Producers: 1, Consumers: 1, Queues: 10, Size: 16, Exchange: "fanout"}),
		loadCommand("bindings", "bindings", "An exchange with many bindings; each message goes to another",
			perf.Load{Producers: 1, Consumers: 1, Size: 16, Exchange: "direct", Bindings: 1000}),
		operationCommand("queues", "Declare many queues", perf.Operation{Kind: perf.Queues, Count: 10_000, Workers: 32, Durable: true}),
		operationCommand("connections", "Open many connections that do nothing", perf.Operation{Kind: perf.Connections, Count: 1000, Workers: 8}),
		operationCommand("connection-churn", "Connect, open a channel, close", perf.Operation{Kind: perf.ConnectionChurn, Workers: 4}),
		operationCommand("queue-churn", "Declare and delete queues", perf.Operation{Kind: perf.QueueChurn, Workers: 4}),
		managementCommand(), compareCommand(), nullCommand(),
	)
	return cmd
}

func (o *perfOptions) common(cmd *cobra.Command, url *string, pid *int) {
	f := cmd.Flags()
	f.StringVar(url, "url", "amqp://guest:guest@localhost:5672/", "the broker")
	f.IntVar(pid, "pid", 0, "the broker's process, to measure its CPU time and memory")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "print no line every second; the default if standard error is no terminal")
	f.StringVar(&o.html, "html", "", "write a report with charts to this file")
}

// loadCommand is a scenario of messages: all flags, and the scenario's defaults.
func loadCommand(use, scenario, short string, l perf.Load) *cobra.Command {
	o := &perfOptions{load: l, scenario: scenario}
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return o.run(cmd.Context(), func(ctx context.Context, live func(perf.Sample)) (perf.Result, error) {
			o.load.Live = live
			if o.load.Messages > 0 && !cmd.Flags().Changed("duration") {
				o.load.Duration = 0
			}
			return o.load.Run(ctx)
		})
	}}
	f := cmd.Flags()
	t := &o.load
	o.common(cmd, &t.URL, &t.PID)
	f.IntVar(&t.Producers, "producers", l.Producers, "connections that publish")
	f.IntVar(&t.Consumers, "consumers", l.Consumers, "connections that consume")
	f.IntVar(&t.Queues, "queues", max(l.Queues, 1), "queues; producers and consumers are spread over them")
	f.IntVar(&t.Size, "size", l.Size, "bytes of a message's body, at least 8; with --latency 16")
	f.BoolVar(&t.Persistent, "persistent", l.Persistent, "publish persistent messages")
	f.BoolVar(&t.Durable, "durable", l.Durable, "use durable queues")
	f.IntVar(&t.Confirm, "confirm", l.Confirm, "publisher confirms, with so many in flight per producer")
	f.BoolVar(&t.Poll, "poll", l.Poll, "with --confirm 1: poll for the confirm instead of sleeping")
	f.IntVar(&t.Ack, "ack", l.Ack, "acknowledge every so many messages; 0: automatically")
	f.IntVar(&t.Prefetch, "prefetch", l.Prefetch, "messages that may be unacknowledged; 0: no limit")
	f.IntVar(&t.Rate, "rate", l.Rate, "messages per second of all producers; 0: as many as go")
	f.IntVar(&t.Ahead, "ahead", 0, "how many deliveries the producers may be ahead of the consumers; 0: as far as the broker lets them")
	f.IntVar(&t.Messages, "messages", 0, "messages of each producer; 0: as many as fit --duration")
	f.DurationVar(&t.Duration, "duration", 10*time.Second, "how long to publish")
	f.BoolVar(&t.Latency, "latency", l.Latency, "measure latencies")
	f.StringVar(&t.Exchange, "exchange", l.Exchange, "publish to an exchange of this type: fanout, direct, topic, headers; empty: straight to the queues")
	f.IntVar(&t.Bindings, "bindings", l.Bindings, "bindings of a direct, topic or headers exchange")
	f.StringVar(&t.Queue, "queue", "", "name of the queue, or how their names begin; default: one of its own")
	f.BoolVar(&t.Keep, "keep", l.Keep, "leave the queues")
	f.BoolVar(&t.Drain, "drain", l.Drain, "publish nothing, consume what is in the queues")
	return cmd
}

func operationCommand(use, short string, op perf.Operation) *cobra.Command {
	o := &perfOptions{op: op, scenario: op.Kind}
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return o.run(cmd.Context(), func(ctx context.Context, live func(perf.Sample)) (perf.Result, error) {
			o.op.Live = live
			return o.op.Run(ctx)
		})
	}}
	f := cmd.Flags()
	t := &o.op
	o.common(cmd, &t.URL, &t.PID)
	f.IntVar(&t.Workers, "connections", op.Workers, "connections that work at the same time")
	switch op.Kind {
	case perf.Queues:
		f.IntVar(&t.InFlight, "in-flight", 1, "declarations under way on a connection")
		f.BoolVar(&t.Keep, "keep", false, "leave the queues")
		f.StringVar(&t.Queue, "queue", "", "how their names begin")
		fallthrough
	case perf.Connections:
		f.IntVar(&t.Count, "count", op.Count, "how many")
	default:
		f.DurationVar(&t.Duration, "duration", 10*time.Second, "how long")
	}
	if op.Kind == perf.Queues || op.Kind == perf.QueueChurn {
		f.BoolVar(&t.Durable, "durable", op.Durable, "durable queues")
	}
	return cmd
}

// run measures, and prints.
func (o *perfOptions) run(ctx context.Context, measure func(context.Context, func(perf.Sample)) (perf.Result, error)) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var live func(perf.Sample)
	if !o.quiet && isTerminal(os.Stderr) {
		live = func(s perf.Sample) { fmt.Fprintln(os.Stderr, s) }
	}
	res, err := measure(ctx, live)
	res.Scenario = o.scenario
	if res.Elapsed > 0 {
		write := res.WriteText
		if o.json {
			write = jsonWriter(res)
		}
		err = errors.Join(err, write(os.Stdout), toFile(o.html, res.WriteHTML))
	}
	if err != nil {
		return &exitError{exitSoftware, err}
	}
	return nil
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func jsonWriter(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
}

// toFile writes a file, if it has a name; "-" is standard output.
func toFile(name string, write func(io.Writer) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(os.Stdout)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
