package queueproc

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// Kinds of records that queues write to the node's log. The group of each but
// KindBody is the queue's id. docs/format/records.md has every byte.
const (
	KindPublish  store.Kind = 1 // item head, message
	KindBody     store.Kind = 2 // message; shared by KindRef records of several queues
	KindRef      store.Kind = 3 // item head, position of a KindBody record
	KindSettle   store.Kind = 4 // runs of sequence numbers that are done with
	KindPage     store.Kind = 5 // a run of ready items that left memory
	KindPageDrop store.Kind = 6 // position of a page all of whose items are done with
	KindReturned store.Kind = 7 // sequence number and new count (quorum)
)

const recordVersion = 1

var errRecord = errors.New("malformed record")

// appendHead appends what a record says of an item besides its position.
func appendHead(dst []byte, it *queue.Item) []byte {
	dst = append(dst, recordVersion, byte(it.Flags), it.Prio)
	dst = binary.AppendUvarint(dst, it.Seq)
	dst = binary.AppendVarint(dst, it.Time)
	dst = binary.AppendVarint(dst, it.Expiry)
	return appendUvarints(dst, uint64(it.Count), uint64(it.Acquired))
}

func parseHead(b []byte) (it queue.Item, rest []byte, err error) {
	if len(b) < 3 {
		return it, nil, errRecord
	}
	if b[0] != recordVersion {
		return it, nil, errors.New("record of a newer version")
	}
	it.Flags, it.Prio = queue.Flags(b[1]), b[2]
	r := reader{b: b[3:]}
	it.Seq = r.uvarint()
	it.Time = r.varint()
	it.Expiry = r.varint()
	it.Count, it.Acquired = uint32(r.uvarint()), uint32(r.uvarint())
	if r.bad {
		return it, nil, errRecord
	}
	return it, r.b, nil
}

// skipHead is parseHead for those who want the rest only.
func skipHead(b []byte) (rest []byte, err error) {
	const fixed, numbers = 3, 5
	if len(b) < fixed || b[0] != recordVersion {
		_, rest, err = parseHead(b)
		return rest, err
	}
	left := numbers
	for i, c := range b[fixed:min(len(b), fixed+numbers*binary.MaxVarintLen64)] {
		if c < 0x80 { // the last byte of a number
			if left--; left == 0 {
				return b[fixed+i+1:], nil
			}
		}
	}
	return nil, errRecord
}

// storedMessage finds the stored form of the message in a record's payload.
func storedMessage(kind store.Kind, payload []byte) ([]byte, error) {
	switch kind {
	case KindBody:
		return payload, nil
	case KindPublish:
		return skipHead(payload)
	}
	return nil, errRecord
}

// parseMessage reads a message out of a record's payload.
func parseMessage(kind store.Kind, payload []byte) (message.Message, error) {
	b, err := storedMessage(kind, payload)
	if err != nil {
		return message.Message{}, err
	}
	m, ok := message.Parse(b)
	if !ok {
		return m, errRecord
	}
	return m, nil
}

// appendRuns appends sequence numbers as runs: the distance from the end of
// the run before (signed) and the length of the run less one.
func appendRuns(dst []byte, seqs []uint64) []byte {
	prev := uint64(0)
	for i := 0; i < len(seqs); {
		j := i + 1
		for j < len(seqs) && seqs[j] == seqs[j-1]+1 {
			j++
		}
		dst = binary.AppendVarint(dst, int64(seqs[i]-prev))
		dst = binary.AppendUvarint(dst, uint64(j-i-1))
		prev = seqs[j-1]
		i = j
	}
	return dst
}

// eachRun calls f with the first and last number of each run.
func eachRun(b []byte, f func(first, last uint64)) error {
	r := reader{b: b}
	prev := uint64(0)
	for len(r.b) > 0 {
		first := prev + uint64(r.varint())
		last := first + r.uvarint()
		if r.bad || last < first {
			return errRecord
		}
		f(first, last)
		prev = last
	}
	return nil
}

// reader takes numbers off a byte slice; after a mistake it stays bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	if b := r.b; len(b) > 0 && b[0] < 0x80 { // most are small
		r.b = b[1:]
		return uint64(b[0])
	}
	return r.long()
}

func (r *reader) long() uint64 {
	if b := r.b; len(b) >= 8 {
		// A position's distance or a time: up to eight bytes at once, seven bits of each.
		w := binary.LittleEndian.Uint64(b)
		if n := bits.TrailingZeros64(^w&0x8080808080808080)/8 + 1; n <= 8 {
			w &= 0x7f7f7f7f7f7f7f7f & (^uint64(0) >> (64 - 8*n))
			w = w&0x007f007f007f007f | w&0x7f007f007f007f00>>1
			w = w&0x00003fff00003fff | w&0x3fff00003fff0000>>2
			w = w&0x000000000fffffff | w&0x0fffffff00000000>>4
			r.b = b[n:]
			return w
		}
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) byte() byte {
	if len(r.b) < 1 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// appendItem appends an item as pages and checkpoints hold it: the head, its
// position and the size of its body. prevSeq and prevPos are those of the item
// before, so that neighbours cost little.
func appendItem(dst []byte, it *queue.Item, prevSeq, prevPos uint64) []byte {
	dst = append(dst, byte(it.Flags), it.Prio)
	dst = binary.AppendVarint(dst, int64(it.Seq-prevSeq))
	dst = binary.AppendVarint(dst, int64(it.Pos-prevPos))
	dst = binary.AppendUvarint(dst, uint64(it.Size))
	dst = binary.AppendVarint(dst, it.Time)
	dst = binary.AppendVarint(dst, it.Expiry)
	return appendUvarints(dst, uint64(it.Count), uint64(it.Acquired))
}

// item reads what appendItem wrote into it, which must be zero.
func (r *reader) item(it *queue.Item, prevSeq, prevPos uint64) {
	it.Flags, it.Prio = queue.Flags(r.byte()), r.byte()
	it.Seq = prevSeq + uint64(r.varint())
	it.Pos = prevPos + uint64(r.varint())
	it.Size = uint32(r.uvarint())
	it.Time = r.varint()
	if b := r.b; len(b) >= 3 && b[0]|b[1]|b[2] == 0 { // as most are
		r.b = b[3:]
		return
	}
	it.Expiry = r.varint()
	it.Count, it.Acquired = uint32(r.uvarint()), uint32(r.uvarint())
}

// A page record is: version, level, epoch of the node's run that wrote it (its
// transient items mean nothing to a later run), position of the page that it
// replaces or 0, number of items, items.
func appendPage(dst []byte, level uint8, epoch, replaces uint64, items []queue.Item) []byte {
	dst = append(dst, recordVersion, level)
	dst = binary.AppendUvarint(dst, epoch)
	dst = binary.AppendUvarint(dst, replaces)
	dst = binary.AppendUvarint(dst, uint64(len(items)))
	var seq, pos uint64
	for i := range items {
		dst = appendItem(dst, &items[i], seq, pos)
		seq, pos = items[i].Seq, items[i].Pos
	}
	return dst
}

type page struct {
	level    uint8
	epoch    uint64
	replaces uint64
	items    []queue.Item
}

func parsePage(b []byte) (p page, err error) {
	err = p.parse(b)
	return p, err
}

// parse reads a page record. What is in p.items is overwritten.
func (p *page) parse(b []byte) error {
	if len(b) < 2 || b[0] != recordVersion {
		return errRecord
	}
	p.level = b[1]
	r := reader{b: b[2:]}
	p.epoch = r.uvarint()
	p.replaces = r.uvarint()
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		return errRecord
	}
	p.items = slices.Grow(p.items[:0], int(n))
	var seq, pos uint64
	for range n {
		p.items = append(p.items, queue.Item{})
		it := &p.items[len(p.items)-1]
		r.item(it, seq, pos)
		seq, pos = it.Seq, it.Pos
	}
	if r.bad {
		return errRecord
	}
	return nil
}

// segLive counts what of a segment a page keeps alive.
type segLive struct {
	seg   uint32
	count uint32
	bytes uint64
}

// pageExt is what a process notes with a page: whose run wrote it and which
// segments its items lie in.
type pageExt struct {
	epoch uint64
	size  uint32 // bytes of the page's own record
	segs  []segLive
	// lasting and lastingBytes are what of it a later run will find: the
	// persistent items.
	lasting      []segLive
	lastingBytes uint64
	// redelivered: its items were recovered after a crash.
	redelivered bool
}

// pageRef describes a page of items at pos. With a later run's epoch only the
// persistent items count.
func pageRef(pos uint64, size int, p *page, epoch uint64) queue.PageRef {
	ext := &pageExt{epoch: p.epoch, size: uint32(size)}
	ref := queue.PageRef{Pos: pos, Level: p.level, Ext: ext}
	for i := range p.items {
		it := &p.items[i]
		persistent := it.Flags&queue.Persistent != 0
		if !persistent && p.epoch != epoch {
			continue
		}
		if ref.Count == 0 {
			ref.First, ref.Last, ref.FirstTime = it.Seq, it.Seq, it.Time
		}
		ref.First, ref.Last, ref.LastTime = min(ref.First, it.Seq), max(ref.Last, it.Seq), it.Time
		ref.Count++
		ref.Bytes += uint64(it.Size)
		if persistent {
			ref.Persistent++
			ext.lasting = addLive(ext.lasting, it)
			ext.lastingBytes += uint64(it.Size)
		}
		ext.segs = addLive(ext.segs, it)
	}
	return ref
}

// addLive counts an item in the segment that it lies in.
func addLive(segs []segLive, it *queue.Item) []segLive {
	seg := store.Position(it.Pos).Segment()
	for i := len(segs) - 1; i >= 0; i-- {
		if segs[i].seg == seg {
			segs[i].count++
			segs[i].bytes += uint64(it.Size)
			return segs
		}
	}
	return append(segs, segLive{seg: seg, count: 1, bytes: uint64(it.Size)})
}
