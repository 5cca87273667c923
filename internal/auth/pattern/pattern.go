// Package pattern matches names against the regular expressions of permissions
// and policies. They are written for PCRE; Go's engine is RE2, which has no
// look-around. The one form of it that is common in RabbitMQ installations, a
// negative or positive look-ahead at the very beginning ("^(?!amq\.).*"), is
// understood; anything else that RE2 cannot do is an error when it is set.
package pattern

import (
	"errors"
	"regexp"
	"strings"
)

// MaxLength is how long a pattern may be, in bytes.
const MaxLength = 16 << 10

// Pattern is a compiled regular expression. It is immutable.
type Pattern struct {
	src   string
	all   bool // matches every name
	empty bool // matches the empty name only
	re    *regexp.Regexp
	ahead []ahead
}

type ahead struct {
	re  *regexp.Regexp
	not bool
}

// Compile compiles s. The empty pattern is an ordinary one here; see Permission.
func Compile(s string) (*Pattern, error) {
	p := &Pattern{src: s}
	switch s {
	case "", ".*", "^.*", "^.*$", ".*$":
		p.all = true
		return p, nil
	case "^$":
		p.empty = true
		return p, nil
	}
	if len(s) > MaxLength {
		return nil, errors.New("the pattern is too long")
	}
	rest, err := p.takeAheads(s)
	if err != nil {
		return nil, err
	}
	if p.re, err = regexp.Compile(rest); err != nil {
		return nil, err
	}
	return p, nil
}

// Permission compiles s as a permission: the empty pattern allows nothing.
func Permission(s string) (*Pattern, error) {
	if s == "" {
		return &Pattern{empty: true}, nil
	}
	return Compile(s)
}

// takeAheads compiles the look-aheads after a leading "^" and returns the rest.
func (p *Pattern) takeAheads(s string) (rest string, err error) {
	rest, ok := strings.CutPrefix(s, "^")
	if !ok {
		return s, nil
	}
	for strings.HasPrefix(rest, "(?!") || strings.HasPrefix(rest, "(?=") {
		end := closing(rest)
		if end < 0 {
			return "", errors.New("missing closing ): `" + s + "`")
		}
		re, err := regexp.Compile("^(?:" + rest[3:end] + ")")
		if err != nil {
			return "", err
		}
		p.ahead = append(p.ahead, ahead{re, rest[2] == '!'})
		rest = rest[end+1:]
	}
	if len(p.ahead) > 0 && alternates(rest) {
		return "", errors.New("a look-ahead before an alternative is not supported: `" + s + "`")
	}
	if len(p.ahead) == 0 {
		return s, nil
	}
	// Alone, or a parenthesis too many would close the group that we open.
	if _, err := regexp.Compile(rest); err != nil {
		return "", err
	}
	return "^(?:" + rest + ")", nil
}

// find goes through s as a regular expression and returns where stop first says
// so of a character that means something and how many groups are open behind it;
// -1: nowhere.
func find(s string, stop func(c byte, open int) bool) int {
	open, class := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			continue
		case class:
			class = c != ']'
			continue
		case c == '[':
			class = true
			// A bracket directly after "[" or "[^" is a literal.
			if i+1 < len(s) && s[i+1] == '^' {
				i++
			}
			if i+1 < len(s) && s[i+1] == ']' {
				i++
			}
			continue
		case c == '(':
			open++
		case c == ')':
			open--
		}
		if stop(c, open) {
			return i
		}
	}
	return -1
}

// closing finds the parenthesis that closes the one at s[0]; -1 if there is none.
func closing(s string) int {
	return find(s, func(c byte, open int) bool { return c == ')' && open == 0 })
}

// alternates reports whether s has a "|" outside of all groups.
func alternates(s string) bool {
	return find(s, func(c byte, open int) bool { return c == '|' && open == 0 }) >= 0
}

// Match reports whether p matches anywhere in name.
func (p *Pattern) Match(name string) bool {
	switch {
	case p.all:
		return true
	case p.empty:
		return name == ""
	}
	for _, a := range p.ahead {
		if a.re.MatchString(name) == a.not {
			return false
		}
	}
	return p.re.MatchString(name)
}

// All reports whether p is known to match every name.
func (p *Pattern) All() bool { return p.all }

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.src }

// Quote returns s with everything escaped that means something in a pattern.
func Quote(s string) string { return regexp.QuoteMeta(s) }
