package conformance

import (
	"embed"
	"strings"
)

//go:embed cases/*.txt
var caseFS embed.FS

// Case is a script with a name, "area/what".
type Case struct {
	Name  string
	flags map[string]bool // slow, serial, http
	lines []string
}

// Area is the first part of the name.
func (c *Case) Area() string { a, _, _ := strings.Cut(c.Name, "/"); return a }

// Cases are all of them, from the files and the tables.
func Cases() []*Case {
	ents, err := caseFS.ReadDir("cases")
	if err != nil {
		panic(err)
	}
	var out []*Case
	for _, e := range ents {
		b, err := caseFS.ReadFile("cases/" + e.Name())
		if err != nil {
			panic(err)
		}
		out = append(out, parseCases(string(b))...)
	}
	out = append(out, genCases()...)
	seen := map[string]bool{}
	for _, c := range out {
		if seen[c.Name] {
			panic("duplicate case " + c.Name)
		}
		seen[c.Name] = true
		for _, l := range c.lines {
			if strings.HasPrefix(l, "http ") {
				c.flags["http"] = true
			}
		}
	}
	return out
}

// parseCases reads "### area/name flags", then operations, one per line or
// separated by " ;; ".
func parseCases(text string) []*Case {
	var out []*Case
	var cur *Case
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if h, ok := strings.CutPrefix(l, "### "); ok {
			f := strings.Fields(h)
			cur = &Case{Name: f[0], flags: map[string]bool{}}
			for _, x := range f[1:] {
				cur.flags[x] = true
			}
			out = append(out, cur)
			continue
		}
		if l == "" || strings.HasPrefix(l, "#") || cur == nil {
			continue
		}
		for _, p := range strings.Split(l, " ;; ") {
			cur.lines = append(cur.lines, strings.TrimSpace(p))
		}
	}
	return out
}
