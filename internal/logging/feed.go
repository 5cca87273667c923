package logging

import "fmt"

// openFeed makes the place from where Exchange takes entries.
func (l *Log) openFeed(cfg *Config) *sink {
	l.feed = newRelay()
	l.feed.closed = true // until somebody takes
	return &sink{
		name:   fmt.Sprintf(`exchange:{resource,<<%q>>,exchange,<<"amq.rabbitmq.log">>}`, cfg.ExchangeVHost), // RabbitMQ's way
		format: cfg.ExchangeFormat, level: func(c *Config) Level { return c.ExchangeLevel }, relay: l.feed,
	}
}

// Exchange hands entries over from now on, one after the other, to whoever
// publishes them. Stop ends it and waits for a publish under way; entries of the
// time without a receiver are in the other places only, as in RabbitMQ. A log
// whose configuration has no Exchange hands nothing over.
func (l *Log) Exchange(publish func(Message)) (stop func()) {
	r := l.feed
	if r == nil {
		return func() {}
	}
	var self *sink
	for _, s := range l.sinks {
		if s.relay == r {
			self = s
		}
	}
	r.clear()
	r.open(true)
	end := make(chan struct{})
	r.start(func() {
		for {
			ms, dropped, ok := r.take(end)
			for _, m := range ms {
				publish(m)
			}
			if dropped > 0 { // told elsewhere: here it would only add to them
				l.aside(self).Warn("the exchange amq.rabbitmq.log could not keep up, entries are not published", "entries", dropped)
			}
			if !ok {
				return
			}
		}
	})
	return func() {
		r.open(false)
		close(end)
		r.done.Wait()
	}
}

// open lets messages in, or no more.
func (r *relay) open(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = !on
}
