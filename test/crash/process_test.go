package crash

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// built is the directory of the program; "" as long as no test wanted it.
var built string

// program builds warren, once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warren-crash-")
	if err != nil {
		return "", err
	}
	built = dir
	exe := filepath.Join(dir, "warren")
	out, err := exec.Command("go", "build", "-o", exe, "../../cmd/warren").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// node is a broker in a process of its own.
type node struct {
	cmd  *exec.Cmd
	addr string
	log  *lockedBuffer
	out  io.Closer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startNode runs the program on a data directory until it is killed.
func startNode(t *testing.T, dir string, sets ...string) (*node, error) {
	t.Helper()
	exe, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"server", "--data-dir", dir}
	for _, s := range append(sets, "listeners.tcp.default=127.0.0.1:0") {
		args = append(args, "--set", s)
	}
	n := &node{cmd: exec.Command(exe, args...), log: &lockedBuffer{}}
	n.cmd.Env = append(os.Environ(), "RABBITMQ_ENABLED_PLUGINS=") // no HTTP
	n.cmd.Stderr = n.log
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.out = out
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(n.kill)
	ready := make(chan string, 1)
	go func() {
		defer close(ready)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			if _, rest, ok := strings.Cut(sc.Text(), "amqp://"); ok {
				addr, _, _ := strings.Cut(rest, " ")
				ready <- addr
			}
		}
	}()
	select {
	case addr, ok := <-ready:
		if !ok {
			n.cmd.Wait()
			return n, fmt.Errorf("the node did not start: %s", n.log)
		}
		n.addr = addr
		return n, nil
	case <-time.After(60 * time.Second):
		n.kill()
		return n, fmt.Errorf("the node is not ready after 60 s: %s", n.log)
	}
}

// kill is kill -9.
func (n *node) kill() {
	if n.cmd.ProcessState == nil {
		n.cmd.Process.Kill()
		n.cmd.Wait()
	}
}

// stop ends the node in order.
func (n *node) stop() error {
	if err := n.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return n.cmd.Wait()
}

// copyDir copies a stopped node's data. The control socket that a killed node
// leaves behind is no data.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch target := filepath.Join(to, rel); {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, b, 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
