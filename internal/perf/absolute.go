package perf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Figure is something that is measured as it is, or against the floor.
type Figure struct {
	Name   string             `json:"name"`
	Unit   string             `json:"unit"`
	Target float64            `json:"target,omitempty"` // Warren's
	Least  bool               `json:"least,omitempty"`  // the target is the least, not the most
	Values map[string]float64 `json:"values"`           // by broker
	Notes  []string           `json:"notes,omitempty"`
}

// disk is the column of what the disk does without a broker.
const disk = "disk"

// absolute measures each broker alone, each part on one that was just started.
func (c *Compare) absolute(ctx context.Context, rep *Report) error {
	c.AbsoluteN.Queues = cmp.Or(c.AbsoluteN.Queues, 10_000)
	c.AbsoluteN.Connections = cmp.Or(c.AbsoluteN.Connections, 5000)
	c.AbsoluteN.Backlog = cmp.Or(c.AbsoluteN.Backlog, c.Backlog)
	p50, perSecond, err := syncTime(filepath.Dir(rep.Brokers[0].dir), min(c.Duration, 3*time.Second))
	if err != nil {
		return err
	}
	rep.figure("disk: fdatasync after 1 KiB, p50", "µs", 0, false, disk, micros(p50))
	rep.figure("disk: syncs per second", "/s", 0, true, disk, perSecond)
	for _, b := range rep.Brokers {
		parts := []func(context.Context, *Report, *Broker) error{c.latencyFigures}
		if b.Kind != "" {
			parts = append(parts, c.startFigures)
		}
		if b.Kind == "warren" || b.Kind == "rabbitmq" {
			parts = append(parts, c.confirmFigures, c.queueFigures, c.backlogFigures)
		}
		for _, part := range parts {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := part(ctx, rep, b); err != nil {
				fmt.Fprintf(c.Log, "%s: %v\n", b.Name, err)
				rep.Figures = append(rep.Figures, &Figure{Name: b.Name + " failed", Notes: []string{err.Error()}})
			}
			if err := b.remove(); err != nil {
				return err
			}
		}
	}
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }
func millis(d time.Duration) float64 { return float64(d) / 1e6 }
func mib(n int64) float64            { return float64(n) / (1 << 20) }

// figure adds a value.
func (rep *Report) figure(name, unit string, target float64, least bool, broker string, v float64) {
	for _, f := range rep.Figures {
		if f.Name == name {
			f.Values[broker] = v
			return
		}
	}
	rep.Figures = append(rep.Figures, &Figure{Name: name, Unit: unit, Target: target, Least: least, Values: map[string]float64{broker: v}})
}

// syncTime writes one KiB after the other into a file that was filled before,
// as a log does, and syncs after each.
func syncTime(dir string, length time.Duration) (p50 time.Duration, perSecond float64, err error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	const size = 32 << 20
	if _, err = f.Write(make([]byte, size)); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, 0, err
	}
	h := newHistogram()
	block := make([]byte, 1100) // a record of a message of 1 KiB
	begin := time.Now()
	n := int64(0)
	for ; time.Since(begin) < length; n++ {
		t := time.Now()
		if _, err = f.WriteAt(block, n*int64(len(block))%(size-4096)); err == nil {
			err = syncData(f)
		}
		if err != nil {
			return 0, 0, err
		}
		_ = h.RecordValue(int64(time.Since(t)))
	}
	return time.Duration(h.ValueAtPercentile(50)), float64(n) / time.Since(begin).Seconds(), nil
}

// startFigures: start, idle memory, memory of connections.
func (c *Compare) startFigures(ctx context.Context, rep *Report, b *Broker) error {
	var took []float64
	for range c.Rounds {
		if err := b.remove(); err != nil {
			return err
		}
		t, err := b.start(ctx)
		if err != nil {
			return err
		}
		took = append(took, millis(t))
	}
	rep.figure("start of an empty node to first handshake", "ms", 50, false, b.Name, spreadOf(took).Median)
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	idle, _, err := memory(b.PID)
	if err != nil {
		return err
	}
	rep.figure("idle memory", "MiB", 25, false, b.Name, mib(idle))
	fmt.Fprintf(c.Log, "%s: first handshake after %.0f ms, idle with %.1f MiB; opening %d connections\n", b.Name, spreadOf(took).Median, mib(idle), c.AbsoluteN.Connections)
	res, err := Operation{URL: b.URL, PID: b.PID, Kind: Connections, Count: c.AbsoluteN.Connections, Workers: 8}.Run(ctx)
	if err == nil && res.Usage != nil {
		rep.figure(fmt.Sprintf("idle connection with a channel (%d open)", c.AbsoluteN.Connections), "KiB", 20, false, b.Name,
			float64(res.Usage.RSS-idle)/1024/float64(res.Operations))
	}
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// latencyFigures: end to end, at two rates.
func (c *Compare) latencyFigures(ctx context.Context, rep *Report, b *Broker) error {
	if _, err := b.start(ctx); err != nil {
		return err
	}
	for _, rate := range []int{2000, 20_000} {
		fmt.Fprintf(c.Log, "%s: latency at %d/s", b.Name, rate)
		l := Load{URL: b.URL, Producers: 1, Consumers: 1, Size: 16, Rate: rate, Latency: true, Duration: c.Duration}
		res, err := l.Run(ctx)
		if err != nil || res.Latency == nil {
			fmt.Fprintln(c.Log)
			return errors.Join(err, errors.New("no latency was measured"))
		}
		fmt.Fprintf(c.Log, " · p50 %v, p99.9 %v\n", res.Latency.P50, res.Latency.P999)
		rep.figure(fmt.Sprintf("end-to-end latency at %d/s, p50", rate), "µs", 0, false, b.Name, micros(res.Latency.P50))
		rep.figure(fmt.Sprintf("end-to-end latency at %d/s, p99.9", rate), "µs", 0, false, b.Name, micros(res.Latency.P999))
	}
	return nil
}

// confirmFigures: durable, one message in flight, next to the disk at the same time.
func (c *Compare) confirmFigures(ctx context.Context, rep *Report, b *Broker) error {
	if _, err := b.start(ctx); err != nil {
		return err
	}
	var p50s, ratios []float64
	for range c.Rounds {
		before, _, err := syncTime(filepath.Dir(b.dir), c.Duration/2)
		if err != nil {
			return err
		}
		l := Load{URL: b.URL, Producers: 1, Size: 1024, Confirm: 1, Poll: true, Persistent: true, Durable: true, Latency: true, Duration: c.Duration}
		res, err := l.Run(ctx)
		if err != nil || res.ConfirmLatency == nil {
			return errors.Join(err, errors.New("no confirm was measured"))
		}
		after, _, err := syncTime(filepath.Dir(b.dir), c.Duration/2)
		if err != nil {
			return err
		}
		p50s = append(p50s, micros(res.ConfirmLatency.P50))
		ratios = append(ratios, 2*float64(res.ConfirmLatency.P50)/float64(before+after))
	}
	rep.figure("durable, one in flight: confirm p50", "µs", 0, false, b.Name, spreadOf(p50s).Median)
	rep.figure("durable, one in flight: confirm p50 / fdatasync p50 (measured before and after)", "x", 1.3, false, b.Name, spreadOf(ratios).Median)
	fmt.Fprintf(c.Log, "%s: confirm p50 %.0f µs, %.2f times the disk's\n", b.Name, spreadOf(p50s).Median, spreadOf(ratios).Median)
	return nil
}

// queueFigures: many durable queues, and a restart with them.
func (c *Compare) queueFigures(ctx context.Context, rep *Report, b *Broker) error {
	if _, err := b.start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.Log, "%s: declaring %d durable queues\n", b.Name, c.AbsoluteN.Queues)
	res, err := Operation{URL: b.URL, PID: b.PID, Kind: Queues, Count: c.AbsoluteN.Queues, Workers: 32, Durable: true, Keep: true}.Run(ctx)
	if err != nil {
		return err
	}
	n := fmt.Sprintf("%d durable queues", c.AbsoluteN.Queues)
	rep.figure(n+": declared, 32 connections", "/s", 3000, true, b.Name, res.Rate())
	took, err := b.restart(ctx)
	rep.figure(n+": restart to first handshake", "ms", 500, false, b.Name, millis(took))
	return err
}

func (b *Broker) restart(ctx context.Context) (time.Duration, error) {
	if err := b.stop(); err != nil {
		return 0, err
	}
	return b.start(ctx)
}

// backlogFigures: memory with a backlog, and a restart with it.
func (c *Compare) backlogFigures(ctx context.Context, rep *Report, b *Broker) error {
	if _, err := b.start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.Log, "%s: a backlog of %d x 1 KiB\n", b.Name, c.AbsoluteN.Backlog)
	l := Load{URL: b.URL, PID: b.PID, Producers: 1, Size: 1024, Confirm: 1000, Persistent: true, Durable: true,
		Messages: c.AbsoluteN.Backlog, Duration: 5 * c.BacklogTime, Keep: true}
	res, err := l.Run(ctx)
	if err != nil {
		return err
	}
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	rss, peak, err := memory(b.PID)
	if err != nil {
		return err
	}
	n := fmt.Sprintf("backlog of %d x 1 KiB", c.AbsoluteN.Backlog)
	target := 60.0
	if c.AbsoluteN.Backlog > 1_000_000 {
		target = 100
	}
	rep.figure(n+": memory", "MiB", target, false, b.Name, mib(rss))
	rep.figure(n+": peak of memory while it was published", "MiB", 0, false, b.Name, mib(peak))
	took, err := b.restart(ctx)
	if err != nil {
		return err
	}
	rep.figure(n+": restart to first handshake", "ms", 200, false, b.Name, millis(took))
	if res.Published < uint64(c.AbsoluteN.Backlog) {
		f := rep.Figures[len(rep.Figures)-1]
		f.Notes = append(f.Notes, fmt.Sprintf("%s: only %d messages in %v", b.Name, res.Published, 5*c.BacklogTime))
	}
	// What was promised is there.
	l.Producers, l.Consumers, l.Drain, l.Ack, l.Prefetch, l.Keep, l.PID = 0, 1, true, 100, 1000, false, 0
	drained, err := l.Run(ctx)
	if err == nil && drained.Consumed < res.Confirmed {
		err = fmt.Errorf("after the restart: %d messages of %d that were confirmed", drained.Consumed, res.Confirmed)
	}
	return err
}
