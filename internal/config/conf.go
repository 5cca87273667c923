package config

import (
	"fmt"
	"regexp"
	"strings"
)

// readConf reads a file in rabbitmq.conf's format: key = value, # comments.
func (l *loader) readConf(name, text string) error {
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
		v, err := confValue(strings.TrimSpace(v))
		if err != nil {
			return fail("%s: %w", k, err)
		}
		l.settings.put(k, v, origin)
	}
	return nil
}

var comment = regexp.MustCompile(`[ \t]+#.*$`)

// confValue takes quotes and a comment off a value.
func confValue(v string) (string, error) {
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
	v = strings.TrimSpace(comment.ReplaceAllString(v, ""))
	if strings.HasPrefix(v, "encrypted:") {
		return "", fmt.Errorf("encrypted values are not supported: write the value in plain and make the file readable by its owner only, or use a variable such as RABBITMQ_DEFAULT_PASS")
	}
	return v, nil
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
