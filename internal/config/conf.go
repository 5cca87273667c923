package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// readConf reads a file in rabbitmq.conf's format: key = value, # comments.
func (l *loader) readConf(name, text string) error {
	return l.eachSetting(name, text, func(k, v, origin string) error {
		if !strings.HasPrefix(v, sealedPrefix) {
			l.settings.put(k, v, origin)
			return nil
		}
		return l.putSealed(k, v, origin)
	})
}

// putSealed takes a setting whose value is encrypted.
func (l *loader) putSealed(k, v, origin string) error {
	s, err := l.openSetting(v)
	switch {
	case errors.Is(err, errSealed):
		l.note("%s (%s) is encrypted, and was not looked at", k, origin)
		return nil
	case err != nil:
		return &Error{origin, fmt.Errorf("%s: %w", k, err)}
	}
	l.settings.putSecret(k, s, origin)
	return nil
}

// eachSetting calls f with each setting of such a file.
func (l *loader) eachSetting(name, text string, f func(k, v, origin string) error) error {
	for n, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		origin := fmt.Sprintf("%s:%d", name, n+1)
		fail := func(format string, args ...any) error {
			return &Error{Origin: origin, Err: fmt.Errorf(format, args...)}
		}
		k, v, ok := strings.Cut(line, "=")
		k = strings.TrimSpace(k)
		if !ok || k == "" || strings.ContainsAny(k, " \t") {
			if n == 0 && strings.HasPrefix(line, "[") {
				return fail("this is an Erlang term, as in rabbitmq.config; a file with such content has a name that ends in .config")
			}
			return fail("want key = value")
		}
		v, err := l.confValue(strings.TrimSpace(v))
		if err != nil {
			return fail("%s: %w", k, err)
		}
		if err := f(k, v, origin); err != nil {
			return err
		}
	}
	return nil
}

var comment = regexp.MustCompile(`[ \t]+#.*$`)

// variableIn is how a value names a variable of the environment.
var variableIn = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// confValue takes quotes and a comment off a value, and puts in what it names of
// the environment. Between quotes everything is meant as it is.
func (l *loader) confValue(v string) (string, error) {
	if strings.HasPrefix(v, "'") {
		end := strings.IndexByte(v[1:], '\'')
		if end < 0 {
			return "", fmt.Errorf("a quote is opened and never closed: %s", v)
		}
		if rest := strings.TrimSpace(v[end+2:]); rest != "" && rest[0] != '#' {
			return "", fmt.Errorf("behind the closing quote stands more: %s", rest)
		}
		return v[1 : end+1], nil
	}
	if v != "" && v[0] == '#' {
		v = ""
	}
	var err error
	v = variableIn.ReplaceAllStringFunc(strings.TrimSpace(comment.ReplaceAllString(v, "")), func(s string) string {
		name := s[2 : len(s)-1]
		value, ok := l.src.Env(name)
		if !ok {
			err = fmt.Errorf("the environment has no variable %s; between single quotes, %s means itself", name, s)
		}
		return value
	})
	return v, err
}

// Error is a mistake in a setting.
type Error struct {
	Origin string // "FILE:LINE", a variable, "--set"
	Err    error
}

func (e *Error) Error() string {
	if i := strings.LastIndexByte(e.Origin, ':'); i > 0 {
		return fmt.Sprintf("%s, line %s: %v", e.Origin[:i], e.Origin[i+1:], e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Origin, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }
