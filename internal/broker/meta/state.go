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
