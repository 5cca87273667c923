package interop

import (
	"os/exec"
	"strings"
	"testing"
)

// Clients are for tests, examples and host management. Nobody who embeds the
// broker builds them.
func TestBrokerBuildsWithoutClients(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "./server/...", "./brokertest/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "internal/broker/queue") {
		t.Fatal("the list of packages is not what it should be")
	}
	for pkg := range strings.Lines(string(out)) {
		for _, client := range []string{"rabbitmq/amqp091-go", "rogpeppe/go-internal"} {
			if strings.Contains(pkg, client) {
				t.Errorf("the broker imports %s", pkg)
			}
		}
	}
}
