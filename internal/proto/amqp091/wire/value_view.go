package wire

import (
	"encoding/binary"
	"math"
)

// ValueView is a table value still in its bytes. The zero ValueView is no value at all: every As method says
// no, and its code is 0.
type ValueView struct {
	code byte
	raw  []byte // the value without its code and, where it has one, without its length
}

// Code is the type's letter on the wire.
func (v ValueView) Code() byte { return v.code }

// TypeName is what RabbitMQ calls the type.
func (v ValueView) TypeName() string { return typeName(v.code) }

// Bytes are the bytes of the value; for S, x, A and F what follows the length.
func (v ValueView) Bytes() []byte { return v.raw }

// AsBytes is the text of an S without copying it.
func (v ValueView) AsBytes() ([]byte, bool) { return v.raw, v.code == 'S' }

// AsString is the text of an S.
func (v ValueView) AsString() (string, bool) {
	if v.code != 'S' {
		return "", false
	}
	return string(v.raw), true
}

// AsBool is the truth in a t.
func (v ValueView) AsBool() (value, ok bool) {
	if v.code != 't' {
		return false, false
	}
	return v.raw[0] != 0, true
}

// AsInt64 is the number in an integer of any width.
func (v ValueView) AsInt64() (int64, bool) {
	switch v.code {
	case 'b':
		return int64(int8(v.raw[0])), true
	case 'B':
		return int64(v.raw[0]), true
	case 's':
		return int64(int16(binary.BigEndian.Uint16(v.raw))), true
	case 'u':
		return int64(binary.BigEndian.Uint16(v.raw)), true
	case 'I':
		return int64(int32(binary.BigEndian.Uint32(v.raw))), true
	case 'i':
		return int64(binary.BigEndian.Uint32(v.raw)), true
	case 'l', 'L':
		return int64(binary.BigEndian.Uint64(v.raw)), true
	}
	return 0, false
}

// AsFloat64 is the number in a float of either width.
func (v ValueView) AsFloat64() (float64, bool) {
	switch v.code {
	case 'f':
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v.raw))), true
	case 'd':
		return math.Float64frombits(binary.BigEndian.Uint64(v.raw)), true
	}
	return 0, false
}

// AsTable is the content of an F.
func (v ValueView) AsTable() (TableView, bool) { return TableView(v.raw), v.code == 'F' }

// AsArray is the content of an A.
func (v ValueView) AsArray() (ArrayView, bool) { return ArrayView(v.raw), v.code == 'A' }

// Value decodes the value; the result owns its strings.
func (v ValueView) Value() (Value, error) { return v.decode(0) }

// decode makes a Value of a view that stands in a table of the given depth.
func (v ValueView) decode(depth int) (Value, error) {
	switch v.code {
	case 't':
		return Bool(v.raw[0] != 0), nil
	case 'b':
		return Int8(v.raw[0]), nil
	case 'B':
		return Uint8(v.raw[0]), nil
	case 's':
		return Int16(binary.BigEndian.Uint16(v.raw)), nil
	case 'u':
		return Uint16(binary.BigEndian.Uint16(v.raw)), nil
	case 'I':
		return Int32(binary.BigEndian.Uint32(v.raw)), nil
	case 'i':
		return Uint32(binary.BigEndian.Uint32(v.raw)), nil
	case 'l':
		return Int64(binary.BigEndian.Uint64(v.raw)), nil
	case 'L':
		return LongInt(binary.BigEndian.Uint64(v.raw)), nil
	case 'f':
		return Float32(math.Float32frombits(binary.BigEndian.Uint32(v.raw))), nil
	case 'd':
		return Float64(math.Float64frombits(binary.BigEndian.Uint64(v.raw))), nil
	case 'D':
		return Decimal{Scale: v.raw[0], Value: binary.BigEndian.Uint32(v.raw[1:])}, nil
	case 'S':
		return String(v.raw), nil
	case 'x':
		return Binary(append([]byte{}, v.raw...)), nil
	case 'T':
		return Timestamp(binary.BigEndian.Uint64(v.raw)), nil
	case 'V':
		return Void{}, nil
	case 'A':
		a, err := parseArray(v.raw, depth+1)
		if err != nil {
			return nil, err
		}
		return a, nil
	case 'F':
		t, err := parseTable(v.raw, depth+1)
		if err != nil {
			return nil, err
		}
		return t, nil
	}
	return nil, &FieldTypeError{Code: v.code}
}

// validate checks what is inside a view that stands in a table of the given depth.
func (v ValueView) validate(depth int) error {
	switch v.code {
	case 'A':
		return validateArray(v.raw, depth+1)
	case 'F':
		return validateTable(v.raw, depth+1)
	}
	return nil
}

// nextField splits the first field off the content of a table.
func nextField(b []byte) (key []byte, v ValueView, rest []byte, err error) {
	n := 1 + int(b[0])
	if len(b) <= n {
		return nil, v, nil, ErrTruncated
	}
	v, rest, err = nextValue(b[n:])
	return b[1:n:n], v, rest, err
}

// nextValue splits the first value off b, which is not empty. It is the one place where the lengths of values
// are checked: a ValueView that it returned has all the bytes that its code promises.
func nextValue(b []byte) (v ValueView, rest []byte, err error) {
	code := b[0]
	b = b[1:]
	n := uint64(0)
	switch code {
	case 't', 'b', 'B':
		n = 1
	case 's', 'u':
		n = 2
	case 'I', 'i', 'f':
		n = 4
	case 'D':
		n = 5
	case 'l', 'L', 'd', 'T':
		n = 8
	case 'V':
	case 'S', 'x', 'A', 'F':
		if len(b) < 4 {
			return v, nil, ErrTruncated
		}
		n = uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	default:
		return v, nil, &FieldTypeError{Code: code}
	}
	if uint64(len(b)) < n {
		return v, nil, ErrTruncated
	}
	return ValueView{code: code, raw: b[:n:n]}, b[n:], nil
}
