package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

const (
	ckptVersion = 1
	ckptHeader  = 64
	ckptBlock   = 256 << 10 // data of a block, at most
	ckptTrailer = 24        // payload of the trailer
	ckptLast    = 1<<32 - 1 // in place of a length: the trailer follows
)

var (
	ckptMagic  = [8]byte{'W', 'R', 'N', 'C', 'K', 'P', '\r', '\n'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// CheckpointInfo is what a checkpoint file says beside the owner's bytes.
type CheckpointInfo struct {
	Identity [16]byte
	Start    Position  // replay begins here
	End      Position  // the log was durable up to here when it was finished
	Created  time.Time // when it was begun
	Bytes    int64     // of the owner
}

// ckptWriter writes a checkpoint file: header, blocks, trailer.
type ckptWriter struct {
	f     vfs.File
	off   int64
	buf   []byte // 8 bytes for length and checksum, then data
	block uint32
	total int64
	err   error
}

func newCkptWriter(f vfs.File, c CheckpointInfo) *ckptWriter {
	w := &ckptWriter{f: f, buf: make([]byte, 8, 8+ckptBlock)}
	h := make([]byte, ckptHeader)
	copy(h, ckptMagic[:])
	le := binary.LittleEndian
	le.PutUint16(h[8:], ckptVersion)
	le.PutUint16(h[10:], ckptHeader)
	copy(h[16:], c.Identity[:])
	le.PutUint64(h[32:], uint64(c.Start))
	le.PutUint64(h[40:], uint64(c.Created.UnixNano()))
	le.PutUint32(h[60:], crc32.Checksum(h[:60], castagnoli))
	w.put(h)
	return w
}

func (w *ckptWriter) put(b []byte) {
	if w.err != nil {
		return
	}
	var n int
	n, w.err = w.f.WriteAt(b, w.off)
	w.off += int64(n)
}

func (w *ckptWriter) flush(length uint32) {
	le := binary.LittleEndian
	le.PutUint32(w.buf, length)
	sum := crc32.Update(w.block, castagnoli, w.buf[:4])
	le.PutUint32(w.buf[4:], crc32.Update(sum, castagnoli, w.buf[8:]))
	w.put(w.buf)
	w.block++
	w.buf = w.buf[:8]
}

// Write implements io.Writer for the owner.
func (w *ckptWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && w.err == nil {
		k := min(len(p), 8+ckptBlock-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
		w.total += int64(k)
		if len(w.buf) == 8+ckptBlock {
			w.flush(ckptBlock)
		}
	}
	return n - len(p), w.err
}

// finish writes the trailer; the file is complete, not yet durable.
func (w *ckptWriter) finish(end Position) error {
	if len(w.buf) > 8 {
		w.flush(uint32(len(w.buf) - 8))
	}
	le := binary.LittleEndian
	w.buf = le.AppendUint64(w.buf, uint64(end))
	w.buf = le.AppendUint64(w.buf, uint64(w.total))
	w.buf = le.AppendUint64(w.buf, uint64(w.block))
	w.flush(ckptLast)
	return w.err
}

// parseCkptHeader reads the first ckptHeader bytes of a checkpoint file.
func parseCkptHeader(h []byte) (CheckpointInfo, error) {
	var c CheckpointInfo
	if len(h) < ckptHeader || [8]byte(h[:8]) != ckptMagic {
		return c, fmt.Errorf("%w: not a checkpoint", ErrDamaged)
	}
	le := binary.LittleEndian
	if le.Uint32(h[60:]) != crc32.Checksum(h[:60], castagnoli) {
		return c, fmt.Errorf("%w: header of the checkpoint: %w", ErrDamaged, ErrCorrupt)
	}
	if v := le.Uint16(h[8:]); v != ckptVersion {
		return c, fmt.Errorf("checkpoint: %w: %d, this program knows %d", ErrNewer, v, ckptVersion)
	}
	copy(c.Identity[:], h[16:])
	c.Start = Position(le.Uint64(h[32:]))
	c.Created = time.Unix(0, int64(le.Uint64(h[40:])))
	if c.Start == 0 {
		return c, fmt.Errorf("%w: checkpoint without a start", ErrDamaged)
	}
	return c, nil
}

// ReadCheckpoint reads and verifies a whole checkpoint file, handing its
// owner's bytes to each in pieces that are valid during the call. The error
// is of vfs when there is none.
func ReadCheckpoint(fs vfs.FS, name string, each func(piece []byte) error) (CheckpointInfo, error) {
	f, err := fs.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return CheckpointInfo{}, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return CheckpointInfo{}, err
	}
	return parseCheckpoint(io.NewSectionReader(f, 0, size), each)
}

func parseCheckpoint(r io.Reader, each func(piece []byte) error) (CheckpointInfo, error) {
	damaged := func(what string, args ...any) error {
		return fmt.Errorf("%w: checkpoint: %s", ErrDamaged, fmt.Sprintf(what, args...))
	}
	read := func(b []byte) error {
		_, err := io.ReadFull(r, b)
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged("ends too early")
		}
		return err
	}
	buf := make([]byte, 8+ckptBlock)
	if err := read(buf[:ckptHeader]); err != nil {
		return CheckpointInfo{}, err
	}
	c, err := parseCkptHeader(buf[:ckptHeader])
	if err != nil {
		return c, err
	}
	le := binary.LittleEndian
	for block := uint32(0); ; block++ {
		if err := read(buf[:8]); err != nil {
			return c, err
		}
		length, n := le.Uint32(buf), 0
		switch {
		case length == ckptLast:
			n = ckptTrailer
		case length == 0 || length > ckptBlock:
			return c, damaged("block %d has an impossible length", block)
		default:
			n = int(length)
		}
		data := buf[8 : 8+n]
		if err := read(data); err != nil {
			return c, err
		}
		sum := crc32.Update(block, castagnoli, buf[:4])
		if crc32.Update(sum, castagnoli, data) != le.Uint32(buf[4:]) {
			return c, damaged("block %d: checksum mismatch", block)
		}
		if length != ckptLast {
			c.Bytes += int64(n)
			if each != nil {
				if err := each(data); err != nil {
					return c, err
				}
			}
			continue
		}
		c.End = Position(le.Uint64(data))
		if int64(le.Uint64(data[8:])) != c.Bytes || le.Uint64(data[16:]) != uint64(block) || c.End < c.Start {
			return c, damaged("trailer does not agree with what is before it")
		}
		if n, _ := io.ReadFull(r, buf[:1]); n != 0 {
			return c, damaged("goes on after its trailer")
		}
		return c, nil
	}
}

// checkpoint lets the owner write a checkpoint and makes it the current one,
// then gives back the segments that were dead when it began. The order, and
// why: the owner's bytes may speak of records that are not durable yet, so
// the log is synced before the file gets its name; the segments may be spoken
// of by the checkpoint before, so they go after the name is durable.
// Called with keepMu held.
func (l *Log) checkpoint(ctx context.Context) error {
	err := l.tryCheckpoint(ctx)
	if isNoSpace(err) && l.dropSpares() {
		err = l.tryCheckpoint(ctx)
	}
	return err
}

func (l *Log) tryCheckpoint(ctx context.Context) (err error) {
	began := time.Now()
	l.ckptWanted.Store(false)
	table := l.table.Load()
	start := l.End()
	for _, s := range table.list {
		if s != nil {
			s.deadAt = s.num < start.Segment() && s.live.Load() <= 0
		}
	}
	if start == segment.At(1, 0) {
		return nil // nothing was ever appended
	}
	since := l.sinceCkpt.Swap(0)
	defer func() {
		if err != nil {
			l.sinceCkpt.Add(since)
			l.stat.ckptFailed.Add(1)
			l.opt.FS.Remove(l.path(ckptTemp))
			if l.stopping.Err() == nil {
				l.opt.Logger.Warn("checkpoint failed", "dir", l.opt.Dir, "err", err)
			}
		}
	}()
	f, err := l.opt.FS.OpenFile(l.path(ckptTemp), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	w := newCkptWriter(f, CheckpointInfo{Identity: l.opt.Identity, Start: start, Created: began})
	err = l.owner.Checkpoint(w)
	end := l.End()
	if err == nil {
		err = w.finish(end)
	}
	if err == nil {
		err = l.syncTo(ctx, end-1, true)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := l.renameCheckpoint(); err != nil {
		return err
	}
	l.ckptStart.Store(uint64(start))
	l.stat.checkpoints.Add(1)
	freed := l.giveBack(start)
	l.opt.Logger.Debug("checkpoint", "dir", l.opt.Dir, "start", start.String(), "bytes", w.total,
		"freed_segments", freed, "took", time.Since(began))
	return nil
}

func (l *Log) renameCheckpoint() error {
	l.prepMu.Lock()
	defer l.prepMu.Unlock()
	if err := l.opt.FS.Rename(l.path(ckptTemp), l.path(CheckpointName)); err != nil {
		return err
	}
	if err := l.opt.FS.SyncDir(l.opt.Dir); err != nil {
		err = fatal{err}
		l.fail(err)
		return err
	}
	return nil
}
