package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Commands are stored as
//
//	version byte (1), opcode byte, fields
//
// Fields stand in a fixed order without names; a string is its length (uvarint)
// and its bytes, since AMQP names need not be UTF-8; a number a varint; a list
// or map its count and its elements (a map by ascending key). New fields are
// only ever added at the end: a reader that finds none takes the zero value, so
// that old records stay readable. A command that means something else gets a
// new opcode; opcodes are never used again.

// Version is that of the envelope.
const Version = 1

// Errors of Unmarshal and Restore.
var (
	ErrVersion   = errors.New("meta: command of an unknown version")
	ErrOp        = errors.New("meta: unknown command")
	ErrMalformed = errors.New("meta: malformed command")
)

// Marshal returns the stored form of c.
func Marshal(c Command) ([]byte, error) { return appendCommand(nil, c), nil }

func appendCommand(dst []byte, c Command) []byte {
	w := codec{writing: true, buf: append(dst, Version, byte(c.op()))}
	c.fields(&w)
	return w.buf
}

// Unmarshal reads what Marshal wrote.
func Unmarshal(b []byte) (Command, error) {
	if len(b) < 2 {
		return nil, ErrMalformed
	}
	if b[0] != Version {
		return nil, fmt.Errorf("%w (%d)", ErrVersion, b[0])
	}
	c := newCommand(op(b[1]))
	if c == nil {
		return nil, fmt.Errorf("%w (%d)", ErrOp, b[1])
	}
	r := codec{buf: b[2:]}
	c.fields(&r)
	if r.err == nil && len(r.buf) > 0 {
		r.err = fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(r.buf))
	}
	return c, r.err
}

// codec writes or reads fields: one list of fields serves both directions.
type codec struct {
	writing bool
	buf     []byte
	err     error
}

// end reports whether nothing more can be read.
func (c *codec) end() bool { return c.err != nil || len(c.buf) == 0 }

func (c *codec) fail() {
	if c.err == nil {
		c.err = ErrMalformed
	}
}

func (c *codec) uint(p *uint64) {
	if c.writing {
		c.buf = binary.AppendUvarint(c.buf, *p)
		return
	}
	if c.end() {
		return
	}
	v, n := binary.Uvarint(c.buf)
	if n <= 0 {
		c.fail()
		return
	}
	*p, c.buf = v, c.buf[n:]
}

func (c *codec) int(p *int64) {
	u := uint64(*p<<1) ^ uint64(*p>>63)
	c.uint(&u)
	*p = int64(u>>1) ^ -int64(u&1)
}

func (c *codec) bool(p *bool) {
	var u uint64
	if *p {
		u = 1
	}
	c.uint(&u)
	if u > 1 {
		c.fail()
	}
	*p = u == 1
}

func (c *codec) take() []byte {
	var n uint64
	c.uint(&n)
	if c.err != nil || n > uint64(len(c.buf)) {
		c.fail()
		return nil
	}
	b := c.buf[:n:n]
	c.buf = c.buf[n:]
	return b
}

func (c *codec) str(p *string) {
	if c.writing {
		c.buf = append(binary.AppendUvarint(c.buf, uint64(len(*p))), *p...)
		return
	}
	if !c.end() {
		*p = string(c.take())
	}
}

func (c *codec) bytes(p *[]byte) {
	if c.writing {
		c.buf = append(binary.AppendUvarint(c.buf, uint64(len(*p))), *p...)
		return
	}
	if c.end() {
		return
	}
	if b := c.take(); len(b) > 0 {
		*p = slices.Clone(b)
	}
}

func (c *codec) args(p *Args) {
	c.bytes((*[]byte)(p))
	if !c.writing && c.err == nil && p.Check() != nil {
		c.fail()
	}
}

func (c *codec) count(n int) int {
	u := uint64(n)
	c.uint(&u)
	if !c.writing && u > uint64(len(c.buf)) { // each element takes a byte at least
		c.fail()
		return 0
	}
	return int(u)
}

func (c *codec) strs(p *[]string) {
	n := c.count(len(*p))
	if c.writing {
		for i := range *p {
			c.str(&(*p)[i])
		}
		return
	}
	for range n {
		if c.err != nil {
			return
		}
		var s string
		c.str(&s)
		*p = append(*p, s)
	}
}

func (c *codec) limits(p *Limits) {
	n := c.count(len(*p))
	if c.writing {
		for _, k := range slices.Sorted(maps.Keys(*p)) {
			v := (*p)[k]
			c.str(&k)
			c.int(&v)
		}
		return
	}
	for range n {
		if c.err != nil {
			return
		}
		var k string
		var v int64
		c.str(&k)
		c.int(&v)
		if *p == nil {
			*p = Limits{}
		}
		(*p)[k] = v
	}
}
