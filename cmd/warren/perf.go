package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/perf"
)

func perfCommand() *cobra.Command {
	t := perf.Throughput{}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "perf",
		Short: "Measure a broker's throughput",
		Long: `Publish to and consume from a queue of an AMQP 0-9-1 broker as fast as it goes,
check that nothing is lost or out of order, and print the rates.`,
		Example: `  warren perf --size 16 --duration 10s
  warren perf --persistent --durable --confirm 1000 --ack 100 --prefetch 1000 --size 1024
  warren perf --url amqp://user:pass@host:5672/vhost --producers 4 --consumers 4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			if t.Drain {
				t.Producers = 0
			}
			res, err := t.Run(ctx)
			if asJSON {
				err2 := json.NewEncoder(os.Stdout).Encode(res)
				if err == nil {
					err = err2
				}
			} else {
				s := res.Elapsed.Seconds()
				fmt.Printf("published %d (%.0f/s), confirmed %d, refused %d, consumed %d (%.0f/s), out of order %d, %.2f s\n",
					res.Published, float64(res.Published)/s, res.Confirmed, res.Refused, res.Consumed, float64(res.Consumed)/s, res.OutOfOrder, s)
			}
			if err != nil {
				return &exitError{exitSoftware, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.URL, "url", "amqp://guest:guest@localhost:5672/", "the broker")
	f.IntVar(&t.Producers, "producers", 1, "connections that publish")
	f.IntVar(&t.Consumers, "consumers", 1, "connections that consume")
	f.IntVar(&t.Size, "size", 16, "bytes of a message's body, at least 8")
	f.BoolVar(&t.Persistent, "persistent", false, "publish persistent messages")
	f.BoolVar(&t.Durable, "durable", false, "use a durable queue")
	f.IntVar(&t.Confirm, "confirm", 0, "publisher confirms, with so many in flight")
	f.IntVar(&t.Ack, "ack", 0, "acknowledge every so many messages; 0: automatically")
	f.IntVar(&t.Prefetch, "prefetch", 0, "messages that may be unacknowledged; 0: no limit")
	f.IntVar(&t.Messages, "messages", 0, "messages of each producer; 0: as many as fit --duration")
	f.DurationVar(&t.Duration, "duration", 10*time.Second, "how long to publish")
	f.StringVar(&t.Queue, "queue", "", "name of the queue; default: one of its own")
	f.BoolVar(&t.Keep, "keep", false, "leave the queue")
	f.BoolVar(&t.Drain, "drain", false, "publish nothing, consume what is in the queue")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
