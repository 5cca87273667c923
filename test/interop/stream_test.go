package interop

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// pika publishes to a stream and reads it in all ways; a reader goes on where it
// was after the broker was killed.
func TestStream(t *testing.T) {
	t.Parallel()
	py := python(t, "pika", "python3-pika")
	script, err := filepath.Abs("testdata/stream.py")
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(t)
	ended := n.start()
	does := func(want string, args ...string) {
		t.Helper()
		out, err := exec.Command(py, append([]string{script, n.url}, args...)...).CombinedOutput()
		if err != nil || string(out) != want+"\n" {
			t.Fatalf("%v: %v\n got %s\nwant %s", args, err, out, want)
		}
	}
	does("done", "tour")
	does("from 0 to 299", "read", "first", "300")
	n.kill()
	<-ended
	n.start()
	does("from 300 to 409", "read", "300", "110")
	does("done", "publish", "410", "500")
	does("from 300 to 499", "read", "300", "200")
	if got, want := n.does("rabbitmqctl", "-q", "list_queues", "name", "type", "messages", "messages_ready", "messages_unacknowledged"),
		"name\ttype\tmessages\tmessages_ready\tmessages_unacknowledged\nevents\tstream\t500\t500\t0\n"; got != want {
		t.Errorf("list_queues:\n got %s\nwant %s", got, want)
	}
}
