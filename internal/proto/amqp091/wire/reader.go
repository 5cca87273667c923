package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// reader takes the values of section 4.2.1 from the front of a payload. The first failure stays in err and
// makes every later value zero, so that decoders need not look after each field.
type reader struct {
	b    []byte
	err  error
	utf8 bool // check short strings
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// take returns the next n bytes, nil when there are fewer.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(ErrTruncated)
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) octet() uint8 {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) short() uint16 {
	if v := r.take(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (r *reader) long() uint32 {
	if v := r.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (r *reader) longlong() uint64 {
	if v := r.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (r *reader) timestamp() Timestamp { return Timestamp(r.longlong()) }

func (r *reader) shortstr() string {
	v := r.take(uint64(r.octet()))
	if r.utf8 && !utf8.Valid(v) {
		r.fail(ErrMalformedUTF8)
		return ""
	}
	return string(v)
}

func (r *reader) longstr() string { return string(r.take(uint64(r.long()))) }

func (r *reader) table() Table {
	content := r.take(uint64(r.long()))
	if r.err != nil {
		return nil
	}
	t, err := ParseTable(content)
	if err != nil {
		r.fail(err)
	}
	return t
}

// finish is the first error; bytes that nobody took are one.
func (r *reader) finish() error {
	if r.err == nil && len(r.b) != 0 {
		r.err = ErrTrailingBytes
	}
	return r.err
}
