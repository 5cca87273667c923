package meta

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The exchanges that every virtual host has.
var builtinExchanges = []Exchange{
	{Name: "amq.direct", Type: "direct"},
	{Name: "amq.fanout", Type: "fanout"},
	{Name: "amq.headers", Type: "headers"},
	{Name: "amq.match", Type: "headers"},
	{Name: "amq.rabbitmq.trace", Type: "topic", Internal: true},
	{Name: "amq.topic", Type: "topic"},
}

func (s *State) putVHost(c *PutVHost, r *Result) error {
	if c.Name == "" {
		return errf(Invalid, "virtual host name cannot be empty")
	}
	switch c.DefaultQueueType {
	case "", "undefined", Classic, Quorum, Stream:
	default:
		if !s.replaying {
			return errf(Invalid, "unsupported default queue type '%s'", c.DefaultQueueType)
		}
	}
	if n := s.opt.MaxVHosts; n > 0 && !s.replaying && s.vhost(c.Name) == nil && s.vhosts.n >= n {
		return errf(Invalid, "cannot create vhost '%s': vhost limit of %d is reached", c.Name, n)
	}
	info := &VHost{Name: c.Name, Description: c.Description, Tags: slices.Clone(c.Tags),
		DefaultQueueType: c.DefaultQueueType, Tracing: c.Tracing, Protected: c.Protected}
	s.authVer++
	r.log(c)
	if v := s.vhost(c.Name); v != nil {
		r.Existed = true
		info.Limits = v.info.Limits
		v.info = info
		r.add(Change{Kind: VHostChanged, VHost: c.Name})
		return nil
	}
	v := &vhost{info: info, exchanges: map[string]*exchangeNode{}, queues: map[string]*queueNode{},
		bindings: map[bindKey]*bindingNode{}, perms: map[string]*Permission{}, topics: map[string]map[string]*TopicPermission{}}
	s.vhosts.set(c.Name, v)
	r.add(Change{Kind: VHostAdded, VHost: c.Name})
	for _, x := range builtinExchanges {
		x.VHost, x.Durable = c.Name, true
		v.addExchange(&x)
		r.add(Change{Kind: ExchangeDeclared, VHost: c.Name, Exchange: v.exchanges[x.Name].x})
	}
	return nil
}

func (s *State) deleteVHost(c *DeleteVHost, r *Result) error {
	v := s.vhost(c.Name)
	if v == nil {
		if s.replaying {
			return nil
		}
		return noVHost(c.Name)
	}
	if v.info.Protected && !s.replaying {
		return errf(PreconditionFailed, "virtual host '%s' is protected from deletion", c.Name)
	}
	r.Existed = true
	s.authVer++
	for x := range v.xorder.all() {
		for n := x.from.first; n != nil; n = n.src.next {
			r.add(Change{Kind: BindingRemoved, VHost: c.Name, Binding: n.b})
		}
	}
	// forgetQueue changes the order, so walk a copy.
	for _, n := range slices.Collect(v.qorder.all()) {
		s.forgetQueue(v, n)
		r.add(Change{Kind: QueueDeleted, VHost: c.Name, Queue: n.q})
	}
	for x := range v.xorder.all() {
		r.add(Change{Kind: ExchangeDeleted, VHost: c.Name, Exchange: x.x})
	}
	s.vhosts.delete(c.Name)
	r.add(Change{Kind: VHostDeleted, VHost: c.Name})
	r.log(c)
	return nil
}

func checkLimits(l Limits, component string, known ...string) error {
	for _, k := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(known, k) {
			return fmt.Errorf("Unrecognised terms [{%s,%d}] in %s", erlBinary([]byte(k)), l[k], component)
		}
	}
	return nil
}

// MaxBytes is Warren's own limit of a virtual host, and key of a policy: from how
// many bytes of messages on publishers are held back.
const MaxBytes = "warren-max-bytes"

func (s *State) setVHostLimits(c *SetVHostLimits, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	if err := checkLimits(c.Limits, "limits", "max-connections", "max-queues", MaxBytes); err != nil && !s.replaying {
		return validation("%v", err)
	}
	info := *v.info
	info.Limits = maps.Clone(c.Limits)
	v.info = &info
	r.add(Change{Kind: VHostChanged, VHost: c.VHost})
	r.log(c)
	return nil
}

func (s *State) setTracing(c *SetTracing, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	info := *v.info
	info.Tracing = c.On
	v.info = &info
	r.add(Change{Kind: VHostChanged, VHost: c.VHost})
	r.log(c)
	return nil
}

func (s *State) setParameter(c *SetParameter, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	if other, err := special(c); err != nil {
		return err
	} else if other != nil {
		res, err := s.Apply(other)
		*r = res
		return err
	}
	if !s.replaying && !slices.Contains(s.opt.Components, c.Component) {
		return validation("component %s not found", c.Component)
	}
	if !json.Valid(c.Value) {
		return validation("Could not parse JSON document")
	}
	p := &Parameter{VHost: c.VHost, Component: c.Component, Name: c.Name, Value: slices.Clone(c.Value)}
	_, r.Existed = v.params.get(c.Component + "\x00" + c.Name)
	v.params.set(c.Component+"\x00"+c.Name, p)
	r.add(Change{Kind: ParameterChanged, VHost: c.VHost, Parameter: p})
	r.log(c)
	return nil
}

// special finds the parameters that RabbitMQ's definition files have but that
// are something else here: virtual host limits and operator policies.
func special(c *SetParameter) (Command, error) {
	bad := func(err error) error { return validation("%s: %v", c.Component, err) }
	switch c.Component {
	case "vhost-limits":
		m := &SetVHostLimits{VHost: c.VHost}
		if err := json.Unmarshal(c.Value, &m.Limits); err != nil {
			return nil, bad(err)
		}
		return m, nil
	case "policy", "operator_policy":
		var p struct {
			Pattern    string          `json:"pattern"`
			ApplyTo    string          `json:"apply-to"`
			Priority   int64           `json:"priority"`
			Definition json.RawMessage `json:"definition"`
		}
		if err := json.Unmarshal(c.Value, &p); err != nil {
			return nil, bad(err)
		}
		return &SetPolicy{VHost: c.VHost, Name: c.Name, Operator: c.Component == "operator_policy",
			Pattern: p.Pattern, ApplyTo: p.ApplyTo, Priority: p.Priority, Definition: p.Definition}, nil
	}
	return nil, nil
}

func (s *State) deleteParameter(c *DeleteParameter, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		if s.replaying {
			return nil
		}
		return noVHost(c.VHost)
	}
	p, ok := v.params.get(c.Component + "\x00" + c.Name)
	if !ok {
		if s.replaying {
			return nil
		}
		return errf(NotFound, "Parameter does not exist")
	}
	r.Existed = true
	v.params.delete(c.Component + "\x00" + c.Name)
	r.add(Change{Kind: ParameterDeleted, VHost: c.VHost, Parameter: p})
	r.log(c)
	return nil
}

func (s *State) setGlobalParameter(c *SetGlobalParameter, r *Result) error {
	if !json.Valid(c.Value) {
		return validation("Could not parse JSON document")
	}
	p := &Parameter{Name: c.Name, Value: slices.Clone(c.Value)}
	_, r.Existed = s.globals.get(c.Name)
	s.globals.set(c.Name, p)
	r.add(Change{Kind: ParameterChanged, Parameter: p})
	r.log(c)
	return nil
}

func (s *State) deleteGlobalParameter(c *DeleteGlobalParameter, r *Result) error {
	p, ok := s.globals.get(c.Name)
	if !ok {
		if s.replaying {
			return nil
		}
		return errf(NotFound, "Parameter does not exist")
	}
	r.Existed = true
	s.globals.delete(c.Name)
	r.add(Change{Kind: ParameterDeleted, Parameter: p})
	r.log(c)
	return nil
}
