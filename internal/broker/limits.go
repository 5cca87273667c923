package broker

import (
	"sync"

	"github.com/warrenmq/warren/internal/broker/meta"
)

// Limits of a node. 0 is no limit.
type Limits struct {
	Connections         int64 // connection_max
	Channels            int64 // channel_max_per_node
	ConsumersPerChannel int64 // consumer_max_per_channel
	VHosts              int64 // vhost_max
	Queues              int64 // cluster_queue_limit
	Exchanges           int64 // cluster_exchange_limit
}

// census counts connections and channels, for their limits.
type census struct {
	mu              sync.Mutex
	conns, channels int64
	users           map[string]*userCensus
	vhosts          map[string]int64 // connections
}

type userCensus struct{ conns, channels int64 }

func (t *census) user(name string) *userCensus {
	u := t.users[name]
	if u == nil {
		if t.users == nil {
			t.users, t.vhosts = map[string]*userCensus{}, map[string]int64{}
		}
		u = &userCensus{}
		t.users[name] = u
	}
	return u
}

// limitsOf are those of a user and a virtual host; negative: none.
func (b *Broker) limitsOf(user, vhost string) (conns, channels, vhostConns int64) {
	get := func(l meta.Limits, key string) int64 {
		if n, ok := l[key]; ok {
			return n
		}
		return -1
	}
	conns, channels, vhostConns = -1, -1, -1
	b.View(func(s *meta.State) {
		if u := s.User(user); u != nil {
			conns, channels = get(u.Limits, "max-connections"), get(u.Limits, "max-channels")
		}
		if v := s.VHost(vhost); v != nil {
			vhostConns = get(v.Limits, "max-connections")
		}
	})
	return conns, channels, vhostConns
}

// enterConnection counts a connection, or refuses it: the node's limit goes
// before that of the virtual host, and that before the user's.
func (b *Broker) enterConnection(user, vhost string) error {
	userMax, _, vhostMax := b.limitsOf(user, vhost)
	t := &b.census
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.user(user)
	switch max := b.cfg.Limits.Connections; {
	case max > 0 && t.conns >= max:
		return errf(NotAllowed, "connection refused: node connection limit (%d) is reached", max)
	case vhostMax >= 0 && t.vhosts[vhost] >= vhostMax:
		return errf(NotAllowed, "access to vhost '%s' refused for user '%s': connection limit (%d) is reached", vhost, user, vhostMax)
	case userMax >= 0 && u.conns >= userMax:
		return errf(NotAllowed, "connection refused for user '%s': user connection limit (%d) is reached", user, userMax)
	}
	t.conns++
	t.vhosts[vhost]++
	u.conns++
	return nil
}

func (b *Broker) leaveConnection(user, vhost string) {
	t := &b.census
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns--
	if t.vhosts[vhost]--; t.vhosts[vhost] == 0 {
		delete(t.vhosts, vhost)
	}
	t.user(user).conns--
	t.forget(user)
}

func (t *census) forget(user string) {
	if u := t.users[user]; u != nil && *u == (userCensus{}) {
		delete(t.users, user)
	}
}

// OpenChannel opens a channel whose unasked-for news go to out, if the user and
// the node may have one more.
func (c *Client) OpenChannel(out Outlet) (*Channel, error) {
	if err := c.enterChannel(); err != nil {
		return nil, err
	}
	return c.newChannel(out, true), nil
}

func (c *Client) enterChannel() error {
	_, userMax, _ := c.b.limitsOf(c.User, "")
	t := &c.b.census
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.user(c.User)
	switch max := c.b.cfg.Limits.Channels; {
	case max > 0 && t.channels >= max:
		return errf(NotAllowed, "number of channels opened on node '%s' has reached the maximum allowed limit of (%d)", c.b.cfg.NodeName, max)
	case userMax >= 0 && u.channels >= userMax:
		return errf(NotAllowed, "number of channels opened for user '%s' has reached the maximum allowed user limit of (%d)", c.User, userMax)
	}
	t.channels++
	u.channels++
	return nil
}

func (ch *Channel) uncount() {
	if !ch.counted {
		return
	}
	ch.counted = false
	t := &ch.c.b.census
	t.mu.Lock()
	defer t.mu.Unlock()
	t.channels--
	t.user(ch.c.User).channels--
	t.forget(ch.c.User)
}

// ConsumersPerChannel is how many consumers a channel may have; 0: any number.
func (b *Broker) ConsumersPerChannel() int { return int(b.cfg.Limits.ConsumersPerChannel) }
