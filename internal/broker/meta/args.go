package meta

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Args are the arguments of a definition: the fields of an AMQP 0-9-1 field
// table (§4.2.5.5) as they came, without the table's length. They are kept as
// bytes so that every type survives; nobody changes them in place.
//
// Of two fields with the same key the first counts, as in RabbitMQ.
type Args []byte

// Value is one field's value.
type Value struct{ wire.ValueView }

// Check reports whether the bytes are a well-formed table.
func (a Args) Check() error { return wire.ValidateTable(a) }

// All yields the fields in their order, and stops at malformed bytes.
func (a Args) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		it := wire.TableView(a).Iter()
		for it.Next() {
			if !yield(string(it.Key()), Value{it.Value()}) {
				return
			}
		}
	}
}

// Get returns the value of the first field called key.
func (a Args) Get(key string) (Value, bool) {
	v, ok := wire.TableView(a).Lookup(key)
	return Value{v}, ok
}

// Type is RabbitMQ's name of the type, as error texts have it.
func (v Value) Type() string { return v.TypeName() }

// class groups the types whose values can be equal (rabbit_misc:type_class).
func (v Value) class() string {
	switch v.Code() {
	case 'I', 'i', 'l', 'L', 's', 'u', 'b', 'B', 'D':
		return "int"
	case 'f', 'd':
		return "float"
	}
	return v.Type()
}

// Int returns the value of any integer type.
func (v Value) Int() (int64, bool) { return v.AsInt64() }

// Str returns the value of a long string.
func (v Value) Str() (string, bool) { return v.AsString() }

// Bool returns the value of a boolean.
func (v Value) Bool() (value, ok bool) { return v.AsBool() }

func (v Value) binary() bool { return v.Code() == 'S' || v.Code() == 'x' }

// same reports whether two values of the same class are equal.
func (v Value) same(w Value) bool {
	if i, ok := v.Int(); ok {
		j, ok := w.Int()
		return ok && i == j
	}
	if f, ok := v.AsFloat64(); ok {
		g, ok := w.AsFloat64()
		return ok && f == g
	}
	return v.Code() == w.Code() && string(v.Bytes()) == string(w.Bytes())
}

// String formats v as Erlang's ~p does.
func (v Value) String() string {
	if i, ok := v.Int(); ok {
		return strconv.FormatInt(i, 10)
	}
	if f, ok := v.AsFloat64(); ok {
		return erlFloat(f)
	}
	raw := v.Bytes()
	switch v.Code() {
	case 'S', 'x':
		return erlBinary(raw)
	case 't':
		return strconv.FormatBool(raw[0] != 0)
	case 'D':
		return fmt.Sprintf("{%d,%d}", raw[0], binary.BigEndian.Uint32(raw[1:]))
	case 'T':
		return strconv.FormatUint(binary.BigEndian.Uint64(raw), 10)
	case 'F':
		var l []string
		for k, e := range Args(raw).All() {
			l = append(l, "{"+erlBinary([]byte(k))+","+e.Type()+","+e.String()+"}")
		}
		return "[" + strings.Join(l, ",") + "]"
	case 'A':
		var l []string
		it := wire.ArrayView(raw).Iter()
		for it.Next() {
			e := Value{it.Value()}
			l = append(l, "{"+e.Type()+","+e.String()+"}")
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
	raw := v.Bytes()
	switch v.Code() {
	case 'L':
		return append(append(dst, 'l'), raw...)
	case 't':
		if raw[0] != 0 {
			return append(dst, 't', 1)
		}
		return append(dst, 't', 0)
	case 'S', 'x', 'F', 'A':
		dst = binary.BigEndian.AppendUint32(append(dst, v.Code()), uint32(len(raw)))
		return append(dst, raw...)
	}
	return append(append(dst, v.Code()), raw...)
}

// Set returns a copy of a in which key has the value v and stands last.
func (a Args) Set(key string, v wire.Value) Args {
	one := wire.AppendTableContent(nil, wire.Table{{Key: key, Value: v}})
	return append(wire.TableView(a).AppendWithout(make([]byte, 0, len(a)+len(one)), key), one...)
}
