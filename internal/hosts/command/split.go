// Package command takes a command apart as a shell would, and runs it: in a
// process group of its own, with a timeout, an end on demand, and output that
// is passed on as it comes and kept within bounds.
//
// Consoles use Split; agents use Start. Nothing here knows of tasks or brokers.
package command

import (
	"fmt"
	"strings"
)

// Split takes a command line apart into words as a POSIX shell does: blanks
// separate, '...' takes everything as it is, "..." lets a backslash protect
// ", \, $ and `, a backslash outside quotes protects any character. Nothing is
// expanded. What only a shell could carry out (pipes, redirections, variables,
// several commands) is refused when it is not quoted, as it would otherwise be
// handed to the program as a word.
func Split(line string) ([]string, error) { return split(line, true) }

// Words takes a line apart in the same way, for a language that has no shell
// behind it: nothing is special but blanks, quotes and backslashes.
func Words(line string) ([]string, error) { return split(line, false) }

func split(line string, strict bool) ([]string, error) {
	s := splitter{rest: line, strict: strict}
	for s.rest != "" {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	s.flush()
	return s.words, nil
}

type splitter struct {
	rest   string
	strict bool
	words  []string
	word   strings.Builder
	within bool // a word has begun, be it with ""
}

func (s *splitter) flush() {
	if s.within {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.within = false
}

// step takes one character, or one quoted piece.
func (s *splitter) step() error {
	c := s.rest[0]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		s.rest = s.rest[1:]
		s.flush()
		return nil
	case c == '\'':
		return s.single()
	case c == '"':
		return s.double()
	case c == '\\':
		return s.escaped()
	case s.strict && strings.IndexByte("|&;<>()$`", c) >= 0:
		return fmt.Errorf("%q means something to a shell only: quote it, or run the command with --shell", c)
	case s.strict && c == '#' && !s.within:
		return fmt.Errorf("%q at the beginning of a word begins a comment in a shell: quote it, or run the command with --shell", c)
	}
	s.word.WriteByte(c)
	s.within, s.rest = true, s.rest[1:]
	return nil
}

func (s *splitter) single() error {
	text, rest, ok := strings.Cut(s.rest[1:], "'")
	if !ok {
		return fmt.Errorf("a ' is not closed")
	}
	s.word.WriteString(text)
	s.within, s.rest = true, rest
	return nil
}

func (s *splitter) double() error {
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.within, s.rest = true, s.rest[i+1:]
			return nil
		case c == '\\' && i+1 < len(s.rest) && strings.IndexByte("\"\\$`", s.rest[i+1]) >= 0:
			i++
			s.word.WriteByte(s.rest[i])
		case s.strict && (c == '$' || c == '`'):
			return fmt.Errorf("%q in double quotes means something to a shell only: use '...', or run the command with --shell", c)
		default:
			s.word.WriteByte(c)
		}
	}
	return fmt.Errorf("a \" is not closed")
}

func (s *splitter) escaped() error {
	if len(s.rest) < 2 {
		return fmt.Errorf("a backslash at the end protects nothing")
	}
	s.word.WriteByte(s.rest[1])
	s.within, s.rest = true, s.rest[2:]
	return nil
}

// Quote writes a word so that Split, or a shell, reads it back as one.
func Quote(word string) string {
	plain := word != ""
	for i := range len(word) {
		c := word[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-./:=,@%+*?[]", c) >= 0) {
			plain = false
		}
	}
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Join is the line that Split takes apart into these words.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
