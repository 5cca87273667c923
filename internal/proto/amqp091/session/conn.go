// Package session is AMQP 0-9-1 between the socket and the broker's core: the
// state of a connection and its channels. The reader's goroutine does all that
// a client asks for; a second goroutine writes. Deliveries, confirms and
// cancellations are appended to the outbox by whoever causes them.
//
// What is said on the wire is package wire's, what it means is package
// broker's; here is who may say what when, and which close answers a mistake.
package session

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Conn is one connection.
type Conn struct {
	srv   *Server
	nc    net.Conn
	name  string
	local endpoint
	peer  endpoint
	id    string

	out       outbox
	dead      chan struct{}
	killOnce  sync.Once
	raw       socket       // the reader's; nil: only the writer writes
	heartbeat atomic.Int64 // ns; for the writer, when it is poked, to take
	lastRead  atomic.Int64 // unix nanoseconds; with silence
	connected time.Time
	silence   atomic.Int64           // ns without input after which the peer is taken for dead; 0: never
	paused    atomic.Bool            // the reader waits for something else than input
	overdue   atomic.Bool            // a channel has a delivery that was not settled in time
	forced    atomic.Bool            // connection.close was sent from outside
	until     atomic.Int64           // and up to when its answer is waited for, in ns
	refused   atomic.Bool            // consumers wait for room in the outbox
	why       atomic.Pointer[string] // it ends; the first reason counts

	unopenedAt place // guarded by Server.mu

	// What an operator sees (inspect.go).
	shownMu   sync.Mutex
	shown     broker.SessionInfo
	recvBytes atomic.Uint64 // written by the reader
	recvCount atomic.Uint64
	sentBytes atomic.Uint64 // written by whoever sends
	sentCount atomic.Uint64

	// The reader's own.
	unsent       bool // an answer waits for sendNow
	poll         poll
	mine         [][]byte // scratch of sendNow
	quick        bool     // nothing is left to be read or sent: no need to linger
	state        connState
	client       *broker.Client
	opened       *broker.Client // stays when client goes
	offered      string         // mechanisms
	user         string
	mechanism    string
	timeout      int // seconds; the heartbeat
	impersonator bool
	caps         capabilities
	props        wire.Table
	frameMax     uint32 // negotiated; 0: none
	frameLimit   uint32 // what is taken now
	old          bool   // the client announced 0-8
	channelMax   uint16
	channels     map[wire.ChannelID]*channel
	last         *channel      // the channel of the frame before
	partial      []*channel    // with content that is not complete
	methodID     wire.MethodID // of the method being handled
	published    bool
	acks         pendingAcks
	late         []delivery

	// Consumers that wait for room, in the order in which they were refused.
	// Guarded by out.mu.
	waiting []*consumer
}

type capabilities struct {
	authFailureClose, consumerCancelNotify, connectionBlocked bool
}

type connState uint8

const (
	wantProtocol connState = iota // its header
	wantStartOk
	wantSecureOk
	wantTuneOk
	wantOpen
	running
	closing // connection.close sent, waiting for close-ok
	done
	lost // the socket failed
)

// log is where the connection's mistakes and the like go.
func (c *Conn) log() *slog.Logger { return c.srv.Logger.With("conn", c.name) }

// note puts what happens to every connection into the log. That is as log does
// it, without what a logger has to find out each time.
func (c *Conn) note(level slog.Level, text string, attrs ...slog.Attr) {
	h, ctx := c.srv.Logger.Handler(), context.Background()
	if !h.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, text, 0)
	r.AddAttrs(slog.String("conn", c.name))
	r.AddAttrs(attrs...)
	_ = h.Handle(ctx, r) // as a logger does
}

// serve reads until the connection ends.
func (c *Conn) serve(rb *readBuffer) {
	for rb.end-rb.start < wire.ProtocolHeaderSize {
		if !c.fill(rb) {
			return
		}
	}
	if !c.protocolHeader(rb) {
		c.finish()
		return
	}
	c.sendStart()
	c.sendNow()
	for c.frames(rb) { // the first may have come with the header
		if c.client != nil {
			c.flushAcks()
			c.settle()
			if c.published {
				c.published = false
				c.throttle()
				c.client.Await(c.dead)
			}
		}
		if !c.fill(rb) {
			return
		}
	}
	c.finish()
}

// silent reports whether the peer has been silent for too long.
func (c *Conn) silent() bool {
	s := c.silence.Load()
	return s > 0 && !c.paused.Load() && time.Now().UnixNano()-c.lastRead.Load() > s
}

func (c *Conn) sendHeartbeat() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed {
		return
	}
	c.out.add(wire.AppendHeartbeatFrame(c.out.room(64)))
	c.out.poke()
}

// send appends a method frame.
func (c *Conn) send(ch wire.ChannelID, m wire.Method) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.sendLocked(ch, m)
}

// answer is send for the reader: frames sends it when there is nothing else to
// do at once.
func (c *Conn) answer(ch wire.ChannelID, m wire.Method) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed {
		return
	}
	c.out.add(wire.AppendMethodFrame(c.out.room(methodRoom), ch, m))
	c.unsent = true
}

func (c *Conn) sendLocked(ch wire.ChannelID, m wire.Method) {
	if c.out.closed {
		return
	}
	c.out.add(wire.AppendMethodFrame(c.out.room(methodRoom), ch, m))
	c.out.poke()
}

// frame handles one frame.
func (c *Conn) frame(f *wire.Frame) error {
	if f.Type == wire.FrameHeartbeat && len(f.Payload) == 0 && f.Channel == 0 {
		return nil
	}
	if c.forced.Load() {
		if f.Channel == 0 && f.Type == wire.FrameMethod {
			if id, _ := wire.PeekMethod(f.Payload); id == wire.MethodConnectionCloseOk {
				c.state = done
			}
		}
		return nil
	}
	if c.state == closing {
		return c.frameWhileClosing(f)
	}
	if f.Channel == 0 {
		return c.connectionFrame(f)
	}
	if c.state != running {
		return errHangUp
	}
	ch := c.last
	if ch == nil || ch.id != f.Channel {
		if ch = c.channels[f.Channel]; ch == nil {
			return c.unopened(f)
		}
		c.last = ch
	}
	return ch.frame(f)
}

func itoa(n uint64) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}
