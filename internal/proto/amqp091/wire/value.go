package wire

import (
	"encoding/binary"
	"math"
)

// Value is a value of a field table or array. Each type code of RabbitMQ's grammar has a Go type of its own,
// so that a value is sent on with the code that it came with. nil stands for Void.
type Value interface {
	// Code is the type's letter on the wire.
	Code() byte
	// appendTo adds the value without its code.
	appendTo(dst []byte) []byte
}

// The types, as RabbitMQ reads them (the letters differ from section 4.2.1 of the specification, see
// RabbitMQ's errata). Timestamp is one of them too.
type (
	Bool    bool     // t
	Int8    int8     // b
	Uint8   uint8    // B
	Int16   int16    // s
	Uint16  uint16   // u
	Int32   int32    // I
	Uint32  uint32   // i
	Int64   int64    // l
	LongInt int64    // L: the specification's other 64-bit integer; RabbitMQ reads it as signed
	Float32 float32  // f
	Float64 float64  // d
	String  string   // S
	Binary  []byte   // x
	Array   []Value  // A
	Void    struct{} // V

	// Decimal is D: Value divided by ten to the power of Scale.
	Decimal struct {
		Scale uint8
		Value uint32
	}
)

// Code is the type's letter.
func (Bool) Code() byte      { return 't' }
func (Int8) Code() byte      { return 'b' }
func (Uint8) Code() byte     { return 'B' }
func (Int16) Code() byte     { return 's' }
func (Uint16) Code() byte    { return 'u' }
func (Int32) Code() byte     { return 'I' }
func (Uint32) Code() byte    { return 'i' }
func (Int64) Code() byte     { return 'l' }
func (LongInt) Code() byte   { return 'L' }
func (Float32) Code() byte   { return 'f' }
func (Float64) Code() byte   { return 'd' }
func (Decimal) Code() byte   { return 'D' }
func (String) Code() byte    { return 'S' }
func (Binary) Code() byte    { return 'x' }
func (Array) Code() byte     { return 'A' }
func (Timestamp) Code() byte { return 'T' }
func (Table) Code() byte     { return 'F' }
func (Void) Code() byte      { return 'V' }

func (v Bool) appendTo(dst []byte) []byte    { return append(dst, bit(bool(v), 0)) }
func (v Int8) appendTo(dst []byte) []byte    { return append(dst, byte(v)) }
func (v Uint8) appendTo(dst []byte) []byte   { return append(dst, byte(v)) }
func (v Int16) appendTo(dst []byte) []byte   { return appendShort(dst, uint16(v)) }
func (v Uint16) appendTo(dst []byte) []byte  { return appendShort(dst, uint16(v)) }
func (v Int32) appendTo(dst []byte) []byte   { return appendLong(dst, uint32(v)) }
func (v Uint32) appendTo(dst []byte) []byte  { return appendLong(dst, uint32(v)) }
func (v Int64) appendTo(dst []byte) []byte   { return appendLonglong(dst, uint64(v)) }
func (v LongInt) appendTo(dst []byte) []byte { return appendLonglong(dst, uint64(v)) }
func (v Float32) appendTo(dst []byte) []byte { return appendLong(dst, math.Float32bits(float32(v))) }
func (v Float64) appendTo(dst []byte) []byte {
	return appendLonglong(dst, math.Float64bits(float64(v)))
}
func (v Decimal) appendTo(dst []byte) []byte   { return appendLong(append(dst, v.Scale), v.Value) }
func (v String) appendTo(dst []byte) []byte    { return appendLongstr(dst, string(v)) }
func (v Binary) appendTo(dst []byte) []byte    { return append(appendLong(dst, uint32(len(v))), v...) }
func (v Timestamp) appendTo(dst []byte) []byte { return appendTimestamp(dst, v) }
func (v Table) appendTo(dst []byte) []byte     { return AppendTable(dst, v) }
func (Void) appendTo(dst []byte) []byte        { return dst }

func (v Array) appendTo(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, e := range v {
		dst = AppendValue(dst, e)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// AppendValue adds a value with its type code.
func AppendValue(dst []byte, v Value) []byte {
	if v == nil {
		v = Void{}
	}
	return v.appendTo(append(dst, v.Code()))
}

// TypeName is what RabbitMQ calls the value's type in error texts and listings.
func TypeName(v Value) string {
	if v == nil {
		return typeName('V')
	}
	return typeName(v.Code())
}

func typeName(code byte) string {
	switch code {
	case 't':
		return "bool"
	case 'b':
		return "byte"
	case 'B':
		return "unsignedbyte"
	case 's':
		return "short"
	case 'u':
		return "unsignedshort"
	case 'I':
		return "signedint"
	case 'i':
		return "unsignedint"
	case 'l', 'L':
		return "long"
	case 'f':
		return "float"
	case 'd':
		return "double"
	case 'D':
		return "decimal"
	case 'S':
		return "longstr"
	case 'x':
		return "binary"
	case 'A':
		return "array"
	case 'T':
		return "timestamp"
	case 'F':
		return "table"
	case 'V':
		return "void"
	}
	return "unknown"
}

// AsInt64 is the number in an integer of any width. A timestamp is not an integer, and neither is a decimal.
func AsInt64(v Value) (int64, bool) {
	switch v := v.(type) {
	case Int8:
		return int64(v), true
	case Uint8:
		return int64(v), true
	case Int16:
		return int64(v), true
	case Uint16:
		return int64(v), true
	case Int32:
		return int64(v), true
	case Uint32:
		return int64(v), true
	case Int64:
		return int64(v), true
	case LongInt:
		return int64(v), true
	}
	return 0, false
}

// AsFloat64 is the number in a float of either width.
func AsFloat64(v Value) (float64, bool) {
	switch v := v.(type) {
	case Float32:
		return float64(v), true
	case Float64:
		return float64(v), true
	}
	return 0, false
}

// AsString is the text of a String.
func AsString(v Value) (string, bool) {
	s, ok := v.(String)
	return string(s), ok
}

// AsBool is the truth in a Bool.
func AsBool(v Value) (value, ok bool) {
	b, ok := v.(Bool)
	return bool(b), ok
}

// Equivalent says whether RabbitMQ takes two arguments for the same when a queue or exchange is declared
// again: integers compare across widths, floats too, all else by type and value. Tables and arrays are
// compared in order.
func Equivalent(a, b Value) bool {
	if x, ok := AsInt64(a); ok {
		y, ok := AsInt64(b)
		return ok && x == y
	}
	if x, ok := AsFloat64(a); ok {
		y, ok := AsFloat64(b)
		return ok && x == y
	}
	switch x := a.(type) {
	case nil, Void:
		return b == nil || b.Code() == 'V'
	case Binary:
		y, ok := b.(Binary)
		return ok && string(x) == string(y)
	case Array:
		y, ok := b.(Array)
		return ok && equivalentArrays(x, y)
	case Table:
		y, ok := b.(Table)
		return ok && equivalentTables(x, y)
	}
	if b == nil || a.Code() != b.Code() {
		return false
	}
	return a == b
}

func equivalentArrays(a, b Array) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equivalent(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equivalentTables(a, b Table) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || !Equivalent(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}
