package conformance

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
	"github.com/warrenmq/warren/server"
)

// inProcess starts a broker in this process, with as much of a management API
// as the cases need.
func inProcess(t *testing.T) *Endpoint {
	t.Helper()
	b, err := broker.Open(broker.Config{Dir: t.TempDir(), LoopbackUsers: []string{"guest"},
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// The rest is as server.Config has it by default.
	amqp := &session.Server{Broker: b, Logger: slog.New(slog.DiscardHandler), Config: session.Config{
		Product: "RabbitMQ", Version: server.Level, ClusterName: "conformance", Platform: "Warren", Information: "Warren is not RabbitMQ; it answers as one. Licensed under the Apache License 2.0.",
		Heartbeat: time.Minute, FrameMax: 131072, ChannelMax: 2047, HandshakeTimeout: 10 * time.Second, Mechanisms: []string{"PLAIN", "AMQPLAIN"},
	}}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { amqp.Serve(nc) })
		}
	})
	web := httptest.NewServer(management{b})
	t.Cleanup(func() {
		web.Close()
		ln.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		amqp.Shutdown(ctx)
		conns.Wait()
		if err := b.Close(); err != nil {
			t.Error("closing the broker:", err)
		}
	})
	ep := NewEndpoint(ln.Addr().String())
	ep.HTTP, ep.VHost = web.Listener.Addr().String(), "conf"
	ep.Control = func(args []string) error {
		if len(args) != 2 || args[0] != "set_vm_memory_high_watermark" {
			return fmt.Errorf("%q is not among what the cases need", args)
		}
		f, err := strconv.ParseFloat(args[1], 64)
		if err != nil {
			return err
		}
		return b.SetMemoryHighWatermark(broker.Watermark{Relative: f})
	}
	if err := ep.Setup(); err != nil {
		t.Fatal(err)
	}
	return ep
}

// program builds warren once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warren-conformance-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "warren")
	cmd := exec.Command("go", "build", "-o", bin, "../../cmd/warren")
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
})

// process is a broker of its own, which can be killed.
type process struct {
	*Endpoint
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

func startProcess(t *testing.T) *process {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Endpoint: NewEndpoint(ln.Addr().String()), t: t, dir: t.TempDir()}
	ln.Close() // the broker takes the port, again after every restart
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(syscall.SIGTERM); err != nil {
			t.Error("stopping the broker:", err)
		}
	})
	return p
}

func (p *process) start() error {
	bin, err := program()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(bin, "server", "--data-dir", p.dir, "--set", "listeners.tcp.default="+p.Addr, "--set", "log.console.level=none")
	p.cmd.Env = append(os.Environ(), "RABBITMQ_ENABLED_PLUGINS=") // no HTTP
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, os.Stderr
	if err := p.cmd.Start(); err != nil {
		return err
	}
	return p.waitUp(30 * time.Second)
}

// stop ends the process. Only SIGKILL may end it with an error.
func (p *process) stop(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil && sig != syscall.SIGKILL {
		return err
	}
	return nil
}

func (p *process) restart(sig syscall.Signal) func() error {
	return func() error {
		if err := p.stop(sig); err != nil {
			return err
		}
		return p.start()
	}
}

// residentMB is the memory of a process; 0 if the system does not tell.
func residentMB(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kb)[0])
			return n >> 10
		}
	}
	return 0
}
