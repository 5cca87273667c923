package term

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a file: one term and the full stop behind it. Lines tells where
// each element of the term began; see [Parsed.Line].
func Parse(text string) (Parsed, error) {
	p := &parser{text: text, line: 1}
	if len(text) > maxSize {
		return Parsed{}, &Error{1, "the file is too long"}
	}
	var out Parsed
	err := p.catch(func() {
		p.space()
		out.Term = p.term(0)
		p.space()
		if p.peek() != '.' {
			p.fail("want a full stop behind the term, found %s", p.here())
		}
		p.next()
		p.space()
		if p.at < len(p.text) {
			p.fail("one term is wanted, and here another begins: %s", p.here())
		}
	})
	out.lines = p.lines
	return out, err
}

// Parsed is a term and where its parts came from.
type Parsed struct {
	Term  Term
	lines map[*Term]int
}

// Line is the line on which an element of a list or tuple of the term began. It
// is asked with the address of the element, 0 if unknown.
func (p Parsed) Line(element *Term) int { return p.lines[element] }

type parser struct {
	text  string
	at    int
	line  int
	lines map[*Term]int
}

type bail struct{ err *Error }

// catch runs f and returns the mistake that it failed with.
func (p *parser) catch(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			err = b.err
		}
	}()
	f()
	return nil
}

func (p *parser) fail(format string, args ...any) {
	panic(bail{&Error{p.line, fmt.Sprintf(format, args...)}})
}

// here is what stands at the current place, for a message.
func (p *parser) here() string {
	if p.at >= len(p.text) {
		return "the end of the file"
	}
	rest := p.text[p.at:]
	if i := strings.IndexAny(rest, " \t\r\n"); i > 0 {
		rest = rest[:i]
	}
	if len(rest) > 20 {
		rest = rest[:20] + "..."
	}
	return strconv.Quote(rest)
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) next() byte {
	c := p.peek()
	if c == '\n' {
		p.line++
	}
	p.at++
	return c
}

func (p *parser) take(s string) bool {
	if strings.HasPrefix(p.text[min(p.at, len(p.text)):], s) {
		p.at += len(s)
		return true
	}
	return false
}

// space passes over blanks and comments.
func (p *parser) space() {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '%':
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		case c <= ' ' || c == 0x7f:
			p.next()
		case strings.HasPrefix(p.text[p.at:], "\ufeff") && p.at == 0:
			p.at += len("\ufeff")
		default:
			return
		}
	}
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '@'
}

func (p *parser) term(depth int) Term {
	if depth > maxDepth {
		p.fail("too many brackets within each other")
	}
	switch c := p.peek(); {
	case c == '[':
		p.next()
		return List(p.elements(']', depth))
	case c == '{':
		p.next()
		return Tuple(p.elements('}', depth))
	case c == '#' && strings.HasPrefix(p.text[p.at:], "#{"):
		p.at += 2
		return p.mapping(depth)
	case c == '"':
		return p.str()
	case c == '\'':
		return Atom(p.quoted('\''))
	case c == '<' && p.take("<<"):
		return p.binary()
	case c >= 'a' && c <= 'z':
		begin := p.at
		for isName(p.peek()) {
			p.at++
		}
		return Atom(p.text[begin:p.at])
	case c >= '0' && c <= '9' || c == '-' || c == '+':
		return p.number()
	case c == '$':
		p.next()
		return p.char()
	}
	p.fail("want a term, found %s", p.here())
	return nil
}

// str reads a string; strings that stand side by side are one.
func (p *parser) str() Term {
	s := p.quoted('"')
	for {
		p.space()
		if p.peek() != '"' {
			return String(s)
		}
		s += p.quoted('"')
	}
}

func (p *parser) char() Term {
	if p.peek() == '\\' {
		return Int(p.escaped())
	}
	r, n := utf8.DecodeRuneInString(p.text[min(p.at, len(p.text)):])
	if n == 0 {
		p.fail("want a character behind $")
	}
	p.next()
	p.at += n - 1
	return Int(r)
}

// elements reads up to the closing bracket.
func (p *parser) elements(end byte, depth int) []Term {
	out := []Term{}
	var lines []int
	p.space()
	for p.peek() != end {
		lines = append(lines, p.line)
		out = append(out, p.term(depth+1))
		p.space()
		if p.peek() == ',' {
			p.next()
			p.space()
			if p.peek() == end {
				p.fail("a comma before %q: an element is missing, or the comma is too many", string(end))
			}
		} else if p.peek() != end {
			p.fail("want a comma or %q, found %s", string(end), p.here())
		}
	}
	p.next()
	if p.lines == nil {
		p.lines = map[*Term]int{}
	}
	for i, n := range lines {
		p.lines[&out[i]] = n
	}
	return out
}

func (p *parser) mapping(depth int) Term {
	out := Map{}
	p.space()
	for p.peek() != '}' {
		out = append(out, p.term(depth+1))
		p.space()
		if !p.take("=>") {
			p.fail("want =>, found %s", p.here())
		}
		p.space()
		out = append(out, p.term(depth+1))
		p.space()
		if p.peek() == ',' {
			p.next()
			p.space()
		} else if p.peek() != '}' {
			p.fail("want a comma or \"}\", found %s", p.here())
		}
	}
	p.next()
	return out
}

// quoted reads up to the quote that ends it.
func (p *parser) quoted(quote byte) string {
	from := p.line
	p.next()
	var b strings.Builder
	for {
		if p.at >= len(p.text) {
			p.line = from
			p.fail("a %c is opened and never closed", quote)
		}
		switch c := p.peek(); c {
		case quote:
			p.next()
			return b.String()
		case '\\':
			b.WriteRune(p.escaped())
		default:
			b.WriteByte(p.next())
		}
	}
}

func (p *parser) escaped() rune {
	p.next()
	c := p.next()
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 's':
		return ' '
	case 'b':
		return '\b'
	case 'd':
		return 0x7f
	case 'e':
		return 0x1b
	case 'f':
		return '\f'
	case 'v':
		return '\v'
	case 'x':
		return p.hex()
	}
	if c >= '0' && c <= '7' {
		n := rune(c - '0')
		for i := 0; i < 2 && p.peek() >= '0' && p.peek() <= '7'; i++ {
			n = n*8 + rune(p.next()-'0')
		}
		return n
	}
	if c >= utf8.RuneSelf { // a character of several bytes stands for itself
		r, n := utf8.DecodeRuneInString(p.text[p.at-1:])
		p.at += n - 1
		return r
	}
	return rune(c)
}

func (p *parser) hex() rune {
	digits := ""
	if p.peek() == '{' {
		end := strings.IndexByte(p.text[p.at:], '}')
		if end < 0 || end > 8 {
			p.fail(`\x{ is not closed`)
		}
		digits = p.text[p.at+1 : p.at+end]
		p.at += end + 1
	} else if p.at+2 <= len(p.text) {
		digits = p.text[p.at : p.at+2]
		p.at += 2
	}
	n, err := strconv.ParseUint(digits, 16, 21)
	if err != nil {
		p.fail(`\x%s is not a character`, digits)
	}
	return rune(n)
}

// binary reads <<"text">>, <<"text"/utf8>> and <<1,2,3>>.
func (p *parser) binary() Term {
	var b strings.Builder
	p.space()
	for !p.take(">>") {
		switch c := p.peek(); {
		case c == '"':
			b.WriteString(p.quoted('"'))
			if p.take("/") {
				for isName(p.peek()) {
					p.at++
				}
			}
		case c >= '0' && c <= '9':
			n, ok := p.number().(Int)
			if !ok || n > 255 {
				p.fail("a byte of a binary is between 0 and 255")
			}
			b.WriteByte(byte(n))
		default:
			p.fail("want text or bytes in a binary, found %s", p.here())
		}
		p.space()
		if p.peek() == ',' {
			p.next()
			p.space()
		} else if !strings.HasPrefix(p.text[min(p.at, len(p.text)):], ">>") {
			p.fail("want a comma or \">>\", found %s", p.here())
		}
	}
	return Binary(b.String())
}

// number reads 12, -3, 16#ff, 1_000, 0.4, 1.0e-3.
func (p *parser) number() Term {
	begin := p.at
	if c := p.peek(); c == '-' || c == '+' {
		p.at++
	}
	digits := func() {
		for c := p.peek(); c >= '0' && c <= '9' || c == '_'; c = p.peek() {
			p.at++
		}
	}
	digits()
	text := func() string { return strings.ReplaceAll(p.text[begin:p.at], "_", "") }
	if p.peek() == '#' {
		base, err := strconv.Atoi(text())
		p.at++
		begin = p.at
		for isName(p.peek()) {
			p.at++
		}
		n, err2 := strconv.ParseInt(p.text[begin:p.at], max(2, min(base, 36)), 64)
		if err != nil || err2 != nil || base < 2 || base > 36 {
			p.fail("not a number: %s", p.text[begin:p.at])
		}
		return Int(n)
	}
	float := false
	if p.peek() == '.' && p.at+1 < len(p.text) && p.text[p.at+1] >= '0' && p.text[p.at+1] <= '9' {
		float = true
		p.at++
		digits()
		if c := p.peek(); c == 'e' || c == 'E' {
			p.at++
			if c := p.peek(); c == '-' || c == '+' {
				p.at++
			}
			digits()
		}
	}
	if float {
		f, err := strconv.ParseFloat(text(), 64)
		if err != nil {
			p.fail("not a number: %s", text())
		}
		return Float(f)
	}
	n, err := strconv.ParseInt(text(), 10, 64)
	if err != nil {
		p.fail("not a number that fits: %s", text())
	}
	return Int(n)
}
