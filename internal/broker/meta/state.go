// Package meta holds all definitions of a broker: virtual hosts, users,
// permissions, exchanges, queues, bindings, policies and parameters, as a
// deterministic state machine. Nothing else changes them.
//
// A caller (the broker) makes a Command and gives it to State.Apply. Apply
// checks everything, with RabbitMQ's error texts, and either changes nothing or
// returns what has changed, consequences included, and what has to be stored.
// At the next start the stored commands go through State.Replay, after a
// snapshot if there is one (State.Restore).
//
// There is no clock, no randomness, no goroutine and no lock in here: the
// caller serialises. What lookups return is immutable: a changed definition is
// a new value (a queue whose policy changes gets a new *Queue with the same ID),
// so that others may keep and read it without a lock.
//
// Definitions that are not durable live in the State but are neither stored nor
// part of a snapshot.
package meta

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
)

// Options are what the definitions depend on besides the commands. They must be
// the same whenever the same commands are applied.
type Options struct {
	// DefaultDeliveryLimit is the delivery limit of quorum queues that have
	// none: 20 if 0 (as RabbitMQ 4), unlimited if negative (as RabbitMQ 3).
	DefaultDeliveryLimit int64
	// ExchangeTypes that exist; nil: direct, fanout, topic, headers.
	ExchangeTypes []string
	// Components of runtime parameters that exist; nil: shovels and federation.
	Components []string
	// DefaultQueueType is that of queues that say none, in virtual hosts that
	// say none either; "": classic.
	DefaultQueueType string
	// What there may be of, all virtual hosts together; 0: no limit.
	MaxVHosts, MaxQueues, MaxExchanges int
}

// State is all definitions. It is not safe for concurrent use, except that
// lookups may run beside each other.
type State struct {
	opt     Options
	vhosts  ordered[*vhost]
	users   ordered[*user]
	globals ordered[*Parameter]
	byID    map[uint64]*queueNode
	owned   map[string]map[*queueNode]struct{} // exclusive queues by their owner
	queues  int
	seq     uint64 // of the last binding
	maxID   uint64 // of a queue, ever
	authVer uint64
	// replaying: the command was checked when it was applied first.
	replaying bool
}

// New returns the definitions of an empty node: there is not even a virtual host.
func New() *State { return NewWith(Options{}) }

// NewWith is New with options.
func NewWith(o Options) *State {
	if o.DefaultDeliveryLimit == 0 {
		o.DefaultDeliveryLimit = 20
	}
	if o.ExchangeTypes == nil {
		o.ExchangeTypes = []string{"direct", "fanout", "topic", "headers"}
	}
	if o.Components == nil {
		o.Components = []string{"shovel", "federation-upstream", "federation-upstream-set", "federation"}
	}
	return &State{opt: o, byID: map[uint64]*queueNode{}, owned: map[string]map[*queueNode]struct{}{}}
}

// VHost is a virtual host.
type VHost struct {
	Name             string
	Description      string
	Tags             []string
	DefaultQueueType string
	Tracing          bool
	Protected        bool
	Limits           Limits
}

// User is a user. Hash and algorithm are for package auth.
type User struct {
	Name         string
	PasswordHash string
	Algorithm    string
	Tags         []string
	Limits       Limits
}

// Permission is what a user may do in a virtual host.
type Permission struct {
	User, VHost            string
	Configure, Write, Read string
}

// TopicPermission limits a user's routing keys.
type TopicPermission struct {
	User, VHost, Exchange string
	Write, Read           string
}

// Exchange is an exchange.
type Exchange struct {
	VHost, Name, Type             string
	Durable, AutoDelete, Internal bool
	Args                          Args
	User                          string  // who declared it
	Policy, OperatorPolicy        *Policy // in force; nil: none
	Alternate                     string  // the alternate exchange, of the argument or the policy
	HasAlternate                  bool
}

// Queue is a queue.
type Queue struct {
	VHost, Name            string
	ID                     uint64
	Type                   string // classic, quorum, stream
	Durable                bool   // false for exclusive queues
	AutoDelete, Exclusive  bool
	Owner                  string // the connection of an exclusive queue
	Args                   Args
	User                   string  // who declared it
	Policy, OperatorPolicy *Policy // in force; nil: none
	Effective              Effective
}

// Binding is a binding. Durable: source and destination are.
type Binding struct {
	VHost, Source string
	DestKind      DestKind
	Dest, Key     string
	Args          Args
	Durable       bool
}

// Parameter is a runtime parameter, or a global one (VHost and Component are "").
type Parameter struct {
	VHost, Component, Name string
	Value                  json.RawMessage
}

type vhost struct {
	info       *VHost
	exchanges  map[string]*exchangeNode
	xorder     ordered[*exchangeNode]
	queues     map[string]*queueNode
	qorder     ordered[*queueNode]
	bindings   map[bindKey]*bindingNode
	policies   ordered[*Policy]
	opPolicies ordered[*Policy]
	ranked     [2][]*Policy // policies and operator policies, the strongest first
	params     ordered[*Parameter]
	perms      map[string]*Permission // by user
	topics     map[string]map[string]*TopicPermission
}

type user struct {
	*User
}

type exchangeNode struct {
	x    *Exchange
	from bindingList // bindings of which it is the source
	to   bindingList
}

type queueNode struct {
	q  *Queue
	to bindingList
}

type bindKey struct {
	source, dest, key, args string
	kind                    DestKind
}

// bindingNode is in the list of its source and in that of its destination, both
// in the order of creation, and can leave them at once.
type bindingNode struct {
	b                *Binding
	key              bindKey
	seq              uint64
	srcList, dstList *bindingList
	src, dst         link
}

type link struct{ prev, next *bindingNode }

type bindingList struct {
	first, last *bindingNode
	n           int
}

func (l *bindingList) add(n *bindingNode, at func(*bindingNode) *link) {
	at(n).prev = l.last
	if l.last == nil {
		l.first = n
	} else {
		at(l.last).next = n
	}
	l.last = n
	l.n++
}

func (l *bindingList) remove(n *bindingNode, at func(*bindingNode) *link) {
	k := at(n)
	if k.prev == nil {
		l.first = k.next
	} else {
		at(k.prev).next = k.next
	}
	if k.next == nil {
		l.last = k.prev
	} else {
		at(k.next).prev = k.prev
	}
	*k = link{}
	l.n--
}

func (l *bindingList) list(at func(*bindingNode) *link) []*Binding {
	if l.n == 0 {
		return nil
	}
	out := make([]*Binding, 0, l.n)
	for n := l.first; n != nil; n = at(n).next {
		out = append(out, n.b)
	}
	return out
}

func bySource(n *bindingNode) *link { return &n.src }
func byDest(n *bindingNode) *link   { return &n.dst }

func (s *State) vhost(name string) *vhost {
	c, i, ok := s.vhosts.find(name)
	if !ok {
		return nil
	}
	return s.vhosts.chunks[c][i].v
}

func (o *ordered[V]) get(name string) (v V, ok bool) {
	c, i, ok := o.find(name)
	if !ok {
		return v, false
	}
	return o.chunks[c][i].v, true
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
