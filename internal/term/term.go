// Package term reads and writes Erlang terms as text, as far as they stand in
// configuration files: rabbitmq.config, advanced.config, enabled_plugins.
package term

import (
	"fmt"
	"strconv"
	"strings"
)

// Term is one of Atom, String, Binary, Int, Float, List, Tuple, Map.
type Term interface{ String() string }

type (
	// Atom is a name: true, none, verify_peer.
	Atom string
	// String is text in double quotes (a list of characters, to Erlang).
	String string
	// Binary is <<"text">> or <<1,2,3>>.
	Binary string
	Int    int64
	Float  float64
	List   []Term
	Tuple  []Term
	// Map is #{key => value}: keys and values in turns.
	Map []Term
)

// String writes an atom, with quotes where Erlang wants them.
func (a Atom) String() string {
	plain := a != "" && a[0] >= 'a' && a[0] <= 'z'
	for i := range len(a) {
		plain = plain && isName(a[i])
	}
	if plain {
		return string(a)
	}
	return "'" + escape(string(a), '\'') + "'"
}

func (s String) String() string { return `"` + escape(string(s), '"') + `"` }
func (b Binary) String() string { return `<<"` + escape(string(b), '"') + `">>` }
func (i Int) String() string    { return strconv.FormatInt(int64(i), 10) }
func (f Float) String() string {
	s := strconv.FormatFloat(float64(f), 'g', -1, 64)
	if mantissa, exp, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exp
	} else if !ok && !strings.Contains(s, ".") {
		return s + ".0"
	}
	return s
}
func (l List) String() string  { return "[" + join(l) + "]" }
func (t Tuple) String() string { return "{" + join(t) + "}" }
func (m Map) String() string {
	var b strings.Builder
	for i := 0; i+1 < len(m); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m[i].String() + " => " + m[i+1].String())
	}
	return "#{" + b.String() + "}"
}

func join(ts []Term) string {
	var b strings.Builder
	for i, t := range ts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(t.String())
	}
	return b.String()
}

func escape(s string, quote byte) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; c {
		case quote, '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Text is what an atom, a string or a binary says.
func Text(t Term) (string, bool) {
	switch t := t.(type) {
	case Atom:
		return string(t), true
	case String:
		return string(t), true
	case Binary:
		return string(t), true
	case List: // "" is the empty list to Erlang, and [104,105] is "hi"
		var b strings.Builder
		for _, e := range t {
			n, ok := e.(Int)
			if !ok || n < 0 || n > 0x10ffff {
				return "", false
			}
			b.WriteRune(rune(n))
		}
		return b.String(), true
	}
	return "", false
}

// Error is a mistake in the text.
type Error struct {
	Line int
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Limits of what is read: no file that people write comes near them.
const (
	maxDepth = 64
	maxSize  = 4 << 20
)
