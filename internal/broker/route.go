package broker

import (
	"github.com/warrenmq/warren/internal/broker/exchange"
)

// router finds the queues that a message goes to. It is scratch space of one
// goroutine.
type router struct {
	dests   []dest
	visited []*Exchange
	queues  []*Queue
	// fixed: the result depends on exchange and routing key only.
	fixed  bool
	lookup headerLookup // scratch: a message's headers as exchanges read them
}

// headers prepares the lookup of a message's headers.
func (r *router) headers(table []byte) exchange.HeaderLookup {
	r.lookup.table = table
	return &r.lookup
}

// manyQueues is where looking for duplicates changes from a scan to a map.
const manyQueues = 32

// route collects into r.queues the queues that a message published to x (nil:
// the default exchange) with these keys reaches, each once. Exchange-to-exchange
// bindings are followed, each exchange is visited once; a message that an
// exchange routes nowhere goes to its alternate exchange.
func (r *router) route(v *VHost, x *Exchange, key []byte, more [][]byte, h exchange.HeaderLookup) []*Queue {
	r.queues, r.visited, r.fixed = r.queues[:0], r.visited[:0], true
	v.mu.RLock()
	defer v.mu.RUnlock()
	if x == nil {
		r.byName(v, key)
		for _, k := range more {
			r.byName(v, k)
		}
		return r.queues
	}
	r.through(v, x, key, more, h)
	return r.queues
}

// simple is route for an exchange that routes by the key alone and has queues
// behind the key, and nothing else. It needs no lock.
func (r *router) simple(x *Exchange, key []byte) (_ []*Queue, ok bool) {
	if x == nil || !x.Type.ByKey() {
		return nil, false
	}
	r.queues, r.fixed = r.queues[:0], true
	dests := x.table.Load().Route(r.dests[:0], key, nil)
	r.dests = dests[:0]
	for i := range dests {
		if dests[i].q == nil {
			return nil, false
		}
		r.add(dests[i].q)
	}
	if len(r.queues) > manyQueues {
		r.dedup()
	}
	return r.queues, len(r.queues) > 0
}

func (r *router) byName(v *VHost, key []byte) {
	if q := v.queues[string(key)]; q != nil {
		r.add(q)
	}
}

func (r *router) add(q *Queue) {
	for i := max(0, len(r.queues)-manyQueues); i < len(r.queues); i++ {
		if r.queues[i] == q {
			return
		}
	}
	r.queues = append(r.queues, q)
}

func (r *router) through(v *VHost, x *Exchange, key []byte, more [][]byte, h exchange.HeaderLookup) {
	for _, seen := range r.visited {
		if seen == x {
			return
		}
	}
	r.visited = append(r.visited, x)
	t := x.table.Load()
	if !x.Type.ByKey() {
		r.fixed = false
	}
	from := len(r.dests)
	r.dests = t.Route(r.dests, key, h)
	for _, k := range more {
		r.dests = t.Route(r.dests, k, h)
	}
	to := len(r.dests)
	if d := x.def.Load(); from == to && d.HasAlternate {
		if alt := v.exchanges[d.Alternate]; alt != nil {
			r.through(v, alt, key, more, h)
		}
		return
	}
	for i := from; i < to; i++ {
		if d := r.dests[i]; d.q != nil {
			r.add(d.q)
		} else if d.x != nil {
			r.through(v, d.x, key, more, h)
		}
	}
	r.dests = r.dests[:from]
	if len(r.queues) > manyQueues {
		r.dedup()
	}
}

// dedup removes what add let pass among many queues.
func (r *router) dedup() {
	seen := make(map[*Queue]struct{}, len(r.queues))
	kept := r.queues[:0]
	for _, q := range r.queues {
		if _, ok := seen[q]; !ok {
			seen[q] = struct{}{}
			kept = append(kept, q)
		}
	}
	r.queues = kept
}
