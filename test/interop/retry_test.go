package interop

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pika rejects a message of a queue with delayed retry, which a policy asks for:
// it comes back later each time, and still waits after the broker was killed.
func TestDelayedRetry(t *testing.T) {
	t.Parallel()
	py := python(t, "pika", "python3-pika")
	script, err := filepath.Abs("testdata/retry.py")
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(t)
	ended := n.start()
	does := func(what string) {
		t.Helper()
		if out, err := exec.Command(py, script, n.url, what).CombinedOutput(); err != nil || string(out) != "done\n" {
			t.Fatalf("%s: %v\n%s", what, err, out)
		}
	}
	depth := func(messages, ready string) {
		t.Helper()
		got := n.does("rabbitmqctl", "-q", "list_queues", "name", "messages", "messages_ready", "messages_unacknowledged", "--no-table-headers")
		if want := "jobs\t" + messages + "\t" + ready + "\t0\n"; !strings.Contains(got, want) {
			t.Errorf("list_queues: got %q, want %q", got, want)
		}
	}
	does("declare")
	n.does("rabbitmqctl", "set_policy", "retry", "jobs", `{"delayed-retry-type":"failed","delayed-retry-min":200,"delayed-retry-max":500}`, "--apply-to", "quorum_queues")
	does("tour")
	depth("0", "0")
	n.does("rabbitmqctl", "set_policy", "retry", "jobs", `{"delayed-retry-type":"failed","delayed-retry-min":3600000}`, "--apply-to", "quorum_queues")
	does("reject")
	depth("1", "0")
	n.kill()
	<-ended
	n.start()
	depth("1", "0")
	n.does("rabbitmqctl", "purge_queue", "jobs")
	depth("0", "0")
}
