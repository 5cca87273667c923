package perf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a broker's process took during a measurement.
type Usage struct {
	CPU  time.Duration `json:"cpu_ns"` // all threads, user and system
	RSS  int64         `json:"rss_bytes"`
	Peak int64         `json:"peak_rss_bytes"`
	Grew int64         `json:"grew_bytes"` // since the begin
}

// meter measures a process from outside, through Linux's /proc.
type meter struct {
	pid int
	cpu time.Duration
	rss int64
}

// newMeter starts to measure; with pid 0 it measures nothing.
func newMeter(pid int) (*meter, error) {
	m := &meter{pid: pid}
	if pid == 0 {
		return m, nil
	}
	// 5: the peak of memory begins anew. Not everybody may do this.
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
	var err error
	if m.cpu, err = cpuTime(pid); err != nil {
		m.pid = 0
		return m, fmt.Errorf("the broker's CPU time: %w", err)
	}
	m.rss, _, _ = memory(pid)
	return m, nil
}

// read returns what was used since newMeter; nil: not known.
func (m *meter) read() *Usage {
	if m.pid == 0 {
		return nil
	}
	cpu, err := cpuTime(m.pid)
	if err != nil {
		return nil
	}
	u := &Usage{CPU: cpu - m.cpu}
	u.RSS, u.Peak, _ = memory(m.pid) // CPU is worth having alone
	u.Grew = u.RSS - m.rss
	return u
}

// ticksPerSecond of /proc/PID/stat: the kernel has no other on any machine we know.
const ticksPerSecond = 100

// cpuTime is the user and system time of all threads, dead ones too.
func cpuTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything.
	f := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(f) < 13 {
		return 0, errors.New("unknown format of stat")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * (time.Second / ticksPerSecond), errors.Join(err1, err2)
}

// memory is the resident memory of a process, and its peak, in bytes.
func memory(pid int) (rss, peak int64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			rss = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return rss, peak, nil
}

// What counts as at rest, and how long that is waited for.
const (
	restWindow   = 250 * time.Millisecond
	restCPU      = 10 * time.Millisecond // as fine as it is told
	restPatience = 5 * time.Second
)

// rest waits until all brokers have done what the scenario before has left
// behind, so that it is not counted for the next one. It gives up after a while.
func rest(ctx context.Context, brokers []*Broker) error {
	for end := time.Now().Add(restPatience); time.Now().Before(end); {
		var meters []*meter
		for _, b := range brokers {
			if m, err := newMeter(b.PID); err == nil {
				meters = append(meters, m)
			}
		}
		if err := wait(ctx, restWindow); err != nil {
			return err
		}
		busy := false
		for _, m := range meters {
			if u := m.read(); u != nil && u.CPU > restCPU {
				busy = true
			}
		}
		if !busy {
			return nil
		}
	}
	return nil
}
