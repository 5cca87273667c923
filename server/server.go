// Package server builds a node from a Config and runs it: storage, core,
// listeners. The program warren and Go programs that embed a broker use it
// alike.
//
//	srv, err := server.New(server.Config{DataDir: dir, Listeners: []string{"127.0.0.1:0"}})
//	...
//	defer srv.Close(context.Background())
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// Version of this program.
const Version = "0.1.0"

// Level is the version of RabbitMQ whose semantics the broker has. Clients
// look at it in the server properties.
const Level = "4.3.0"

// Durability says what a publisher confirm stands for.
type Durability string

const (
	Disk   Durability = "disk"   // the message is synced to disk (the default)
	OS     Durability = "os"     // the operating system has it
	Memory Durability = "memory" // the broker has it
)

// Config is what a node is made of. The zero value of a field is its default.
type Config struct {
	// DataDir holds everything that outlives the process. Empty: the data
	// lives in memory and goes with it.
	DataDir string
	// Listeners are addresses for AMQP, "host:port"; port 0 picks a free one.
	// Nil: none; connections then come from Dial only.
	Listeners   []string
	Logger      *slog.Logger // nil: silent
	NodeName    string       // default: warren@host
	ClusterName string       // default: NodeName

	DefaultUser, DefaultPass, DefaultVHost string   // of an empty node; default guest, guest, /
	DefaultUserTags                        []string // default: administrator
	LoopbackUsers                          []string // may only connect from this host; nil: guest

	Heartbeat        time.Duration // offered to clients; default 60 s, negative: none
	FrameMax         uint32        // bytes; default 131072
	ChannelMax       uint16        // channels of a connection; default 2047
	HandshakeTimeout time.Duration // default 10 s
	MaxMessageSize   int64         // bytes of a body; default 16 MiB, at most 512 MiB
	Mechanisms       []string      // default: PLAIN, AMQPLAIN
	Product          string        // what clients are told; default RabbitMQ
	ProductVersion   string        // default Level

	Durability      Durability
	SegmentSize     int64         // bytes of a segment of the log; default 64 MiB
	CheckpointBytes int64         // bytes of log between checkpoints; default 128 MiB
	MemoryBudget    int64         // bytes of waiting messages kept in memory; default 24 MiB
	ShutdownTimeout time.Duration // for clients to go; default 5 s
}

func (c *Config) setDefaults() error {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	host, _ := os.Hostname()
	def(&c.NodeName, "warren@"+host)
	def(&c.ClusterName, c.NodeName)
	def(&c.DefaultUser, "guest")
	def(&c.DefaultPass, "guest")
	def(&c.DefaultVHost, "/")
	def(&c.Product, "RabbitMQ")
	def(&c.ProductVersion, Level)
	if c.DefaultUserTags == nil {
		c.DefaultUserTags = []string{"administrator"}
	}
	if c.LoopbackUsers == nil {
		c.LoopbackUsers = []string{"guest"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 60 * time.Second
	}
	c.Heartbeat = max(c.Heartbeat, 0)
	if c.FrameMax == 0 {
		c.FrameMax = 131072
	}
	if c.FrameMax < 4096 {
		return fmt.Errorf("frame_max is %d, the protocol wants at least 4096", c.FrameMax)
	}
	if c.ChannelMax == 0 {
		c.ChannelMax = 2047
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = 10 * time.Second
	}
	if c.Mechanisms == nil {
		c.Mechanisms = []string{"PLAIN", "AMQPLAIN"}
	}
	if c.ShutdownTimeout == 0 {
		c.ShutdownTimeout = 5 * time.Second
	}
	switch c.Durability {
	case "", Disk, OS, Memory:
	default:
		return fmt.Errorf("durability %q: want disk, os or memory", c.Durability)
	}
	return nil
}

// Server is a running node.
type Server struct {
	cfg    Config
	broker *broker.Broker
	amqp   *session.Server

	mu        sync.Mutex
	listeners []net.Listener
	conns     sync.WaitGroup
	closed    bool
}

// New starts a node: when it returns, clients can connect.
func New(cfg Config) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	bc := broker.Config{
		Dir: cfg.DataDir, Logger: cfg.Logger, MaxMessageSize: cfg.MaxMessageSize, LoopbackUsers: cfg.LoopbackUsers,
		SegmentSize: cfg.SegmentSize, CheckpointBytes: cfg.CheckpointBytes, MemoryBudget: cfg.MemoryBudget,
		Bootstrap: broker.Bootstrap{User: cfg.DefaultUser, Password: cfg.DefaultPass, VHost: cfg.DefaultVHost, Tags: cfg.DefaultUserTags},
	}
	switch cfg.Durability {
	case OS:
		bc.Sync = store.OS
	case Memory:
		bc.Sync = store.Memory
	}
	if cfg.DataDir == "" {
		bc.FS, bc.Dir, bc.Sync = vfs.NewMem(), "data", store.Memory
	}
	b, err := broker.Open(bc)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, broker: b}
	s.amqp = &session.Server{Broker: b, Logger: cfg.Logger, Config: session.Config{
		Product: cfg.Product, Version: cfg.ProductVersion, ClusterName: cfg.ClusterName,
		Platform:    "Warren " + Version + " / " + runtime.Version(),
		Information: "Warren is not RabbitMQ; it answers as one. Licensed under the Apache License 2.0.",
		Heartbeat:   cfg.Heartbeat, FrameMax: cfg.FrameMax, ChannelMax: cfg.ChannelMax,
		HandshakeTimeout: cfg.HandshakeTimeout, Mechanisms: cfg.Mechanisms,
	}}
	for _, addr := range cfg.Listeners {
		ln, err := listen.TCP(addr)
		if err != nil {
			return nil, errors.Join(err, s.Close(context.Background()))
		}
		s.serve(ln)
	}
	return s, nil
}

// Serve accepts AMQP connections from a listener of the caller's until Close.
func (s *Server) Serve(ln net.Listener) { s.serve(ln) }

func (s *Server) serve(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ln.Close()
		return
	}
	s.listeners = append(s.listeners, ln)
	s.conns.Go(func() {
		for {
			nc, err := listen.Accept(ln, s.cfg.Logger)
			if err != nil {
				return
			}
			s.conns.Go(func() { s.amqp.Serve(nc) })
		}
	})
}

// Dial opens a connection to the broker within the process, without a network.
// The user guest may log in on it.
func (s *Server) Dial() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("server is closed")
	}
	client, server := listen.Pipe()
	s.conns.Go(func() { s.amqp.Serve(server) })
	return client, nil
}

// Addrs are the addresses that the server listens on.
func (s *Server) Addrs() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]net.Addr, len(s.listeners))
	for i, ln := range s.listeners {
		out[i] = ln.Addr()
	}
	return out
}

// Config is the configuration with all defaults filled in.
func (s *Server) Config() Config { return s.cfg }

// Done is closed when the node cannot go on, because its disk has failed. Err
// says why. The caller closes the server and ends.
func (s *Server) Done() <-chan struct{} { return s.broker.Done() }

// Err is the reason of Done.
func (s *Server) Err() error { return s.broker.Err() }

// Close stops the node in order: no more connections, those there are told and
// closed, everything is written and synced. When ctx ends, or after the
// shutdown timeout, connections are cut.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout)
	defer cancel()
	s.amqp.Shutdown(ctx)
	s.conns.Wait()
	return s.broker.Close()
}
