package broker

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// What is different about consuming from a stream.

// checkStream refuses what a stream does not do, in RabbitMQ's order and words.
func (q *Queue) checkStream(s *ConsumeSpec) error {
	switch _, prio := s.Args.Get("x-priority"); {
	case prio:
		return errf(PreconditionFailed, "invalid arg 'x-priority' for %s of queue type rabbit_stream_queue", q.label())
	case s.Prefetch == 0:
		return errf(PreconditionFailed, "consumer prefetch count is not set for '%s'", q.label())
	case s.GlobalQoS:
		return errf(NotImplemented, "%s does not support global qos", q.label())
	case s.NoAck:
		return q.notForStreams("automatic acknowledgement")
	}
	return nil
}

// notForStreams is the refusal of an operation that streams do not have.
func (q *Queue) notForStreams(what string) error {
	return errf(NotImplemented, "%s not supported by stream queues %s", what, q.label())
}

// NotForStreams refuses an operation on a stream; for other queues it returns nil.
func (q *Queue) NotForStreams(what string) error {
	if q.Stream {
		return q.notForStreams(what)
	}
	return nil
}

// cursor reads where a consumer wants to begin and what it wants to see.
func (q *Queue) cursor(s *ConsumeSpec) (*queue.Cursor, error) {
	k := &queue.Cursor{}
	if v, ok := s.Args.Get("x-stream-offset"); ok {
		var good bool
		if k.Start, good = parseStart(v, time.Now()); !good {
			return nil, errf(PreconditionFailed, "invalid arg 'x-stream-offset' for %s: {invalid_stream_offset_arg,{%s,%s}}", q.label(), wire.TypeName(v), erlangTerm(v))
		}
	}
	f, err := q.filter(s.Args)
	if f != nil {
		k.Filter = f
	}
	return k, err
}

// parseStart reads x-stream-offset.
func parseStart(v wire.Value, now time.Time) (queue.Start, bool) {
	if t, ok := v.(wire.Timestamp); ok {
		return queue.Start{Kind: queue.StartTime, Value: int64(min(t, math.MaxInt64/1000)) * 1000}, true
	}
	if n, ok := wire.AsInt64(v); ok {
		return queue.Start{Kind: queue.StartOffset, Value: n}, true
	}
	switch s, _ := wire.AsString(v); s {
	case "first":
		return queue.Start{Kind: queue.StartFirst}, true
	case "last":
		return queue.Start{Kind: queue.StartLast}, true
	case "next":
		return queue.Start{Kind: queue.StartNext}, true
	default:
		ago, ok := interval(s, now)
		return queue.Start{Kind: queue.StartTime, Value: ago}, ok
	}
}

// erlangTerm is a value as RabbitMQ's texts have it.
func erlangTerm(v wire.Value) string {
	if s, ok := wire.AsString(v); ok {
		return meta.ErlangTerm(s)
	}
	return fmt.Sprint(v)
}

// interval reads a number and a unit, such as 7D, as the time so long before
// now, in ms since 1970.
func interval(s string, now time.Time) (int64, bool) {
	digits := strings.TrimRight(s, "YMDhms")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n == 0 {
		return 0, false
	}
	units := map[string]int64{"Y": 365 * 86400, "M": 30 * 86400, "D": 86400, "h": 3600, "m": 60, "s": 1}
	unit, ok := units[s[len(digits):]]
	if !ok || int64(n) > now.Unix()/unit {
		return 0, ok
	}
	return now.UnixMilli() - int64(n)*unit*1000, true
}

// streamFilter wants messages whose header x-stream-filter-value is one of
// values; with unfiltered, also those that have none.
type streamFilter struct {
	values     map[string]bool
	unfiltered bool
}

// filter reads x-stream-filter, a string or several, and x-stream-match-unfiltered.
func (q *Queue) filter(args wire.Table) (*streamFilter, error) {
	v, ok := args.Get("x-stream-filter")
	if !ok {
		return nil, nil
	}
	bad := func(key string, v wire.Value) error {
		return errf(PreconditionFailed, "invalid arg '%s' for %s: {unacceptable_type,%s}", key, q.label(), wire.TypeName(v))
	}
	f := &streamFilter{values: map[string]bool{}}
	many, ok := v.(wire.Array)
	if !ok {
		many = wire.Array{v}
	}
	for _, v := range many {
		s, ok := wire.AsString(v)
		if !ok {
			return nil, bad("x-stream-filter", v)
		}
		f.values[s] = true
	}
	if v, ok := args.Get("x-stream-match-unfiltered"); ok {
		b, ok := v.(wire.Bool)
		if !ok {
			return nil, bad("x-stream-match-unfiltered", v)
		}
		f.unfiltered = bool(b)
	}
	return f, nil
}

// Match implements queue.Filter.
func (f *streamFilter) Match(stored []byte) bool {
	m, ok := message.Parse(stored)
	if !ok {
		return false
	}
	var v wire.PropertiesView
	if len(m.Props) == 0 || v.Parse(m.Props) != nil {
		return f.unfiltered
	}
	headers, _ := v.Headers()
	value, ok := headers.Lookup("x-stream-filter-value")
	if !ok || value.Code() != 'S' {
		return f.unfiltered
	}
	return f.values[string(value.Bytes())]
}
