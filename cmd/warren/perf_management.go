package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/perf"
)

// managementCommand measures what it costs to look at a broker.
func managementCommand() *cobra.Command {
	m := perf.Management{Log: os.Stderr}
	var jsonFile, markdown string
	cmd := &cobra.Command{
		Use:   "management",
		Short: "Lists and metrics with many objects, and what watching costs",
		Long: `Declare many queues and open many connections, ask for the lists of the HTTP API
and the metrics, and measure what a scrape every second and the requests of the open
page take from throughput. All is taken away at the end.`,
		Example: `  warren perf management --pid $(cat data/warren.pid)
  warren perf management --queues 1000 --connections 100 --pairs 0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			rep, err := m.Run(ctx)
			if rep != nil {
				err = errors.Join(err, toFile(jsonFile, jsonWriter(rep)), toFile(markdown, rep.WriteMarkdown))
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
	f := cmd.Flags()
	f.StringVar(&m.URL, "url", "amqp://guest:guest@localhost:5672/", "the broker; its user asks for the lists")
	f.StringVar(&m.Web, "web", "http://localhost:15672", "its HTTP API")
	f.StringVar(&m.Metrics, "metrics", "http://localhost:15692", "its metrics")
	f.IntVar(&m.PID, "pid", 0, "the broker's process, to measure its CPU time")
	f.IntVar(&m.Queues, "queues", 10_000, "durable queues")
	f.IntVar(&m.Connections, "connections", 2000, "connections, with a channel each")
	f.IntVar(&m.Calls, "calls", 5, "how often each view is asked for")
	f.DurationVar(&m.Idle, "idle", 20*time.Second, "how long the process is looked at without and with somebody who watches; 0: not")
	f.IntVar(&m.Pairs, "pairs", 5, "pairs of throughput without and with somebody who watches")
	f.DurationVar(&m.Duration, "duration", 5*time.Second, "how long each of a pair publishes")
	f.StringVar(&jsonFile, "json", "", "write JSON to this file; -: standard output")
	f.StringVar(&markdown, "markdown", "", "write the tables to this file; -: standard output")
	return cmd
}
