package interop

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/server"
)

// rabbitmqadmin finds the script that RabbitMQ's management plugin serves, in an
// installed RabbitMQ. It is under another licence and not part of this
// repository.
func rabbitmqadmin(t *testing.T) string {
	t.Helper()
	const plugins = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins/"
	if found, _ := filepath.Glob(plugins + "rabbitmq_management-*/priv/www/cli/rabbitmqadmin"); len(found) > 0 {
		return found[0]
	}
	archives, _ := filepath.Glob(plugins + "rabbitmq_management-*.ez")
	for _, a := range archives {
		if script := unpack(t, a, "/priv/www/cli/rabbitmqadmin"); script != "" {
			return script
		}
	}
	leaveOut(t, "no RabbitMQ with its management plugin is installed (on Debian: apt-get install rabbitmq-server)")
	return ""
}

// unpack writes the file of an archive whose name ends so.
func unpack(t *testing.T, archive, suffix string) string {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, suffix) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "rabbitmqadmin")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return ""
}

// TestRabbitmqadmin: RabbitMQ's own script does all its verbs.
func TestRabbitmqadmin(t *testing.T) {
	script := rabbitmqadmin(t)
	py := python(t, "json", "python3")
	b := brokertest.Start(t, brokertest.InMemory(), brokertest.Management())
	u, err := url.Parse(b.ManagementURL())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "definitions.json")
	payload := filepath.Join(t.TempDir(), "payload")
	conn, err := amqp.Dial(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Channel(); err != nil {
		t.Fatal(err)
	}
	var name string
	run := func(args ...string) (string, error) {
		cmd := exec.Command(py, append([]string{script, "--host", u.Hostname(), "--port", u.Port()}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	// The connection's name, as "close" wants it.
	out, err := run("-f", "raw_json", "list", "connections", "name")
	if err != nil {
		t.Fatalf("list connections: %v\n%s", err, out)
	}
	var conns []struct{ Name string }
	if json.Unmarshal([]byte(out), &conns) != nil || len(conns) != 1 {
		t.Fatalf("connections: %s", out)
	}
	name = conns[0].Name
	for _, c := range []struct {
		args string // with | between arguments
		want string // what the output has in it
	}{
		{"show|overview", "rabbitmq_version"},
		{"show|overview|node|object_totals", "node"},
		{"list|nodes", "disc"},
		{"declare|vhost|name=shop", "vhost declared"},
		{"declare|vhost|name=traced|tracing=true", "vhost declared"},
		{"list|vhosts", "shop"},
		{"declare|user|name=anna|password=secret|tags=administrator", "user declared"},
		{"list|users", "anna"},
		{"declare|permission|vhost=shop|user=anna|configure=.*|write=.*|read=.*", "permission declared"},
		{"list|permissions", "anna"},
		{"-V|shop|-u|anna|-p|secret|declare|exchange|name=x|type=topic", "exchange declared"},
		{"-V|shop|-u|anna|-p|secret|declare|exchange|name=y|type=fanout|durable=false|auto_delete=true|internal=true", "exchange declared"},
		{"-V|shop|list|exchanges", "topic"},
		{"-V|shop|declare|queue|name=q|durable=true", "queue declared"},
		{"-V|shop|declare|queue|name=limited|arguments={\"x-max-length\":5}", "queue declared"},
		{"-V|shop|declare|queue|name=qq|queue_type=quorum", "queue declared"},
		{"-V|shop|list|queues|name|type|messages", "quorum"},
		{"-V|shop|declare|binding|source=x|destination=q|routing_key=a.#", "binding declared"},
		{"-V|shop|declare|binding|source=x|destination=y|destination_type=exchange|routing_key=k", "binding declared"},
		{"-V|shop|list|bindings", "a.#"},
		{"-V|shop|publish|exchange=x|routing_key=a.b|payload=hello", "Message published"},
		{"-V|shop|publish|routing_key=q|payload=again|properties={\"delivery_mode\":2}", "Message published"},
		{"-V|shop|publish|routing_key=nowhere|payload=lost", "Message published but NOT routed"},
		{"-V|shop|get|queue=q|ackmode=ack_requeue_true|count=2", "hello"},
		{"-V|shop|get|queue=q|ackmode=ack_requeue_false|payload_file=" + payload, ""},
		{"-V|shop|list|queues|name|messages_ready", "limited"},
		{"-V|shop|purge|queue|name=q", "queue purged"},
		{"-V|shop|get|queue=q", "No items"},
		{"-V|shop|declare|policy|name=p|pattern=^l|definition={\"max-length\":7}|priority=3|apply-to=queues", "policy declared"},
		{"-V|shop|list|policies", "max-length"},
		{"-V|shop|declare|operator_policy|name=o|pattern=^l|definition={\"max-length\":9}|priority=3|apply-to=queues", "operator_policy declared"},
		{"-V|shop|list|operator_policies", "max-length"},
		{"-V|shop|declare|parameter|component=federation-upstream|name=up|value={\"uri\":\"amqp://\"}", "parameter declared"},
		{"-V|shop|list|parameters", "federation-upstream"},
		{"declare|vhost_limit|vhost=shop|name=max-queues|value=50", "vhost_limit declared"},
		{"list|vhost_limits", "max-queues"},
		{"export|" + file, "Exported definitions"},
		{"list|connections", "127.0.0.1"},
		{"list|channels", "127.0.0.1"},
		{"list|consumers", "No items"},
		{"close|connection|name=" + name, "connection closed"},
		{"delete|vhost_limit|vhost=shop|name=max-queues", "vhost_limit deleted"},
		{"-V|shop|delete|parameter|component=federation-upstream|name=up", "parameter deleted"},
		{"-V|shop|delete|operator_policy|name=o", "operator_policy deleted"},
		{"-V|shop|delete|policy|name=p", "policy deleted"},
		{"-V|shop|delete|binding|source=x|destination_type=queue|destination=q|properties_key=a.%23", "binding deleted"},
		{"-V|shop|delete|queue|name=q", "queue deleted"},
		{"-V|shop|delete|exchange|name=x", "exchange deleted"},
		{"delete|permission|vhost=shop|user=anna", "permission deleted"},
		{"delete|user|name=anna", "user deleted"},
		{"delete|vhost|name=shop", "vhost deleted"},
		{"import|" + file, "Uploaded definitions"},
		{"-V|shop|list|queues|name|durable", "limited"},
	} {
		out, err := run(strings.Split(c.args, "|")...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("rabbitmqadmin %s: %v\n%s(wanted: %s)", strings.ReplaceAll(c.args, "|", " "), err, out, c.want)
		}
	}
	if got, err := os.ReadFile(payload); err != nil || string(got) != "hello" {
		t.Errorf("payload_file: %q, %v", got, err)
	}
	if !conn.IsClosed() {
		t.Error("the connection is still open")
	}
}

// TestNagiosPlugins: Debian's nagios-plugins-rabbitmq are content.
func TestNagiosPlugins(t *testing.T) {
	if _, err := exec.LookPath("check_rabbitmq_server"); err != nil {
		leaveOut(t, "no nagios-plugins-rabbitmq (on Debian: apt-get install nagios-plugins-rabbitmq)")
	}
	b := brokertest.Start(t, brokertest.InMemory(), brokertest.Management(), brokertest.Configure(func(c *server.Config) { c.NodeName = "rabbit@shop" }))
	u, err := url.Parse(b.ManagementURL())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := amqp.Dial(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("work", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"check_rabbitmq_aliveness", "OK"},
		{"check_rabbitmq_connections", "OK"},
		{"check_rabbitmq_objects", "OK"},
		{"check_rabbitmq_overview", "OK"},
		{"check_rabbitmq_server", "OK"},
		{"check_rabbitmq_watermark", "OK"},
		{"check_rabbitmq_partition", "OK"},
		{"check_rabbitmq_queue|--queue|work|-c|10|-w|5", "OK"},
	} {
		args := strings.Split(c.args, "|")
		cmd := exec.Command(args[0], append([]string{"-H", u.Hostname(), "--port", u.Port(), "-u", "guest", "-p", "guest"}, args[1:]...)...)
		if args[0] == "check_rabbitmq_server" || args[0] == "check_rabbitmq_watermark" || args[0] == "check_rabbitmq_partition" {
			cmd.Args = append(cmd.Args, "-n", "shop") // of rabbit@shop
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
	}
}
