package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tools builds the program once and gives it the names that operators know.
var tools = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "bin")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(bin, "warren"), "./cmd/warren")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building warren: %v\n%s", err, out)
	}
	for _, name := range []string{"rabbitmq-server", "rabbitmqctl", "rabbitmq-plugins", "rabbitmq-diagnostics"} {
		if err := os.Symlink("warren", filepath.Join(bin, name)); err != nil {
			return "", err
		}
	}
	return bin, nil
})

// node is the place of a node of the real program.
type node struct {
	t   *testing.T
	bin string
	env []string
	// conf is its rabbitmq.conf.
	conf string
	url  string // of AMQP, without user and virtual host
	// kill ends the node that was started last, without warning.
	kill func()
}

func newNode(t *testing.T) *node {
	t.Helper()
	bin, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().(*net.TCPAddr)
	ln.Close()
	conf := filepath.Join(t.TempDir(), "rabbitmq.conf")
	settings := fmt.Sprintf("listeners.tcp.default = %s\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = 0\nprometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = 0\n", addr)
	if err := os.WriteFile(conf, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return &node{t: t, bin: bin, conf: conf, url: addr.String(), env: append(os.Environ(),
		"RABBITMQ_CONFIG_FILE="+conf, "WARREN_DATA_DIR="+filepath.Join(t.TempDir(), "data"), "RABBITMQ_NODENAME=rabbit@test")}
}

// set adds lines to the configuration.
func (n *node) set(lines ...string) {
	n.t.Helper()
	f, err := os.OpenFile(n.conf, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// try runs a command and returns what it prints.
func (n *node) try(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(n.bin, name), args...)
	cmd.Env = n.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// does runs a command that must succeed.
func (n *node) does(name string, args ...string) string {
	n.t.Helper()
	out, err := n.try(name, args...)
	if err != nil {
		n.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// start runs the node until the test ends or somebody stops it.
func (n *node) start() (ended <-chan error) {
	n.t.Helper()
	cmd := exec.Command(filepath.Join(n.bin, "warren"), "server")
	cmd.Env = n.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	line := make([]byte, 1024)
	if c, err := out.Read(line); err != nil || !strings.Contains(string(line[:c]), "is ready") {
		n.t.Fatalf("the node does not start: %s %v", line[:c], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	n.kill = func() { cmd.Process.Kill() }
	n.t.Cleanup(n.kill)
	return done
}

// The old tutorial's session, as typed; then pika logs in with the new user.
func TestTutorialSession(t *testing.T) {
	py := python(t, "pika", "python3-pika")
	n := newNode(t)
	ended := n.start()
	for _, c := range []struct{ line, want string }{
		{"rabbitmqctl add_user myuser mypassword", "Adding user \"myuser\" ...\nDone. Don't forget to grant the user permissions to some virtual hosts! See 'rabbitmqctl help set_permissions' to learn more.\n"},
		{"rabbitmqctl add_vhost myvhost", "Adding vhost \"myvhost\" ...\n"},
		{"rabbitmqctl set_user_tags myuser mytag", "Setting tags for user \"myuser\" to [mytag] ...\n"},
		{"rabbitmqctl set_permissions -p myvhost myuser .* .* .*", "Setting permissions for user \"myuser\" in vhost \"myvhost\" ...\n"},
		{"rabbitmqctl list_queues", "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\n"},
		{"rabbitmqctl list_exchanges", "Listing exchanges for vhost / ...\nname\ttype\n\tdirect\namq.direct\tdirect\namq.fanout\tfanout\namq.headers\theaders\namq.match\theaders\namq.rabbitmq.trace\ttopic\namq.topic\ttopic\n"},
		{"rabbitmqctl list_bindings", "Listing bindings for vhost /...\n"},
		{"rabbitmqctl list_vhosts", "Listing vhosts ...\nname\n/\nmyvhost\n"},
		{"rabbitmqctl delete_user guest", "Deleting user \"guest\" ...\n"},
		{"rabbitmq-plugins enable rabbitmq_management", "Enabling plugins on node rabbit@test:\nrabbitmq_management\nThe following plugins have been configured:\n  rabbitmq_management\n  rabbitmq_management_agent\n" +
			"  rabbitmq_prometheus\n  rabbitmq_web_dispatch\nApplying plugin configuration to rabbit@test...\nPlugin configuration unchanged.\n"},
	} {
		words := strings.Fields(c.line)
		if got := n.does(words[0], words[1:]...); got != c.want {
			t.Errorf("$ %s\n got %q\nwant %q", c.line, got, c.want)
		}
	}
	status := n.does("rabbitmqctl", "status")
	for _, want := range []string{"Status of node rabbit@test ...\n\x1b[1mRuntime\x1b[0m\n\nOS PID: ", "\x1b[1mTotals\x1b[0m\n\nConnection count: 0\nQueue count: 0\nVirtual host count: 2\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("status lacks %q:\n%s", want, status)
		}
	}
	script := filepath.Join(t.TempDir(), "login.py")
	if err := os.WriteFile(script, []byte(loginScript), 0o600); err != nil {
		t.Fatal(err)
	}
	// What a user may not: no permission for the name, none for the virtual host, no password.
	n.does("rabbitmqctl", "set_permissions", "-p", "myvhost", "myuser", "^my-", ".*", ".*")
	out, err := exec.Command(py, script, n.url).CombinedOutput()
	want := "hello through my-queue\n403 ACCESS_REFUSED\n530 NOT_ALLOWED\n403 ACCESS_REFUSED\n"
	if got := string(out); err != nil || got != want {
		t.Errorf("pika: %v\n got %q\nwant %q", err, got, want)
	}
	if got, want := n.does("rabbitmqctl", "stop"), "Stopping and halting node rabbit@test ...\n"; got != want {
		t.Errorf("stop: %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("the node has ended with %v", err)
	}
	n.does("rabbitmq-server", "-detached")
	if got, want := n.does("rabbitmqctl", "-q", "list_vhosts"), "name\n/\nmyvhost\n"; got != want {
		t.Errorf("after rabbitmq-server -detached: %q", got)
	}
	n.does("rabbitmqctl", "stop")
	if out, err := n.try("rabbitmqctl", "status"); err == nil || !strings.Contains(out, "is not running") {
		t.Errorf("status of a stopped node: %v %s", err, out)
	}
}

const loginScript = `
import pika, re, sys
host, port = sys.argv[1].split(":")

def connect(user, password, vhost):
    return pika.BlockingConnection(pika.ConnectionParameters(host, int(port), vhost, pika.PlainCredentials(user, password)))

def refused(e):
    print(*re.search(r"\((\d+)\W+(\w+)", str(e)).groups())

channel = connect("myuser", "mypassword", "myvhost").channel()
channel.queue_declare("my-queue")
channel.basic_publish("", "my-queue", b"hello")
print(channel.basic_get("my-queue", auto_ack=True)[2].decode(), "through my-queue")
try:
    channel.queue_declare("other")
except pika.exceptions.ChannelClosedByBroker as e:
    refused(e)
for user, password, vhost in (("myuser", "mypassword", "/"), ("guest", "guest", "myvhost")):
    try:
        connect(user, password, vhost)
    except Exception as e:
        refused(e)
`

// definitions is what 3.10.8's command line exported, and the same with a queue of
// a type that there is not.
func definitions(t *testing.T) (good, bad string) {
	t.Helper()
	good, err := filepath.Abs("testdata/definitions-3.10.8.json")
	if err != nil {
		t.Fatal(err)
	}
	d := readDefinitions(t, good)
	for _, q := range d["queues"].([]any) {
		if q := q.(map[string]any); q["name"] == "events" {
			q["arguments"] = map[string]any{"x-queue-type": "brook"}
		}
	}
	raw, err := json.Marshal(d)
	bad = filepath.Join(t.TempDir(), "definitions.json")
	if err == nil {
		err = os.WriteFile(bad, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return good, bad
}

func readDefinitions(t *testing.T, file string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(file)
	var d map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A file with something that there is not is refused as a whole, and says why.
// What can be is imported, exported and imported again, and nothing changes.
func TestDefinitionsOfRabbitMQ(t *testing.T) {
	whole, bad := definitions(t)
	n := newNode(t)
	n.start()
	dir := t.TempDir()
	export := func(name string) string {
		file := filepath.Join(dir, name)
		n.does("rabbitmqctl", "-q", "export_definitions", file)
		return file
	}
	empty := export("empty")
	out, err := n.try("rabbitmqctl", "import_definitions", bad)
	if err == nil || !strings.Contains(out, "queue 'events' in vhost 'shop': \"unsupported queue type 'brook'\"") {
		t.Errorf("a type that there is not: %v %s", err, out)
	}
	same(t, "after a refused import", empty, export("still empty"))

	n.does("rabbitmqctl", "import_definitions", whole)
	first := export("first")
	for _, key := range []string{"users", "permissions", "topic_permissions", "policies", "global_parameters", "bindings"} {
		if got, want := canonical(t, first, key), canonical(t, whole, key); got != want {
			t.Errorf("%s\n got %s\nwant %s", key, got, want)
		}
	}
	for _, key := range []string{"queues", "exchanges", "vhosts", "parameters"} {
		if got, want := len(readDefinitions(t, first)[key].([]any)), len(readDefinitions(t, whole)[key].([]any)); got != want {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
	n.does("rabbitmqctl", "authenticate_user", "ben", `p:w"d`)
	n.does("rabbitmqctl", "import_definitions", first)
	same(t, "after importing the export", first, export("second"))
	n.does("rabbitmqctl", "stop_app")
	n.does("rabbitmqctl", "reset")
	n.does("rabbitmqctl", "start_app")
	n.does("rabbitmqctl", "import_definitions", first)
	same(t, "in an empty node", first, export("third"))
}

func same(t *testing.T, when, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	if err != nil || err2 != nil || !bytes.Equal(x, y) {
		t.Errorf("%s the definitions differ (%v %v):\n%s\n%s", when, err, err2, x, y)
	}
}

// canonical is one part of the definitions in an order that does not depend on
// who wrote them.
func canonical(t *testing.T, file, key string) string {
	t.Helper()
	var out []string
	for _, o := range readDefinitions(t, file)[key].([]any) {
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
