// Package server builds a node from a Config and runs it: storage, core,
// listeners. The program warren and Go programs that embed a broker use it
// alike.
//
//	srv, err := server.New(server.Config{DataDir: dir, Listeners: []string{"127.0.0.1:0"}})
//	...
//	defer srv.Close(context.Background())
//
// A node outlives its application: StopApp ends the broker and closes all
// listeners, while the node's control socket stays, and StartApp begins anew.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/audit"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
	"github.com/warrenmq/warren/internal/vfs"
)

// Version of this program.
const Version = "0.1.0"

// Level is the version of RabbitMQ whose semantics the broker has. Clients
// look at it in the server properties.
const Level = "4.3.0"

// lockFile keeps two nodes off one data directory, also while the application
// is stopped.
const lockFile = "node.lock"

// Server is a running node.
type Server struct {
	cfg     Config
	logger  *slog.Logger
	started time.Time
	fs      vfs.FS // nil: the operating system's
	lock    io.Closer
	control *webServer // nil: in memory
	mgmt    *management
	audit   *audit.Log
	access  *accessLog // nil: none

	// ops holds one element while an operator's command is carried out: they
	// take time, and come one after the other.
	ops chan struct{}

	failed   chan struct{}
	stop     chan struct{}
	stopOnce sync.Once

	mu        sync.Mutex
	app       *app // nil: stopped
	phase     phase
	err       error // why failed is closed
	suspended bool
	closed    bool
	plugins   []string // enabled by name
	specs     []*spec
	open      []*listener
}

// phase is where the application is.
type phase uint8

const (
	stopped phase = iota
	starting
	running
	stopping
)

// New starts a node: when it returns, clients can connect.
func New(cfg Config) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, logger: cfg.Logger, started: time.Now(), ops: make(chan struct{}, 1),
		failed: make(chan struct{}), stop: make(chan struct{}),
	}
	var err error
	if s.specs, err = specsOf(&cfg); err != nil {
		return nil, err
	}
	s.mgmt = &management{srv: s}
	if err := s.mgmt.open(nil); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close(context.Background()))
	}
	if err := s.StartApp(); err != nil {
		return nil, errors.Join(err, s.Close(context.Background()))
	}
	return s, nil
}

// prepare takes the data directory and opens the control socket: last, as what
// comes in on it wants all that is prepared here.
func (s *Server) prepare() (err error) {
	if s.cfg.DataDir == "" {
		s.fs = vfs.NewMem()
	} else if err := s.takeDir(); err != nil {
		return err
	}
	dir := ""
	if s.cfg.DataDir != "" {
		dir = s.cfg.AuditDir
	}
	if s.audit, err = audit.Open(dir, s.logger); err != nil {
		return err
	}
	if s.access, err = openAccessLog(s.cfg.AccessLogDir, s.logger); err != nil {
		return err
	}
	if err := s.loadPlugins(); err != nil || s.cfg.DataDir == "" {
		return err
	}
	ln, err := listen.Control(s.cfg.DataDir)
	if err != nil {
		return err
	}
	s.control = serveHTTP(ln, s.controlHandler(), s.logger)
	return nil
}

func (s *Server) takeDir() (err error) {
	dir := s.cfg.DataDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if s.lock, err = (vfs.OS{}).Lock(filepath.Join(dir, lockFile)); err != nil {
		if errors.Is(err, vfs.ErrLocked) {
			return &InUseError{Dir: dir}
		}
		return err
	}
	return nil
}

// InUseError says that another node has the data directory.
type InUseError struct{ Dir string }

func (e *InUseError) Error() string {
	return "the data directory " + e.Dir + " is locked: a node runs with it"
}

// Unwrap makes it vfs.ErrLocked.
func (e *InUseError) Unwrap() error { return vfs.ErrLocked }

// Serve accepts AMQP connections from a listener of the caller's until Close,
// or until the application or its listeners are stopped.
func (s *Server) Serve(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.app == nil || s.closed || s.suspended {
		ln.Close()
		return
	}
	s.serveAMQP(&spec{protocol: ProtocolAMQP, foreign: true}, ln)
}

// Dial opens a connection to the broker within the process, without a network.
// The user guest may log in on it.
func (s *Server) Dial() (net.Conn, error) { return s.dial("") }

// DialAs is Dial for a user whom the caller answers for: the user logs in without
// a password, with the mechanism EXTERNAL.
func (s *Server) DialAs(user string) (net.Conn, error) {
	if user == "" {
		return nil, errors.New("a user's name is needed")
	}
	return s.dial(user)
}

func (s *Server) dial(user string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("server is closed")
	}
	if s.app == nil {
		return nil, errors.New("the broker is stopped")
	}
	client, server := listen.Pipe()
	if user != "" {
		server = session.Vouched{Conn: server, User: user}
	}
	a := s.app
	a.work.Go(func() { a.amqp.Serve(server) })
	return client, nil
}

// Config is the configuration with all defaults filled in.
func (s *Server) Config() Config { return s.cfg }

// Started is when the node was started.
func (s *Server) Started() time.Time { return s.started }

// Done is closed when the node cannot go on, because its disk has failed. Err
// says why. The caller closes the server and ends.
func (s *Server) Done() <-chan struct{} { return s.failed }

// Err is the reason of Done.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail ends Done's wait.
func (s *Server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.failed)
	}
}

// StopRequested is closed when somebody has asked the node to end (rabbitmqctl
// stop). Whoever runs the node closes it then.
func (s *Server) StopRequested() <-chan struct{} { return s.stop }

// RequestStop asks whoever runs the node to close it.
func (s *Server) RequestStop() { s.stopOnce.Do(func() { close(s.stop) }) }

// Close stops the node in order: no more connections, those there are told and
// closed, everything is written and synced. When ctx ends, or after the
// shutdown timeout, connections are cut.
func (s *Server) Close(ctx context.Context) error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	err := s.stopApp(ctx)
	if s.control != nil {
		s.control.close(ctx)
	}
	if s.audit != nil {
		err = errors.Join(err, s.audit.Close())
	}
	err = errors.Join(err, s.access.close())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}
