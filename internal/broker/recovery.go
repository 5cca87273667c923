package broker

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/store"
)

// Kinds of records of the broker's own, beside those of queueproc.
const (
	kindCommand  store.Kind = 16 // a definition command
	kindMark     store.Kind = 17 // nothing; its position is waited for
	kindCommands store.Kind = 18 // several definition commands, all or none: each its length and itself
)

// bodyGroup is the group of records that belong to no queue alone.
const bodyGroup = math.MaxUint64

// A checkpoint is: version, the position from which definition commands count,
// the definitions, and a part for each durable queue.
const checkpointVersion = 1

// recovery gathers what the log holds while Open runs.
type recovery struct {
	cut    store.Position
	queues map[uint64]*queueproc.Recovery
}

func newRecovery(b *Broker) *recovery {
	var raw [8]byte
	rand.Read(raw[:])
	b.epoch = binary.LittleEndian.Uint64(raw[:])>>1 + 1
	return &recovery{queues: map[uint64]*queueproc.Recovery{}}
}

// owner is a Broker as its log sees it (store.Owner).
type owner Broker

// Restore takes a checkpoint in.
func (o *owner) Restore(l *store.Log, blob []byte) error {
	o.log = l
	if blob == nil {
		return nil
	}
	b := (*Broker)(o)
	if len(blob) < 9 {
		return errors.New("checkpoint is too short")
	}
	if blob[0] != checkpointVersion {
		return fmt.Errorf("checkpoint of version %d, this program knows %d", blob[0], checkpointVersion)
	}
	b.rec.cut = store.Position(binary.BigEndian.Uint64(blob[1:]))
	first := true
	for blob = blob[9:]; len(blob) > 0; first = false {
		n, k := binary.Uvarint(blob)
		if k <= 0 || n > uint64(len(blob)-k) {
			return errors.New("checkpoint is cut short")
		}
		part := blob[k : k+int(n)]
		blob = blob[k+int(n):]
		if first {
			if err := b.state.Restore(part); err != nil {
				return fmt.Errorf("definitions in the checkpoint: %w", err)
			}
			continue
		}
		id, rec, err := queueproc.ParseCheckpoint(part)
		if err != nil {
			return fmt.Errorf("queue in the checkpoint: %w", err)
		}
		b.rec.queues[id] = rec
	}
	return nil
}

// Replay takes a record since the checkpoint in.
func (o *owner) Replay(pos store.Position, kind store.Kind, group uint64, payload []byte) error {
	b := (*Broker)(o)
	switch kind {
	case kindMark, queueproc.KindBody:
		return nil
	case kindCommand:
		if pos < b.rec.cut {
			return nil
		}
		return b.replayCommand(payload)
	case kindCommands:
		if pos < b.rec.cut {
			return nil
		}
		for len(payload) > 0 {
			n, k := binary.Uvarint(payload)
			if k <= 0 || n > uint64(len(payload)-k) {
				return errors.New("commands are cut short")
			}
			if err := b.replayCommand(payload[k : k+int(n)]); err != nil {
				return err
			}
			payload = payload[k+int(n):]
		}
		return nil
	}
	rec := b.rec.queues[group]
	if rec == nil {
		rec = &queueproc.Recovery{}
		b.rec.queues[group] = rec
	}
	return rec.Replay(pos, kind, payload)
}

func (b *Broker) replayCommand(raw []byte) error {
	c, err := meta.Unmarshal(raw)
	if err != nil {
		return err
	}
	if err := b.state.Replay(c); err != nil {
		return fmt.Errorf("definition in the log: %w", err)
	}
	return nil
}

// Recovered builds what runs from the definitions.
func (o *owner) Recovered(clean bool) error {
	b := (*Broker)(o)
	l := b.log
	b.deriveAll()
	for _, v := range b.vhosts {
		for _, q := range v.queues {
			rec := b.rec.queues[q.ID]
			if rec == nil {
				rec = &queueproc.Recovery{}
			}
			err := q.Restore(rec, !clean, func(pos store.Position) ([]byte, error) {
				raw, _, _, err := l.Read(pos, nil)
				return raw, err
			})
			if err != nil {
				return fmt.Errorf("queue %q in vhost %q: %w", q.Name, v.Name, err)
			}
		}
	}
	for _, v := range b.vhosts {
		for _, q := range v.Queues() {
			q.Start()
		}
	}
	return nil
}

// Checkpoint writes everything that a recovery needs.
func (o *owner) Checkpoint(w io.Writer) error {
	b := (*Broker)(o)
	b.defs.Lock()
	snap := b.state.Snapshot()
	cut := b.log.End()
	b.defs.Unlock()
	bw := bufio.NewWriterSize(w, 64<<10)
	head := append([]byte{checkpointVersion}, binary.BigEndian.AppendUint64(nil, uint64(cut))...)
	if _, err := bw.Write(head); err != nil {
		return err
	}
	part := func(p []byte) error {
		if _, err := bw.Write(binary.AppendUvarint(head[:0], uint64(len(p)))); err != nil {
			return err
		}
		_, err := bw.Write(p)
		return err
	}
	if err := part(snap); err != nil {
		return err
	}
	var buf []byte
	for _, v := range b.allVHosts() {
		for _, q := range v.Queues() {
			if !q.Durable {
				continue
			}
			buf = q.AppendCheckpoint(buf[:0])
			if err := part(buf); err != nil {
				return err
			}
		}
	}
	return bw.Flush()
}

// Evacuate moves what still lives in a segment of the log to its tail.
func (o *owner) Evacuate(seg uint32, groups []uint64) error {
	b := (*Broker)(o)
	if slices.Contains(groups, bodyGroup) {
		// Bodies that several queues share: any queue may refer to one.
		for _, v := range b.allVHosts() {
			for _, q := range v.Queues() {
				if err := q.Evacuate(seg); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, id := range groups {
		if q, ok := b.queues.Load(id); ok {
			if err := q.(*Queue).Evacuate(seg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Broker) allVHosts() []*VHost {
	b.mu.RLock()
	defer b.mu.RUnlock()
	vs := make([]*VHost, 0, len(b.vhosts))
	for _, v := range b.vhosts {
		vs = append(vs, v)
	}
	return vs
}
