package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/warrenmq/warren/server"
)

// inProcess starts a broker in this process.
func inProcess(t *testing.T) *Endpoint {
	t.Helper()
	srv, err := server.New(server.Config{DataDir: t.TempDir(), Listeners: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(context.Background()); err != nil {
			t.Error("closing the broker:", err)
		}
	})
	return NewEndpoint(srv.Addrs()[0].String())
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
