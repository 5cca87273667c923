package protection

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// While memory is low publishers stand still and know why; consumers drain what
// is there; then publishing goes on, and nothing is lost.
func TestMemoryAlarm(t *testing.T) {
	n := start(t, broker.Config{})
	ch := n.channel(n.dial())
	n.queue(ch, "work", nil)
	p := n.publish("", "work", 1000)
	p.moreThan(100)

	if err := n.SetMemoryHighWatermark(broker.Watermark{Absolute: 1}); err != nil {
		t.Fatal(err)
	}
	p.told(true, "low on memory")
	if a := n.Alarms(); len(a) != 1 || a[0].Resource != "memory" {
		t.Errorf("alarms: %v", a)
	}
	before := p.stands()
	// Somebody who connects now and does not publish is not blocked.
	late := n.channel(n.dial())
	n.queue(late, "other", nil)
	k := n.consume("work")
	n.until("consumers drain the queue", func() bool { return k.count() >= before })
	if now := p.confirmed(); now != before {
		t.Errorf("%d messages were confirmed while blocked", now-before)
	}

	if err := n.SetMemoryHighWatermark(broker.Watermark{Relative: 0.9}); err != nil {
		t.Fatal(err)
	}
	p.told(false, "")
	p.moreThan(before + 100)
	safe := p.drained()
	n.until("everything confirmed has come", func() bool { return k.has(safe) })
	p.quiet()
	for _, want := range []string{"memory alarm set", "memory alarm cleared", "connection blocked"} {
		if !strings.Contains(n.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

// tmpfs is a small file system of the test's own.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a file system of its own cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ballast takes up the room of a file system but for some bytes.
func ballast(t *testing.T, dir string, leave int64) (drop func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	for left := int64(st.Bavail)*st.Bsize - leave; left > 0; {
		w, err := f.Write(chunk[:min(left, int64(len(chunk)))])
		left -= int64(w)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func TestDiskAlarm(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave int64
	}{{"low", 3 << 20}, {"full", 0}} {
		t.Run(c.name, func(t *testing.T) {
			dir := tmpfs(t, "160m")
			n := start(t, broker.Config{Dir: filepath.Join(dir, "data"), SegmentSize: 4 << 20, CheckpointBytes: 8 << 20,
				Disk: broker.DiskLimit{Absolute: 16 << 20}})
			ch := n.channel(n.dial())
			n.queue(ch, "work", nil)
			p := n.publish("", "work", 8<<10)
			p.moreThan(200)
			if c.leave == 0 {
				// Only a write that fails tells of it.
				if err := n.SetDiskFreeLimit(broker.DiskLimit{Absolute: 1}); err != nil {
					t.Fatal(err)
				}
			}
			drop := ballast(t, dir, c.leave)
			p.told(true, "low on disk")
			if a := n.Alarms(); len(a) != 1 || a[0].Resource != "disk" {
				t.Errorf("alarms: %v", a)
			}
			before := p.stands()
			k := n.consume("work")
			n.until("consumers drain the queue", func() bool { return k.count() >= before })
			// On a full disk what was consumed makes room, and a few more get in.
			if now := p.confirmed(); now != before && c.leave > 0 {
				t.Errorf("%d messages were confirmed while blocked", now-before)
			}
			drop()
			p.told(false, "")
			p.moreThan(before + 200)
			safe := p.drained()
			n.until("everything confirmed has come", func() bool { return k.has(safe) })
			if err := n.Err(); err != nil {
				t.Error("the log has failed:", err)
			}
		})
	}
}

// A virtual host or a queue that may take so many bytes holds back its own
// publishers only.
func TestByteLimits(t *testing.T) {
	const limit = 200_000
	for _, c := range []struct {
		name, reason string
		limit, lift  meta.Command
	}{
		{"vhost", "messages in vhost '/' take more than 200000 bytes",
			&meta.SetVHostLimits{VHost: "/", Limits: meta.Limits{meta.MaxBytes: limit}}, &meta.SetVHostLimits{VHost: "/"}},
		{"queue", "messages in queue 'work' in vhost '/' take more than 200000 bytes",
			&meta.SetPolicy{VHost: "/", Name: "p", Pattern: "^work$", ApplyTo: "queues", Definition: fmt.Appendf(nil, `{"warren-max-bytes":%d}`, limit)},
			&meta.DeletePolicy{VHost: "/", Name: "p"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := start(t, broker.Config{})
			n.do(&meta.PutVHost{Name: "quiet"}, &meta.SetPermissions{User: "guest", VHost: "quiet", Configure: ".*", Write: ".*", Read: ".*"}, c.limit)
			ch := n.channel(n.dial())
			n.queue(ch, "work", nil)
			n.queue(ch, "other", nil)
			p := n.publish("", "work", 1000)
			p.told(true, c.reason)
			before := p.stands()
			if before < limit/1000 {
				t.Errorf("blocked after %d messages of 1000 bytes already", before)
			}
			if before > 3*limit/1000 {
				t.Errorf("not blocked before %d messages of 1000 bytes", before)
			}
			if len(n.Alarms()) != 0 {
				t.Error("an alarm was set")
			}
			if c.name == "queue" {
				other := n.publish("", "other", 1000)
				other.moreThan(3 * limit / 1000)
				other.quiet()
			}
			// A consumer makes room.
			k := n.consume("work")
			p.told(false, "")
			p.moreThan(before + limit/1000)
			n.do(c.lift)
			safe := p.drained()
			n.until("everything confirmed has come", func() bool { return k.has(safe) })
		})
	}
}

// A message that goes to several queues is held back by any of them; lifting the
// limit lets it go.
func TestByteLimitOfFanout(t *testing.T) {
	n := start(t, broker.Config{})
	n.do(&meta.SetPolicy{VHost: "/", Name: "p", Pattern: "^a$", Definition: []byte(`{"warren-max-bytes":100000}`)})
	ch := n.channel(n.dial())
	for _, q := range []string{"a", "b"} {
		n.queue(ch, q, nil)
		if err := ch.QueueBind(q, "", "amq.fanout", false, nil); err != nil {
			t.Fatal(err)
		}
	}
	p := n.publish("amq.fanout", "x", 1000)
	p.told(true, "messages in queue 'a' in vhost '/' take more than 100000 bytes")
	n.do(&meta.DeletePolicy{VHost: "/", Name: "p"})
	p.told(false, "")
	p.moreThan(p.confirmed() + 200)
}
