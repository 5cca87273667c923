package interop

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rabbitMQ is a node of RabbitMQ of its own, with nothing of the machine's.
type rabbitMQ struct {
	t   *testing.T
	env []string
}

const rabbitMQBin = "/usr/lib/rabbitmq/bin"

func startRabbitMQ(t *testing.T) *rabbitMQ {
	t.Helper()
	if _, err := os.Stat(filepath.Join(rabbitMQBin, "rabbitmq-server")); errors.Is(err, fs.ErrNotExist) {
		leaveOut(t, "no RabbitMQ in %s (on Debian: apt-get install rabbitmq-server)", rabbitMQBin)
	}
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(".erlang.cookie", "WARRENTEST", 0o400)
	write("enabled_plugins", "[].\n", 0o600)
	write("rabbitmq.conf", "", 0o600)
	ports := make([]string, 2)
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, ports[i], _ = net.SplitHostPort(ln.Addr().String())
		ln.Close()
	}
	r := &rabbitMQ{t: t, env: append(os.Environ(), "HOME="+dir,
		fmt.Sprintf("RABBITMQ_NODENAME=warrentest%d@localhost", os.Getpid()), "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT="+ports[0], "RABBITMQ_DIST_PORT="+ports[1], "RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"),
		"RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"), "RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(dir, "enabled_plugins"), "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "rabbitmq"),
		"RABBITMQ_CONF_ENV_FILE="+filepath.Join(dir, "none"), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}")}
	cmd := exec.Command(filepath.Join(rabbitMQBin, "rabbitmq-server"))
	cmd.Env = r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	for deadline := time.Now().Add(2 * patience); ; {
		if _, err := r.try("await_startup"); err == nil {
			return r
		} else if time.Now().After(deadline) {
			t.Fatalf("RabbitMQ does not start: %v", err)
		}
	}
}

func (r *rabbitMQ) try(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(rabbitMQBin, "rabbitmqctl"), append([]string{"-q"}, args...)...)
	cmd.Env = r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What Warren exports RabbitMQ imports; what RabbitMQ then exports is the same
// to Warren.
func TestDefinitionsThroughRabbitMQ(t *testing.T) {
	r := startRabbitMQ(t)
	good, _ := definitions(t)
	n := newNode(t)
	n.start()
	dir := t.TempDir()
	ours, theirs, again := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs"), filepath.Join(dir, "again")
	n.does("rabbitmqctl", "import_definitions", good)
	n.does("rabbitmqctl", "-q", "export_definitions", ours)
	if out, err := r.try("import_definitions", ours); err != nil {
		t.Fatalf("RabbitMQ does not import: %v\n%s", err, out)
	}
	keys := []string{"users", "vhosts", "permissions", "topic_permissions", "policies", "parameters", "global_parameters", "queues", "exchanges", "bindings"}
	for deadline := time.Now().Add(patience); ; { // its import goes on when the command has ended
		if out, err := r.try("export_definitions", theirs); err != nil {
			t.Fatalf("RabbitMQ does not export: %v\n%s", err, out)
		}
		missing := ""
		for _, key := range keys {
			if got, want := len(readDefinitions(t, theirs)[key].([]any)), len(readDefinitions(t, ours)[key].([]any)); got < want {
				missing += fmt.Sprintf(" %d of %d %s", got, want, key)
			}
		}
		if missing == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("RabbitMQ has only%s", missing)
		}
	}
	n.does("rabbitmqctl", "stop_app")
	n.does("rabbitmqctl", "reset")
	n.does("rabbitmqctl", "start_app")
	n.does("rabbitmqctl", "import_definitions", theirs)
	n.does("rabbitmqctl", "-q", "export_definitions", again)
	for _, key := range keys {
		got, want := canonical(t, again, key), canonical(t, ours, key)
		if key == "global_parameters" { // RabbitMQ adds an id of the cluster
			got = strings.Join(without(strings.Split(got, "\n"), "internal_cluster_id"), "\n")
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", key, got, want)
		}
	}
}

func without(lines []string, text string) []string {
	var out []string
	for _, l := range lines {
		if !strings.Contains(l, text) {
			out = append(out, l)
		}
	}
	return out
}
