package store

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// counters are written by the goroutines of the log, read by Stats.
type counters struct {
	commits, syncs, syncNanos, syncLast       atomic.Uint64
	checkpoints, ckptFailed, freed, evacuated atomic.Uint64
	dangling                                  atomic.Uint64
	hist                                      [SyncBuckets]atomic.Uint64
}

// SyncBuckets is the length of Stats.SyncHist.
const SyncBuckets = 24

func (c *counters) sync(d time.Duration) {
	c.syncs.Add(1)
	c.syncNanos.Add(uint64(d))
	c.syncLast.Store(uint64(d))
	c.hist[min(bits.Len64(uint64(d.Microseconds())), SyncBuckets-1)].Add(1)
}

// Stats is a snapshot of the log's figures.
type Stats struct {
	Records   uint64 // appended since Open
	Bytes     uint64 // appended since Open, with all overhead
	Commits   uint64 // batches written
	Syncs     uint64
	SyncTotal time.Duration
	SyncLast  time.Duration
	// SyncHist[i] counts the syncs that took less than 1<<i microseconds
	// and not less than half of that.
	SyncHist [SyncBuckets]uint64

	Pending     int64 // bytes appended and not written
	Segments    int
	LiveRecords int64
	LiveBytes   int64
	DiskBytes   int64 // of the segments, without spares

	Checkpoints       uint64
	CheckpointsFailed uint64
	CheckpointStart   Position // of the newest one
	SegmentsFreed     uint64
	Evacuations       uint64
	Dangling          uint64 // Retain or Release of a segment that is not there: a bug, or damage

	Blocked string // why publishers wait; "" when they do not
	Err     error  // ended the log; nil when it is healthy
}

// Stats returns the log's figures.
func (l *Log) Stats() Stats {
	c := &l.stat
	s := Stats{
		Records: l.records.Load(), Bytes: l.appended.Load(),
		Commits: c.commits.Load(), Syncs: c.syncs.Load(),
		SyncTotal: time.Duration(c.syncNanos.Load()), SyncLast: time.Duration(c.syncLast.Load()),
		Pending:     l.pendingN.Load(),
		Checkpoints: c.checkpoints.Load(), CheckpointsFailed: c.ckptFailed.Load(),
		CheckpointStart: Position(l.ckptStart.Load()),
		SegmentsFreed:   c.freed.Load(), Evacuations: c.evacuated.Load(), Dangling: c.dangling.Load(),
	}
	for i := range s.SyncHist {
		s.SyncHist[i] = c.hist[i].Load()
	}
	for _, g := range l.table.Load().list {
		if g != nil {
			s.Segments++
			s.LiveRecords += g.live.Load()
			s.LiveBytes += g.liveBytes.Load()
			s.DiskBytes += g.size.Load()
		}
	}
	s.Blocked, _ = l.Blocked()
	s.Err = l.Err()
	return s
}

// SegmentStats describes one segment.
type SegmentStats struct {
	Number    uint32
	Live      int64 // records retained
	LiveBytes int64
	DiskBytes int64
}

// Segments lists the segments of the log, oldest first.
func (l *Log) Segments() []SegmentStats {
	var out []SegmentStats
	for _, g := range l.table.Load().list {
		if g != nil {
			out = append(out, SegmentStats{g.num, g.live.Load(), g.liveBytes.Load(), g.size.Load()})
		}
	}
	return out
}
