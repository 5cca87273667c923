package meta

import (
	"math"
	"slices"
)

// None says that a limit of Effective is not set.
const None int64 = math.MinInt64

// Effective is what is in force for a queue: its arguments and its policies
// together (§3 of the reference on arguments: which of them wins differs by
// setting and by type). Times are milliseconds.
type Effective struct {
	Type                     string
	MessageTTL, Expires      int64  // or None
	MaxLength, MaxBytes      int64  // or None
	PushbackBytes            int64  // from which on publishers wait (policy warren-max-bytes); 0: never
	Overflow                 string // drop-head, reject-publish, reject-publish-dlx
	DeadLetterExchange       string
	HasDeadLetter            bool // a dead-letter exchange is set, perhaps the default one ("")
	DeadLetterRoutingKey     string
	HasDeadLetterKey         bool
	DeadLetterStrategy       string // at-most-once, at-least-once; what can be had, not what is asked for
	DeliveryLimit            int64  // of quorum queues, or None
	MaxPriority              uint8  // of classic queues; 0: no levels
	SingleActive             bool
	RetryType                string // of quorum queues: all, failed, returned; "": no delayed retry
	RetryMin, RetryMax       int64
	ConsumerTimeout          int64 // of quorum queues, or None
	MaxAge                   int64 // of streams, seconds, or None
	StreamMaxSegmentSize     int64 // or None
	DeliveryLimitIsByDefault bool
}

// who wins if both the policy and the argument say something
type winner uint8

const (
	smaller winner = iota
	argument
	byPolicy
)

func effective(q *Queue, defaultDeliveryLimit int64) Effective {
	p := effectivePolicy(q.Policy, q.OperatorPolicy)
	num := func(key string, w winner) int64 {
		pol, inPolicy := jsonInt(p[key])
		arg, inArg := argInt(q.Args, "x-"+key)
		switch {
		case inPolicy && inArg && w == smaller:
			return min(pol, arg)
		case inPolicy && (!inArg || w == byPolicy):
			return pol
		case inArg:
			return arg
		}
		return None
	}
	text := func(key string, w winner) (string, bool) {
		pol, inPolicy := p[key].(string)
		arg, inArg := str(q.Args, "x-"+key)
		if inPolicy && (!inArg || w == byPolicy) {
			return pol, true
		}
		return arg, inArg
	}
	e := Effective{Type: q.Type, MessageTTL: None, Expires: None, MaxLength: None, DeliveryLimit: None,
		ConsumerTimeout: None, MaxAge: None, StreamMaxSegmentSize: None, Overflow: "drop-head", DeadLetterStrategy: "at-most-once"}
	if q.Type == Stream {
		e.MaxBytes = num("max-length-bytes", byPolicy)
		e.StreamMaxSegmentSize = num("stream-max-segment-size-bytes", byPolicy)
		if s, ok := text("max-age", byPolicy); ok {
			e.MaxAge, _ = parseMaxAge(s)
		}
		return e
	}
	e.PushbackBytes, _ = jsonInt(p[MaxBytes])
	e.MessageTTL, e.Expires = num("message-ttl", smaller), num("expires", smaller)
	e.MaxLength, e.MaxBytes = num("max-length", smaller), num("max-length-bytes", smaller)
	overflow := argument
	if q.Type == Quorum {
		overflow = byPolicy
	}
	if s, ok := text("overflow", overflow); ok {
		e.Overflow = s
	}
	e.DeadLetterExchange, e.HasDeadLetter = text("dead-letter-exchange", argument)
	e.DeadLetterRoutingKey, e.HasDeadLetterKey = text("dead-letter-routing-key", argument)
	if v, ok := q.Args.Get("x-single-active-consumer"); ok {
		e.SingleActive, _ = v.Bool()
	}
	if q.Type == Classic {
		n, _ := argInt(q.Args, "x-max-priority")
		e.MaxPriority = uint8(n)
		return e
	}
	if e.Overflow == "reject-publish-dlx" {
		e.Overflow = "drop-head" // quorum queues do not have it and say nothing
	}
	if s, _ := text("dead-letter-strategy", argument); s == "at-least-once" && e.HasDeadLetter && e.Overflow == "reject-publish" {
		e.DeadLetterStrategy = s
	}
	e.ConsumerTimeout = num("consumer-timeout", smaller)
	if s, ok := text("delayed-retry-type", byPolicy); ok && slices.Contains(retryTypes, s) {
		e.setRetry(s, num("delayed-retry-min", smaller), num("delayed-retry-max", smaller))
	}
	e.setDeliveryLimit(q, p, defaultDeliveryLimit)
	return e
}

var retryTypes = []string{"all", "failed", "returned"}

// setRetry puts delayed retry into force. Without a minimum there is none.
func (e *Effective) setRetry(kind string, shortest, longest int64) {
	if shortest <= 0 {
		return
	}
	if longest == None {
		longest = shortest
	}
	e.RetryType, e.RetryMin, e.RetryMax = kind, shortest, longest
}

// setDeliveryLimit: of two limits the smaller, but a negative one (unlimited)
// gives way to the other.
func (e *Effective) setDeliveryLimit(q *Queue, p map[string]any, byDefault int64) {
	pol, inPolicy := jsonInt(p["delivery-limit"])
	arg, inArg := argInt(q.Args, "x-delivery-limit")
	switch {
	case inPolicy && inArg && (pol < 0 || arg < 0):
		e.DeliveryLimit = max(pol, arg)
	case inPolicy && inArg:
		e.DeliveryLimit = min(pol, arg)
	case inPolicy:
		e.DeliveryLimit = pol
	case inArg:
		e.DeliveryLimit = arg
	default:
		e.DeliveryLimit = byDefault
		e.DeliveryLimitIsByDefault = true
	}
	if e.DeliveryLimit < 0 {
		e.DeliveryLimit = None
	}
}

func argInt(a Args, key string) (int64, bool) {
	if v, ok := a.Get(key); ok {
		return v.Int()
	}
	return 0, false
}
