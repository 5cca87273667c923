package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

type tok struct{ k, v string }

func tokens(s string) ([]tok, error) {
	var out []tok
	i := 0
	for i < len(s) {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		st := i
		depth := 0
		eq := -1
		for i < len(s) {
			c := s[i]
			if c == '"' {
				i++
				for i < len(s) && s[i] != '"' {
					if s[i] == '\\' {
						i++
					}
					i++
				}
				if i >= len(s) {
					return nil, fmt.Errorf("unterminated string in %q", s)
				}
			} else if c == '{' || c == '[' {
				depth++
			} else if c == '}' || c == ']' {
				depth--
			} else if depth == 0 && (c == ' ' || c == '\t') {
				break
			} else if c == '=' && depth == 0 && eq < 0 {
				eq = i
			}
			i++
		}
		w := s[st:i]
		if eq > st && isKey(s[st:eq]) {
			out = append(out, tok{s[st:eq], s[eq+1 : i]})
		} else {
			out = append(out, tok{"", w})
		}
	}
	return out, nil
}

func isKey(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c == '-' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

// str decodes a bare or quoted word. - alone is the empty string.
func str(s string) string {
	if s == "-" {
		return ""
	}
	if strings.HasPrefix(s, `"`) {
		u, err := strconv.Unquote(s)
		if err != nil {
			panic(fmt.Sprintf("bad string %s: %v", s, err))
		}
		return u
	}
	if n, c, ok := strings.Cut(s, "*"); ok && strings.HasPrefix(n, "#") { // #300*a
		k, _ := strconv.Atoi(n[1:])
		return strings.Repeat(c, k)
	}
	return s
}
