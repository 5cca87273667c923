package main

import (
	"errors"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/perf"
)

// compareCommand runs the scenarios against several brokers.
func compareCommand() *cobra.Command {
	c := perf.Compare{Log: os.Stderr}
	var jsonFile, markdown, html string
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "The same scenarios against several brokers, in turn",
		Long: `Run the same scenarios against several brokers, A B A B, and print what each
message costs the broker's process in CPU time; ratios are to the first broker.

Brokers: "warren" (this program), "rabbitmq" (the one that is installed) and "null"
(a forwarder that does nothing else: the floor) are started here, on free ports of
the loopback interface, in a directory of their own, and are stopped and removed at
the end. "name=URL,pid=PID" is one that runs already.`,
		Example: `  warren perf compare
  warren perf compare --broker rabbitmq --broker warren --rounds 5 --absolute --markdown results.md
  warren perf compare --broker warren --broker old=amqp://guest:guest@localhost:5672/,pid=4711 --only "fan-out,auto-ack"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			exe, err := os.Executable()
			if err != nil {
				return &exitError{exitSoftware, err}
			}
			c.Exe = exe
			if len(c.Brokers) == 0 {
				if perf.RabbitMQInstalled() {
					c.Brokers = []string{"rabbitmq"}
				}
				c.Brokers = append(c.Brokers, "warren", "null")
			}
			rep, err := c.Run(ctx)
			if rep != nil {
				err = errors.Join(err, toFile(jsonFile, jsonWriter(rep)), toFile(markdown, rep.WriteMarkdown), toFile(html, rep.WriteHTML))
				if jsonFile != "-" && markdown != "-" {
					err = errors.Join(err, rep.WriteText(os.Stdout))
				}
			}
			if err != nil {
				return &exitError{exitSoftware, err}
			}
			return nil
		},
	}
	brokerCPU, clientCPU := "", ""
	if runtime.NumCPU() > 1 && runtime.GOOS == "linux" {
		brokerCPU, clientCPU = "0", "1"
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.Brokers, "broker", nil, "warren, rabbitmq, null or name=URL,pid=PID; may be repeated; ratios are to the first (default rabbitmq if installed, warren, null)")
	f.StringVar(&c.BrokerCPU, "broker-cpu", brokerCPU, "cores of the brokers that are started, as taskset takes them; empty: any")
	f.StringVar(&c.ClientCPU, "client-cpu", clientCPU, "cores of the clients; empty: any")
	f.IntVar(&c.Rounds, "rounds", 3, "how often each scenario is run against each broker")
	f.DurationVar(&c.Duration, "duration", 4*time.Second, "how long each scenario publishes")
	f.StringSliceVar(&c.Only, "only", nil, "scenarios whose names contain one of these; \"none\" leaves the absolute figures")
	f.IntVar(&c.Backlog, "backlog", 1_000_000, "messages of the backlog")
	f.DurationVar(&c.BacklogTime, "backlog-time", time.Minute, "publish a backlog for so long at most")
	f.BoolVar(&c.Absolute, "absolute", false, "also the absolute figures: start, memory, latency, the disk, queues, restarts")
	f.IntVar(&c.AbsoluteN.Queues, "absolute-queues", 10_000, "durable queues of the absolute figures")
	f.IntVar(&c.AbsoluteN.Connections, "absolute-connections", 5000, "connections of the absolute figures")
	f.IntVar(&c.AbsoluteN.Backlog, "absolute-backlog", 1_000_000, "messages of the backlog of the absolute figures")
	f.StringVar(&c.Dir, "dir", "", "where the brokers keep their data; default: the system's temporary directory")
	f.StringVar(&jsonFile, "json", "", "write JSON to this file; -: standard output")
	f.StringVar(&markdown, "markdown", "", "write the tables to this file; -: standard output")
	f.StringVar(&html, "html", "", "write a report with charts to this file")
	return cmd
}

// nullCommand runs the null forwarder, as compare does.
func nullCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "null",
		Short: "Run the null forwarder: frames in, frames out, no broker",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ln, err := net.Listen("tcp", addr)
			if err != nil {
				return &exitError{exitUnavailable, err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			var s perf.Null
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.Serve(ln)
			}()
			<-ctx.Done()
			ln.Close()
			s.Close()
			<-ended
			return nil
		},
	}
	cmd.Flags().StringVar(&addr, "listen", "127.0.0.1:5672", "address")
	return cmd
}
