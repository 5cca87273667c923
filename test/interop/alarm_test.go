package interop

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// publisher is a client of a node of the real program.
type publisher struct {
	t       *testing.T
	ch      *amqp.Channel
	blocked chan amqp.Blocking
}

func (n *node) publisher() *publisher {
	n.t.Helper()
	c, err := amqp.Dial("amqp://guest:guest@" + n.url)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	p := &publisher{t: n.t, blocked: c.NotifyBlocked(make(chan amqp.Blocking, 8))}
	if p.ch, err = c.Channel(); err != nil {
		n.t.Fatal(err)
	}
	if err := p.ch.Confirm(false); err != nil {
		n.t.Fatal(err)
	}
	if _, err := p.ch.QueueDeclare("work", true, false, false, false, nil); err != nil {
		n.t.Fatal(err)
	}
	return p
}

// publish sends a message; the confirm comes later, or not.
func (p *publisher) publish() *amqp.DeferredConfirmation {
	p.t.Helper()
	d, err := p.ch.PublishWithDeferredConfirm("", "work", false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: make([]byte, 1000)})
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func (p *publisher) confirmed(d *amqp.DeferredConfirmation) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if ok, err := d.WaitContext(ctx); err != nil || !ok {
		p.t.Fatalf("not confirmed: %v", err)
	}
}

// told waits for connection.blocked, or for connection.unblocked if the reason is "".
func (p *publisher) told(reason string) {
	p.t.Helper()
	select {
	case b := <-p.blocked:
		if b.Active != (reason != "") || b.Reason != reason {
			p.t.Fatalf("the publisher was told %+v, want %q", b, reason)
		}
	case <-time.After(patience):
		p.t.Fatalf("the publisher was not told %q", reason)
	}
}

// drain takes all messages out of the queue, on another connection, and returns
// how many there were.
func (n *node) drain() (count int) {
	n.t.Helper()
	c, err := amqp.Dial("amqp://guest:guest@" + n.url)
	if err != nil {
		n.t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Channel()
	if err != nil {
		n.t.Fatal(err)
	}
	for ; ; count++ {
		m, ok, err := ch.Get("work", false)
		if err != nil {
			n.t.Fatal(err)
		}
		if !ok {
			return count
		}
		if err := m.Ack(false); err != nil {
			n.t.Fatal(err)
		}
	}
}

// stopped: a publish makes the node tell the publisher that it is blocked, and
// why. What it publishes then waits until letOn has been called, while consumers
// go on, and is not lost.
func (p *publisher) stopped(n *node, reason, shown string, letOn func()) {
	p.t.Helper()
	first := p.publish()
	p.told(reason)
	p.confirmed(first) // it came before the connection was blocked, as with RabbitMQ
	held := p.publish()
	if out := n.does("rabbitmqctl", "status"); !strings.Contains(out, shown) {
		p.t.Errorf("status does not show %q:\n%s", shown, out)
	}
	if out := n.does("rabbitmqctl", "-q", "list_connections", "state"); !strings.Contains(out, "blocked") {
		p.t.Errorf("list_connections: %s", out)
	}
	if out, err := n.try("rabbitmq-diagnostics", "check_local_alarms"); err == nil {
		p.t.Errorf("check_local_alarms finds nothing: %s", out)
	}
	if count := n.drain(); count != 1 {
		p.t.Errorf("%d messages in the queue of a publisher that was blocked after 1", count)
	}
	select {
	case <-held.Done():
		p.t.Error("a publish was confirmed while its connection was blocked")
	default:
	}
	letOn()
	p.told("")
	p.confirmed(held)
	p.confirmed(p.publish())
	if count := n.drain(); count != 2 {
		p.t.Errorf("%d of 2 messages came", count)
	}
	if out, err := n.try("rabbitmq-diagnostics", "check_local_alarms"); err != nil {
		p.t.Errorf("check_local_alarms afterwards: %s", out)
	}
}

// What operators type sets and clears the alarms, and a publisher is told.
func TestAlarmsByCommand(t *testing.T) {
	n := newNode(t)
	n.start()
	p := n.publisher()
	for _, c := range []struct{ set, clear, reason, shown string }{
		{"set_vm_memory_high_watermark absolute 1MB", "set_vm_memory_high_watermark 0.6", "low on memory", "Memory alarm on node rabbit@test"},
		{"set_vm_memory_high_watermark 0.000001", "set_vm_memory_high_watermark absolute 100GB", "low on memory", "Memory alarm on node rabbit@test"},
		{"set_disk_free_limit 1000TB", "set_disk_free_limit 1MB", "low on disk", "Free disk space alarm on node rabbit@test"},
		{"set_disk_free_limit mem_relative 1000000", "set_disk_free_limit mem_relative 0.000001", "low on disk", "Free disk space alarm on node rabbit@test"},
	} {
		n.does("rabbitmqctl", strings.Fields(c.set)...)
		p.stopped(n, c.reason, c.shown, func() { n.does("rabbitmqctl", strings.Fields(c.clear)...) })
	}
}

// A disk that fills up sets the alarm without anybody's command, and room clears it.
func TestAlarmOfSmallDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a file system of its own cannot be mounted here: %v", err)
	}
	n := newNode(t)
	// Registered before the node's end, so done after it.
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	n.env = append(n.env, "WARREN_DATA_DIR="+filepath.Join(dir, "data"))
	n.set("disk_free_limit.absolute = 16MiB", "warren.segment_size = 4MiB", "warren.checkpoint_bytes = 8MiB")
	n.start()
	p := n.publisher()
	ballast := filepath.Join(dir, "ballast")
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ballast, make([]byte, int64(st.Bavail)*st.Bsize-8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node notices that the disk is full", func() bool {
		_, err := n.try("rabbitmq-diagnostics", "check_local_alarms")
		return err != nil
	})
	p.stopped(n, "low on disk", "Free disk space alarm on node rabbit@test", func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	})
}
