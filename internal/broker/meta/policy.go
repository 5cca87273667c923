package meta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/auth/pattern"
)

// Policy gives settings to the queues and exchanges whose names match. Of the
// policies that match one the strongest is in force, and of the operator
// policies another.
type Policy struct {
	VHost, Name string
	Operator    bool
	Pattern     string
	ApplyTo     string // all, queues, exchanges, classic_queues, quorum_queues, streams
	Priority    int64
	Definition  json.RawMessage

	re   *pattern.Pattern
	defs map[string]any // numbers are json.Number; not changed
}

func (v *vhost) policySet(operator bool) *ordered[*Policy] {
	if operator {
		return &v.opPolicies
	}
	return &v.policies
}

func rank(operator bool) int {
	if operator {
		return 1
	}
	return 0
}

// Keys that a type of queue does not support: a policy with one of them does
// not apply to it at all.
var unsupportedKeys = map[string][]string{
	Classic: {"max-age", "stream-max-segment-size-bytes", "initial-cluster-size", "delivery-limit",
		"dead-letter-strategy", "max-in-memory-length", "max-in-memory-bytes", "target-group-size"},
	Quorum: {"max-priority", "queue-mode", "ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown",
		"ha-promote-on-failure", "queue-master-locator", "max-age", "stream-max-segment-size-bytes", "initial-cluster-size"},
	Stream: {"expires", "message-ttl", "dead-letter-exchange", "dead-letter-routing-key", "max-length",
		"max-in-memory-length", "max-in-memory-bytes", "max-priority", "overflow", "queue-mode", "delivery-limit",
		"ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown", "ha-promote-on-failure",
		"queue-master-locator", "dead-letter-strategy", "target-group-size", MaxBytes},
}

func (p *Policy) matchesQueue(q *Queue) bool {
	switch p.ApplyTo {
	case "all", "queues":
	case "classic_queues":
		if q.Type != Classic {
			return false
		}
	case "quorum_queues":
		if q.Type != Quorum {
			return false
		}
	case "streams":
		if q.Type != Stream {
			return false
		}
	default:
		return false
	}
	for key := range p.defs {
		if slices.Contains(unsupportedKeys[q.Type], key) {
			return false
		}
	}
	return p.re.Match(q.Name)
}

func (p *Policy) matchesExchange(x *Exchange) bool {
	return (p.ApplyTo == "all" || p.ApplyTo == "exchanges") && p.re.Match(x.Name)
}

func (v *vhost) matchQueue(q *Queue) (policy, operator *Policy) {
	return strongest(v.ranked[0], func(p *Policy) bool { return p.matchesQueue(q) }),
		strongest(v.ranked[1], func(p *Policy) bool { return p.matchesQueue(q) })
}

func (v *vhost) matchExchange(x *Exchange) (policy, operator *Policy) {
	return strongest(v.ranked[0], func(p *Policy) bool { return p.matchesExchange(x) }),
		strongest(v.ranked[1], func(p *Policy) bool { return p.matchesExchange(x) })
}

func strongest(ranked []*Policy, matches func(*Policy) bool) *Policy {
	for _, p := range ranked {
		if matches(p) {
			return p
		}
	}
	return nil
}

// rankPolicies orders by priority; among equals by name, which RabbitMQ leaves open.
func (v *vhost) rankPolicies(operator bool) {
	ps := slices.Collect(v.policySet(operator).all())
	slices.SortStableFunc(ps, func(a, b *Policy) int {
		switch {
		case a.Priority > b.Priority:
			return -1
		case a.Priority < b.Priority:
			return 1
		}
		return 0
	})
	v.ranked[rank(operator)] = ps
}

// EffectivePolicy is what a policy and an operator policy come to together: a
// JSON object's members with numbers as json.Number. Nobody changes it.
func (q *Queue) EffectivePolicy() map[string]any { return effectivePolicy(q.Policy, q.OperatorPolicy) }

// EffectivePolicy is what a policy and an operator policy come to together.
func (x *Exchange) EffectivePolicy() map[string]any {
	return effectivePolicy(x.Policy, x.OperatorPolicy)
}

// EffectivePolicy is what policy and operator policy come to together; numbers
// are json.Number. It is not to be changed.
func EffectivePolicy(p, op *Policy) map[string]any { return effectivePolicy(p, op) }

func effectivePolicy(p, op *Policy) map[string]any {
	switch {
	case p == nil && op == nil:
		return nil
	case op == nil:
		return p.defs
	case p == nil:
		return op.defs
	}
	out := maps.Clone(p.defs)
	for k, o := range op.defs {
		if u, ok := out[k]; ok {
			o = mergePolicyValue(k, u, o)
		}
		out[k] = o
	}
	return out
}

func mergePolicyValue(key string, user, op any) any {
	a, aok := jsonInt(user)
	b, bok := jsonInt(op)
	if !aok || !bok {
		return op
	}
	takeUser := a < b
	switch key {
	case "delivery-limit":
		if a < 0 || b < 0 {
			takeUser = a > b
		}
	case "delayed-retry-min", "target-group-size":
		takeUser = a > b
	case "queue-version":
		takeUser = false
	}
	if takeUser {
		return user
	}
	return op
}

func jsonInt(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}

func parseJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return v, nil
}

func validation(format string, args ...any) error {
	return errf(Invalid, "Validation failed\n\n"+format+"\n", args...)
}

func (s *State) setPolicy(c *SetPolicy, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	p := &Policy{VHost: c.VHost, Name: c.Name, Operator: c.Operator, Pattern: c.Pattern, ApplyTo: c.ApplyTo, Priority: c.Priority}
	if p.ApplyTo == "" {
		p.ApplyTo = "all"
	}
	var err error
	if p.re, err = pattern.Compile(c.Pattern); err != nil {
		return validation("pattern should be regular expression but is invalid: %v", err)
	}
	if !s.replaying {
		switch p.ApplyTo {
		case "all", "queues", "exchanges", "classic_queues", "quorum_queues", "streams":
		default:
			return validation("apply-to '%s' unrecognised; should be one of: 'queues', 'classic_queues', "+
				" 'quorum_queues', 'streams', 'exchanges', or 'all'", p.ApplyTo)
		}
	}
	d, err := parseJSON(c.Definition)
	if err != nil {
		return validation("parse error while reading policy %s: %v", c.Name, err)
	}
	var ok bool
	if p.defs, ok = d.(map[string]any); !ok {
		return validation("definition must be a dictionary: %s", erlTerm(d))
	}
	if !s.replaying {
		if err := checkPolicy(p); err != nil {
			return err
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.Definition); err != nil {
		return validation("parse error while reading policy %s: %v", c.Name, err)
	}
	p.Definition = compact.Bytes()
	set := v.policySet(c.Operator)
	old, existed := set.get(c.Name)
	r.Existed = existed
	set.set(c.Name, p)
	v.rankPolicies(c.Operator)
	r.add(Change{Kind: PolicyChanged, VHost: c.VHost, Policy: p})
	s.rematch(v, old, p, r)
	r.log(c)
	return nil
}

func (s *State) deletePolicy(c *DeletePolicy, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		if s.replaying {
			return nil
		}
		return noVHost(c.VHost)
	}
	set := v.policySet(c.Operator)
	old, ok := set.get(c.Name)
	if !ok {
		if s.replaying {
			return nil
		}
		return errf(NotFound, "policy '%s' in vhost '%s' does not exist", c.Name, c.VHost)
	}
	r.Existed = true
	set.delete(c.Name)
	v.rankPolicies(c.Operator)
	r.add(Change{Kind: PolicyChanged, VHost: c.VHost, Policy: old})
	s.rematch(v, old, nil, r)
	r.log(c)
	return nil
}

// rematch gives new policies to what had the old one or matches the new one.
func (s *State) rematch(v *vhost, old, new *Policy, r *Result) {
	for n := range v.xorder.all() {
		x := n.x
		if !(old != nil && (x.Policy == old || x.OperatorPolicy == old) || new != nil && new.matchesExchange(x)) {
			continue
		}
		p, op := v.matchExchange(x)
		if p == x.Policy && op == x.OperatorPolicy {
			continue
		}
		x2 := *x
		x2.Policy, x2.OperatorPolicy = p, op
		x2.derive()
		n.x = &x2
		r.add(Change{Kind: ExchangeChanged, VHost: x.VHost, Exchange: n.x})
	}
	for n := range v.qorder.all() {
		q := n.q
		if !(old != nil && (q.Policy == old || q.OperatorPolicy == old) || new != nil && new.matchesQueue(q)) {
			continue
		}
		p, op := v.matchQueue(q)
		if p == q.Policy && op == q.OperatorPolicy {
			continue
		}
		q2 := *q
		q2.Policy, q2.OperatorPolicy = p, op
		q2.Effective = effective(&q2, s.opt.DefaultDeliveryLimit)
		n.q = &q2
		r.add(Change{Kind: QueueChanged, VHost: q.VHost, Queue: n.q})
	}
}

// A policyKey checks one setting; the text of an error follows the value.
type policyKey struct {
	operator bool // allowed in operator policies
	good     func(any) bool
	text     string
}

func isString(v any) bool { _, ok := v.(string); return ok }

func isInt(v any) bool { _, ok := jsonInt(v); return ok }

func atLeast(min int64) func(any) bool {
	return func(v any) bool { n, ok := jsonInt(v); return ok && n >= min }
}

func between(min, max int64) func(any) bool {
	return func(v any) bool { n, ok := jsonInt(v); return ok && n >= min && n <= max }
}

func among(values ...string) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(values, s) }
}

func anything(any) bool { return true }

func isRoutingKey(v any) bool {
	s, ok := v.(string)
	return ok && len(s) <= 255
}

var policyKeys = map[string]policyKey{
	"alternate-exchange":            {false, isString, "is not a valid alternate exchange name"},
	"consumer-disconnected-timeout": {false, atLeast(0), "is not a valid consumer disconnected timeout"},
	"consumer-timeout":              {false, atLeast(0), "is not a valid consumer timeout"},
	"dead-letter-exchange":          {false, isString, "is not a valid dead letter exchange name"},
	"dead-letter-routing-key":       {false, isRoutingKey, "is not a valid dead letter routing key"},
	"dead-letter-strategy":          {false, among("at-most-once", "at-least-once"), "is not a valid dead letter strategy"},
	"message-ttl":                   {true, atLeast(0), "is not a valid message TTL"},
	"expires":                       {true, atLeast(1), "is not a valid queue expiry"},
	"max-length":                    {true, atLeast(0), "is not a valid maximum length"},
	"max-length-bytes":              {true, atLeast(0), "is not a valid maximum length in bytes"},
	"max-in-memory-length":          {true, atLeast(0), "is not a valid maximum memory in bytes"},
	"max-in-memory-bytes":           {true, atLeast(0), "is not a valid maximum memory in bytes"},
	"queue-mode":                    {false, among("default", "lazy"), "is not a valid queue-mode value"},
	"queue-version":                 {true, between(1, 2), "is not a valid queue-version value"},
	"overflow":                      {true, among("drop-head", "reject-publish", "reject-publish-dlx"), "is not a valid overflow value"},
	"delayed-retry-type": {true, among("all", "failed", "returned", "disabled"),
		"is not a valid delayed retry type. Must be one of: all, failed, returned, disabled"},
	"delayed-retry-min": {true, atLeast(1), "is not a valid delayed retry minimum delay. Must be a positive integer"},
	"delayed-retry-max": {true, atLeast(1), "is not a valid delayed retry maximum delay. Must be a positive integer"},
	"delivery-limit":    {true, isInt, "is not a valid delivery limit"},
	"max-age": {false, func(v any) bool {
		s, _ := v.(string)
		_, ok := parseMaxAge(s)
		return ok
	}, "is not a valid max age"},
	"queue-leader-locator":          {false, among("client-local", "balanced", "random", "least-leaders"), "is not a valid queue leader locator value"},
	"initial-cluster-size":          {false, atLeast(0), "is not a valid cluster size"},
	"stream-max-segment-size-bytes": {false, between(0, 3_000_000_000), "is not a valid segment size"},
	"stream-filter-size-bytes":      {false, between(16, 255), "is not a valid filter size. Valid range is 16-255"},
	"target-group-size":             {true, atLeast(1), "is not a valid target count value"},
	"queue-master-locator":          {false, isString, "is not a valid master locator"},
	"federation-upstream":           {false, isString, "is not a valid federation upstream name"},
	"federation-upstream-set":       {false, isString, "is not a valid federation upstream set name"},
	"federation-upstream-pattern":   {false, isString, "is not a valid federation upstream pattern"},
	MaxBytes:                        {true, atLeast(1), "is not a valid number of bytes"},
	// Mirrored queues of RabbitMQ 3: accepted, so that old definitions load,
	// and without effect.
	"ha-mode":                {true, among("all", "exactly", "nodes"), "is not a valid ha-mode value"},
	"ha-params":              {true, anything, "is not a valid ha-params value"},
	"ha-sync-mode":           {true, among("manual", "automatic"), "is not a valid ha-sync-mode value"},
	"ha-sync-batch-size":     {false, atLeast(1), "is not a valid ha-sync-batch-size value"},
	"ha-promote-on-shutdown": {false, among("always", "when-synced"), "is not a valid ha-promote-on-shutdown value"},
	"ha-promote-on-failure":  {false, among("always", "when-synced"), "is not a valid ha-promote-on-failure value"},
}

func checkPolicy(p *Policy) error {
	if len(p.defs) == 0 {
		return validation("no policy provided")
	}
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(p.defs)) {
		v := p.defs[key]
		k, ok := policyKeys[key]
		if !ok || p.Operator && !k.operator {
			unknown = append(unknown, "{"+erlBinary([]byte(key))+","+erlTerm(v)+"}")
			continue
		}
		if !k.good(v) {
			return validation("%s %s", erlTerm(v), k.text)
		}
	}
	if unknown != nil {
		return validation("[%s] are not recognised policy settings", strings.Join(unknown, ","))
	}
	kind, _ := p.defs["delayed-retry-type"].(string)
	shortest, hasMin := jsonInt(p.defs["delayed-retry-min"])
	longest, hasMax := jsonInt(p.defs["delayed-retry-max"])
	switch {
	case kind != "" && kind != "disabled" && !hasMin:
		return validation("delayed-retry-min is required when delayed-retry-type is %s", kind)
	case hasMin && hasMax && longest < shortest:
		return validation("delayed-retry-max (%d) must not be smaller than delayed-retry-min (%d)", longest, shortest)
	}
	return nil
}
