package broker

import (
	"errors"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// teller is an Outlet that says what was confirmed.
type teller struct {
	counter
	told chan uint64
}

func (o *teller) Confirm(seq uint64, _ bool) { o.told <- seq }

func durableQueue(t *testing.T, fs vfs.FS) (*Broker, *Client, *Channel, *teller) {
	t.Helper()
	b, err := Open(Config{FS: fs, Dir: "d", Sync: store.Disk, Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Connect(ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeclareQueue(QueueSpec{Name: "q", Durable: true}); err != nil {
		t.Fatal(err)
	}
	out := &teller{told: make(chan uint64, 100)}
	ch := c.NewChannel(out)
	if err := ch.SelectConfirm(); err != nil {
		t.Fatal(err)
	}
	return b, c, ch, out
}

// One publish is committed by whoever brings it, and confirmed at once; several
// are the committer's.
func TestLonePublish(t *testing.T) {
	b, c, ch, out := durableQueue(t, vfs.NewMem())
	defer b.Close()
	here := 0
	for i := range uint64(50) {
		if _, err := ch.Publish(plain("q", 100, 2)); err != nil {
			t.Fatal(err)
		}
		told, committed := c.Settle()
		if committed {
			here++
			if !told || len(out.told) != 1 {
				t.Fatal("committed, and the publisher is not told")
			}
		}
		if seq := <-out.told; seq != i+1 {
			t.Fatalf("publish %d was confirmed, want %d", seq, i+1)
		}
	}
	if here < 25 { // the committer may be at something else now and then
		t.Errorf("%d of 50 were committed here", here)
	}
	for range 3 {
		if _, err := ch.Publish(plain("q", 100, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if _, committed := c.Settle(); committed {
		t.Error("several were committed here")
	}
	for seq := uint64(0); seq < 53; seq = <-out.told {
	}
}

// When the disk fails nothing is confirmed, here neither.
func TestLonePublishOnFailingDisk(t *testing.T) {
	faults := vfs.NewFaults(vfs.NewMem())
	b, c, ch, out := durableQueue(t, faults)
	defer b.Close()
	faults.Add(vfs.Rule{Op: vfs.OpSync, Err: syscall.EIO})
	if _, err := ch.Publish(plain("q", 100, 2)); err != nil {
		t.Fatal(err)
	}
	if told, committed := c.Settle(); told || committed {
		t.Errorf("told %v, committed %v", told, committed)
	}
	<-b.Done()
	if !errors.Is(b.Err(), syscall.EIO) || len(out.told) > 0 {
		t.Errorf("%v, and %d confirms", b.Err(), len(out.told))
	}
}
