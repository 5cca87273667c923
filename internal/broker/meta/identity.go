package meta

import "github.com/warrenmq/warren/internal/proto/amqp091/wire"

// Identity is what makes two tables of arguments the same binding's: the
// fields ordered by key, in one spelling.
func (a Args) Identity() string { return a.canonical() }

// NewArgs encodes a table.
func NewArgs(t wire.Table) Args {
	if len(t) == 0 {
		return nil
	}
	return wire.AppendTableContent(nil, t)
}

// Text returns the value of a field that is a long string.
func (a Args) Text(key string) (string, bool) {
	v, ok := a.Get(key)
	if !ok {
		return "", false
	}
	return v.Str()
}
