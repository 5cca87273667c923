package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// address reads a port, or host:port, where an IPv6 address may stand without
// brackets, as RabbitMQ's own example has it: ::1:5672.
func address(v string) (string, error) {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		host, port = "", v
		if i := strings.LastIndexByte(v, ':'); i >= 0 && strings.Count(v, ":") > 1 && net.ParseIP(v[:i]) != nil {
			host, port = v[:i], v[i+1:]
		}
	}
	if strings.HasPrefix(v, "unix:") || strings.HasPrefix(v, "local:") {
		return "", fmt.Errorf("%q: AMQP over a Unix socket is not supported; use a TCP port", v)
	}
	if _, err := portNumber(port); err != nil {
		return "", fmt.Errorf("%q is not a port or host:port", v)
	}
	return net.JoinHostPort(host, port), nil
}

func portNumber(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 65535 {
		return 0, fmt.Errorf("%q is not a port", v)
	}
	return n, nil
}

func oneOf(v string, allowed ...string) error {
	if slices.Contains(allowed, v) {
		return nil
	}
	return fmt.Errorf("%q: want %s", v, strings.Join(allowed, " or "))
}

func parseBool(v string) (bool, error) {
	switch v {
	case "true", "on":
		return true, nil
	case "false", "off":
		return false, nil
	}
	return false, oneOf(v, "true", "false")
}

func parseInt(v string, lo, hi int64) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < lo || n > hi {
		if hi == 1<<62 {
			return 0, fmt.Errorf("%q is not a number from %d on", v, lo)
		}
		return 0, fmt.Errorf("%q is not a number from %d to %d", v, lo, hi)
	}
	return n, nil
}

// parseSeconds reads a number of seconds.
func parseSeconds(v string) (time.Duration, error) {
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of seconds", v)
	}
	return time.Duration(n) * time.Second, nil
}

// parseDuration reads a number of the unit, or one with a unit of its own, such
// as 10s.
func parseDuration(v string, unit time.Duration) (time.Duration, error) {
	if n, err := strconv.ParseUint(v, 10, 62); err == nil && n < uint64(1<<62/unit) {
		return time.Duration(n) * unit, nil
	}
	text := v
	days := time.Duration(0)
	if d, rest, ok := strings.Cut(v, "d"); ok { // Go's parser has no days and weeks
		if n, err := strconv.ParseUint(d, 10, 16); err == nil {
			days, text = time.Duration(n)*24*time.Hour, rest
		}
	}
	if text == "" && days > 0 {
		return days, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration", v)
	}
	return d + days, nil
}

// parseSize reads bytes, or a number with a unit: powers of 1000 for k, kb, m,
// mb, ..., of 1024 for ki, kib, mi, mib, ...
func parseSize(v string) (int64, error) {
	s := strings.ToLower(strings.TrimSpace(v))
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit := ""
	if i >= 0 {
		s, unit = s[:i], strings.TrimSuffix(strings.TrimSpace(s[i:]), "b")
	}
	n, err := strconv.ParseInt(s, 10, 63)
	mult := int64(1)
	switch unit {
	case "":
	case "k":
		mult = 1e3
	case "m":
		mult = 1e6
	case "g":
		mult = 1e9
	case "t":
		mult = 1e12
	case "p":
		mult = 1e15
	case "ki":
		mult = 1 << 10
	case "mi":
		mult = 1 << 20
	case "gi":
		mult = 1 << 30
	case "ti":
		mult = 1 << 40
	case "pi":
		mult = 1 << 50
	default:
		return 0, fmt.Errorf("%q is not a size", v)
	}
	if err != nil || n > (1<<62)/mult {
		return 0, fmt.Errorf("%q is not a size", v)
	}
	return n * mult, nil
}

// parseFraction reads 0.4 or 40%.
func parseFraction(v string) (float64, error) {
	text, percent := strings.CutSuffix(v, "%")
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f < 0 || f > 1e6 {
		return 0, fmt.Errorf("%q is not a fraction such as 0.4", v)
	}
	if percent {
		f /= 100
	}
	return f, nil
}

var errEmpty = errors.New("a value is wanted")
