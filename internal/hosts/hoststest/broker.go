// Package hoststest gives the tests of host management what they need: brokers
// of both makes that can be killed, and agents in this process that can lose
// their network.
package hoststest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/warrenmq/warren/brokertest"
)

// patience is how long a condition may take that normally holds at once.
const patience = 60 * time.Second

// Broker is a broker under test.
type Broker struct {
	URL   string
	Kill  func() // as kill -9
	Start func() // what was killed
}

// Warren starts this broker, as a process of its own.
func Warren(t *testing.T) *Broker {
	t.Helper()
	b := brokertest.Start(t, brokertest.Process())
	return &Broker{URL: b.URL(), Kill: b.Crash, Start: b.Run}
}

// Each runs a test against this broker, and against RabbitMQ where it is
// installed; not with -short.
func Each(t *testing.T, f func(*testing.T, *Broker)) {
	t.Run("warren", func(t *testing.T) { f(t, Warren(t)) })
	t.Run("rabbitmq", func(t *testing.T) {
		if testing.Short() {
			t.Skip("RabbitMQ takes long to start")
		}
		f(t, RabbitMQ(t))
	})
}

// rabbitServer is RabbitMQ's own start script; Debian's wrapper on the path
// would change the user.
const rabbitServer = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// RabbitMQ starts a private node of RabbitMQ on the loopback interface, or
// leaves the test out.
func RabbitMQ(t *testing.T) *Broker {
	t.Helper()
	if _, err := os.Stat(rabbitServer); err != nil {
		t.Skip("LEFT OUT: RabbitMQ is not installed")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	port, dist, epmd := freePort(t), freePort(t), freePort(t)
	for name, text := range map[string]string{"plugins": "[].\n", "rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\n", port)} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("home"), 0o700); err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, addr: fmt.Sprintf("127.0.0.1:%d", port), pidFile: at("pid"), log: at("output"), env: append(os.Environ(),
		"HOME="+at("home"), fmt.Sprintf("RABBITMQ_NODENAME=hosts%d@localhost", port),
		fmt.Sprintf("RABBITMQ_NODE_PORT=%d", port), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", dist), "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_MNESIA_BASE="+at("mnesia"), "RABBITMQ_LOG_BASE="+at("log"), "RABBITMQ_PID_FILE="+at("pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+at("plugins"), "RABBITMQ_CONFIG_FILE="+at("rabbitmq"), "RABBITMQ_CONF_ENV_FILE="+at("none"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_EPMD_ADDRESS=127.0.0.1", fmt.Sprintf("ERL_EPMD_PORT=%d", epmd))}
	t.Cleanup(func() {
		n.kill()
		endEpmd(epmd)
	})
	n.start()
	return &Broker{URL: "amqp://guest:guest@" + n.addr + "/", Kill: n.kill, Start: n.start}
}

// node is a node of RabbitMQ: a script, which runs Erlang's virtual machine.
type node struct {
	t       *testing.T
	addr    string
	pidFile string
	log     string
	env     []string
	cmd     *exec.Cmd
}

func (n *node) start() {
	n.t.Helper()
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	n.cmd = exec.Command(rabbitServer)
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, log, log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	Eventually(n.t, "RabbitMQ starts", func() error {
		c, err := net.Dial("tcp", n.addr)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	syscall.Kill(-n.cmd.Process.Pid, syscall.SIGKILL)
	if raw, err := os.ReadFile(n.pidFile); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil && pid > 1 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	n.cmd.Wait()
	n.cmd = nil
	Eventually(n.t, "RabbitMQ is gone", func() error {
		c, err := net.Dial("tcp", n.addr)
		if err != nil {
			return nil
		}
		c.Close()
		return errors.New("it still answers")
	})
}

// endEpmd ends the port mapper that Erlang leaves behind, found by its port.
func endEpmd(port int) {
	cmd := exec.Command("epmd", "-port", strconv.Itoa(port), "-kill")
	cmd.Run() // it refuses while nodes are registered, and then ends with nobody left
}

// freePort finds a port that nobody listens on, below those that the system
// gives to clients.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		p := 20000 + rand.IntN(10000)
		if ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p)); err == nil {
			ln.Close()
			return p
		}
	}
	t.Fatal("no free port")
	return 0
}

// Eventually waits until f returns nil.
func Eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not yet: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
