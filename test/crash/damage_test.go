package crash

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/store/check"
	"github.com/warrenmq/warren/internal/vfs"
)

const damageMessages = 3000 // of each of two queues

// filled is a node's directory with two queues of messages, a segment being 1 MiB.
func filled(t *testing.T, clean bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "node")
	n, err := startNode(t, dir, "warren.segment_size=1MiB")
	if err != nil {
		t.Fatal(err)
	}
	c, ch, err := dialChannel(n.addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	var last *amqp.DeferredConfirmation
	for _, q := range []string{"a", "b"} {
		if _, err := ch.QueueDeclare(q, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		for i := range damageMessages {
			last, err = ch.PublishWithDeferredConfirm("", q, false, false, amqp.Publishing{DeliveryMode: 2, Body: damageBody(q, i)})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !last.Wait() {
			t.Fatal("not confirmed")
		}
	}
	time.Sleep(300 * time.Millisecond) // the idle log's mark
	c.Close()
	if clean {
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	} else {
		n.kill()
	}
	return dir
}

func damageBody(q string, i int) []byte {
	return append(fmt.Appendf(nil, "%s-%06d:", q, i), bytes.Repeat([]byte{'.'}, 500)...)
}

// flip changes one byte of a file: the first one after what.
func flip(t *testing.T, dir, pattern, what string) (file string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(raw, []byte(what)); i >= 0 {
			raw[i+len(what)] ^= 0x40
			if err := os.WriteFile(name, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Base(name)
		}
	}
	t.Fatalf("%q is in none of %v", what, names)
	return ""
}

// storeCheck is `warren store check`.
func storeCheck(t *testing.T, dir string) (out string, code int) {
	t.Helper()
	exe, err := program()
	if err != nil {
		t.Fatal(err)
	}
	b, err := exec.Command(exe, "store", "check", dir).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return string(b), code
}

// missing consumes a queue and returns the numbers of the messages that do not come.
func missing(t *testing.T, n *node, q string, want int) (none []int) {
	t.Helper()
	c, ch, err := dialChannel(n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ds, err := ch.Consume(q, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for got := 0; got < want; got++ {
		select {
		case d := <-ds:
			var i int
			if _, err := fmt.Sscanf(string(d.Body[1:8]), "-%06d", &i); err != nil || !bytes.Equal(d.Body, damageBody(q, i)) {
				t.Fatalf("queue %s delivers %.20q", q, d.Body)
			}
			for ; next < i; next++ {
				none = append(none, next)
			}
			next = i + 1
		case <-time.After(15 * time.Second):
			t.Fatalf("queue %s: %d messages, then none for 15 s; missing so far %v; log:\n%s", q, got, none, n.log)
		}
	}
	for ; next < damageMessages; next++ {
		none = append(none, next)
	}
	return none
}

// TestDamageReplayed: a node was killed; a byte of what it must replay is not
// what it was. It starts, says what it lost, and serves the rest.
func TestDamageReplayed(t *testing.T) {
	dir := filled(t, false)
	if out, code := storeCheck(t, dir); code != 0 {
		t.Fatalf("check before: %d\n%s", code, out)
	}
	file := flip(t, dir, "*.seg", "a-001500:")
	if out, code := storeCheck(t, dir); code != 65 || !strings.Contains(out, "DAMAGE") {
		t.Errorf("check: %d\n%s", code, out)
	}
	n, err := startNode(t, dir, "warren.segment_size=1MiB")
	if err != nil {
		t.Fatal(err)
	}
	if s := n.log.String(); !strings.Contains(s, "the log is damaged") {
		t.Errorf("the node does not tell of the damage:\n%s", s)
	}
	if _, err := os.Stat(filepath.Join(dir, "damaged")); err != nil {
		t.Errorf("no copy of %s: %v", file, err)
	}
	if got := missing(t, n, "a", damageMessages-1); len(got) != 1 || got[0] != 1500 {
		t.Errorf("queue a lacks %v", got)
	}
	if got := missing(t, n, "b", damageMessages); len(got) != 0 {
		t.Errorf("queue b lacks %v", got)
	}
}

// TestDamageAtRest: the same after an orderly stop, when nothing is replayed:
// the damage is met when the message is to be delivered.
func TestDamageAtRest(t *testing.T) {
	dir := filled(t, true)
	flip(t, dir, "*.seg", "a-001500:")
	if out, code := storeCheck(t, dir); code != 65 || !strings.Contains(out, "DAMAGE") {
		t.Errorf("check: %d\n%s", code, out)
	}
	n, err := startNode(t, dir, "warren.segment_size=1MiB")
	if err != nil {
		t.Fatal(err)
	}
	if got := missing(t, n, "b", damageMessages); len(got) != 0 {
		t.Errorf("queue b lacks %v", got)
	}
	if got := missing(t, n, "a", damageMessages-1); len(got) != 1 || got[0] != 1500 {
		t.Errorf("queue a lacks %v", got)
	}
	if s := n.log.String(); !strings.Contains(s, "[error]") {
		t.Errorf("the node does not tell of the damage:\n%s", s)
	}
}

// TestDamageCheckpoint: without its checkpoint a node refuses to start.
func TestDamageCheckpoint(t *testing.T) {
	dir := filled(t, true)
	flip(t, dir, "checkpoint", "WRNCKP\r\n\x01\x00\x40\x00")
	raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "checkpoint"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := storeCheck(t, dir); code != 65 || !strings.Contains(out, "checkpoint") {
		t.Errorf("check: %d\n%s", code, out)
	}
	n, err := startNode(t, dir)
	if err == nil {
		t.Fatal("the node starts")
	}
	if s := n.log.String(); !strings.Contains(s, "checkpoint") || !strings.Contains(s, "damaged") {
		t.Errorf("the node does not say why it stops:\n%s", s)
	}
}

// TestDamageTail: what is missing at the end was never confirmed, so nobody
// complains.
func TestDamageTail(t *testing.T) {
	for _, cut := range []int64{0, 3, 30} { // bytes of the idle log's last mark
		dir := filled(t, false)
		r, err := check.Check(vfs.OS{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Segments[0]
		for _, s := range r.Segments {
			if s.State == check.Tail {
				last = s
			}
		}
		if err := os.Truncate(filepath.Join(dir, last.File), int64(uint32(last.End))-cut); err != nil {
			t.Fatal(err)
		}
		if out, code := storeCheck(t, dir); code != 0 {
			t.Errorf("%d bytes cut, check: %d\n%s", cut, code, out)
		}
		n, err := startNode(t, dir, "warren.segment_size=1MiB")
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"a", "b"} {
			if got := missing(t, n, q, damageMessages); len(got) != 0 {
				t.Errorf("%d bytes cut: queue %s lacks %v", cut, q, got)
			}
		}
		if s := n.log.String(); strings.Contains(s, "[error]") {
			t.Errorf("%d bytes cut: the node complains:\n%s", cut, s)
		}
		n.kill()
	}
}
