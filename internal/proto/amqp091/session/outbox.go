package session

import (
	"sync"
	"sync/atomic"
	"time"
)

// outbox gathers what a connection has to send. Anybody appends, under mu,
// which also guards the delivery state of the connection's channels; the
// connection's writer sends what has gathered in one piece.
type outbox struct {
	mu     sync.Mutex
	buf    []byte
	spare  []byte        // the writer's other buffer
	wake   chan struct{} // capacity 1
	closed bool          // nothing is taken any more
	last   bool          // close the socket after what is in buf

	size atomic.Int64 // bytes in buf or being written
}

const (
	// highWater is where a consumer's connection has no more room; deliveries
	// go on when all but lowWater has been written.
	highWater = 1 << 20
	lowWater  = 256 << 10
	// maxUnsent is where the reader stops to take requests.
	maxUnsent = 4 << 20
	// keepBuffer is the largest buffer kept while a connection is quiet.
	keepBuffer = 64 << 10
	// writeTimeout ends a connection whose peer takes nothing for so long.
	writeTimeout = 60 * time.Second
)

// full reports whether deliveries have to wait.
func (o *outbox) full() bool { return o.size.Load() >= highWater }

// poke wakes the writer. Called with or without the lock.
func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// added must follow each append to buf, with the lock held.
func (o *outbox) added(before int) { o.size.Add(int64(len(o.buf) - before)) }

// take returns what has gathered. The slice is the writer's until the next take.
func (o *outbox) take() (b []byte, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b = o.buf
	o.buf, o.spare = o.spare[:0], b
	if cap(o.buf) > keepBuffer && len(b) < keepBuffer/4 {
		o.buf = nil
	}
	return b, o.last
}

// writer sends until the connection ends. drained is called when there is room
// for deliveries again.
func (c *Conn) writer() {
	defer close(c.writerDone)
	var tick <-chan time.Time
	var ticker *time.Ticker
	defer func() {
		if ticker != nil {
			ticker.Stop()
		}
	}()
	idle := true
	for {
		select {
		case <-c.out.wake:
		case h := <-c.heartbeat:
			ticker = time.NewTicker(h / 2)
			tick = ticker.C
			continue
		case <-tick:
			if c.silent() {
				c.logger.Info("closing connection: missed heartbeats from client")
				c.kill()
				return
			}
			if idle {
				c.sendHeartbeat()
			}
			idle = true
			continue
		case <-c.dead:
			return
		}
		for {
			b, last := c.out.take()
			if len(b) > 0 {
				idle = false
				c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
				_, err := c.nc.Write(b)
				left := c.out.size.Add(-int64(len(b)))
				if err != nil {
					c.kill()
					return
				}
				select {
				case c.sent <- struct{}{}:
				default:
				}
				if left <= lowWater && c.refused.Load() {
					c.unblock()
				}
				continue
			}
			if last {
				c.closeWrite()
				return
			}
			break
		}
	}
}

// closeWrite ends the stream in order: what was written arrives.
func (c *Conn) closeWrite() {
	if t, ok := c.nc.(interface{ CloseWrite() error }); ok {
		t.CloseWrite()
	}
	c.kill()
}

// kill ends the connection from any goroutine.
func (c *Conn) kill() {
	c.killOnce.Do(func() {
		close(c.dead)
		c.out.mu.Lock()
		c.out.closed = true
		c.out.mu.Unlock()
		c.nc.Close()
	})
}
