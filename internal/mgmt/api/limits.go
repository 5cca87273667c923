package api

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

// sizeOf reads bytes, or a number with a unit: powers of 1000 for kB, MB, …, of
// 1024 for KiB, MiB, ….
func sizeOf(s string) (int64, bool) {
	text := strings.ToLower(strings.TrimSpace(s))
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
	unit := strings.TrimSuffix(strings.TrimSpace(text[len(digits):]), "b")
	base := 1000.0
	if len(unit) == 2 && unit[1] == 'i' {
		unit, base = unit[:1], 1024
	}
	n, err := strconv.ParseUint(digits, 10, 62)
	power := strings.Index("kmgtp", unit) + 1
	if err != nil || len(unit) > 1 || power == 0 {
		return 0, false
	}
	if unit == "" {
		power = 0
	}
	f := float64(n) * math.Pow(base, float64(power))
	return int64(f), f < math.MaxInt64/2
}

// fractionOf reads a number such as 0.4. Sizes are no fractions: they have no dot.
func fractionOf(s string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) && (strings.Contains(s, ".") || f <= 1)
}

func (a *API) setMemoryWatermark(value string) error {
	if f, ok := fractionOf(value); ok {
		return a.Broker.SetMemoryHighWatermark(broker.Watermark{Relative: f})
	}
	n, ok := sizeOf(value)
	if !ok {
		return fmt.Errorf("%q is neither a fraction nor a size", value)
	}
	return a.Broker.SetMemoryHighWatermark(broker.Watermark{Absolute: n})
}

func (a *API) watchDisk(value string) error {
	if value != "on" && value != "off" {
		return fmt.Errorf("%q: want on or off", value)
	}
	a.Broker.WatchDisk(value == "on")
	return nil
}

func (a *API) setDiskFreeLimit(value string) error {
	if text, ok := strings.CutPrefix(value, "mem_relative "); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%q is not a number", text)
		}
		return a.Broker.SetDiskFreeLimit(broker.DiskLimit{Relative: f})
	}
	n, ok := sizeOf(value)
	if !ok {
		return fmt.Errorf("%q is not a size", value)
	}
	return a.Broker.SetDiskFreeLimit(broker.DiskLimit{Absolute: n})
}
