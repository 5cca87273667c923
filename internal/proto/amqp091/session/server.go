package session

import (
	"context"
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

	mu       sync.Mutex
	conns    map[*Conn]struct{}
	unopened unopened
	down     bool
	ids      atomic.Uint64
	local    atomic.Pointer[localEnd]

	chunks sync.Pool // of *[chunkSize]byte, for outboxes
	reads  sync.Pool // of *[minReadBuffer]byte
	starts starts
}

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
	c.out.end()
	if w := c.out.writer.Load(); w != never {
		<-w.done
	}
	c.linger()
	c.kill()
}

// newConn is not made a part of Serve: a connection that waits has a stack of 4 KiB
// as long as what Serve and below need stays under 1.2 KiB.
//
//go:noinline
func (s *Server) newConn(nc net.Conn) *Conn {
	local, peer := s.here(nc.LocalAddr()), endpointOf(nc.RemoteAddr())
	c := &Conn{
		srv: s, nc: nc, local: local, peer: peer, name: peer.text + " -> " + local.text,
		id:        "conn-" + itoa(s.ids.Add(1)),
		connected: time.Now(),
		dead:      make(chan struct{}),
		channels:  map[wire.ChannelID]*channel{},
		frameMax:  max(s.Config.FrameMax, wire.FrameMinSize),
	}
	c.out.pool = &s.chunks
	c.out.start = func(w *writer) { go w.send(c) }
	c.raw = direct(nc)
	return c
}

// here is endpointOf for our own end, which mostly is that of the connection
// before.
func (s *Server) here(a net.Addr) endpoint {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return endpointOf(a)
	}
	l := s.local.Load()
	if l == nil || l.addr.Port != t.Port || !l.addr.IP.Equal(t.IP) || l.addr.Zone != t.Zone {
		l = &localEnd{t, endpointOf(t)}
		s.local.Store(l)
	}
	return l.endpoint
}

type localEnd struct {
	addr *net.TCPAddr
	endpoint
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
	s.unopened.add(c)
	s.unopened.arm(s)
	return true
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.unopened.remove(c)
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
