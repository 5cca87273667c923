package logging

import (
	"sync"
	"time"
)

// Message is an entry on its way to a receiver outside of files and consoles.
type Message struct {
	Level    string // by name
	Category string
	Time     time.Time
	JSON     bool
	Text     []byte // as formatted, with the end of line
}

// What waits in a relay is bounded by number and by size.
const (
	relayMessages = 4096
	relayBytes    = 4 << 20
)

// relay holds messages for a receiver that may be slow or away. Nobody who logs
// ever waits for it: what there is no room for is counted instead, and the count
// is told when there is room again. One goroutine, its owner's, takes messages out.
type relay struct {
	mu      sync.Mutex
	more    chan struct{} // holds one when there may be something to take
	waiting []Message
	bytes   int
	dropped int64
	closed  bool
	end     chan struct{} // closed with it
	done    sync.WaitGroup
}

func newRelay() *relay {
	return &relay{more: make(chan struct{}, 1), end: make(chan struct{})}
}

// start runs f, which takes messages until there are no more.
func (r *relay) start(f func()) { r.done.Go(f) }

func (r *relay) put(m Message) {
	r.mu.Lock()
	switch {
	case r.closed:
	case len(r.waiting) >= relayMessages || r.bytes+len(m.Text) > relayBytes:
		r.dropped++
	default:
		r.waiting = append(r.waiting, m)
		r.bytes += len(m.Text)
	}
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// take waits for messages, until the relay is closed or stop is, and returns all
// there are, with the number of those that there was no room for since the last
// time. ok is false when there will be no more.
func (r *relay) take(stop <-chan struct{}) (ms []Message, dropped int64, ok bool) {
	for {
		r.mu.Lock()
		ms, dropped = r.waiting, r.dropped
		r.waiting, r.bytes, r.dropped = nil, 0, 0
		closed := r.closed
		r.mu.Unlock()
		if len(ms) > 0 || dropped > 0 {
			return ms, dropped, true
		}
		if closed {
			return nil, 0, false
		}
		select {
		case <-r.more:
		case <-r.end:
		case <-stop:
			return nil, 0, false
		}
	}
}

// clear forgets what waits.
func (r *relay) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting, r.bytes, r.dropped = nil, 0, 0
}

// close lets nothing more in, and waits until the owner has done with the rest.
func (r *relay) close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.end)
	}
	r.mu.Unlock()
	r.done.Wait()
}
