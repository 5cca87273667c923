package meta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Args are the arguments of a definition: the fields of an AMQP 0-9-1 field
// table (§4.2.5.5) as they came, without the table's length. They are kept as
// bytes so that every type survives; nobody changes them in place.
//
// Of two fields with the same key the first counts, as in RabbitMQ.
type Args []byte

// Value is one field's value: its type's letter and its payload (of strings,
// tables and arrays without the length).
type Value struct {
	Tag  byte
	Data []byte
}

var errArgs = errors.New("meta: malformed argument table")

// Check reports whether the bytes are a well-formed table.
func (a Args) Check() error { return checkTable(a, 0) }

const maxDepth = 64

func checkTable(b []byte, depth int) error {
	for len(b) > 0 {
		_, v, rest, ok := nextField(b)
		if !ok {
			return errArgs
		}
		if err := v.check(depth); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func (v Value) check(depth int) error {
	if depth > maxDepth {
		return errArgs
	}
	switch v.Tag {
	case 'F':
		return checkTable(v.Data, depth+1)
	case 'A':
		for b := v.Data; len(b) > 0; {
			e, rest, ok := nextValue(b)
			if !ok {
				return errArgs
			}
			if err := e.check(depth + 1); err != nil {
				return err
			}
			b = rest
		}
	}
	return nil
}

// All yields the fields in their order, and stops at malformed bytes.
func (a Args) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for b := []byte(a); len(b) > 0; {
			k, v, rest, ok := nextField(b)
			if !ok || !yield(string(k), v) {
				return
			}
			b = rest
		}
	}
}

// Get returns the value of the first field called key.
func (a Args) Get(key string) (Value, bool) {
	for b := []byte(a); len(b) > 0; {
		k, v, rest, ok := nextField(b)
		if !ok {
			break
		}
		if string(k) == key {
			return v, true
		}
		b = rest
	}
	return Value{}, false
}

func nextField(b []byte) (key []byte, v Value, rest []byte, ok bool) {
	n := int(b[0])
	if len(b) < 1+n {
		return nil, v, nil, false
	}
	key = b[1 : 1+n]
	v, rest, ok = nextValue(b[1+n:])
	return key, v, rest, ok
}

func nextValue(b []byte) (v Value, rest []byte, ok bool) {
	if len(b) == 0 {
		return v, nil, false
	}
	v.Tag, b = b[0], b[1:]
	var n int
	switch v.Tag {
	case 'V':
	case 't', 'b', 'B':
		n = 1
	case 's', 'u', 'U':
		n = 2
	case 'I', 'i', 'f':
		n = 4
	case 'D':
		n = 5
	case 'l', 'L', 'd', 'T':
		n = 8
	case 'S', 'x', 'F', 'A':
		if len(b) < 4 {
			return v, nil, false
		}
		l := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(l) > uint64(len(b)) {
			return v, nil, false
		}
		n = int(l)
	default:
		return v, nil, false
	}
	if len(b) < n {
		return v, nil, false
	}
	v.Data = b[:n:n]
	return v, b[n:], true
}

// Type is RabbitMQ's name of the type, as error texts have it.
func (v Value) Type() string {
	switch v.Tag {
	case 'S':
		return "longstr"
	case 'I':
		return "signedint"
	case 'i':
		return "unsignedint"
	case 'l', 'L':
		return "long"
	case 's', 'U':
		return "short"
	case 'u':
		return "unsignedshort"
	case 'b':
		return "byte"
	case 'B':
		return "unsignedbyte"
	case 't':
		return "bool"
	case 'D':
		return "decimal"
	case 'T':
		return "timestamp"
	case 'f':
		return "float"
	case 'd':
		return "double"
	case 'F':
		return "table"
	case 'A':
		return "array"
	case 'x':
		return "binary"
	}
	return "void"
}

// class groups the types whose values can be equal (rabbit_misc:type_class).
func (v Value) class() string {
	switch v.Tag {
	case 'I', 'i', 'l', 'L', 's', 'U', 'u', 'b', 'B', 'D':
		return "int"
	case 'f', 'd':
		return "float"
	}
	return v.Type()
}

// Int returns the value of any integer type.
func (v Value) Int() (int64, bool) {
	d := v.Data
	switch v.Tag {
	case 'b':
		return int64(int8(d[0])), true
	case 'B':
		return int64(d[0]), true
	case 's', 'U':
		return int64(int16(binary.BigEndian.Uint16(d))), true
	case 'u':
		return int64(binary.BigEndian.Uint16(d)), true
	case 'I':
		return int64(int32(binary.BigEndian.Uint32(d))), true
	case 'i':
		return int64(binary.BigEndian.Uint32(d)), true
	case 'l', 'L':
		return int64(binary.BigEndian.Uint64(d)), true
	}
	return 0, false
}

// Str returns the value of a long string.
func (v Value) Str() (string, bool) {
	if v.Tag != 'S' {
		return "", false
	}
	return string(v.Data), true
}

// Bool returns the value of a boolean.
func (v Value) Bool() (value, ok bool) {
	if v.Tag != 't' {
		return false, false
	}
	return v.Data[0] != 0, true
}

func (v Value) binary() bool { return v.Tag == 'S' || v.Tag == 'x' }

// same reports whether two values of the same class are equal.
func (v Value) same(w Value) bool {
	if i, ok := v.Int(); ok {
		j, ok := w.Int()
		return ok && i == j
	}
	if v.class() == "float" && w.class() == "float" {
		return v.float() == w.float()
	}
	return v.Tag == w.Tag && bytes.Equal(v.Data, w.Data)
}

func (v Value) float() float64 {
	if v.Tag == 'f' {
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v.Data)))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(v.Data))
}

// String formats v as Erlang's ~p does.
func (v Value) String() string {
	if i, ok := v.Int(); ok {
		return strconv.FormatInt(i, 10)
	}
	switch v.Tag {
	case 'S', 'x':
		return erlBinary(v.Data)
	case 't':
		return strconv.FormatBool(v.Data[0] != 0)
	case 'f', 'd':
		return erlFloat(v.float())
	case 'D':
		return fmt.Sprintf("{%d,%d}", v.Data[0], binary.BigEndian.Uint32(v.Data[1:]))
	case 'T':
		return strconv.FormatUint(binary.BigEndian.Uint64(v.Data), 10)
	case 'F':
		var l []string
		for k, e := range Args(v.Data).All() {
			l = append(l, "{"+erlBinary([]byte(k))+","+e.Type()+","+e.String()+"}")
		}
		return "[" + strings.Join(l, ",") + "]"
	case 'A':
		var l []string
		for b := v.Data; len(b) > 0; {
			e, rest, ok := nextValue(b)
			if !ok {
				break
			}
			l = append(l, "{"+e.Type()+","+e.String()+"}")
			b = rest
		}
		return "[" + strings.Join(l, ",") + "]"
	}
	return "undefined"
}

// canonical returns the fields ordered by key, with the spellings of one type
// made equal: what makes two bindings the same.
func (a Args) canonical() string {
	if len(a) == 0 {
		return ""
	}
	type field struct {
		key string
		v   Value
	}
	var fs []field
	for k, v := range a.All() {
		fs = append(fs, field{k, v})
	}
	slices.SortStableFunc(fs, func(x, y field) int { return strings.Compare(x.key, y.key) })
	out := make([]byte, 0, len(a))
	for _, f := range fs {
		out = append(append(out, byte(len(f.key))), f.key...)
		out = f.v.append(out)
	}
	return string(out)
}

func (v Value) append(dst []byte) []byte {
	switch v.Tag {
	case 'L':
		return append(append(dst, 'l'), v.Data...)
	case 'U':
		return append(append(dst, 's'), v.Data...)
	case 't':
		if v.Data[0] != 0 {
			return append(dst, 't', 1)
		}
		return append(dst, 't', 0)
	case 'S', 'x', 'F', 'A':
		dst = binary.BigEndian.AppendUint32(append(dst, v.Tag), uint32(len(v.Data)))
		return append(dst, v.Data...)
	}
	return append(append(dst, v.Tag), v.Data...)
}

// Set returns a copy of a in which key has the value v, a string, an int or
// int64 (type long), or a bool.
func (a Args) Set(key string, v any) Args {
	if len(key) > 255 {
		panic("meta: argument name too long")
	}
	var val Value
	switch v := v.(type) {
	case string:
		val = Value{'S', []byte(v)}
	case int:
		val = Value{'l', binary.BigEndian.AppendUint64(nil, uint64(v))}
	case int64:
		val = Value{'l', binary.BigEndian.AppendUint64(nil, uint64(v))}
	case bool:
		val = Value{'t', []byte{0}}
		if v {
			val.Data[0] = 1
		}
	default:
		panic(fmt.Sprintf("meta: Args.Set of a %T", v))
	}
	out := make(Args, 0, len(a)+len(key)+16)
	for k, w := range a.All() {
		if k == key {
			continue
		}
		out = append(append(out, byte(len(k))), k...)
		out = rawAppend(out, w)
	}
	out = append(append(out, byte(len(key))), key...)
	return rawAppend(out, val)
}

func rawAppend(dst []byte, v Value) []byte {
	switch v.Tag {
	case 'S', 'x', 'F', 'A':
		dst = binary.BigEndian.AppendUint32(append(dst, v.Tag), uint32(len(v.Data)))
		return append(dst, v.Data...)
	}
	return append(append(dst, v.Tag), v.Data...)
}
