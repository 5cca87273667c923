package meta

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The arguments that a queue type knows, in the order in which a redeclaration
// compares them (capabilities/0 of the queue types, RabbitMQ 3.10 plus what
// quorum queues got later).
var queueArgs = map[string][]string{
	Classic: {"x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length",
		"x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode", "x-queue-version",
		"x-single-active-consumer", "x-queue-type", "x-queue-master-locator"},
	Quorum: {"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires", "x-max-length",
		"x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-overflow", "x-single-active-consumer",
		"x-queue-type", "x-quorum-initial-group-size", "x-delivery-limit", "x-message-ttl", "x-queue-leader-locator",
		"x-consumer-timeout", "x-consumer-disconnected-timeout",
		"x-delayed-retry-type", "x-delayed-retry-min", "x-delayed-retry-max"},
	Stream: {"x-max-length-bytes", "x-queue-type", "x-max-age", "x-stream-max-segment-size-bytes",
		"x-initial-cluster-size", "x-queue-leader-locator"},
}

// Arguments of one type that the other types accept and ignore, as they did
// before the argument existed.
var newerArgs = []string{"x-consumer-timeout", "x-consumer-disconnected-timeout",
	"x-delayed-retry-type", "x-delayed-retry-min", "x-delayed-retry-max"}

type argCheck struct {
	key   string
	check func(Value, Args) (reason string) // "" if the value is good
}

// argChecks are made in this order (rabbit_amqqueue:declare_args/0), those that
// the type knows.
var argChecks = []argCheck{
	{"x-expires", checkExpires},
	{"x-message-ttl", checkTTL},
	{"x-dead-letter-exchange", checkLongstr},
	{"x-dead-letter-routing-key", checkDLRK},
	{"x-dead-letter-strategy", oneOf("invalid_dlx_strategy", "at-most-once", "at-least-once")},
	{"x-max-length", checkNonNegative},
	{"x-max-length-bytes", checkNonNegative},
	{"x-max-in-memory-length", checkNonNegative},
	{"x-max-in-memory-bytes", checkNonNegative},
	{"x-max-priority", checkPriority},
	{"x-overflow", oneOf("invalid_overflow", "drop-head", "reject-publish", "reject-publish-dlx")},
	{"x-queue-mode", namedOneOf("queue mode", "default", "lazy")},
	{"x-queue-version", checkQueueVersion},
	{"x-single-active-consumer", checkBool},
	{"x-quorum-initial-group-size", checkPositive},
	{"x-max-age", checkMaxAge},
	{"x-stream-max-segment-size-bytes", checkNonNegative},
	{"x-initial-cluster-size", checkPositive},
	{"x-queue-leader-locator", oneOf("invalid_queue_locator_arg", "client-local", "balanced", "random", "least-leaders")},
	// RabbitMQ has no check for these; it crashes when it uses a bad value.
	{"x-queue-master-locator", oneOf("invalid_queue_locator_arg", "client-local", "min-masters", "random")},
	{"x-delivery-limit", checkInt},
	{"x-consumer-timeout", checkNonNegative},
	{"x-consumer-disconnected-timeout", checkNonNegative},
	{"x-delayed-retry-type", oneOf("invalid_delayed_retry_type", "disabled", "all", "failed", "returned")},
	{"x-delayed-retry-min", checkPositive},
	{"x-delayed-retry-max", checkPositive},
}

func invalidArg(key, name, reason string) error {
	return errf(PreconditionFailed, "invalid arg '%s' for %s: %s", key, name, reason)
}

// checkQueueArgs checks the arguments of a new queue and returns its type.
func checkQueueArgs(name string, args Args) (string, error) {
	if v, ok := args.Get("x-queue-type"); ok {
		if reason := namedOneOf("queue type", Classic, Quorum, Stream)(v, args); reason != "" {
			return "", invalidArg("x-queue-type", name, reason)
		}
	}
	t := queueType(args)
	known := queueArgs[t]
	for _, c := range argChecks {
		if !slices.Contains(known, c.key) {
			continue
		}
		if v, ok := args.Get(c.key); ok {
			if reason := c.check(v, args); reason != "" {
				return "", invalidArg(c.key, name, reason)
			}
		}
	}
	for key := range args.All() {
		if !slices.Contains(known, key) && ofOtherType(key) {
			return "", errf(PreconditionFailed, "invalid arg '%s' for %s of queue type rabbit_%s_queue", key, name, t)
		}
	}
	return t, nil
}

func ofOtherType(key string) bool {
	if slices.Contains(newerArgs, key) {
		return false
	}
	for _, keys := range queueArgs {
		if slices.Contains(keys, key) {
			return true
		}
	}
	return false
}

func badType(v Value) string { return "{unacceptable_type," + v.Type() + "}" }

func checkInt(v Value, _ Args) string {
	if _, ok := v.Int(); !ok {
		return `"expected integer, got ` + v.Type() + `"`
	}
	return ""
}

func checkNonNegative(v Value, a Args) string {
	if reason := checkInt(v, a); reason != "" {
		return reason
	}
	if n, _ := v.Int(); n < 0 {
		return fmt.Sprintf("{value_negative,%d}", n)
	}
	return ""
}

func checkPositive(v Value, a Args) string {
	reason := checkNonNegative(v, a)
	if n, _ := v.Int(); reason == "" && n == 0 {
		return "{value_zero,0}"
	}
	return reason
}

func checkTTL(v Value, a Args) string {
	const tenYears = 315_360_000_000 // ms
	if reason := checkNonNegative(v, a); reason != "" {
		return reason
	}
	if n, _ := v.Int(); n > tenYears {
		return fmt.Sprintf("{value_too_large,%d}", n)
	}
	return ""
}

func checkExpires(v Value, a Args) string {
	if n, ok := v.Int(); ok && n == 0 {
		return "{value_zero,0}"
	}
	return checkTTL(v, a)
}

func checkPriority(v Value, a Args) string {
	reason := checkNonNegative(v, a)
	if n, _ := v.Int(); reason == "" && n > 255 {
		return fmt.Sprintf("{max_value_exceeded,%d}", n)
	}
	return reason
}

func checkBool(v Value, _ Args) string {
	if v.Code() != 't' {
		return badType(v)
	}
	return ""
}

func checkLongstr(v Value, _ Args) string {
	if v.Code() != 'S' {
		return badType(v)
	}
	return ""
}

func checkDLRK(v Value, a Args) string {
	if v.Code() != 'S' {
		return badType(v)
	}
	if _, ok := a.Get("x-dead-letter-exchange"); !ok {
		return "routing_key_but_no_dlx_defined"
	}
	if len(v.Bytes()) > 255 {
		return "routing_key_too_long" // RabbitMQ finds out at the first dead letter
	}
	return ""
}

func checkQueueVersion(v Value, a Args) string {
	reason := checkNonNegative(v, a)
	if n, _ := v.Int(); reason == "" && n != 1 && n != 2 {
		return erlString(fmt.Sprintf("unsupported queue version '%d'", n))
	}
	return reason
}

func checkMaxAge(v Value, _ Args) string {
	s, ok := v.Str()
	if !ok {
		return badType(v)
	}
	if _, ok := parseMaxAge(s); !ok {
		return "invalid_max_age"
	}
	return ""
}

// parseMaxAge reads a number and a unit, such as 7D, into seconds.
func parseMaxAge(s string) (int64, bool) {
	digits := strings.TrimRight(s, "YMDhms")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 {
		return 0, false
	}
	switch s[len(digits):] {
	case "Y":
		n *= 365 * 24 * 3600
	case "M":
		n *= 30 * 24 * 3600
	case "D":
		n *= 24 * 3600
	case "h":
		n *= 3600
	case "m":
		n *= 60
	case "s":
	default:
		return 0, false
	}
	return int64(n), true
}

func oneOf(reason string, values ...string) func(Value, Args) string {
	return amongOr(values, func(string) string { return reason })
}

func namedOneOf(what string, values ...string) func(Value, Args) string {
	return amongOr(values, func(s string) string { return erlString("unsupported " + what + " '" + s + "'") })
}

// amongOr wants a text of a few; of another, refuse says why not.
func amongOr(values []string, refuse func(string) string) func(Value, Args) string {
	return func(v Value, _ Args) string {
		s, ok := v.Str()
		switch {
		case !ok:
			return badType(v)
		case !slices.Contains(values, s):
			return refuse(s)
		}
		return ""
	}
}
