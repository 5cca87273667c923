package hoststest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/agent"
)

// Agent is an agent in this process.
type Agent struct {
	URL    string
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	cut     bool
	conns   []net.Conn
	entries []agent.Entry
}

// Run starts an agent; somebody has to Stop it. What the configuration leaves
// out is filled in.
func Run(t *testing.T, url string, cfg agent.Config) *Agent {
	t.Helper()
	a := &Agent{URL: url, done: make(chan struct{})}
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Dial, cfg.Audit, cfg.Program = a.dial, a.audit, "test"
	ag, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	go func() {
		defer close(a.done)
		ag.Run(ctx)
	}()
	return a
}

// Stop stops the agent in order, and waits for it.
func (a *Agent) Stop() {
	a.cancel()
	<-a.done
}

// Cut takes the network from the agent, for good or until Mend.
func (a *Agent) Cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = true
	for _, c := range a.conns {
		c.Close()
	}
	a.conns = nil
}

// Mend gives it back.
func (a *Agent) Mend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = false
}

// Entries is the audit log so far.
func (a *Agent) Entries() []agent.Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]agent.Entry(nil), a.entries...)
}

func (a *Agent) audit(e agent.Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries = append(a.entries, e)
}

var errCut = errors.New("the network is cut")

func (a *Agent) dial(context.Context) (*amqp.Connection, error) {
	return amqp.DialConfig(a.URL, amqp.Config{Heartbeat: 10 * time.Second, Dial: func(network, addr string) (net.Conn, error) {
		a.mu.Lock()
		cut := a.cut
		a.mu.Unlock()
		if cut {
			return nil, errCut
		}
		c, err := net.DialTimeout(network, addr, 10*time.Second)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.cut {
			return nil, errors.Join(errCut, c.Close())
		}
		a.conns = append(a.conns, c)
		return c, c.SetDeadline(time.Now().Add(20 * time.Second))
	}})
}
