// Package segment knows the bytes of a segment file and nothing else: no
// files, no goroutines. docs/format/segment.md draws them.
//
// The store appends with PutHeader, PutRecord and Finish; recovery, reading
// and `warren store check` go through ParseHeader, Parse and Scanner.
package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"time"
)

// Position is a place in the log: segment number in the high 32 bits, byte
// offset in the low 32. Zero is no place; later is greater.
type Position uint64

// At makes a Position.
func At(seg, offset uint32) Position { return Position(seg)<<32 | Position(offset) }

// Segment returns the segment's number.
func (p Position) Segment() uint32 { return uint32(p >> 32) }

// Offset returns the byte offset within the segment.
func (p Position) Offset() uint32 { return uint32(p) }

// String prints segment:offset, both in hexadecimal.
func (p Position) String() string { return fmt.Sprintf("%x:%x", p.Segment(), p.Offset()) }

// Kind says what a record is. Kinds 1 to MaxKind belong to the caller.
type Kind uint8

// Kinds with a meaning here.
const (
	MaxKind Kind = 63 // last kind that callers may use

	KindMark  Kind = 64 // begins a batch: Mark
	KindSeal  Kind = 65 // ends a segment; the log goes on in the next
	KindClose Kind = 66 // ends the log: the node was stopped in order
)

// Sizes on disk.
const (
	Version      = 1
	HeaderSize   = 64 // of the segment
	RecordHeader = 20 // of a record
	Align        = 4  // records begin at multiples of it
	MarkLen      = 16 // payload of a mark
	MarkSize     = RecordHeader + MarkLen
	SealSize     = RecordHeader
	MaxPayload   = 1 << 31 // nothing longer is taken for a record
)

var magic = [8]byte{'W', 'R', 'N', 'S', 'E', 'G', '\r', '\n'}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Errors of the parsers.
var (
	ErrNotSegment = errors.New("segment: not a segment header")
	ErrNewer      = errors.New("segment: written by a newer version")
	ErrCorrupt    = errors.New("segment: checksum mismatch")
	ErrShort      = errors.New("segment: record goes beyond what is there")
)

// Header begins a segment file.
type Header struct {
	Number   uint32
	Identity [16]byte
	Capacity int64     // bytes planned for the whole file
	Created  time.Time // when the segment was begun
	Prev     Position  // where the segment before ended
}

// PutHeader writes h into the first HeaderSize bytes of dst.
func PutHeader(dst []byte, h Header) {
	_ = dst[HeaderSize-1]
	clear(dst[:HeaderSize])
	copy(dst, magic[:])
	le := binary.LittleEndian
	le.PutUint16(dst[8:], Version)
	le.PutUint16(dst[10:], HeaderSize)
	le.PutUint32(dst[12:], h.Number)
	copy(dst[16:], h.Identity[:])
	le.PutUint64(dst[32:], uint64(h.Capacity))
	le.PutUint64(dst[40:], uint64(h.Created.UnixNano()))
	le.PutUint64(dst[48:], uint64(h.Prev))
	le.PutUint32(dst[60:], crc32.Checksum(dst[:60], castagnoli))
}

// ParseHeader reads a segment header. Magic and checksum are judged before
// the version, so that "newer" is never taken for "damaged": the place of
// the checksum belongs to the magic, whatever the version.
func ParseHeader(b []byte) (Header, error) {
	var h Header
	if len(b) < HeaderSize || [8]byte(b[:8]) != magic {
		return h, ErrNotSegment
	}
	le := binary.LittleEndian
	if le.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return h, fmt.Errorf("header: %w", ErrCorrupt)
	}
	if v := le.Uint16(b[8:]); v != Version {
		return h, fmt.Errorf("%w: %d, this program knows %d", ErrNewer, v, Version)
	}
	h.Number = le.Uint32(b[12:])
	copy(h.Identity[:], b[16:])
	h.Capacity = int64(le.Uint64(b[32:]))
	h.Created = time.Unix(0, int64(le.Uint64(b[40:])))
	h.Prev = Position(le.Uint64(b[48:]))
	return h, nil
}

// Seed is what binds records to their node and their segment: a record that
// an earlier use of the file left behind does not validate.
type Seed uint32

// SeedOf computes the seed of a segment.
func SeedOf(identity [16]byte, number uint32) Seed {
	var b [20]byte
	copy(b[:], identity[:])
	binary.LittleEndian.PutUint32(b[16:], number)
	return Seed(crc32.Checksum(b[:], castagnoli))
}

// check is the 16 bit check of a record header, so that a damaged length is
// noticed before it is believed, and a place can be asked "may a record
// begin here?" without reading its payload.
func (s Seed) check(off uint32, lengthKindFlags, group uint64) uint16 {
	hi, lo := bits.Mul64(lengthKindFlags^uint64(s)<<32^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93+uint64(off)<<1)
	hi2, lo2 := bits.Mul64(group^0xA0761D6478BD642F, (hi^lo)|1)
	x := hi2 ^ lo2 ^ hi
	return uint16(x ^ x>>16 ^ x>>32 ^ x>>48)
}

// Size returns the bytes that a record with so long a payload takes.
func Size(payload int) int { return (RecordHeader + payload + Align - 1) &^ (Align - 1) }

// Record is a parsed record. Payload points into what was parsed.
type Record struct {
	Kind    Kind
	Flags   uint8
	Group   uint64
	Payload []byte
}

// PutRecord writes the header of a record that begins at off. Its payload
// belongs at dst[RecordHeader:]; the checksum is left to Finish, which the
// committer calls away from the append lock.
func PutRecord(dst []byte, seed Seed, off uint32, kind Kind, group uint64, payload int) {
	_ = dst[RecordHeader-1]
	le := binary.LittleEndian
	lkf := uint64(uint32(payload)) | uint64(kind)<<32
	le.PutUint32(dst, 0)
	le.PutUint64(dst[4:], lkf)
	le.PutUint16(dst[10:], seed.check(off, lkf, group))
	le.PutUint64(dst[12:], group)
}

// Finish fills in the checksum of the record at the start of b, which begins
// at off in the segment, and returns the record's whole size.
func Finish(b []byte, seed Seed, off uint32) int {
	n := int(binary.LittleEndian.Uint32(b[4:]))
	sum := crc32.Update(uint32(seed)^off, castagnoli, b[4:RecordHeader+n])
	binary.LittleEndian.PutUint32(b, sum)
	return Size(n)
}

// Peek judges the header of a record that may begin at off. ok: the header
// validates; size is what the record takes with its padding.
func Peek(b []byte, seed Seed, off uint32) (kind Kind, group uint64, payload, size int, ok bool) {
	if len(b) < RecordHeader {
		return 0, 0, 0, 0, false
	}
	le := binary.LittleEndian
	word := le.Uint64(b[4:])
	lkf := word & (1<<48 - 1)
	kind = Kind(word >> 32)
	n := uint32(word)
	group = le.Uint64(b[12:])
	if kind == 0 || n > MaxPayload || uint16(word>>48) != seed.check(off, lkf, group) {
		return 0, 0, 0, 0, false
	}
	return kind, group, int(n), Size(int(n)), true
}

// Parse reads the record at the start of b, which begins at off in its
// segment. It returns the bytes the record takes. ErrShort says that the
// header is good but b ends too early.
func Parse(b []byte, seed Seed, off uint32) (r Record, size int, err error) {
	kind, group, n, size, ok := Peek(b, seed, off)
	if !ok {
		return r, 0, ErrCorrupt
	}
	if len(b) < RecordHeader+n {
		return r, size, ErrShort
	}
	if crc32.Update(uint32(seed)^off, castagnoli, b[4:RecordHeader+n]) != binary.LittleEndian.Uint32(b) {
		return r, size, ErrCorrupt
	}
	return Record{Kind: kind, Flags: b[9], Group: group, Payload: b[RecordHeader : RecordHeader+n : RecordHeader+n]}, size, nil
}

// Mark begins every batch.
type Mark struct {
	Durable Position  // everything before was synced when the batch began
	Time    time.Time // when the batch began
}

// PutMark writes the payload of a mark.
func PutMark(dst []byte, m Mark) {
	binary.LittleEndian.PutUint64(dst, uint64(m.Durable))
	binary.LittleEndian.PutUint64(dst[8:], uint64(m.Time.UnixNano()))
}

// ParseMark reads the payload of a mark.
func ParseMark(b []byte) (Mark, bool) {
	if len(b) != MarkLen {
		return Mark{}, false
	}
	return Mark{
		Durable: Position(binary.LittleEndian.Uint64(b)),
		Time:    time.Unix(0, int64(binary.LittleEndian.Uint64(b[8:]))),
	}, true
}

// Rehash makes a header's checksum fit again, for tests that change one.
func Rehash(h []byte) {
	binary.LittleEndian.PutUint32(h[60:], crc32.Checksum(h[:60], castagnoli))
}
