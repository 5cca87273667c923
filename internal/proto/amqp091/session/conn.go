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
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Config is what a server offers to its clients.
type Config struct {
	Product, Version, Platform, Information, ClusterName string

	Heartbeat        time.Duration // offered in tune; 0: none
	FrameMax         uint32        // bytes; 0: no limit
	ChannelMax       uint16
	HandshakeTimeout time.Duration
	Mechanisms       []string
	CertLogin        auth.CertLogin // for EXTERNAL
	// Anonymous is who comes with the mechanism ANONYMOUS; without a user it is not
	// offered.
	Anonymous struct{ User, Password string }
	// Prefetch is what channels have before basic.qos; 0: no limit.
	// PrefetchGlobal: as basic.qos with global.
	Prefetch       uint16
	PrefetchGlobal bool
}

// Server serves AMQP 0-9-1 on sockets that somebody else accepts.
type Server struct {
	Broker *broker.Broker
	Config Config
	Logger *slog.Logger

	mu    sync.Mutex
	conns map[*Conn]struct{}
	down  bool
	ids   atomic.Uint64

	chunks sync.Pool // of *[chunkSize]byte, for outboxes
	reads  sync.Pool // of *[minReadBuffer]byte
	starts starts
}

// Conn is one connection.
type Conn struct {
	srv   *Server
	nc    net.Conn
	name  string
	local endpoint
	peer  endpoint
	id    string

	out        outbox
	dead       chan struct{}
	sent       chan struct{} // capacity 1: the writer has made room
	killOnce   sync.Once
	writerDone chan struct{}
	vec        [][]byte // the writer's own
	raw        *socket  // the reader's; nil: only the writer writes
	heartbeat  chan time.Duration
	lastRead   atomic.Int64 // unix nanoseconds; with silence
	connected  time.Time
	silence    atomic.Int64           // ns without input after which the peer is taken for dead; 0: never
	paused     atomic.Bool            // the reader waits for something else than input
	overdue    atomic.Bool            // a channel has a delivery that was not settled in time
	forced     atomic.Bool            // connection.close was sent from outside
	until      atomic.Int64           // and up to when its answer is waited for, in ns
	refused    atomic.Bool            // consumers wait for room in the outbox
	why        atomic.Pointer[string] // it ends; the first reason counts

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
	wantStartOk connState = iota
	wantSecureOk
	wantTuneOk
	wantOpen
	running
	closing // connection.close sent, waiting for close-ok
	done
	lost // the socket failed
)

// Serve runs a connection until it ends.
func (s *Server) Serve(nc net.Conn) {
	c := s.newConn(nc)
	if !s.enter(c) {
		nc.Close()
		return
	}
	defer s.leave(c)
	c.show("starting")
	s.Broker.Enter(c)
	defer c.leave()
	rb := readBuffer{}
	c.serve(&rb)
	c.teardown()
	s.giveBack(&rb)
	if !c.out.writer.CompareAndSwap(noWriter, neverWriter) {
		<-c.writerDone
	}
	c.linger()
	c.kill()
}

func (s *Server) newConn(nc net.Conn) *Conn {
	local, peer := endpointOf(nc.LocalAddr()), endpointOf(nc.RemoteAddr())
	c := &Conn{
		srv: s, nc: nc, local: local, peer: peer, name: peer.text + " -> " + local.text,
		id:         "conn-" + itoa(s.ids.Add(1)),
		connected:  time.Now(),
		dead:       make(chan struct{}),
		sent:       make(chan struct{}, 1),
		writerDone: make(chan struct{}),
		heartbeat:  make(chan time.Duration, 1),
		channels:   map[wire.ChannelID]*channel{},
		frameMax:   max(s.Config.FrameMax, wire.FrameMinSize),
	}
	c.out.wake = make(chan struct{}, 1)
	c.out.pool = &s.chunks
	c.out.start = func() { go c.writer() }
	c.raw = direct(nc)
	return c
}

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

// lingerTimeout is how long a connection that was closed in order waits for its
// peer to close too: a socket that is closed with input unread takes away what
// the peer has not read yet.
const lingerTimeout = time.Second

func (c *Conn) linger() {
	if c.state == lost || c.quick {
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
	io.Copy(io.Discard, c.nc)
}

func (s *Server) enter(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false
	}
	if s.conns == nil {
		s.conns = map[*Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown closes all connections with 320 CONNECTION_FORCED and waits until
// they have ended, or until ctx is done; then it cuts them.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.down = true
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(closeTimeout)
	}
	for c := range s.conns {
		c.force(wire.ConnectionForced, "broker forced connection closure with reason 'shutdown'", until)
	}
	s.mu.Unlock()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		n := len(s.conns)
		if ctx.Err() != nil {
			for c := range s.conns {
				c.kill()
			}
		}
		s.mu.Unlock()
		if n == 0 {
			return
		}
		<-tick.C
	}
}

// Force closes the connection from outside. Any goroutine may call it.
func (c *Conn) Force(code wire.ReplyCode, text string) {
	c.force(code, text, time.Now().Add(lingerTimeout))
}

// force is Force for a peer who has until some time to read the news and go.
func (c *Conn) force(code wire.ReplyCode, text string, until time.Time) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed {
		return
	}
	c.out.add(wire.AppendMethodFrame(c.out.room(methodRoom), 0, wire.ConnectionClose{ReplyCode: code, ReplyText: code.Text(text)}))
	c.out.last = true
	c.out.closed = true
	c.out.poke()
	c.ends("closed by the broker: " + text)
	c.until.Store(until.UnixNano())
	c.forced.Store(true)
	c.nc.SetReadDeadline(until)
}

// serve reads until the connection ends.
func (c *Conn) serve(rb *readBuffer) {
	c.nc.SetReadDeadline(time.Now().Add(c.srv.Config.HandshakeTimeout))
	if !c.protocolHeader() {
		c.finish()
		return
	}
	c.sendStart()
	c.sendNow()
	for c.state != done {
		if !c.fill(rb) {
			return
		}
		if !c.frames(rb) {
			c.finish()
			return
		}
		if c.client != nil {
			c.flushAcks()
			c.settle()
			if c.published {
				c.published = false
				c.throttle()
				c.client.Await(c.dead)
			}
		}
	}
	c.finish()
}

// settle ends a run of input. A confirm that the reader has waited for itself it
// also sends itself, and then looks out for what its client does next.
func (c *Conn) settle() {
	c.paused.Store(true) // the disk may take its time
	told, committed := c.client.Settle()
	if committed {
		c.sendNow()
		c.poll.on = true
		c.lastRead.Store(time.Now().UnixNano())
	} else if told {
		c.out.poke()
	}
	c.paused.Store(false)
}

// finish lets the writer send what is there and then close.
func (c *Conn) finish() {
	c.out.mu.Lock()
	c.out.closed = true
	c.out.mu.Unlock()
	if c.unsent {
		// If the writer is at work, it says what follows.
		c.sendUnsent(c.out.writer.Load() == noWriter)
	}
	c.out.mu.Lock()
	c.out.last = true
	empty := len(c.out.full)+len(c.out.cur) == 0
	c.out.mu.Unlock()
	if !empty || !c.out.writer.CompareAndSwap(noWriter, neverWriter) {
		c.out.poke()
		return
	}
	close(c.writerDone)
	if c.quick = c.raw != nil && c.raw.nothingUnread(); !c.quick {
		c.closeWrite()
	}
}

// readBuffer is the bytes that were read and not yet understood. It is small
// on a quiet connection and grows with the traffic.
type readBuffer struct {
	buf        []byte
	start, end int
	small      int // reads in a row that filled little of it
}

const (
	minReadBuffer = 4 << 10
	maxReadBuffer = 256 << 10
)

// first is the memory that a connection begins with.
func (s *Server) first() []byte {
	if b, ok := s.reads.Get().(*[minReadBuffer]byte); ok {
		return b[:]
	}
	return make([]byte, minReadBuffer)
}

// giveBack takes back what first gave. Nothing points into it any more.
func (s *Server) giveBack(rb *readBuffer) {
	if len(rb.buf) == minReadBuffer {
		s.reads.Put((*[minReadBuffer]byte)(rb.buf))
	}
	rb.buf = nil
}

// fill reads more. The bytes before start are done with; those after are moved
// to the front, so all views into the buffer end here.
func (c *Conn) fill(rb *readBuffer) bool {
	need := minReadBuffer
	if n, ok := wire.FrameLen(rb.buf[rb.start:rb.end]); ok && n > uint64(need) {
		need = int(n)
	}
	if rb.end == len(rb.buf) && rb.start == 0 && len(rb.buf) > 0 {
		need = max(need, 2*len(rb.buf))
	}
	if rb.buf == nil {
		rb.buf = c.srv.first()
	}
	size := len(rb.buf)
	switch {
	case need > size:
		size = need
	case rb.small > 64 && size > minReadBuffer && rb.end-rb.start < minReadBuffer/2:
		size, rb.small = minReadBuffer, 0
	}
	if size != len(rb.buf) {
		b := make([]byte, size)
		rb.end = copy(b, rb.buf[rb.start:rb.end])
		rb.buf, rb.start = b, 0
	} else if rb.start > 0 {
		rb.end = copy(rb.buf, rb.buf[rb.start:rb.end])
		rb.start = 0
	}
	n, err := c.poll.read(c.raw, rb.buf[rb.end:]), error(nil)
	if n == 0 {
		n, err = c.nc.Read(rb.buf[rb.end:])
	}
	if n > 0 {
		rb.end += n
		c.recvBytes.Add(uint64(n))
		c.recvCount.Add(1)
		if c.silence.Load() > 0 {
			c.lastRead.Store(time.Now().UnixNano())
		}
		switch {
		case rb.end == len(rb.buf) && len(rb.buf) < maxReadBuffer:
			b := make([]byte, 2*len(rb.buf))
			copy(b, rb.buf[:rb.end])
			rb.buf, rb.small = b, 0
		case n < len(rb.buf)/4:
			rb.small++
		default:
			rb.small = 0
		}
	}
	if err != nil && n == 0 && errors.Is(err, errTimeout) && c.settleOverdue() {
		return true
	}
	if err != nil && n == 0 {
		if c.state != running && c.state != closing && errors.Is(err, errTimeout) {
			c.log().Warn("closing connection: handshake timeout")
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			c.ends("the connection broke: " + err.Error())
		}
		c.state = lost
		c.kill()
		return false
	}
	return true
}

// frames handles all frames that are complete. It reports whether to go on.
func (c *Conn) frames(rb *readBuffer) bool {
	for {
		f, n, err := wire.ParseFrame(rb.buf[rb.start:rb.end], c.frameLimit)
		if err != nil {
			return c.frameError(err, rb.buf[rb.start:rb.end])
		}
		if n == 0 {
			break
		}
		rb.start += n
		if err := c.frame(&f); err != nil {
			if !c.fail(err) {
				return false
			}
		}
		if c.state == done {
			return false
		}
		if c.unsent {
			c.sendAnswer(rb)
		}
		if c.out.size.Load() > maxUnsent {
			c.awaitSent()
		}
	}
	// The bytes of content that is not complete go away with the next read.
	for _, ch := range c.partial {
		ch.content.keep()
	}
	return true
}

// sendAnswer sends an answer: by the reader if its client waits for it, by the
// writer if the client has sent more already, which may take time.
func (c *Conn) sendAnswer(rb *readBuffer) {
	if rb.start == rb.end {
		c.sendNow()
		return
	}
	c.unsent = false
	c.out.poke()
}

// awaitSent holds the reader back while the peer does not take what it has
// asked for, so that the outbox stays bounded.
func (c *Conn) awaitSent() {
	c.flushAcks()
	if c.client != nil {
		if told, _ := c.client.Settle(); told {
			c.out.poke()
		}
	}
	defer c.pause()()
	for c.out.size.Load() > maxUnsent {
		select {
		case <-c.sent:
		case <-c.dead:
			return
		}
	}
}

// throttle holds the reader back while publishing is blocked, which the client
// is told, or the log has too much to write.
func (c *Conn) throttle() {
	h := c.client.Hold()
	if h == nil && !c.srv.Broker.Throttled() {
		return
	}
	defer c.pause()()
	if h != nil && !c.hold(h) {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(deadContext{c}, cancel)
	c.srv.Broker.Throttle(ctx)
	stop()
	cancel()
}

// holdLook is how often a blocked connection looks whether it was closed from
// outside.
const holdLook = 250 * time.Millisecond

// hold waits until the client may publish. Its heartbeats and acknowledgements
// wait in the socket meanwhile, as with RabbitMQ. It reports whether to go on.
func (c *Conn) hold(h *broker.Hold) bool {
	c.client.Held.Store(true)
	defer c.client.Held.Store(false)
	c.log().Info("connection blocked", "user", c.user, "vhost", c.vhostName(), "reason", h.Reason)
	if c.caps.connectionBlocked {
		c.send(0, wire.ConnectionBlocked{Reason: h.Reason})
		defer c.send(0, wire.ConnectionUnblocked{})
	}
	look := time.NewTicker(holdLook)
	defer look.Stop()
	for ; h != nil; h = c.client.Hold() {
		for wait := true; wait; {
			select {
			case <-h.Released:
				wait = false
			case <-c.dead:
				return false
			case <-look.C:
				if c.forced.Load() {
					return false
				}
			}
		}
	}
	return true
}

// pause says that the reader does not read now, so that a peer whose heartbeats
// wait in the socket is not taken for silent. It returns what ends the pause.
func (c *Conn) pause() func() {
	c.paused.Store(true)
	return func() {
		c.lastRead.Store(time.Now().UnixNano())
		c.paused.Store(false)
	}
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

// teardown gives back what the connection holds in the core.
func (c *Conn) teardown() {
	if c.client == nil {
		return
	}
	c.flushAcks()
	c.client.Flush()
	for _, ch := range c.channels {
		ch.release()
	}
	c.client.Close()
	c.logClosed(c.vhostName())
}

// ends remembers why the connection ends, for the log.
func (c *Conn) ends(why string) { c.why.CompareAndSwap(nil, &why) }

// logClosed puts the connection's end into the log. What was not in order is a
// warning.
func (c *Conn) logClosed(vhost string) {
	level, why := slog.LevelWarn, "the client closed the TCP connection without closing its AMQP connection"
	if p := c.why.Load(); p != nil {
		why = *p
	}
	if why == byClient {
		level = slog.LevelInfo
	}
	c.note(level, "connection closed", slog.String("user", c.user), slog.String("vhost", vhost), slog.String("reason", why))
}

// byClient is the reason of an end in order.
const byClient = "closed by the client"

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

// frameWhileClosing waits for the answer to connection.close.
func (c *Conn) frameWhileClosing(f *wire.Frame) error {
	if f.Channel != 0 || f.Type != wire.FrameMethod {
		return nil
	}
	switch id, _ := wire.PeekMethod(f.Payload); id {
	case wire.MethodConnectionCloseOk:
		c.state = done
	case wire.MethodConnectionClose:
		c.answer(0, wire.ConnectionCloseOk{})
		c.state = done
	}
	return nil
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
