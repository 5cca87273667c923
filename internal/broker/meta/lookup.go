package meta

import (
	"iter"
	"maps"
	"slices"
)

func (s *State) vhost(name string) *vhost {
	c, i, ok := s.vhosts.find(name)
	if !ok {
		return nil
	}
	return s.vhosts.chunks[c][i].v
}

// VHost returns a virtual host, nil if there is none.
func (s *State) VHost(name string) *VHost {
	if v := s.vhost(name); v != nil {
		return v.info
	}
	return nil
}

// VHosts yields the virtual hosts by name.
func (s *State) VHosts() iter.Seq[*VHost] {
	return func(yield func(*VHost) bool) {
		for v := range s.vhosts.all() {
			if !yield(v.info) {
				return
			}
		}
	}
}

// Exchange returns an exchange, nil if there is none. The default exchange is none.
func (s *State) Exchange(vhost, name string) *Exchange {
	if v := s.vhost(vhost); v != nil {
		if x := v.exchanges[name]; x != nil {
			return x.x
		}
	}
	return nil
}

// Exchanges yields a virtual host's exchanges by name.
func (s *State) Exchanges(vhost string) iter.Seq[*Exchange] {
	return func(yield func(*Exchange) bool) {
		v := s.vhost(vhost)
		if v == nil {
			return
		}
		for x := range v.xorder.all() {
			if !yield(x.x) {
				return
			}
		}
	}
}

// Queue returns a queue, nil if there is none.
func (s *State) Queue(vhost, name string) *Queue {
	if v := s.vhost(vhost); v != nil {
		if q := v.queues[name]; q != nil {
			return q.q
		}
	}
	return nil
}

// QueueByID returns a queue, nil if there is none.
func (s *State) QueueByID(id uint64) *Queue {
	if q := s.byID[id]; q != nil {
		return q.q
	}
	return nil
}

// Queues yields a virtual host's queues by name.
func (s *State) Queues(vhost string) iter.Seq[*Queue] { return s.QueuesFrom(vhost, "") }

// QueuesFrom yields a virtual host's queues by name, beginning with the first
// that is not less than start.
func (s *State) QueuesFrom(vhost, start string) iter.Seq[*Queue] {
	return func(yield func(*Queue) bool) {
		v := s.vhost(vhost)
		if v == nil {
			return
		}
		for q := range v.qorder.from(start) {
			if !yield(q.q) {
				return
			}
		}
	}
}

// QueuesOwnedBy returns the exclusive queues of a connection, by their ids.
func (s *State) QueuesOwnedBy(conn string) []*Queue {
	var out []*Queue
	for q := range s.owned[conn] {
		out = append(out, q.q)
	}
	slices.SortFunc(out, func(a, b *Queue) int { return int(int64(a.ID - b.ID)) })
	return out
}

// QueueCount and ExchangeCount are the numbers of a virtual host.
func (s *State) QueueCount(vhost string) int {
	if v := s.vhost(vhost); v != nil {
		return len(v.queues)
	}
	return 0
}

func (s *State) ExchangeCount(vhost string) int {
	if v := s.vhost(vhost); v != nil {
		return len(v.exchanges)
	}
	return 0
}

// MaxQueueID is the largest id that a queue ever had. New ones are greater.
func (s *State) MaxQueueID() uint64 { return s.maxID }

// BindingsFrom returns the bindings whose source is exchange, in the order of
// their creation.
func (s *State) BindingsFrom(vhost, exchange string) []*Binding {
	if v := s.vhost(vhost); v != nil {
		if x := v.exchanges[exchange]; x != nil {
			return x.from.list(bySource)
		}
	}
	return nil
}

// BindingsTo returns the bindings that lead to a queue or exchange, in the order
// of their creation. Those of the default exchange are not among them.
func (s *State) BindingsTo(vhost string, kind DestKind, name string) []*Binding {
	v := s.vhost(vhost)
	if v == nil {
		return nil
	}
	if kind == ToExchange {
		if x := v.exchanges[name]; x != nil {
			return x.to.list(byDest)
		}
		return nil
	}
	if q := v.queues[name]; q != nil {
		return q.to.list(byDest)
	}
	return nil
}

// Bindings yields a virtual host's bindings by source, then by creation.
func (s *State) Bindings(vhost string) iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		v := s.vhost(vhost)
		if v == nil {
			return
		}
		for x := range v.xorder.all() {
			for n := x.from.first; n != nil; n = n.src.next {
				if !yield(n.b) {
					return
				}
			}
		}
	}
}

// Binding finds a binding, nil if there is none.
func (s *State) Binding(vhost, source string, kind DestKind, dest, key string, args Args) *Binding {
	if v := s.vhost(vhost); v != nil {
		if n := v.bindings[bindKey{source, dest, key, args.canonical(), kind}]; n != nil {
			return n.b
		}
	}
	return nil
}

// User returns a user, nil if there is none.
func (s *State) User(name string) *User {
	if u, ok := s.users.get(name); ok {
		return u.User
	}
	return nil
}

// Users yields the users by name.
func (s *State) Users() iter.Seq[*User] {
	return func(yield func(*User) bool) {
		for u := range s.users.all() {
			if !yield(u.User) {
				return
			}
		}
	}
}

// Permission returns what a user may do in a virtual host, nil if it has no access.
func (s *State) Permission(user, vhost string) *Permission {
	if v := s.vhost(vhost); v != nil {
		return v.perms[user]
	}
	return nil
}

// Permissions returns all permissions, by virtual host and user.
func (s *State) Permissions() []*Permission {
	var out []*Permission
	for v := range s.vhosts.all() {
		for _, u := range slices.Sorted(maps.Keys(v.perms)) {
			out = append(out, v.perms[u])
		}
	}
	return out
}

// TopicPermissions returns a user's topic permissions in a virtual host, by exchange.
func (s *State) TopicPermissions(user, vhost string) []*TopicPermission {
	v := s.vhost(vhost)
	if v == nil {
		return nil
	}
	var out []*TopicPermission
	t := v.topics[user]
	for _, x := range slices.Sorted(maps.Keys(t)) {
		out = append(out, t[x])
	}
	return out
}

// AllTopicPermissions returns all topic permissions, by virtual host, user and exchange.
func (s *State) AllTopicPermissions() []*TopicPermission {
	var out []*TopicPermission
	for v := range s.vhosts.all() {
		for _, u := range slices.Sorted(maps.Keys(v.topics)) {
			out = append(out, s.TopicPermissions(u, v.info.Name)...)
		}
	}
	return out
}

// AuthVersion changes whenever users, permissions or virtual hosts do.
func (s *State) AuthVersion() uint64 { return s.authVer }

// Policy returns a policy or operator policy, nil if there is none.
func (s *State) Policy(vhost, name string, operator bool) *Policy {
	if v := s.vhost(vhost); v != nil {
		p, _ := v.policySet(operator).get(name)
		return p
	}
	return nil
}

// Policies yields a virtual host's policies or operator policies by name.
func (s *State) Policies(vhost string, operator bool) iter.Seq[*Policy] {
	return func(yield func(*Policy) bool) {
		if v := s.vhost(vhost); v != nil {
			v.policySet(operator).all()(yield)
		}
	}
}

// Parameter returns a runtime parameter, nil if there is none.
func (s *State) Parameter(vhost, component, name string) *Parameter {
	if v := s.vhost(vhost); v != nil {
		p, _ := v.params.get(component + "\x00" + name)
		return p
	}
	return nil
}

// Parameters yields a virtual host's runtime parameters by component and name.
func (s *State) Parameters(vhost string) iter.Seq[*Parameter] {
	return func(yield func(*Parameter) bool) {
		if v := s.vhost(vhost); v != nil {
			v.params.all()(yield)
		}
	}
}

// GlobalParameter returns a parameter of the cluster, nil if there is none.
func (s *State) GlobalParameter(name string) *Parameter {
	p, _ := s.globals.get(name)
	return p
}

// GlobalParameters yields the parameters of the cluster by name.
func (s *State) GlobalParameters() iter.Seq[*Parameter] { return s.globals.all() }
