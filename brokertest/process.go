package brokertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/warrenmq/warren/server"
)

// childEnv carries the settings to the child. A program that finds it set is
// the child.
const childEnv = "WARREN_BROKERTEST_CHILD"

// init turns the test's executable into a broker, before the test's own code
// has a say, when it was started as a child. The alternative, building the
// program warren, would need a go command and the module's sources wherever
// the tests run.
func init() {
	if settings, ok := os.LookupEnv(childEnv); ok {
		os.Exit(childMain(settings))
	}
}

// childMain runs a broker until standard input ends, which it also does when
// the parent dies, so that no broker is left behind.
func childMain(settings string) int {
	var cfg server.Config
	if err := json.Unmarshal([]byte(settings), &cfg); err != nil {
		fmt.Println("error", err)
		return 1
	}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	srv, err := server.New(cfg)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("ready", srv.Addrs()[0])
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-ended:
	case <-srv.Done():
	}
	if err := srv.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "brokertest:", err)
		return 1
	}
	return 0
}

// child is a node in a process of its own.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
	gone  chan struct{} // closed when the process has ended
	err   error         // of the process, after gone
}

func startChild(cfg server.Config) (*child, error) {
	cfg.Logger = nil
	settings, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+string(settings))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	c := &child{cmd: cmd, stdin: stdin, gone: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.gone)
	}()
	what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if what != "ready" {
		err := c.kill()
		if what == "error" {
			return nil, errors.New(rest)
		}
		return nil, fmt.Errorf("the broker's process ended at once: %w", errors.Join(readErr, c.err, err))
	}
	c.addr = rest
	return c, nil
}

func (c *child) address() string         { return c.addr }
func (c *child) dial() (net.Conn, error) { return net.DialTimeout("tcp", c.addr, 10*time.Second) }

func (c *child) stop(ctx context.Context) error {
	c.stdin.Close()
	select {
	case <-c.gone:
		return c.err
	case <-ctx.Done():
		return errors.Join(errors.New("the broker does not stop"), c.kill())
	}
}

// kill returns when the process is gone.
func (c *child) kill() error {
	err := c.cmd.Process.Kill()
	<-c.gone
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
