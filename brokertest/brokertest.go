// Package brokertest runs a real broker inside a Go test.
//
//	func TestOrders(t *testing.T) {
//		b := brokertest.Start(t)
//		conn, err := amqp.Dial(b.URL()) // github.com/rabbitmq/amqp091-go, or any other client
//		...
//	}
//
// The broker is the one that the program warren runs, not an imitation: what a
// test sees here, production does too. It listens on a free port of the
// loopback interface, keeps its data in a directory of the test's, and is
// stopped when the test ends. Any number of them fit into one process, so that
// tests can run in parallel.
//
//   - [InMemory] leaves the disk out, for tests that never restart the broker.
//   - [Broker.Restart] stops the broker in order and starts it again on the same
//     port with the same data.
//   - [Process] runs the broker as a process of its own, which [Broker.Crash]
//     kills without warning, as power loss or kill -9 do.
//   - [Management] opens the HTTP API and the management page.
//   - [Configure] changes any setting that [server.Config] has.
//
// Where there is no [testing.TB], as in an example or a benchmark's set-up, use
// [New] and [Broker.Close].
package brokertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/warrenmq/warren/server"
)

// TB is the part of [testing.TB] that Start uses.
type TB interface {
	Helper()
	Cleanup(func())
	TempDir() string
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Option changes how a broker is started.
type Option func(*options)

type options struct {
	config  server.Config
	memory  bool
	process bool

	management bool
}

// InMemory keeps the broker's data in memory. After Restart it is empty.
func InMemory() Option { return func(o *options) { o.memory = true } }

// Management opens the HTTP API and the management page, on a free port:
// ManagementURL.
func Management() Option {
	return func(o *options) { o.management = true }
}

// Process runs the broker as a child process, so that Crash can kill it. The
// child is the test's own executable, started again: nothing has to be built
// or installed. Config.Logger has no effect; the child's log goes to the
// test's standard error.
func Process() Option { return func(o *options) { o.process = true } }

// Configure changes the node's settings before it starts.
func Configure(change func(*server.Config)) Option {
	return func(o *options) { change(&o.config) }
}

// Broker is a broker that a test owns. Its methods may be called by several
// goroutines; those that stop or start it fail the test if they cannot.
type Broker struct {
	tb      TB // nil after New
	config  server.Config
	process bool
	ownDir  bool // New made the data directory
	addr    string

	mu   sync.Mutex
	node node // nil: stopped
}

// node is a running broker, here or in a child process.
type node interface {
	address() string
	dial() (net.Conn, error)
	stop(context.Context) error
	kill() error
}

// Start runs a broker until the test ends. When it returns, clients can connect.
func Start(tb TB, opts ...Option) *Broker {
	tb.Helper()
	o := collect(opts)
	if !o.memory && o.config.DataDir == "" {
		o.config.DataDir = tb.TempDir()
	}
	b, err := start(o)
	if err != nil {
		tb.Fatalf("brokertest: %v", err)
		return nil
	}
	b.tb = tb
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Logf("brokertest: stopping the broker: %v", err)
		}
	})
	return b
}

// New runs a broker until Close. Its data lives in a temporary directory.
func New(opts ...Option) (*Broker, error) {
	o := collect(opts)
	own := false
	if !o.memory && o.config.DataDir == "" {
		dir, err := os.MkdirTemp("", "brokertest")
		if err != nil {
			return nil, err
		}
		o.config.DataDir, own = dir, true
	}
	b, err := start(o)
	if err != nil {
		if own {
			err = errors.Join(err, os.RemoveAll(o.config.DataDir))
		}
		return nil, err
	}
	b.ownDir = own
	return b, nil
}

func collect(opts []Option) *options {
	o := &options{}
	for _, opt := range opts {
		opt(o)
	}
	if o.memory {
		o.config.DataDir = ""
	}
	return o
}

func start(o *options) (*Broker, error) {
	b := &Broker{config: o.config, process: o.process}
	web := o.management && len(o.config.Management.Listeners) == 0
	for tries := 0; ; tries++ {
		if web {
			addr, err := freeAddr()
			if err != nil {
				return nil, err
			}
			b.config.Management.Listeners = []string{addr}
		}
		if len(o.config.Listeners) == 0 {
			addr, err := freeAddr()
			if err != nil {
				return nil, err
			}
			b.config.Listeners = []string{addr}
		}
		err := b.run()
		if err == nil {
			break
		}
		// Somebody may have been quicker.
		if len(o.config.Listeners) > 0 && !web || tries == 3 || !strings.Contains(err.Error(), "address already in use") {
			return nil, err
		}
	}
	b.addr = b.node.address()
	// The next start is to have the same port.
	b.config.Listeners = append([]string{b.addr}, b.config.Listeners[1:]...)
	return b, nil
}

// freeAddr picks a port that is free. It avoids those that systems give to
// outgoing connections (from 32768 on), which could take the port while the
// broker restarts.
func freeAddr() (string, error) {
	for tries := 0; ; tries++ {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12768)))
		if err == nil {
			return ln.Addr().String(), ln.Close()
		}
		if tries == 100 {
			return "", err
		}
	}
}

// run starts the node. The caller holds the lock, or is alone.
func (b *Broker) run() (err error) {
	if b.process {
		b.node, err = startChild(b.config)
		return err
	}
	srv, err := server.New(b.config)
	if err != nil {
		return err
	}
	b.node = inProcess{srv}
	return nil
}

// Addr is where the broker listens, as host:port. It stays the same over restarts.
func (b *Broker) Addr() string { return b.addr }

// URL is what clients connect to, with the user and password of a new node
// (guest and guest) and its virtual host.
func (b *Broker) URL() string {
	u := &url.URL{Scheme: "amqp", User: url.UserPassword("guest", "guest"), Host: b.addr, Path: "/"}
	if c := b.config; c.DefaultUser != "" || c.DefaultPass != "" {
		u.User = url.UserPassword(orElse(c.DefaultUser, "guest"), orElse(c.DefaultPass, "guest"))
	}
	if v := b.config.DefaultVHost; v != "" && v != "/" {
		u.Path, u.RawPath = "/"+v, "/"+url.PathEscape(v)
	}
	return u.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// ManagementURL is where the HTTP API and the management page are, as in
// http://127.0.0.1:15672; "" without [Management]. It stays the same over
// restarts.
func (b *Broker) ManagementURL() string {
	if len(b.config.Management.Listeners) == 0 {
		return ""
	}
	return "http://" + b.config.Management.Listeners[0]
}

// Dial opens a connection for a client to speak AMQP on. Without [Process] it
// is a pipe within the process, with no network between. amqp091-go takes it
// as Config.Dial, or as the argument of Open:
//
//	amqp.DialConfig(b.URL(), amqp.Config{Dial: func(string, string) (net.Conn, error) { return b.Dial() }})
func (b *Broker) Dial() (net.Conn, error) {
	b.mu.Lock()
	n := b.node
	b.mu.Unlock()
	if n == nil {
		return nil, errors.New("brokertest: the broker is stopped")
	}
	return n.dial()
}

// Stop stops the broker in order, as SIGTERM does: clients are told, and what
// is to be kept is kept. Run starts it again.
func (b *Broker) Stop() {
	b.helper()
	if err := b.stop(); err != nil {
		b.fail("stopping the broker: %v", err)
	}
}

// Run starts a broker that Stop or Crash has stopped: same port, same data. On
// one that runs it does nothing.
func (b *Broker) Run() {
	b.helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.node != nil {
		return
	}
	if err := b.run(); err != nil {
		b.fail("starting the broker again: %v", err)
	}
}

// Restart is Stop and Run.
func (b *Broker) Restart() {
	b.helper()
	b.Stop()
	b.Run()
}

// Crash kills the broker without warning; it needs [Process]. Connections
// break, nothing more is written. Run starts what is left.
func (b *Broker) Crash() {
	b.helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.node == nil {
		return
	}
	if err := b.node.kill(); err != nil {
		b.fail("killing the broker: %v", err)
		return
	}
	b.node = nil
}

// Close stops the broker for good. Brokers of Start need no Close.
func (b *Broker) Close() error {
	err := b.stop()
	if b.ownDir {
		err = errors.Join(err, os.RemoveAll(b.config.DataDir))
	}
	return err
}

func (b *Broker) stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.node == nil {
		return nil
	}
	n := b.node
	b.node = nil
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return n.stop(ctx)
}

func (b *Broker) helper() {
	if b.tb != nil {
		b.tb.Helper()
	}
}

// fail ends the test, or panics where there is none.
func (b *Broker) fail(format string, args ...any) {
	b.helper()
	if b.tb == nil {
		panic("brokertest: " + fmt.Sprintf(format, args...))
	}
	b.tb.Fatalf("brokertest: "+format, args...)
}

// inProcess is a node in this process.
type inProcess struct{ srv *server.Server }

func (n inProcess) address() string                { return n.srv.Addrs()[0].String() }
func (n inProcess) dial() (net.Conn, error)        { return n.srv.Dial() }
func (n inProcess) stop(ctx context.Context) error { return n.srv.Close(ctx) }
func (n inProcess) kill() error {
	return errors.New("a broker in the test's own process cannot be killed; start it with brokertest.Process()")
}
