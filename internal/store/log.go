package store

import (
	"context"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// Log is an open log. All exported methods may be called from any goroutine.
//
// Its goroutines: the committer (writes and syncs), the preparer (makes room
// on disk ahead of the committer), the keeper (checkpoints, evacuation,
// reclaim). Open starts them, Close ends them. Lock order: prepMu, then
// handleMu, then mu (and blockMu before mu); none of these is held while a
// method of the owner or a waiter runs. mu is never held during I/O.
type Log struct {
	opt   Options
	owner Owner
	lock  io.Closer
	info  Recovery // written by Open only

	table atomic.Pointer[segTable] // replaced under mu

	// What appenders and the committer share.
	mu       sync.Mutex
	tailSeg  *seg     // nil: the next append begins segment tail.Segment()
	prevEnd  Position // while tailSeg is nil: for the next header
	cur      *chunk   // last of pending, nil: the next append takes a new one
	pending  []*chunk
	inflight []*chunk // being written; appended to and emptied by the committer under mu
	spareBuf []*chunk // list reused by the next swap
	free     []*chunk // chunks to be used again
	freeLow  int      // fewest free chunks since the last trim
	trimmed  time.Time
	urgent   bool // pending needs a sync
	forced   bool // ... even where the mode would not sync (checkpoint)
	waiters  []Waiter
	waitBuf  []Waiter // list reused by the next swap
	closing  bool     // a close record was appended: no mark may follow
	marked   Position // what the newest mark says
	lastEnd  Position // end of the owner's last record
	err      error    // ErrFailed or ErrClosed, for good
	blocked  string   // reason, "" when publishers may go on
	throttle chan struct{}
	flush    *time.Timer // pokes the committer FlushInterval after a batch began

	tail     atomic.Uint64 // Position; written under mu
	durable  atomic.Uint64 // Position; written by the committer
	synced   atomic.Uint64 // Position; what fdatasync has covered in every mode
	written  atomic.Uint64 // Position; before it everything is in the files
	pendingN atomic.Int64  // bytes appended and not written
	failed   atomic.Bool   // err != nil
	full     atomic.Bool   // blocked != ""
	stuck    atomic.Bool   // the committer itself waits for space
	poked    atomic.Bool
	idle     atomic.Bool   // the flush timer has fired
	ready    atomic.Uint32 // highest segment that has its file; written under prepMu

	// A channel of one that is full while somebody commits: the committer, or
	// for once a caller of CommitHere. Below is what is theirs alone.
	turn     chan struct{}
	partial  int // bytes of inflight[0] that are written already
	batch    batchState
	dirty    []*seg // written since their last sync, in order
	dirDirty bool   // a segment file was made since the last SyncDir
	through  through

	// What committer, preparer and keeper share. Unlike mu it is held during
	// I/O (create, rename, sync of the directory): its purpose is that only
	// one of the three changes the directory at a time.
	prepMu   sync.Mutex
	nextNum  uint32   // of nextFile
	nextFile *handle  // stands ready under its name; nil: none
	claimed  uint32   // highest segment whose file the committer has opened
	spares   []string // paths of files of full size, for reuse
	spareSeq int

	blockMu  sync.Mutex // around a change of blocked and OnBlocked
	handleMu sync.Mutex
	handles  []*seg // with an open handle, oldest first

	appended   atomic.Uint64 // bytes
	records    atomic.Uint64
	sinceCkpt  atomic.Int64 // bytes appended since the last checkpoint began
	ckptWanted atomic.Bool
	keepMu     sync.Mutex // serialises checkpoints and reclaim: keeper and Close
	ckptStart  atomic.Uint64
	stat       counters

	wake     chan struct{} // committer
	prepWake chan struct{}
	keepWake chan struct{}
	stopping context.Context // ends preparer and keeper
	stop     context.CancelFunc
	stopComm chan struct{} // ends the committer
	bg, comm sync.WaitGroup
	giveUp   atomic.Pointer[context.CancelFunc] // Close does not wait for space
	closeOne sync.Once
	closeErr error
}

// seg is a segment that holds, or will hold, part of the log.
type seg struct {
	num  uint32
	cap  int64        // planned size; fixed at birth
	seed segment.Seed // fixed at birth
	prev Position     // fixed at birth

	live      atomic.Int64
	liveBytes atomic.Int64
	size      atomic.Int64 // bytes on disk

	deadAt  bool  // under keepMu: live was 0 when the running checkpoint began
	triedAt int64 // under keepMu: what was live after the last evacuation

	h      atomic.Pointer[handle]
	pinned atomic.Bool // being written: the handle must not be closed
	cached bool        // WriteThrough does not work on it; the committer's own

	// Room ahead of the tail: below prepared the file has bytes (data or
	// zeros). Raised under growMu by the preparer, which zero-fills a slice
	// under it, and by the committer when it overtakes the preparer.
	growMu   sync.Mutex
	prepared atomic.Int64
	noGrow   atomic.Bool // sealed, or prepared in full

	// A failed fdatasync is reported once: held around it by committer and
	// preparer until the log is marked as failed.
	syncMu sync.Mutex
}

// grown notes that the file has at least size bytes.
func (s *seg) grown(size int64) {
	for {
		old := s.size.Load()
		if size <= old || s.size.CompareAndSwap(old, size) {
			return
		}
	}
}

// handle is an open segment file.
type handle struct{ vfs.File }

// segTable finds segments by number; list[i] is segment base+i or nil. A
// table is never changed after it was published.
type segTable struct {
	base uint32
	list []*seg
}

func (t *segTable) get(num uint32) *seg {
	if i := num - t.base; num >= t.base && uint64(i) < uint64(len(t.list)) {
		return t.list[i]
	}
	return nil
}

// with returns a table that also has s, the highest.
func (t *segTable) with(s *seg) *segTable {
	n := &segTable{base: t.base}
	if len(t.list) == 0 {
		n.base = s.num
	}
	n.list = make([]*seg, s.num-n.base+1)
	copy(n.list, t.list)
	n.list[s.num-n.base] = s
	return n
}

// without returns a table that lacks the segments for which drop is true.
func (t *segTable) without(drop func(*seg) bool) *segTable {
	n := &segTable{base: t.base, list: make([]*seg, len(t.list))}
	for i, s := range t.list {
		if s != nil && !drop(s) {
			n.list[i] = s
		}
	}
	for len(n.list) > 0 && n.list[0] == nil {
		n.list, n.base = n.list[1:], n.base+1
	}
	return n
}

func (l *Log) newSeg(num uint32, capacity int64, prev Position) *seg {
	return &seg{num: num, cap: capacity, prev: prev, seed: segment.SeedOf(l.opt.Identity, num)}
}

// Names in the data directory.
const (
	LockName       = "lock"
	CheckpointName = "checkpoint"
	SparePrefix    = "spare-"
	DamagedDir     = "damaged"

	segSuffix = ".seg"
	ckptTemp  = "checkpoint.new"
)

// SegmentName returns the file name of a segment.
func SegmentName(num uint32) string { return fmt.Sprintf("%010d%s", num, segSuffix) }

// ParseSegmentName is the reverse of SegmentName.
func ParseSegmentName(name string) (uint32, bool) {
	base, ok := strings.CutSuffix(name, segSuffix)
	if !ok || len(base) != 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(base, 10, 32)
	return uint32(n), err == nil && n > 0
}

func (l *Log) path(name string) string { return path.Join(l.opt.Dir, name) }

func (l *Log) segPath(num uint32) string { return l.path(SegmentName(num)) }

// End returns the position after the last appended record.
func (l *Log) End() Position { return Position(l.tail.Load()) }

// Durable returns the position before which everything is durable, in the
// sense of the SyncMode. The log's own last mark may stay behind it: on an
// idle log Durable need not reach End.
func (l *Log) Durable() Position {
	if l.opt.Sync == Memory {
		return l.End()
	}
	return Position(l.durable.Load())
}

// Err returns the error that ended the log for good, nil when it is healthy.
func (l *Log) Err() error {
	if !l.failed.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Blocked reports whether publishers must wait because the disk is full.
func (l *Log) Blocked() (reason string, blocked bool) {
	if !l.full.Load() {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked, l.blocked != ""
}

// Recovery tells what Open found.
func (l *Log) Recovery() Recovery { return l.info }

// fail ends the log: nothing is confirmed any more.
func (l *Log) fail(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = fmt.Errorf("%w: %w", ErrFailed, err)
		l.failed.Store(true)
		l.wakeThrottled()
	}
	l.mu.Unlock()
	if first {
		l.opt.Logger.Error("the log has failed; nothing more is written or confirmed", "dir", l.opt.Dir, "err", err)
		if l.opt.OnFailed != nil {
			l.opt.OnFailed()
		}
	}
	l.poke()
}

// setBlocked changes whether publishers must wait; "" lets them go on.
func (l *Log) setBlocked(reason string) {
	l.blockMu.Lock() // so that OnBlocked hears the changes in order
	defer l.blockMu.Unlock()
	l.mu.Lock()
	was := l.blocked
	l.blocked = reason
	l.full.Store(reason != "")
	if reason == "" {
		l.wakeThrottled()
	}
	l.mu.Unlock()
	if (was == "") == (reason == "") {
		return
	}
	if reason != "" {
		l.opt.Logger.Warn("disk full: publishers are blocked", "dir", l.opt.Dir, "reason", reason)
	} else {
		l.opt.Logger.Info("space again: publishers may go on", "dir", l.opt.Dir)
	}
	if l.opt.OnBlocked != nil {
		l.opt.OnBlocked(reason, reason != "")
	}
}

// wakeThrottled lets everyone in Throttle look again. Called under mu.
func (l *Log) wakeThrottled() {
	if l.throttle != nil {
		close(l.throttle)
		l.throttle = nil
	}
}

// Throttled reports whether Throttle would block.
func (l *Log) Throttled() bool {
	return l.pendingN.Load() > l.opt.MaxPending || l.full.Load() || l.failed.Load()
}

// Throttle blocks while too much is waiting to be written or the disk is
// full. Publishers call it; what consumes and settles does not.
func (l *Log) Throttle(ctx context.Context) error {
	for {
		if l.pendingN.Load() <= l.opt.MaxPending && !l.full.Load() && !l.failed.Load() {
			return nil
		}
		l.mu.Lock()
		if l.err != nil {
			defer l.mu.Unlock()
			return l.err
		}
		if l.pendingN.Load() <= l.opt.MaxPending && l.blocked == "" {
			l.mu.Unlock()
			return nil
		}
		if l.throttle == nil {
			l.throttle = make(chan struct{})
		}
		ch := l.throttle
		l.mu.Unlock()
		l.poke()
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Sync blocks until the record at pos is durable.
func (l *Log) Sync(ctx context.Context, pos Position) error {
	return l.syncTo(ctx, pos, false)
}

func (l *Log) syncTo(ctx context.Context, pos Position, forced bool) error {
	if l.opt.manual {
		return l.syncManual(pos, forced)
	}
	done := func() bool {
		if forced {
			return Position(l.synced.Load()) > pos
		}
		return l.Durable() > pos
	}
	if pos >= l.End() {
		if end := l.End(); end == 0 || end <= 1 {
			return nil
		} else {
			pos = end - 1
		}
	}
	w := make(syncWaiter, 1)
	for !done() {
		l.notify(w, forced)
		l.poke()
		select {
		case err := <-w:
			if err != nil && !done() {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// syncWaiter is the Waiter behind Sync; its channel has room for one.
type syncWaiter chan error

func (w syncWaiter) Committed(_ Position, err error) { w <- err }

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (l *Log) poke() {
	if l.poked.CompareAndSwap(false, true) {
		signal(l.wake)
	}
}

// Commit pokes the committer; cheap when it was poked already.
func (l *Log) Commit() { l.poke() }

// RequestCheckpoint asks for a checkpoint soon.
func (l *Log) RequestCheckpoint() {
	l.ckptWanted.Store(true)
	signal(l.keepWake)
}

// Retain counts a live record of so many bytes at pos; Release takes it away.
// A segment is given back when its count is zero and a checkpoint that began
// after that is durable. A record that a checkpoint could overtake before it
// is retained should be appended with AppendLive.
func (l *Log) Retain(pos Position, bytes uint32) { l.RetainN(pos.Segment(), 1, uint64(bytes)) }

// Release is the reverse of Retain, with the same bytes.
func (l *Log) Release(pos Position, bytes uint32) { l.ReleaseN(pos.Segment(), 1, uint64(bytes)) }

// RetainN retains n records of a segment at once.
func (l *Log) RetainN(seg, n uint32, bytes uint64) { l.count(seg, int64(n), int64(bytes)) }

// ReleaseN releases n records of a segment at once.
func (l *Log) ReleaseN(seg, n uint32, bytes uint64) { l.count(seg, -int64(n), -int64(bytes)) }

func (l *Log) count(num uint32, n, bytes int64) {
	s := l.table.Load().get(num)
	if s == nil {
		l.stat.dangling.Add(1)
		return
	}
	s.liveBytes.Add(bytes)
	if s.live.Add(n) == 0 && num < l.End().Segment() {
		signal(l.keepWake) // enough dead ones are worth a checkpoint
	}
}
