package meta

import (
	"slices"
	"strings"
)

func rsExchange(vhost, name string) string { return "exchange '" + name + "' in vhost '" + vhost + "'" }

var errDefaultExchange = &Error{AccessRefused, "operation not permitted on the default exchange"}

// CheckExchange is what is refused before permissions are looked at: types that
// do not exist, and the default exchange.
func (s *State) CheckExchange(c *DeclareExchange) error {
	if err := s.checkExchangeType(c.Type); err != nil {
		return err
	}
	if c.Name == "" {
		return errDefaultExchange
	}
	return checkNameLength("exchange", c.Name)
}

// CheckExchangeDelete is what is refused before permissions are looked at.
func CheckExchangeDelete(vhost, name string) error {
	if name == "" {
		return errDefaultExchange
	}
	if reserved(name) {
		return errf(AccessRefused, "deletion of system %s not allowed", rsExchange(vhost, name))
	}
	return nil
}

func (s *State) checkExchangeType(t string) error {
	if slices.Contains(s.opt.ExchangeTypes, t) {
		return nil
	}
	// RabbitMQ says "invalid" of words that it knows otherwise.
	for _, known := range s.opt.ExchangeTypes {
		if strings.EqualFold(known, t) {
			return errf(CommandInvalid, "invalid exchange type '%s'", t)
		}
	}
	return errf(CommandInvalid, "unknown exchange type '%s'", t)
}

// CheckNewExchange is what is refused of an exchange that is not there, between
// the permission to declare it and those on its alternate exchange.
func CheckNewExchange(c *DeclareExchange) error {
	if reserved(c.Name) {
		return errf(AccessRefused, "exchange name '%s' contains reserved prefix 'amq.*'", c.Name)
	}
	if a, ok := c.Args.Get("alternate-exchange"); ok && a.Code() != 'S' {
		return errf(PreconditionFailed, "invalid type '%s' for arg 'alternate-exchange' in %s", a.Type(), rsExchange(c.VHost, c.Name))
	}
	return nil
}

func (s *State) checkExchangeLimit(c *DeclareExchange) error {
	limit := s.opt.MaxExchanges
	if limit <= 0 {
		return nil
	}
	n := 0
	for v := range s.vhosts.all() {
		n += 1 + len(v.exchanges) // the default exchange counts
	}
	if n >= limit {
		return errf(PreconditionFailed, "cannot declare exchange '%s' in vhost '%s': exchange limit of %d is reached", c.Name, c.VHost, limit)
	}
	return nil
}

// Alternate returns the alternate exchange of the arguments. Declaring a new
// exchange with one needs read permission on it and write on the alternate.
func (m *DeclareExchange) Alternate() (string, bool) { return str(m.Args, "alternate-exchange") }

func str(a Args, key string) (string, bool) {
	if v, ok := a.Get(key); ok {
		return v.Str()
	}
	return "", false
}

func (s *State) declareExchange(c *DeclareExchange, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	if err := c.Args.Check(); err != nil {
		return errf(InternalError, "%v", err)
	}
	if x := v.exchanges[c.Name]; x != nil {
		if s.replaying {
			return nil
		}
		if err := s.CheckExchange(c); err != nil {
			return err
		}
		r.Existed, r.Exchange = true, x.x
		return sameExchange(x.x, c)
	}
	if !s.replaying {
		if err := s.CheckExchange(c); err != nil {
			return err
		}
		if !c.System {
			if err := CheckNewExchange(c); err != nil {
				return err
			}
			if err := s.checkExchangeLimit(c); err != nil {
				return err
			}
		}
	}
	x := &Exchange{VHost: c.VHost, Name: c.Name, Type: c.Type, Durable: c.Durable, AutoDelete: c.AutoDelete,
		Internal: c.Internal, Args: slices.Clone(c.Args), User: c.User}
	v.addExchange(x)
	r.Exchange = v.exchanges[c.Name].x
	r.add(Change{Kind: ExchangeDeclared, VHost: c.VHost, Exchange: r.Exchange})
	if c.Durable {
		r.log(c)
	}
	return nil
}

// addExchange puts a new exchange under the policies in force.
func (v *vhost) addExchange(x *Exchange) {
	x.Policy, x.OperatorPolicy = v.matchExchange(x)
	x.derive()
	n := &exchangeNode{x: x}
	v.exchanges[x.Name] = n
	v.xorder.set(x.Name, n)
}

// derive sets what follows from arguments and policies.
func (x *Exchange) derive() {
	if x.Alternate, x.HasAlternate = str(x.Args, "alternate-exchange"); x.HasAlternate {
		return
	}
	if p := effectivePolicy(x.Policy, x.OperatorPolicy); p != nil {
		x.Alternate, x.HasAlternate = p["alternate-exchange"].(string)
	}
}

func sameExchange(x *Exchange, c *DeclareExchange) error {
	name := rsExchange(c.VHost, c.Name)
	if x.Type != c.Type {
		return inequivalent("type", name, "'"+c.Type+"'", "'"+x.Type+"'")
	}
	if err := sameBool("durable", name, c.Durable, x.Durable); err != nil {
		return err
	}
	if err := sameBool("auto_delete", name, c.AutoDelete, x.AutoDelete); err != nil {
		return err
	}
	if err := sameBool("internal", name, c.Internal, x.Internal); err != nil {
		return err
	}
	return sameArg("alternate-exchange", name, c.Args, x.Args)
}

func (s *State) deleteExchange(c *DeleteExchange, r *Result) error {
	if !s.replaying {
		if err := CheckExchangeDelete(c.VHost, c.Name); err != nil {
			return err
		}
	}
	v := s.vhost(c.VHost)
	if v == nil {
		if s.replaying {
			return nil
		}
		return noVHost(c.VHost)
	}
	x := v.exchanges[c.Name]
	if x == nil {
		return nil
	}
	if c.IfUnused && x.from.n > 0 && !s.replaying {
		return errf(PreconditionFailed, "%s in use", rsExchange(c.VHost, c.Name))
	}
	r.Existed, r.Exchange = true, x.x
	if x.x.Durable {
		r.log(&DeleteExchange{VHost: c.VHost, Name: c.Name})
	}
	for x.from.first != nil {
		v.dropBinding(x.from.first, r)
	}
	s.dropExchange(v, x, r)
	return nil
}

// dropExchange removes an exchange that is no binding's source any more, and
// the bindings to it.
func (s *State) dropExchange(v *vhost, x *exchangeNode, r *Result) {
	// It must be gone when the deletion of its bindings reaches other
	// exchanges, which may be bound to each other in a circle.
	delete(v.exchanges, x.x.Name)
	v.xorder.delete(x.x.Name)
	sources := v.dropBindingsTo(&x.to, r)
	r.add(Change{Kind: ExchangeDeleted, VHost: v.info.Name, Exchange: x.x})
	s.autoDelete(v, sources, r)
}

// dropBindingsTo removes the bindings that lead to one destination and returns
// their sources, each once.
func (v *vhost) dropBindingsTo(to *bindingList, r *Result) (sources []string) {
	seen := make(map[string]struct{})
	for to.first != nil {
		n := to.first
		if _, ok := seen[n.key.source]; !ok {
			seen[n.key.source] = struct{}{}
			sources = append(sources, n.key.source)
		}
		v.dropBinding(n, r)
	}
	return sources
}

// autoDelete deletes those of the named exchanges that go with their last
// binding and have none now. A replayed log says so itself.
func (s *State) autoDelete(v *vhost, names []string, r *Result) {
	if s.replaying {
		return
	}
	for _, name := range names {
		x := v.exchanges[name]
		if x == nil || !x.x.AutoDelete || x.from.n > 0 {
			continue
		}
		if x.x.Durable {
			r.log(&DeleteExchange{VHost: v.info.Name, Name: name})
		}
		s.dropExchange(v, x, r)
	}
}
