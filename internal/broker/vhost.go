package broker

import (
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker/exchange"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// VHost is a virtual host at work: the exchanges' routing snapshots and the
// queues' processes, derived from the definitions.
type VHost struct {
	Name string

	// gen changes with everything that routing, permissions or the existence
	// of queues and exchanges depends on. Channels keep routes until then.
	gen atomic.Uint64

	meter   queueproc.Meter
	tracing atomic.Bool // messages are copied to amq.rabbitmq.trace

	mu        sync.RWMutex
	exchanges map[string]*Exchange
	queues    map[string]*Queue
	clients   map[string]*Client // by ID

	pairs *pairs        // nil: they are not counted
	count exchangeCount // of the default exchange
	gone  Totals        // of what is no longer there; guarded by ledger.mu
	live  QueueSums     // of the queues that are there; guarded by surveyor.mu
}

// Exchange is an exchange at work.
type Exchange struct {
	Name     string
	Type     exchange.Type
	Internal bool
	def      atomic.Pointer[meta.Exchange]
	table    atomic.Pointer[exchange.Table[dest]]
	count    exchangeCount
}

// Queue is a queue at work together with its definition.
type Queue struct {
	*queueproc.Queue
	def   atomic.Pointer[meta.Queue]
	dl    atomic.Pointer[deadLetterTo]
	vhost *VHost
	owner *Client // of an exclusive queue

	// Guarded by surveyor.mu.
	was     *queueproc.Backlog // what VHost.live has of it; nil: nothing
	listed  bool               // on surveyor.unshown
	retired bool

	// Guarded by pairs.mu.
	flows    map[*exchangeCount]*Flow // by the exchanges that they come from
	unpaired bool                     // deleted: no more of them
}

// deadLetterTo is where a queue's dead letters go.
type deadLetterTo struct {
	exchange   string
	routingKey string
	hasKey     bool
}

// dest is where a binding leads: a queue or an exchange.
type dest struct {
	q *Queue
	x *Exchange
}

func (b *Broker) newVHost(name string) *VHost {
	v := &VHost{Name: name, exchanges: map[string]*Exchange{}, queues: map[string]*Queue{}, clients: map[string]*Client{}}
	if b.cfg.Detailed {
		v.pairs = &pairs{}
	}
	return v
}

// Queue finds a queue by name; nil if there is none.
func (v *VHost) Queue(name string) *Queue {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.queues[name]
}

// Exchange finds an exchange by name; nil if there is none. The default
// exchange is not among them.
func (v *VHost) Exchange(name string) *Exchange {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.exchanges[name]
}

// Queues returns all queues, in no order.
func (v *VHost) Queues() []*Queue {
	v.mu.RLock()
	defer v.mu.RUnlock()
	qs := make([]*Queue, 0, len(v.queues))
	for _, q := range v.queues {
		qs = append(qs, q)
	}
	return qs
}

func (v *VHost) changed() { v.gen.Add(1) }

// Definition returns the queue's definition.
func (q *Queue) Definition() *meta.Queue { return q.def.Load() }
