package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// sendChunk is how much a producer gathers before it writes.
const sendChunk = 32 << 10

// variants of the key of a wildcard binding that a producer goes through: a
// cache of whole keys has to be four times as large as the table.
const variants = 4

// ring holds the encoded messages that a producer sends in turn.
type ring struct {
	frames  []byte
	offs    []int // where each begins; one more for the end
	bodies  []int // where its body begins, from its start
	targets int   // queues that they go to in turn, 1 or as many as messages
}

// add puts a message in; its body is filled with a pattern.
func (g *ring) add(exchange, key string, headers wire.Table, l *Load, frameMax uint32) {
	p := wire.Properties{DeliveryMode: 1, Headers: headers}
	if l.Persistent {
		p.DeliveryMode = 2
	}
	props := p.Append(nil)
	body := make([]byte, l.Size)
	for i := range body {
		body[i] = byte(0xa0 + i%16)
	}
	if len(g.offs) == 0 {
		g.offs = []int{0}
	}
	start := len(g.frames)
	// The body begins where the same message without one ends, and a frame header later.
	g.bodies = append(g.bodies, len(wire.AppendBasicPublishFrames(nil, 1, exchange, key, false, props, nil, frameMax))+int(wire.FrameOverhead)-1)
	g.frames = wire.AppendBasicPublishFrames(g.frames, 1, exchange, key, false, props, body, frameMax)
	if at := start + g.bodies[len(g.bodies)-1]; g.frames[at] != body[0] || g.frames[at+7] != body[7] {
		panic("perf: the body is not where it should be")
	}
	g.offs = append(g.offs, len(g.frames))
}

func (r *run) newRing(producer int, frameMax uint32) *ring {
	g := &ring{targets: 1}
	switch r.Exchange {
	case "":
		if r.Producers >= r.Queues {
			g.add("", r.queueName(producer%r.Queues), nil, &r.Load, frameMax)
			break
		}
		for q := producer; q < r.Queues; q += r.Producers {
			g.add("", r.queueName(q), nil, &r.Load, frameMax)
		}
		g.targets = len(g.bodies)
	case "fanout":
		g.add(r.Queue, "", nil, &r.Load, frameMax)
	default:
		n := r.Bindings
		if r.Exchange != "direct" {
			n *= variants
		}
		// Shuffled, but the same in each run.
		for _, i := range rand.New(rand.NewPCG(uint64(producer), 1)).Perm(n) {
			key, headers := hit(r.Exchange, i%r.Bindings, i/r.Bindings)
			g.add(r.Queue, key, headers, &r.Load, frameMax)
		}
	}
	return g
}

// producer publishes on one connection. run sends; confirms, in a goroutine of
// its own, reads the answers.
type producer struct {
	*client
	r  *run
	id uint64
	g  *ring

	sent     uint64
	answered atomic.Uint64
	answers  answers
	room     chan struct{}  // the window has room again
	sentAt   []atomic.Int64 // nanoseconds since begin, by tag, with Latency
}

func (r *run) newProducer(i int) (*producer, error) {
	c, err := dial(r.URL)
	if err != nil {
		return nil, err
	}
	p := &producer{client: c, r: r, id: uint64(i), g: r.newRing(i, c.frameMax), room: make(chan struct{}, 1)}
	p.answers.tags.early = map[uint64]bool{}
	if r.Confirm > 0 {
		if _, err := call[*wire.ConfirmSelectOk](c, wire.ConfirmSelect{}); err != nil {
			c.nc.Close()
			return nil, err
		}
		if r.Poll {
			c.read = polling(c.nc)
		}
		if r.Latency {
			p.sentAt = make([]atomic.Int64, r.Confirm+1)
		}
	}
	return p, nil
}

func (p *producer) run(ctx context.Context) error {
	r := p.r
	g := p.g
	buf := make([]byte, 0, sendChunk+len(g.frames)/len(g.bodies)*2)
	counted := uint64(0)
	flush := func() error {
		if len(buf) == 0 {
			return nil
		}
		_, err := p.nc.Write(buf)
		buf = buf[:0]
		if err != nil {
			return err
		}
		published := r.published.Add(p.sent - counted)
		counted = p.sent
		return r.stayNear(ctx, published)
	}
	deadline := time.Duration(1<<63 - 1)
	if r.Duration > 0 {
		deadline = r.Duration
	}
	limit := uint64(1<<64 - 1)
	if r.Messages > 0 {
		limit = uint64(r.Messages)
	}
	pace := pacer{perSecond: float64(r.Rate) / float64(r.Producers)}
	at, lap := 0, uint64(0)
	var now time.Duration
	fresh := 0 // messages until the clock is looked at
	for p.sent < limit {
		if fresh == 0 {
			now = time.Since(r.begin)
			if now >= deadline || ctx.Err() != nil {
				break
			}
			fresh = 64
		}
		fresh--
		stamp := now
		if r.Rate > 0 {
			if pace.early(p.sent, now) {
				if err := flush(); err != nil {
					return err
				}
				now = pace.wait(r.begin, p.sent)
				if now >= deadline || ctx.Err() != nil {
					break
				}
				fresh = 64
			}
			stamp = pace.stamp(p.sent, now)
		}
		if r.Confirm > 0 && p.sent-p.answered.Load() >= uint64(r.Confirm) {
			if err := flush(); err != nil {
				return err
			}
			if err := p.awaitRoom(uint64(r.Confirm)); err != nil {
				return err
			}
			fresh = 0
			if r.Rate == 0 {
				now = time.Since(r.begin)
				stamp = now
			}
		}
		start := len(buf)
		buf = append(buf, g.frames[g.offs[at]:g.offs[at+1]]...)
		body := buf[start+g.bodies[at]:]
		seq, target := p.sent, 0
		if g.targets > 1 {
			seq, target = lap, at
		}
		binary.BigEndian.PutUint64(body, p.id<<(stampSeqBits+stampTargetBits)|uint64(target)<<stampSeqBits|seq)
		if r.Latency {
			if r.Rate == 0 {
				stamp = time.Since(r.begin)
			}
			binary.BigEndian.PutUint64(body[8:], uint64(stamp))
			if p.sentAt != nil {
				p.sentAt[(p.sent+1)%uint64(len(p.sentAt))].Store(int64(stamp))
			}
		}
		p.sent++
		if at++; at == len(g.bodies) {
			at, lap = 0, lap+1
		}
		if len(buf) >= sendChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if r.Confirm == 0 {
		if err := p.goodbye(); err != nil {
			return err
		}
		return p.closed()
	}
	return p.awaitRoom(1)
}

// stayNear waits until the consumers are near enough.
func (r *run) stayNear(ctx context.Context, published uint64) error {
	if r.Ahead == 0 || r.Consumers == 0 {
		return nil
	}
	for published*r.copies() > r.consumed.Load()+uint64(r.Ahead) && ctx.Err() == nil {
		select {
		case <-r.failed:
			return r.failure
		case <-time.After(200 * time.Microsecond):
		}
	}
	return nil
}

// closed reads until the broker has closed: then it has read all publishes.
func (p *producer) closed() error {
	_, err := expect[*wire.ConnectionCloseOk](p.client)
	return err
}

// awaitRoom waits until fewer than window publishes are unanswered.
func (p *producer) awaitRoom(window uint64) error {
	for p.sent-p.answered.Load() >= window {
		if p.r.Poll {
			if end, err := p.answer(); err != nil {
				return err
			} else if end {
				return errors.New("closed before all was confirmed")
			}
			continue
		}
		select {
		case <-p.room:
		case <-p.r.failed:
			return p.r.failure
		}
	}
	return nil
}

// finish ends the goroutine that reads confirms.
func (p *producer) finish() {
	if p.r.Confirm > 0 && p.goodbye() != nil {
		p.nc.Close()
	}
}

// answers is what the broker has answered.
type answers struct {
	tags          tags
	acked, nacked uint64 // not counted yet
}

// confirms takes the broker's answers and makes room in the window.
func (p *producer) confirms() error {
	for {
		if end, err := p.answer(); end || err != nil {
			return err
		}
	}
}

// answer takes one answer. It reports whether it was the last.
func (p *producer) answer() (end bool, err error) {
	a := &p.answers
	f, err := p.frame()
	if err != nil {
		select {
		case <-p.r.failed:
			return true, nil // the socket was closed for another reason
		default:
			return true, err
		}
	}
	id, _ := wire.PeekMethod(f.Payload)
	switch {
	case f.Type != wire.FrameMethod:
	case id == wire.MethodBasicAck, id == wire.MethodBasicNack:
		tag := binary.BigEndian.Uint64(f.Payload[4:])
		multiple := f.Payload[12]&1 != 0
		if p.sentAt != nil {
			p.record(&a.tags, tag, multiple)
		}
		n := a.tags.settle(tag, multiple)
		if id == wire.MethodBasicAck {
			a.acked += n
		} else {
			a.nacked += n
		}
	case id == wire.MethodConnectionCloseOk:
		return true, nil
	case id == wire.MethodChannelClose, id == wire.MethodConnectionClose:
		return true, closedByBroker(f)
	}
	if p.start < p.end && a.acked+a.nacked < uint64(p.r.Confirm)/2 {
		return false, nil // more has come already
	}
	if a.acked+a.nacked > 0 {
		p.r.confirmed.Add(a.acked)
		p.r.refused.Add(a.nacked)
		p.answered.Add(a.acked + a.nacked)
		a.acked, a.nacked = 0, 0
		select {
		case p.room <- struct{}{}:
		default:
		}
	}
	return false, nil
}

func (p *producer) record(t *tags, tag uint64, multiple bool) {
	now := time.Since(p.r.begin)
	from := tag
	if multiple {
		from = t.low + 1
	}
	for ; from <= tag; from++ {
		if !t.early[from] {
			p.r.confirmLatency.record(now - time.Duration(p.sentAt[from%uint64(len(p.sentAt))].Load()))
		}
	}
}

func closedByBroker(f wire.Frame) error {
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *wire.ConnectionClose:
		return fmt.Errorf("connection closed by the broker: %s", m.ReplyText)
	case *wire.ChannelClose:
		return fmt.Errorf("channel closed by the broker: %s", m.ReplyText)
	}
	return errors.New("closed by the broker")
}

// tags counts answers. Brokers may answer single publishes out of order.
type tags struct {
	low   uint64 // all up to here are answered
	early map[uint64]bool
}

// settle returns how many publishes this answers that were not answered yet.
func (t *tags) settle(tag uint64, multiple bool) (n uint64) {
	switch {
	case tag <= t.low || t.early[tag] && !multiple:
		return 0
	case multiple:
		n = tag - t.low
		if len(t.early) > 0 {
			for i := t.low + 1; i <= tag; i++ {
				if t.early[i] {
					delete(t.early, i)
					n--
				}
			}
		}
		t.low = tag
	case tag == t.low+1:
		n, t.low = 1, tag
	default:
		t.early[tag] = true
		return 1
	}
	for len(t.early) > 0 && t.early[t.low+1] {
		t.low++
		delete(t.early, t.low)
	}
	return n
}

// pacer spreads publishes evenly. A message is stamped with the time at which
// it is sent; but when the producer is behind, because the broker did not take
// its bytes, with the time at which it should have been.
type pacer struct {
	perSecond float64
	slept     time.Duration // end of the last wait
}

func (p *pacer) due(n uint64) time.Duration {
	return time.Duration(float64(n) / p.perSecond * float64(time.Second))
}

func (p *pacer) early(n uint64, now time.Duration) bool { return p.due(n) > now }

func (p *pacer) wait(begin time.Time, n uint64) time.Duration {
	sleep(p.due(n) - time.Since(begin))
	p.slept = time.Since(begin)
	return p.slept
}

func (p *pacer) stamp(n uint64, now time.Duration) time.Duration {
	if due := p.due(n); due > p.slept {
		return due
	}
	return p.slept
}
