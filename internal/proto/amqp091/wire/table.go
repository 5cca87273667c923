package wire

import (
	"encoding/binary"
	"slices"
)

// MaxTableDepth bounds how deeply tables and arrays may be nested, the outermost table included. x-death, the
// deepest that a broker makes itself, needs three.
const MaxTableDepth = 1 << 15

// Table is a field table (section 4.2.5.5). It keeps the order, and keys that occur twice, as received; the
// first of them counts.
type Table []Field

// Field is a named value of a table.
type Field struct {
	Key   string
	Value Value
}

// Get is the value of a key.
func (t Table) Get(key string) (Value, bool) {
	for i := range t {
		if t[i].Key == key {
			return t[i].Value, true
		}
	}
	return nil, false
}

// Set replaces the value of a key in its place, or adds the key at the end.
func (t *Table) Set(key string, v Value) {
	for i := range *t {
		if (*t)[i].Key == key {
			(*t)[i].Value = v
			return
		}
	}
	*t = append(*t, Field{key, v})
}

// Delete removes all values of a key.
func (t *Table) Delete(key string) {
	*t = slices.DeleteFunc(*t, func(f Field) bool { return f.Key == key })
}

// Clone is a copy that can be changed at the first level without changing t.
func (t Table) Clone() Table { return slices.Clone(t) }

// AppendTable adds the table with its length in front, as methods and properties hold it.
func AppendTable(dst []byte, t Table) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = AppendTableContent(dst, t)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// AppendTableContent adds the table's fields without a length: what ParseTable reads.
func AppendTableContent(dst []byte, t Table) []byte {
	for i := range t {
		dst = appendShortstr(dst, t[i].Key)
		dst = AppendValue(dst, t[i].Value)
	}
	return dst
}

// ParseTable reads the content of a table, which is what follows its length. The result owns its strings and
// is never nil without an error. Errors wrap ErrTruncated, ErrTooDeep or *FieldTypeError.
func ParseTable(content []byte) (Table, error) { return parseTable(content, 1) }

func parseTable(b []byte, depth int) (Table, error) {
	if depth > MaxTableDepth {
		return nil, ErrTooDeep
	}
	t := Table{}
	for len(b) > 0 {
		key, v, rest, err := nextField(b)
		if err != nil {
			return nil, err
		}
		value, err := v.decode(depth)
		if err != nil {
			return nil, err
		}
		t = append(t, Field{string(key), value})
		b = rest
	}
	return t, nil
}

func parseArray(b []byte, depth int) (Array, error) {
	if depth > MaxTableDepth {
		return nil, ErrTooDeep
	}
	a := Array{}
	for len(b) > 0 {
		v, rest, err := nextValue(b)
		if err != nil {
			return nil, err
		}
		value, err := v.decode(depth)
		if err != nil {
			return nil, err
		}
		a = append(a, value)
		b = rest
	}
	return a, nil
}

// ValidateTable checks the content of a table to the bottom without decoding or allocating anything.
func ValidateTable(content []byte) error { return validateTable(content, 1) }

func validateTable(b []byte, depth int) error {
	if depth > MaxTableDepth {
		return ErrTooDeep
	}
	for len(b) > 0 {
		_, v, rest, err := nextField(b)
		if err != nil {
			return err
		}
		if err := v.validate(depth); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func validateArray(b []byte, depth int) error {
	if depth > MaxTableDepth {
		return ErrTooDeep
	}
	for len(b) > 0 {
		v, rest, err := nextValue(b)
		if err != nil {
			return err
		}
		if err := v.validate(depth); err != nil {
			return err
		}
		b = rest
	}
	return nil
}
