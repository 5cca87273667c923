package conformance

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed later.txt
var laterData string

// Later knows the cases that are left out for now.
type Later struct{ rules []laterRule }

type laterRule struct {
	pattern *regexp.Regexp // nil: cases that call the management API
	missing string
}

// RecordedLater reads later.txt.
func RecordedLater() (*Later, error) {
	l := &Later{}
	for _, line := range strings.Split(laterData, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		i := strings.LastIndex(line, "|")
		if i < 0 {
			return nil, fmt.Errorf("later.txt: %q: want PATTERN | WHAT IS MISSING", line)
		}
		r := laterRule{missing: strings.TrimSpace(line[i+1:])}
		if p := strings.TrimSpace(line[:i]); p != "http:" {
			re, err := regexp.Compile(p)
			if err != nil {
				return nil, fmt.Errorf("later.txt: %w", err)
			}
			r.pattern = re
		}
		l.rules = append(l.rules, r)
	}
	return l, nil
}

// Missing says what a case waits for; "" if it can run.
func (l *Later) Missing(c *Case) string {
	for _, r := range l.rules {
		if r.pattern == nil && c.flags["http"] || r.pattern != nil && r.pattern.MatchString(c.Name) {
			return r.missing
		}
	}
	return ""
}
