package ctl

import (
	"fmt"
	"strings"
)

// Erlang terms as io:format("~p") prints them: what fits stands on a line, the
// rest is broken so that the parts of a term stand below each other.

// lineWidth and lineChars are what fits: columns, and characters without the
// indentation.
const (
	lineWidth = 80
	lineChars = 60
)

// charlist is characters in double quotes, what Erlang calls a string.
type charlist string

// flat is a term on one line.
func flat(v any) string { return layoutOf(v).flat }

// pretty is a term in as many lines as it takes.
func pretty(v any) string {
	t := layoutOf(v)
	for _, tagIndent := range []int{-1, 4} {
		p := &printer{tagIndent: tagIndent}
		p.print(t, 1, 0)
		if !p.tooLong || tagIndent == 4 {
			return p.b.String()
		}
	}
	return t.flat
}

// layout is a value made ready for printing: its text on one line, and what it
// consists of, if it can be broken.
type layout struct {
	flat        string
	open, close string
	parts       []*layout
	tagged      bool   // a tuple whose first element is an atom
	prefix      string // of a map's association: "key => "
}

func layoutOf(v any) *layout {
	switch v := v.(type) {
	case nil:
		return leaf("undefined")
	case string:
		return leaf("<<" + quoted(v) + ">>")
	case charlist:
		return leaf(quoted(string(v)))
	case atom:
		return leaf(atomText(v, '\''))
	case pid:
		return leaf(string(v))
	case float64:
		return leaf(floatText(v))
	case list:
		return compound("[", "]", v, false)
	case tuple:
		_, tagged := first(v).(atom)
		return compound("{", "}", v, tagged)
	case arguments:
		var out list
		for _, f := range v {
			out = append(out, tuple{f.name, atom(f.kind), f.value})
		}
		return compound("[", "]", out, false)
	case pairs:
		var out list
		for _, p := range v {
			out = append(out, tuple{atom(p.key), p.value})
		}
		return compound("[", "]", out, false)
	case erlMap:
		t := &layout{open: "#{", close: "}"}
		for _, p := range v {
			e := *layoutOf(p.value)
			e.prefix = flat(p.key) + " => "
			e.flat = e.prefix + e.flat
			t.parts = append(t.parts, &e)
		}
		t.join()
		return t
	}
	return leaf(fmt.Sprint(v))
}

func leaf(s string) *layout { return &layout{flat: s} }

func first(t tuple) any {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}

func compound(open, close string, vs []any, tagged bool) *layout {
	t := &layout{open: open, close: close, tagged: tagged}
	for _, v := range vs {
		t.parts = append(t.parts, layoutOf(v))
	}
	t.join()
	return t
}

func (t *layout) join() {
	out := make([]string, len(t.parts))
	for i, p := range t.parts {
		out[i] = p.flat
	}
	t.flat = t.open + strings.Join(out, ",") + t.close
}

func (t *layout) atomic() bool { return len(t.parts) == 0 }

// printer writes a term that is broken into lines. With a tagIndent what
// follows a long tag stands on the next line, indented by so much.
type printer struct {
	b         strings.Builder
	tagIndent int
	tooLong   bool
}

// print writes t at a column; tail characters must fit behind it.
func (p *printer) print(t *layout, col, tail int) {
	n := len([]rune(t.flat))
	if t.atomic() || n < lineWidth-col-tail && n <= lineChars {
		if n > lineWidth-col && p.tagIndent < 0 && n <= lineChars {
			p.tooLong = true
		}
		p.b.WriteString(t.flat)
		return
	}
	p.b.WriteString(t.prefix + t.open)
	at := col + len(t.prefix) + len(t.open)
	rest := t.parts
	if t.tagged && len(rest) > 1 {
		p.b.WriteString(rest[0].flat + ",")
		if taglen := len(rest[0].flat) + 2; p.tagIndent > 0 && taglen > p.tagIndent {
			at = col + p.tagIndent
			p.newline(at)
		} else {
			at = col + taglen
		}
		rest = rest[1:]
	}
	p.sequence(rest, at, tail+len(t.close))
	p.b.WriteString(t.close)
}

// sequence writes the elements of a compound term, the first at column at, and
// others below it; atoms, numbers and texts share a line.
func (p *printer) sequence(parts []*layout, at, tail int) {
	col := at
	for i, e := range parts {
		after := 1
		if i == len(parts)-1 {
			after = tail
		}
		n := len([]rune(e.flat))
		if i > 0 {
			p.b.WriteByte(',')
			if e.atomic() && parts[i-1].atomic() && n+1 < lineWidth-col-after && col-at+n+1 <= lineChars+20 {
				col++
			} else {
				p.newline(at)
				col = at
			}
		}
		p.print(e, col, after)
		col += n
	}
}

func (p *printer) newline(col int) {
	p.b.WriteString("\n" + strings.Repeat(" ", col-1))
}

// atomText is an atom, with quotes if it needs them.
func atomText(a atom, quote byte) string {
	plain := a != "" && a[0] >= 'a' && a[0] <= 'z'
	for i := range len(a) {
		c := a[i]
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '@')
	}
	if plain {
		return string(a)
	}
	q := string(quote)
	return q + strings.NewReplacer(`\`, `\\`, q, `\`+q).Replace(string(a)) + q
}
