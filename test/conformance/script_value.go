package conformance

import (
	"math"
	"strconv"
	"strings"
)

type vparser struct {
	s string
	i int
}

func (p *vparser) ws() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == ',') {
		p.i++
	}
}
func (p *vparser) word(stop string) string {
	st := p.i
	for p.i < len(p.s) && !strings.ContainsRune(stop, rune(p.s[p.i])) {
		p.i++
	}
	return p.s[st:p.i]
}
func (p *vparser) quoted() string {
	st := p.i
	p.i++
	for p.s[p.i] != '"' {
		if p.s[p.i] == '\\' {
			p.i++
		}
		p.i++
	}
	p.i++
	return str(p.s[st:p.i])
}
func (p *vparser) table() Table {
	t := Table{}
	p.i++
	for {
		p.ws()
		if p.s[p.i] == '}' {
			p.i++
			return t
		}
		var k string
		if p.s[p.i] == '"' {
			k = p.quoted()
		} else {
			k = p.word(":")
		}
		p.i++
		p.ws()
		t = append(t, KV{k, p.value()})
	}
}
func (p *vparser) value() Value {
	switch c := p.s[p.i]; {
	case c == '{':
		return Value{T: 'F', M: p.table()}
	case c == '[':
		p.i++
		v := Value{T: 'A'}
		for {
			p.ws()
			if p.s[p.i] == ']' {
				p.i++
				return v
			}
			v.A = append(v.A, p.value())
		}
	case c == '"':
		return Value{T: 'S', S: p.quoted()}
	case c == 'x' && p.s[p.i+1] == '"':
		p.i++
		return Value{T: 'x', S: p.quoted()}
	}
	w := p.word(",}] ")
	switch w {
	case "true":
		return Value{T: 't', I: 1}
	case "false":
		return Value{T: 't'}
	case "V":
		return Value{T: 'V'}
	}
	if n, err := strconv.ParseInt(w, 10, 64); err == nil {
		if n >= math.MinInt32 && n <= math.MaxInt32 {
			return Value{T: 'I', I: n}
		}
		return Value{T: 'l', I: n}
	}
	if len(w) > 1 && strings.ContainsRune("bBsuIilLT", rune(w[0])) {
		if n, err := strconv.ParseInt(w[1:], 10, 64); err == nil {
			return Value{T: w[0], I: n}
		}
		if n, err := strconv.ParseUint(w[1:], 10, 64); err == nil {
			return Value{T: w[0], I: int64(n)}
		}
	}
	if len(w) > 1 && (w[0] == 'f' || w[0] == 'd') {
		if f, err := strconv.ParseFloat(w[1:], 64); err == nil {
			return Value{T: w[0], F: f}
		}
	}
	if len(w) > 1 && w[0] == 'D' {
		a, b, _ := strings.Cut(w[1:], "/")
		n, err := strconv.ParseInt(a, 10, 64)
		e, err2 := strconv.Atoi(b)
		if err == nil && err2 == nil {
			return Value{T: 'D', I: n, E: byte(e)}
		}
	}
	return Value{T: 'S', S: str(w)}
}

func parseTable(s string) Table {
	p := &vparser{s: s}
	return p.table()
}
