package broker

import (
	"hash/maphash"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/exchange"
	"github.com/warrenmq/warren/internal/message"
)

// routeCache remembers where a channel's publishes went, as long as nothing in
// the virtual host has changed. It is a table with one place for each hash. What
// has a place keeps it until another key of the same hash misses twice in a row:
// a publisher with more keys than there are places does not push out all of
// them all the time, and one whose keys never repeat pays for the routing only.
type routeCache struct {
	gen   uint64
	seed  maphash.Seed
	last  *route  // of the publish before
	spare route   // what was looked up and has no place
	slots []place // a power of two, or none yet
	used  int
	admit admitted
}

// place is a slot of a routeCache.
type place struct {
	hash   uint64
	missed uint64 // the hash that looked here last and did not find itself
	route
}

// admitted is the exchange that was looked at last: with keys that the cache
// does not know, it is mostly the same one.
type admitted struct {
	traced bool // messages are copied: no way without dispatch
	ok     bool
	name   []byte
	x      *Exchange
	byKey  bool // each routing key needs a permission of its own
}

// route is what a channel knows of a destination (exchange and routing key).
type route struct {
	name   []byte // the exchange's length, exchange and routing key
	x      *Exchange
	reply  bool // the key is a direct reply-to address
	fixed  bool // queues holds for every message without CC
	queues []*Queue
}

// Sizes of a route cache.
const (
	minRoutes = 8
	maxRoutes = 1024
)

func (r *route) is(exchange, key []byte) bool {
	n := len(exchange)
	return len(r.name) == 1+n+len(key) && r.name[0] == byte(n) &&
		string(r.name[1:1+n]) == string(exchange) && string(r.name[1+n:]) == string(key)
}

// find returns what is known of a destination, after checking that the user
// may publish there. The route is good until the next find.
func (ch *Channel) find(m *message.Message) (*route, error) {
	rc := &ch.cache
	if gen := ch.c.vhost.gen.Load(); gen != rc.gen {
		rc.forget(gen)
	}
	if r := rc.last; r != nil && r.is(m.Exchange, m.RoutingKey) {
		return r, nil
	}
	rc.last = nil
	a, r := &rc.admit, &rc.spare
	known := a.ok && string(a.name) == string(m.Exchange)
	if known && !a.traced && a.x != nil && a.x.Type == exchange.Direct {
		// To look it up is as cheap as to find it in the cache.
		if qs, ok := ch.c.route.simple(a.x, m.RoutingKey); ok {
			r.to(m, a.x, qs)
			rc.last = r
			return r, nil
		}
	}
	hash := rc.hash(m)
	p := &rc.slots[hash&uint64(len(rc.slots)-1)]
	if p.hash == hash && p.is(m.Exchange, m.RoutingKey) {
		rc.last = &p.route
		return rc.last, nil
	}
	if !known {
		if err := ch.admitExchange(a, m.Exchange); err != nil {
			return nil, err
		}
	}
	if err := ch.admitKey(r, m); err != nil {
		return nil, err
	}
	switch {
	case len(p.name) == 0:
		rc.used++
		fallthrough
	case p.missed == hash:
		p.hash, p.route, rc.spare = hash, rc.spare, p.route
		r = &p.route
	default:
		p.missed = hash
	}
	rc.last = r
	return r, nil
}

// to fills r for a message that goes through exchange x to queues.
func (r *route) to(m *message.Message, x *Exchange, queues []*Queue) {
	r.name = append(append(append(r.name[:0], byte(len(m.Exchange))), m.Exchange...), m.RoutingKey...)
	r.x, r.reply, r.fixed = x, false, true
	r.queues = append(r.queues[:0], queues...)
}

// forget empties the cache for another generation of the virtual host.
func (rc *routeCache) forget(gen uint64) {
	for i := range rc.slots {
		rc.slots[i].forget()
	}
	rc.spare.forget()
	rc.gen, rc.last, rc.used = gen, nil, 0
	rc.admit.ok, rc.admit.x = false, nil
}

func (r *route) forget() {
	clear(r.queues)
	r.name, r.x, r.queues = r.name[:0], nil, r.queues[:0]
}

// hash returns the hash of a destination. The cache grows when it fills.
func (rc *routeCache) hash(m *message.Message) uint64 {
	if rc.used >= len(rc.slots)/2 && len(rc.slots) < maxRoutes {
		if rc.slots == nil {
			rc.seed = maphash.MakeSeed()
		}
		rc.slots = make([]place, max(minRoutes, 4*len(rc.slots)))
		rc.used = 0
	}
	h := maphash.Bytes(rc.seed, m.RoutingKey)
	if len(m.Exchange) > 0 {
		h ^= maphash.Bytes(rc.seed, m.Exchange) << 1
	}
	return h
}

// admitKey fills r for the destination of m, whose exchange is admitted: it
// checks the permission for the key, if there are such, and, where it depends on
// nothing else, finds the queues.
func (ch *Channel) admitKey(r *route, m *message.Message) error {
	c := ch.c
	a := &ch.cache.admit
	if a.byKey {
		if err := c.topicAllowed(a.x.Name, string(m.RoutingKey), auth.Write); err != nil {
			return err
		}
	}
	qs, simple := c.route.simple(a.x, m.RoutingKey)
	if !simple {
		qs = c.route.route(c.vhost, a.x, m.RoutingKey, nil, noHeaders{})
	}
	if !c.route.fixed {
		qs = nil
	}
	r.to(m, a.x, qs)
	r.fixed = c.route.fixed && !a.traced
	r.reply = a.x == nil && isReplyKey(m.RoutingKey)
	return nil
}

// admitExchange checks whether the user may publish to an exchange.
func (ch *Channel) admitExchange(a *admitted, name []byte) error {
	c := ch.c
	v := c.vhost
	*a = admitted{name: append(a.name[:0], name...)}
	a.traced = v.traces(name)
	label := exchangeLabel("")
	if len(name) > 0 {
		if a.x = v.exchangeNamed(name); a.x != nil {
			label = a.x.Name
		} else {
			label = string(name)
		}
	}
	if err := c.mayPublish(label); err != nil {
		return err
	}
	if len(name) > 0 && a.x == nil {
		return noExchange(label, v.Name)
	}
	if a.x != nil && a.x.Internal {
		return errf(AccessRefused, "cannot publish to internal exchange '%s' in vhost '%s'", a.x.Name, v.Name)
	}
	a.byKey = a.x != nil && a.x.Type == topicType && !c.Operator && c.access.Access().LimitsTopics(a.x.Name)
	a.ok = true
	return nil
}

func isReplyKey(key []byte) bool {
	return len(key) > len(replyPrefix) && string(key[:len(replyPrefix)]) == replyPrefix
}

// exchangeNamed is Exchange for a name in bytes.
func (v *VHost) exchangeNamed(name []byte) *Exchange {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.exchanges[string(name)]
}
