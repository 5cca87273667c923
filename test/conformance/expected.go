package conformance

import (
	_ "embed"
	"fmt"
	"os"
	"sort"
	"strings"
)

//go:embed expected.txt
var expectedData string

// Expected are the differences from the reference that we want, with our own
// answer, so that a change of it is noticed.
type Expected struct {
	head  string            // the prose, with the reasons
	why   map[string]string // reasons by their short name
	cases map[string]*difference
}

type difference struct {
	why, diff string
}

// RecordedExpected reads expected.txt.
func RecordedExpected() (*Expected, error) { return parseExpected(expectedData) }

func parseExpected(text string) (*Expected, error) {
	x := &Expected{why: map[string]string{}, cases: map[string]*difference{}}
	head, _, _ := strings.Cut(text, "\n### ")
	x.head = strings.TrimRight(head, "\n") + "\n"
	var cur *difference
	for n, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "### "):
			f := strings.Fields(line)
			if len(f) != 3 {
				return nil, fmt.Errorf("expected.txt, line %d: want ### CASE REASON", n+1)
			}
			if x.why[f[2]] == "" {
				return nil, fmt.Errorf("expected.txt, line %d: %s: no reason %q is given above", n+1, f[1], f[2])
			}
			if x.cases[f[1]] != nil {
				return nil, fmt.Errorf("expected.txt, line %d: %s is there twice", n+1, f[1])
			}
			cur = &difference{why: f[2]}
			x.cases[f[1]] = cur
		case strings.HasPrefix(line, "reason "):
			name, why, _ := strings.Cut(strings.TrimPrefix(line, "reason "), ": ")
			x.why[name] = why
		case cur != nil && line != "":
			cur.diff += line + "\n"
		}
	}
	return x, nil
}

// Check says what is wrong with the answer to a case; "" if it is what the
// reference answers, or differs as it should.
func (x *Expected) Check(name string, golden, ours []Ev) string {
	got := Diff(golden, ours)
	want := x.cases[name]
	switch {
	case want == nil && got == "":
		return ""
	case want == nil:
		return "differs from the reference, and no reason is listed:\n" + got
	case got == "":
		return "is equal to the reference now, but listed as different (" + want.why + ")"
	case got != want.diff:
		return "differs from the reference, not as listed (" + want.why + "):\n" + got + "listed:\n" + want.diff
	}
	return ""
}

// Set records an answer. A case that is new gets the reason "unexplained", for
// somebody to replace.
func (x *Expected) Set(name string, golden, ours []Ev) {
	got := Diff(golden, ours)
	switch old := x.cases[name]; {
	case got == "":
		delete(x.cases, name)
	case old != nil:
		old.diff = got
	default:
		x.cases[name] = &difference{why: "unexplained", diff: got}
	}
}

// Save writes the file.
func (x *Expected) Save(file string) error {
	var names []string
	for n := range x.cases {
		names = append(names, n)
	}
	sort.Strings(names)
	var sb strings.Builder
	sb.WriteString(x.head)
	for _, n := range names {
		fmt.Fprintf(&sb, "\n### %s %s\n%s", n, x.cases[n].why, x.cases[n].diff)
	}
	return os.WriteFile(file, []byte(sb.String()), 0o644)
}
