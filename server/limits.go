package server

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

// SetMemoryWatermark implements api.Node: a fraction of the memory, as in 0.4,
// or bytes, as in 8GB.
func (n *node) SetMemoryWatermark(value string) error {
	var w broker.Watermark
	if bytes, err := parseBytes(value); err == nil && value != "0" && value != "1" {
		w.Absolute = bytes
	} else if f, err := strconv.ParseFloat(value, 64); err == nil && f >= 0 && f <= 1 {
		w.Relative = f
	} else {
		return fmt.Errorf("%q is neither a fraction between 0.0 and 1.0 nor a number of bytes", value)
	}
	return n.onBroker(func(b *broker.Broker) error { return b.SetMemoryHighWatermark(w) })
}

// SetDiskFreeLimit implements api.Node: bytes, as in 2GB, or "mem_relative 1.5".
func (n *node) SetDiskFreeLimit(value string) error {
	var l broker.DiskLimit
	var err error
	if rest, ok := strings.CutPrefix(value, "mem_relative "); ok {
		l.Relative, err = strconv.ParseFloat(rest, 64)
		if err == nil && !(l.Relative > 0) {
			err = strconv.ErrRange
		}
	} else {
		l.Absolute, err = parseBytes(value)
	}
	if err != nil {
		return fmt.Errorf("%q is neither a number of bytes nor mem_relative and a multiple of the memory", value)
	}
	return n.onBroker(func(b *broker.Broker) error { return b.SetDiskFreeLimit(l) })
}

func (n *node) onBroker(f func(*broker.Broker) error) error {
	s := n.server()
	s.mu.Lock()
	a := s.app
	s.mu.Unlock()
	if a == nil {
		return ErrAppStopped
	}
	return f(a.broker)
}

// parseBytes reads bytes, or a number with a unit: powers of 1000 for k, kb, m,
// mb, ..., of 1024 for ki, kib, mi, mib, ..., as the configuration does.
func parseBytes(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKmMgGtTpPiIbB")
	unit := strings.TrimSuffix(strings.ToLower(s[len(digits):]), "b")
	factor, known := map[string]int64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15,
		"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, "pi": 1 << 50}[unit]
	n, err := strconv.ParseInt(digits, 10, 63)
	if err != nil || n < 0 || !known || n > (1<<62)/factor {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return n * factor, nil
}
