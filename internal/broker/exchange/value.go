package exchange

import (
	"bytes"
	"hash/maphash"
	"math"
)

// Kind is the type of a Value, as far as comparing goes.
type Kind uint8

const (
	Void    Kind = iota // no value; in a binding: the header has to exist
	Bool                // Int is 0 or 1
	Int                 // any integer type, and timestamps
	Float               // any floating point type
	Decimal             // Int and Scale
	String              // Data; long strings and byte arrays
	Fields              // a table; Data: its encoding
	Array               // Data: its encoding
)

// Value is the value of an argument or a header. Data may be a view into
// somebody else's bytes.
type Value struct {
	Kind  Kind
	Scale uint8
	Int   int64
	Float float64
	Data  []byte
}

// Arg is one argument of a binding.
type Arg struct {
	Key   string
	Value Value
}

// StringValue returns the value of a long string.
func StringValue(s string) Value { return Value{Kind: String, Data: []byte(s)} }

// IntValue returns the value of an integer.
func IntValue(n int64) Value { return Value{Kind: Int, Int: n} }

// FloatValue returns the value of a floating point number.
func FloatValue(f float64) Value { return Value{Kind: Float, Float: f} }

// BoolValue returns a truth value.
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: Bool, Int: 1}
	}
	return Value{Kind: Bool}
}

// Equal compares as RabbitMQ's headers exchange does, which looks at the values
// without their wire types: 1 equals 1.0, of whatever width, but not "1".
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind {
		switch {
		case v.Kind == Int && w.Kind == Float:
			return sameNumber(v.Int, w.Float)
		case v.Kind == Float && w.Kind == Int:
			return sameNumber(w.Int, v.Float)
		}
		return false
	}
	switch v.Kind {
	case Void:
		return true
	case Float:
		return v.Float == w.Float
	case Bool, Int:
		return v.Int == w.Int
	case Decimal:
		return v.Int == w.Int && v.Scale == w.Scale
	}
	return bytes.Equal(v.Data, w.Data)
}

func sameNumber(n int64, f float64) bool {
	return f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 && int64(f) == n
}

// hash is equal for equal values.
func (v *Value) hash(seed maphash.Seed) uint64 {
	switch v.Kind {
	case Void:
		return 1
	case Int:
		return scramble(math.Float64bits(float64(v.Int)))
	case Float:
		if v.Float == 0 {
			return scramble(0) // -0 too
		}
		return scramble(math.Float64bits(v.Float))
	case Bool, Decimal:
		return scramble(uint64(v.Int)<<3 + uint64(v.Kind))
	}
	return maphash.Bytes(seed, v.Data) + uint64(v.Kind)
}

func scramble(h uint64) uint64 {
	h *= 0xff51afd7ed558ccd
	return h ^ h>>32
}
