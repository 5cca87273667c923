// Package interop runs the clients that people use against the broker: the
// lessons in Python and Go, Celery, and the tests of Go's client library.
//
// Each test has a broker of its own (package brokertest) and waits for what
// programs print, never for time to pass. What is not installed is left out
// with a message; with CI=true in the environment that is a failure.
package interop

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
)

// patience is how long a condition may take that normally holds within a second.
const patience = 60 * time.Second

// root is the top of the repository.
const root = "../.."

// leaveOut skips a test for want of a program, or fails it in CI.
func leaveOut(t *testing.T, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s; with CI=true nothing is left out", why)
	}
	t.Skipf("LEFT OUT: %s", why)
}

// python finds an interpreter that has the module: $PYTHON, the
// distribution's, or the first in the path.
func python(t *testing.T, module, debian string) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PYTHON"), "/usr/bin/python3", "python3"} {
		if name == "" {
			continue
		}
		if exec.Command(name, "-c", "import "+module).Run() == nil {
			return name
		}
	}
	leaveOut(t, "no Python with the module %s (on Debian: apt-get install %s)", module, debian)
	return ""
}

// program is a running client.
type program struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all is read
	err  error         // of the program, after done

	mu     sync.Mutex
	lines  []string
	next   int           // first line that expect has not seen
	change chan struct{} // closed and replaced when lines grows
}

// run starts a program. It is killed with its children when the test ends.
func run(t *testing.T, b *brokertest.Broker, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, name: filepath.Base(name), done: make(chan struct{}), change: make(chan struct{})}
	for _, a := range args {
		p.name += " " + filepath.Base(a)
	}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = append(append(os.Environ(), "AMQP_URL="+b.URL(), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = in, in
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	var reading sync.WaitGroup
	reading.Go(func() {
		defer out.Close()
		sc := bufio.NewScanner(out)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			p.add(sc.Text())
		}
	})
	go func() {
		p.err = p.cmd.Wait()
		reading.Wait()
		p.add() // wake those who wait for a line
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("%s (%v):\n\t%s", p.name, p.err, strings.Join(p.lines, "\n\t"))
		}
	})
	return p
}

func (p *program) add(lines ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, lines...)
	close(p.change)
	p.change = make(chan struct{})
}

// expect waits for a line that contains the text, and returns it. Lines up to
// it have been seen and are not looked at again.
func (p *program) expect(text string) string {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		for i, line := range p.lines[p.next:] {
			if strings.Contains(line, text) {
				p.next += i + 1
				p.mu.Unlock()
				return line
			}
		}
		change := p.change
		p.mu.Unlock()
		select {
		case <-change:
		case <-p.done:
			p.t.Fatalf("%s has ended (%v) without the line %q", p.name, p.err, text)
		case <-timeout.C:
			p.t.Fatalf("%s does not print %q", p.name, text)
		}
	}
}

// output waits for the program to end well, and returns what it has printed.
func (p *program) output() string {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(2 * patience):
		p.t.Fatalf("%s does not end", p.name)
	}
	if p.err != nil {
		p.t.Fatalf("%s: %v", p.name, p.err)
	}
	return p.printed()
}

func (p *program) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// stop asks the program to end, and returns all that it has printed.
func (p *program) stop() string {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	return p.output()
}

// kill is kill -9, of the program and its children.
func (p *program) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// channel is a channel of Go's client, to look at queues with.
func channel(t *testing.T, b *brokertest.Broker) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
