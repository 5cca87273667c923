package meta

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// table reads arguments in the notation of the recorded traces, such as
// {x-max-length:5,x-overflow:"drop-head",n:l5}: a number is an I if it fits,
// else an l; another type's letter stands in front.
func table(t testing.TB, s string) Args {
	t.Helper()
	p := &literal{s: s}
	v, ok := p.value().(wire.Table)
	if !ok || p.s != "" {
		t.Fatalf("not a table: %s", s)
	}
	return wire.AppendTableContent(nil, v)
}

type literal struct{ s string }

func (p *literal) take(c string) bool {
	rest, ok := strings.CutPrefix(p.s, c)
	p.s = rest
	return ok
}

func (p *literal) until(stops string) string {
	i := strings.IndexAny(p.s, stops)
	if i < 0 {
		i = len(p.s)
	}
	w := p.s[:i]
	p.s = p.s[i:]
	return w
}

func (p *literal) quoted() string {
	q, err := strconv.QuotedPrefix(p.s)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", p.s, err))
	}
	p.s = p.s[len(q):]
	s, _ := strconv.Unquote(q)
	return s
}

func (p *literal) value() wire.Value {
	switch {
	case p.take("{"):
		t := wire.Table{}
		for !p.take("}") {
			p.take(",")
			k := p.until(":")
			p.take(":")
			t = append(t, wire.Field{Key: k, Value: p.value()})
		}
		return t
	case p.take("["):
		a := wire.Array{}
		for !p.take("]") {
			p.take(",")
			a = append(a, p.value())
		}
		return a
	case strings.HasPrefix(p.s, `"`):
		return wire.String(p.quoted())
	case strings.HasPrefix(p.s, `x"`):
		p.take("x")
		return wire.Binary(p.quoted())
	}
	w := p.until(",]}")
	num := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			panic(err)
		}
		return n
	}
	real := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			panic(err)
		}
		return f
	}
	switch {
	case w == "true" || w == "false":
		return wire.Bool(w == "true")
	case w == "V":
		return wire.Void{}
	case w[0] == '-' || w[0] >= '0' && w[0] <= '9':
		if n := num(w); n == int64(int32(n)) {
			return wire.Int32(n)
		}
		return wire.Int64(num(w))
	}
	switch rest := w[1:]; w[0] {
	case 'b':
		return wire.Int8(num(rest))
	case 'B':
		return wire.Uint8(num(rest))
	case 's':
		return wire.Int16(num(rest))
	case 'u':
		return wire.Uint16(num(rest))
	case 'I':
		return wire.Int32(num(rest))
	case 'i':
		return wire.Uint32(num(rest))
	case 'l':
		return wire.Int64(num(rest))
	case 'L':
		return wire.LongInt(num(rest))
	case 'f':
		return wire.Float32(real(rest))
	case 'd':
		return wire.Float64(real(rest))
	case 'T':
		return wire.Timestamp(num(rest))
	case 'D':
		v, scale, _ := strings.Cut(rest, "/")
		return wire.Decimal{Scale: uint8(num(scale)), Value: uint32(num(v))}
	}
	panic("what is " + w)
}
