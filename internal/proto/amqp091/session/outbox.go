package session

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// outbox gathers what a connection has to send. Anybody appends, under mu,
// which also guards the delivery state of the connection's channels; the
// connection's writer sends what has gathered in one piece.
//
// What gathers lies in chunks from the server's pool, so that nothing is copied
// when there is more of it, and a quiet connection holds nothing.
type outbox struct {
	mu      sync.Mutex
	writing bool       // somebody writes what was taken
	full    [][]byte   // chunks that are done
	cur     []byte     // the chunk that is being filled
	closed  bool       // nothing is taken any more
	last    bool       // close the socket after what is here
	pool    *sync.Pool // of *[chunkSize]byte
	start   func(w *writer)
	writer  atomic.Pointer[writer] // nil: there is none yet

	size atomic.Int64 // bytes here or being written
}

// writer is what a connection's writer waits for, and is waited for with. A
// connection that only asks and is answered, as one that is being opened, needs
// none: its reader writes.
type writer struct {
	wake chan struct{} // capacity 1
	sent chan struct{} // capacity 1: it has made room
	done chan struct{} // closed when it has ended

	// Its own, for a write.
	vec  [][]byte
	left net.Buffers
}

// never is the writer of a connection that ends without one.
var never = new(writer)

// end says that there will be no writer. It reports whether there was none.
func (o *outbox) end() bool { return o.writer.CompareAndSwap(nil, never) }

// chunkSize is what the outbox asks of the pool at a time, in bytes.
const chunkSize = 64 << 10

// room returns a slice to append about n bytes to, which add takes back. Called
// with the lock held.
func (o *outbox) room(n int) []byte {
	if cap(o.cur)-len(o.cur) >= n {
		return o.cur
	}
	if len(o.cur) > 0 {
		o.full = append(o.full, o.cur)
	} else if o.cur != nil {
		o.free(o.cur)
	}
	if n > chunkSize {
		o.cur = make([]byte, 0, n)
	} else {
		o.cur = o.chunk()
	}
	return o.cur
}

// add takes back what room gave, with more in it.
func (o *outbox) add(b []byte) {
	o.size.Add(int64(len(b) - len(o.cur)))
	o.cur = b
}

// methodRoom is room for a method frame: more than all but a few need.
const methodRoom = 512

// contentRoom is room for a message in frames of the smallest size, with a
// method before it.
func contentRoom(m *message.Message) int {
	return 1200 + len(m.Props) + len(m.Body) + len(m.Body)/4000*wire.FrameOverhead
}

func (o *outbox) free(b []byte) {
	if cap(b) == chunkSize {
		o.pool.Put((*[chunkSize]byte)(b[:chunkSize]))
	}
}

const (
	// highWater is where a consumer's connection has no more room; deliveries
	// go on when all but lowWater has been written.
	highWater = 1 << 20
	lowWater  = 256 << 10
	// behindAt is where whoever fills the outbox lets its writer have a turn.
	behindAt = 128 << 10
	// maxUnsent is where the reader stops to take requests.
	maxUnsent = 4 << 20
	// maxOverdue is where direct replies, which wait for nobody, are dropped.
	maxOverdue = 64 << 20
	// writeTimeout ends a connection whose peer takes nothing for so long.
	writeTimeout = 60 * time.Second
)

// full reports whether deliveries have to wait.
func (o *outbox) isFull() bool { return o.size.Load() >= highWater }

// poke wakes the writer. Called with or without the lock.
func (o *outbox) poke() {
	w := o.writer.Load()
	if w == nil {
		w = &writer{wake: make(chan struct{}, 1), sent: make(chan struct{}, 1), done: make(chan struct{})}
		if o.writer.CompareAndSwap(nil, w) {
			o.start(w)
		} else {
			w = o.writer.Load()
		}
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take moves what has gathered into dst. Whoever takes something writes it, and
// says with done, here or in finished, that it has.
func (o *outbox) take(dst [][]byte, done bool) (_ [][]byte, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if done {
		o.writing = false
	}
	if o.writing {
		return dst, false
	}
	dst = append(dst, o.full...)
	clear(o.full)
	if o.full = o.full[:0]; cap(o.full) > 64 {
		o.full = nil
	}
	if len(o.cur) > 0 {
		dst = append(dst, o.cur)
	} else if o.cur != nil {
		o.free(o.cur)
	}
	o.cur = nil
	o.writing = len(dst) > 0
	return dst, o.last
}

// finished says that what was taken is written, but for rest. It reports whether
// there is something to do for the writer.
func (o *outbox) finished(rest ...[]byte) (more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
	o.full = slices.Insert(o.full, 0, rest...)
	return len(o.full) > 0 || len(o.cur) > 0 || o.last
}

// sendNow has the reader write what has gathered, without waiting, if nobody
// else does and if it is little. What does not go through is the writer's.
func (c *Conn) sendNow() { c.sendUnsent(false) }

func (c *Conn) sendUnsent(last bool) {
	o := &c.out
	c.unsent = false
	if c.raw == nil || o.size.Load() > sendNowMax {
		o.poke()
		return
	}
	chunks, _ := o.take(c.mine[:0], false)
	c.mine = chunks
	if len(chunks) == 0 {
		return // nothing is left, or the writer is at it and looks again
	}
	if len(chunks) > 1 { // the writer has not come to what did not go through before
		o.finished(chunks...)
		clear(chunks)
		o.poke()
		return
	}
	b := chunks[0]
	chunks[0] = nil
	if o.writer.Load() != nil {
		// The deadline of the writer's last write may be over.
		c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	n, err := c.raw.TryWrite(b, last)
	if err != nil {
		c.kill()
		return
	}
	c.sentBytes.Add(uint64(n))
	c.sentCount.Add(1)
	var rest [][]byte
	if n < len(b) {
		rest = append(rest, b[n:])
	}
	if o.finished(rest...) {
		o.poke()
	}
	o.size.Add(-int64(n))
	if n == len(b) {
		o.free(b[:0])
	}
}

// sendNowMax is how much the reader writes by itself.
const sendNowMax = 16 << 10

// send sends until the connection ends.
func (w *writer) send(c *Conn) {
	defer close(w.done)
	var tick <-chan time.Time
	var ticker *time.Ticker
	defer func() {
		if ticker != nil {
			ticker.Stop()
		}
	}()
	idle, wrote := true, false
	var chunks [][]byte
	for {
		select {
		case <-w.wake:
			if h := c.heartbeat.Swap(0); h > 0 {
				ticker = time.NewTicker(time.Duration(h) / 2)
				tick = ticker.C
			}
		case <-tick:
			if c.silent() {
				c.ends("missed heartbeats from the client")
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
			var last bool
			chunks, last = c.out.take(chunks[:0], wrote)
			if wrote = len(chunks) > 0; wrote {
				idle = false
				left, err := w.write(c, chunks)
				if err != nil {
					c.kill()
					return
				}
				select {
				case w.sent <- struct{}{}:
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

// write sends chunks, with one system call if it can, and gives them back. It
// returns how many bytes wait meanwhile.
func (w *writer) write(c *Conn, chunks [][]byte) (left int64, err error) {
	n := int64(0)
	for _, b := range chunks {
		n += int64(len(b))
	}
	c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	if len(chunks) == 1 {
		_, err = c.nc.Write(chunks[0])
	} else {
		w.vec = append(w.vec[:0], chunks...)
		w.left = w.vec
		if nc, ok := c.nc.(interface {
			WriteBuffers(*net.Buffers) (int64, error)
		}); ok {
			_, err = nc.WriteBuffers(&w.left)
		} else {
			_, err = w.left.WriteTo(c.nc)
		}
	}
	c.sentBytes.Add(uint64(n))
	c.sentCount.Add(1)
	for i, b := range chunks {
		c.out.free(b[:0])
		chunks[i] = nil
	}
	return c.out.size.Add(-n), err
}

// closeWrite ends the stream in order: what was written arrives.
func (c *Conn) closeWrite() {
	if t, ok := c.nc.(interface{ CloseWrite() error }); ok {
		t.CloseWrite()
		return
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

// chunk returns an empty chunk.
func (o *outbox) chunk() []byte {
	if c, ok := o.pool.Get().(*[chunkSize]byte); ok {
		return c[:0]
	}
	return make([]byte, 0, chunkSize)
}
