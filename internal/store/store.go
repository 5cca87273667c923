// Package store is the node's log: one sequence of records in segment files,
// shared by all queues and by the definitions, written by one committer that
// makes many appends durable with one sync (group commit).
//
// The way of a record: Append (append.go) copies it into the pending batch;
// the committer (commit.go) takes the batch, writes it, syncs, moves Durable
// and calls the waiters; Read (read.go) finds it again. The preparer
// (prepare.go) sees to it that the bytes to be written next exist on disk
// already. The keeper (keeper.go) lets the owner write checkpoints
// (checkpoint.go) and gives dead segments back. Open (recover.go) reads the
// checkpoint and what came after it.
//
// The store does not know what records mean; its Owner does. What is on disk
// is drawn in docs/format/segment.md.
package store

import (
	"errors"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// Position is a place in the log: segment number in the high 32 bits, byte
// offset in the low 32. Zero is no place; later is greater.
type Position = segment.Position

// Kind says what a record is. Callers use 1 to segment.MaxKind.
type Kind = segment.Kind

// SyncMode says what Durable means.
type SyncMode uint8

const (
	Disk   SyncMode = iota // durable is what fdatasync has covered
	OS                     // durable is what the system has taken
	Memory                 // durable is what was appended
)

// Options for Open. FS, Dir and Identity are required.
type Options struct {
	FS  vfs.FS
	Dir string
	// Identity of the node; data of another identity is refused.
	Identity [16]byte

	SegmentSize     int64         // default 64 MiB
	MaxPending      int64         // Throttle blocks above; default 16 MiB
	CheckpointBytes int64         // a checkpoint after so many appended bytes; default 128 MiB
	Sync            SyncMode      // default Disk
	FlushInterval   time.Duration // lazy records are written after this at the latest; default 100 ms
	RetryInterval   time.Duration // when the disk is full, between attempts; default 1 s
	Spares          int           // dead segments kept for reuse; default 2
	Logger          *slog.Logger  // default: discards

	// OnBlocked is told when publishers must stop and may go on, from a
	// goroutine of the store. It must not wait.
	OnBlocked func(reason string, blocked bool)
	// OnFailed is told once when the log has failed for good; Err says why. It
	// must not wait.
	OnFailed func()

	manual bool // tests: start no goroutines, the test calls their steps
}

func (o *Options) setDefaults() error {
	if o.FS == nil || o.Dir == "" {
		return errors.New("store: FS and Dir are required")
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = 64 << 20
	}
	if o.SegmentSize < 1<<10 || o.SegmentSize > 1<<30 {
		return errors.New("store: segment size must be between 1 KiB and 1 GiB")
	}
	o.SegmentSize &^= segment.Align - 1
	if o.MaxPending == 0 {
		o.MaxPending = 16 << 20
	}
	if o.CheckpointBytes == 0 {
		o.CheckpointBytes = 128 << 20
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 100 * time.Millisecond
	}
	if o.RetryInterval == 0 {
		o.RetryInterval = time.Second
	}
	if o.Spares == 0 {
		o.Spares = 2
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Owner knows what the records mean. Open calls Restore, Replay and
// Recovered, in this order, on the opening goroutine; Checkpoint and Evacuate
// come later, one at a time, on a goroutine of the store.
type Owner interface {
	// Restore gives the newest checkpoint, nil when there is none. The log
	// may be used for Retain, Release and Read already, and for everything
	// from Recovered on.
	Restore(l *Log, checkpoint []byte) error
	// Replay gives the records from the checkpoint's start on, in order.
	// payload is valid only during the call.
	Replay(pos Position, kind Kind, group uint64, payload []byte) error
	// Recovered ends recovery. clean: the node was stopped in order.
	Recovered(clean bool) error
	// Checkpoint writes everything that the owner needs so that no record
	// appended before the call need be replayed. The log goes on meanwhile:
	// what is appended after the call began will be replayed, whether w has
	// its effect or not; the owner filters by what it writes to w.
	Checkpoint(w io.Writer) error
	// Evacuate asks that whatever still lives in segment seg be appended
	// again at the tail, retained there and released in seg. groups are
	// those that have, or had, records in it.
	Evacuate(seg uint32, groups []uint64) error
}

// Waiter is told about a commit, see Log.Notify.
type Waiter interface {
	// Committed is called on the committer: it must be quick and must not
	// wait. It may call Append, Commit and Notify. With err nothing that
	// is not before durable will ever be durable.
	Committed(durable Position, err error)
}

// Errors that callers tell apart.
var (
	ErrClosed   = errors.New("store: closed")
	ErrFailed   = errors.New("store: failed")        // for good; wraps the cause
	ErrNoSpace  = errors.New("store: no space left") // passes
	ErrIdentity = errors.New("store: data of another node")
	ErrNewer    = segment.ErrNewer
	ErrCorrupt  = segment.ErrCorrupt                   // the bytes at a position do not validate
	ErrGone     = errors.New("store: no such segment") // given back, or never was
	ErrDamaged  = errors.New("store: damaged")
	ErrLocked   = vfs.ErrLocked
)

// fatal marks an error as final whatever it is: a sync that failed for lack
// of space has lost its pages like any other.
type fatal struct{ err error }

func (f fatal) Error() string { return "sync: " + f.err.Error() }
func (f fatal) Unwrap() error { return f.err }

func isNoSpace(err error) bool {
	if _, final := errors.AsType[fatal](err); final {
		return false
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
