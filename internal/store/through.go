package store

import (
	"errors"
	"time"

	"github.com/warrenmq/warren/internal/vfs"
)

// maxThrough is the largest batch that is written past the system's cache.
// Those wait for nothing but the disk. Larger ones come with a load that may
// become a backlog, and are in the cache for whoever reads them back.
const maxThrough = 32 << 10

// through is what the committer needs to write whole blocks: the block that
// the log ends in is written again with each batch, until it is full.
type through struct {
	buf  []byte   // what was written last; nil until it is needed
	base Position // of buf[0], a multiple of vfs.Block in its segment
	end  Position // of the records in it; 0: it holds nothing
}

// writeThrough writes a small batch and makes it durable in one step, if
// everything before it is durable and the room for it stands ready. It reports
// whether it did; if not, nothing has happened.
func (l *Log) writeThrough() (bool, error) {
	b, t := &l.batch, &l.through
	if !b.sync || l.opt.Sync != Disk || len(l.inflight) != 1 || l.partial > 0 || len(l.dirty) > 0 || l.dirDirty {
		return false, nil
	}
	c := l.inflight[0]
	s := c.seg
	h := s.h.Load()
	if len(c.buf) > maxThrough || s.cached || h == nil || !s.pinned.Load() {
		return false, nil
	}
	base := c.off &^ (vfs.Block - 1)
	edge := int(c.off - base)
	used := edge + len(c.buf)
	n := (used + vfs.Block - 1) &^ (vfs.Block - 1)
	if int64(base)+int64(n) > s.prepared.Load() {
		return false, nil
	}
	if !t.begin(h, c.start(), edge) {
		return false, nil
	}
	copy(t.buf[edge:], c.buf)
	clear(t.buf[used:n])
	start := time.Now()
	s.syncMu.Lock()
	err := h.WriteThrough(t.buf[:n], int64(base))
	if l.failed.Load() && err == nil { // the preparer was told what we were not
		err = errors.New("failed before")
	}
	s.syncMu.Unlock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		s.cached, t.end = true, 0
		return false, nil
	case isNoSpace(err): // where the file system writes to another place: it is tried again
		t.end = 0
		return true, err
	case err != nil:
		return true, fatal{err}
	}
	t.base, t.end = c.start()-Position(edge), c.end()
	l.wroteBatch()
	l.synced.Store(uint64(b.end))
	l.durable.Store(uint64(b.end))
	l.stat.sync(time.Since(start))
	return true, nil
}

// begin puts the edge bytes before at, which are in the file, at the start of
// buf.
func (t *through) begin(h *handle, at Position, edge int) bool {
	if t.buf == nil {
		t.buf = vfs.Aligned(maxThrough + vfs.Block)
	}
	if t.end == at {
		copy(t.buf, t.buf[at-Position(edge)-t.base:][:edge])
		return true
	}
	t.end = 0
	n, _ := h.ReadAt(t.buf[:edge], int64(at.Offset())-int64(edge)) // less than all is as good as an error
	return n == edge
}
