package broker

import (
	"hash/maphash"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/message"
)

// routeCache remembers where a channel's publishes went, as long as nothing in
// the virtual host has changed. It is a table with one place for each hash:
// what is pushed out gives its memory to what comes, so that a publisher whose
// routing keys never repeat costs no more than the routing.
type routeCache struct {
	gen   uint64
	seed  maphash.Seed
	last  *route  // of the publish before
	slots []route // a power of two, or none yet
	used  int
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
	r := rc.slot(m)
	if !r.is(m.Exchange, m.RoutingKey) {
		if len(r.name) == 0 {
			rc.used++
		}
		if err := ch.admit(r, m); err != nil {
			r.name, rc.last = r.name[:0], nil
			return nil, err
		}
	}
	rc.last = r
	return r, nil
}

// forget empties the cache for another generation of the virtual host.
func (rc *routeCache) forget(gen uint64) {
	for i := range rc.slots {
		r := &rc.slots[i]
		clear(r.queues)
		r.name, r.x, r.queues = r.name[:0], nil, r.queues[:0]
	}
	rc.gen, rc.last, rc.used = gen, nil, 0
}

// slot returns the place of a destination. The cache grows when it fills.
func (rc *routeCache) slot(m *message.Message) *route {
	if rc.used >= len(rc.slots)/2 && len(rc.slots) < maxRoutes {
		if rc.slots == nil {
			rc.seed = maphash.MakeSeed()
		}
		rc.slots = make([]route, max(minRoutes, 4*len(rc.slots)))
		rc.used = 0
	}
	h := maphash.Bytes(rc.seed, m.RoutingKey)
	if len(m.Exchange) > 0 {
		h ^= maphash.Bytes(rc.seed, m.Exchange) << 1
	}
	return &rc.slots[h&uint64(len(rc.slots)-1)]
}

// admit fills r for the destination of m: it checks exchange and permissions
// and, where it depends on nothing else, finds the queues.
func (ch *Channel) admit(r *route, m *message.Message) error {
	c := ch.c
	v := c.vhost
	r.name = append(append(append(r.name[:0], byte(len(m.Exchange))), m.Exchange...), m.RoutingKey...)
	r.x, r.fixed, r.queues = nil, false, r.queues[:0]
	label := exchangeLabel("")
	if len(m.Exchange) > 0 {
		if r.x = v.exchangeNamed(m.Exchange); r.x != nil {
			label = r.x.Name
		} else {
			label = string(m.Exchange)
		}
	}
	if err := c.mayPublish(label); err != nil {
		return err
	}
	if len(m.Exchange) > 0 && r.x == nil {
		return noExchange(label, v.Name)
	}
	if r.x != nil && r.x.Internal {
		return errf(AccessRefused, "cannot publish to internal exchange '%s' in vhost '%s'", r.x.Name, v.Name)
	}
	if r.x != nil && r.x.Type == topicType && !c.Operator && c.access.Access().LimitsTopics(r.x.Name) {
		if err := c.topicAllowed(r.x.Name, string(m.RoutingKey), auth.Write); err != nil {
			return err
		}
	}
	r.reply = r.x == nil && isReplyKey(m.RoutingKey)
	qs := c.route.route(v, r.x, m.RoutingKey, nil, noHeaders{})
	if r.fixed = c.route.fixed; r.fixed {
		r.queues = append(r.queues, qs...)
	}
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
