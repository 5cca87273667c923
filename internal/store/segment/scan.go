package segment

import (
	"encoding/binary"
	"errors"
	"io"
)

const scanBuffer = 1 << 20

// Scanner walks the records of one segment. It is used by one goroutine.
//
//	for s.Next() { use(s.Offset(), s.Record()) }
//	if s.Err() != nil { the file could not be read }
//	s.Sealed() / s.Offset() say how it ended
type Scanner struct {
	r    io.ReaderAt
	seed Seed
	size int64 // bytes of the file

	buf  []byte // holds [base, base+len(buf))
	base int64

	off    int64 // of the current record; after the end: where the next would begin
	next   int64
	rec    Record
	sealed bool
	err    error
}

// NewScanner returns a Scanner that begins at off (HeaderSize for the first
// record) of a file with size bytes.
func NewScanner(r io.ReaderAt, size int64, seed Seed, off uint32) *Scanner {
	return &Scanner{r: r, seed: seed, size: size, off: int64(off), next: int64(off)}
}

// window returns at least n bytes from off on, fewer only at the file's end.
func (s *Scanner) window(off int64, n int) ([]byte, error) {
	if n64 := s.size - off; int64(n) > n64 {
		n = int(max(0, n64))
	}
	if at := off - s.base; at >= 0 && at+int64(n) <= int64(len(s.buf)) {
		return s.buf[at:], nil
	}
	want := int(min(int64(max(n, scanBuffer)), s.size-off))
	if want < 0 {
		want = 0
	}
	switch {
	case cap(s.buf) < want:
		s.buf = make([]byte, want)
	case cap(s.buf) > 4*scanBuffer && want <= scanBuffer:
		s.buf = make([]byte, want) // after an oversized record
	}
	s.buf, s.base = s.buf[:want], off
	got, err := s.r.ReadAt(s.buf, off)
	s.buf = s.buf[:got]
	if err == io.EOF {
		err = nil
	}
	return s.buf, err
}

// Next goes to the next record. It returns false at the seal, at the end of
// what validates, and when reading fails.
func (s *Scanner) Next() bool {
	if s.sealed || s.err != nil {
		return false
	}
	s.off = s.next
	s.rec = Record{}
	b, err := s.window(s.off, RecordHeader)
	if err != nil {
		s.err = err
		return false
	}
	rec, size, err := Parse(b, s.seed, uint32(s.off))
	if errors.Is(err, ErrShort) && s.off+int64(size) <= s.size+Align-1 {
		if b, err = s.window(s.off, size); err != nil {
			s.err = err
			return false
		}
		rec, size, err = Parse(b, s.seed, uint32(s.off))
	}
	if err != nil {
		return false
	}
	s.rec = rec
	s.next = s.off + int64(size)
	if rec.Kind == KindSeal {
		s.sealed = true
		s.off = s.next
		return false
	}
	return true
}

// Record returns the current record, valid until Next.
func (s *Scanner) Record() Record { return s.rec }

// Offset returns where the current record begins; after Next returned false
// where the valid part ends.
func (s *Scanner) Offset() uint32 { return uint32(s.off) }

// End returns where the current record ends.
func (s *Scanner) End() uint32 { return uint32(s.next) }

// Sealed reports whether the scan ended at a seal.
func (s *Scanner) Sealed() bool { return s.sealed }

// Err returns the read error that ended the scan.
func (s *Scanner) Err() error { return s.err }

// Resync looks for the next place at or after from where a record validates
// and lets Next continue there. It returns false when there is none.
func (s *Scanner) Resync(from uint32) bool {
	s.sealed = false
	return s.find(from, func(off int64, b []byte) bool {
		_, _, payload, size, ok := Peek(b, s.seed, uint32(off))
		if !ok || off+RecordHeader+int64(payload) > s.size {
			return false
		}
		if len(b) < size {
			var err error
			if b, err = s.window(off, size); err != nil {
				s.err = err
				return true
			}
		}
		if _, _, err := Parse(b, s.seed, uint32(off)); err != nil {
			return false
		}
		s.off, s.next = off, off
		return true
	}) && s.err == nil
}

// LastMark returns the greatest durable position that a mark at or after from
// claims. It reads everything to the end of the file, whatever validates
// between.
func (s *Scanner) LastMark(from uint32) (last Position, err error) {
	s.find(from, func(off int64, b []byte) bool {
		kind, _, payload, _, ok := Peek(b, s.seed, uint32(off))
		if !ok || kind != KindMark || payload != MarkLen {
			return false
		}
		if len(b) < MarkSize {
			if b, s.err = s.window(off, MarkSize); s.err != nil {
				return true
			}
		}
		rec, _, err := Parse(b, s.seed, uint32(off))
		if err != nil {
			return false
		}
		if m, ok := ParseMark(rec.Payload); ok {
			last = max(last, m.Durable)
		}
		return false
	})
	err, s.err = s.err, nil
	return last, err
}

// find calls try with every aligned place from from on where the bytes are
// not plainly zero, until it returns true.
func (s *Scanner) find(from uint32, try func(off int64, b []byte) bool) bool {
	off := (int64(from) + Align - 1) &^ (Align - 1)
	for off+RecordHeader <= s.size {
		b, err := s.window(off, RecordHeader)
		if err != nil {
			s.err = err
			return false
		}
		if len(b) < RecordHeader {
			return false
		}
		base := s.base
		for i := 0; i+RecordHeader <= len(b); i += Align {
			// Kind and header check share these four bytes; no record has
			// kind zero.
			if binary.LittleEndian.Uint32(b[i+8:]) == 0 {
				continue
			}
			if try(off+int64(i), b[i:]) {
				return true
			}
			if s.base != base { // try read elsewhere
				off += int64(i) + Align
				b = nil
				break
			}
		}
		if b != nil {
			off += int64((len(b)-RecordHeader)/Align)*Align + Align
		}
	}
	return false
}
