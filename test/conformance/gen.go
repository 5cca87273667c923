package conformance

import (
	"fmt"
	"strings"
)

// generator makes the cases that are tables.
type generator struct{ cases []*Case }

func genCases() []*Case {
	g := &generator{}
	g.queueArguments()
	g.typeArguments()
	g.equivalence()
	g.typeFlags()
	g.fieldTables()
	g.properties()
	g.topics()
	g.headers()
	g.permissions()
	g.limits()
	g.policies()
	g.traces()
	return g.cases
}

func (g *generator) add(name string, lines ...string) {
	c := &Case{Name: name, flags: map[string]bool{}}
	for _, l := range lines {
		c.lines = append(c.lines, strings.Split(strings.ReplaceAll(l, "\n", " ;; "), " ;; ")...)
	}
	g.cases = append(g.cases, c)
}

// inName makes a value fit for the name of a case.
func inName(s string) string {
	return strings.NewReplacer(`"`, "'", "{", "(", "}", ")", " ", "", "/", "_", "[", "(", "]", ")", ",", "_", "\\", "_").Replace(s)
}

func quoteIf(s string) string {
	if s == "-" {
		return s
	}
	return fmt.Sprintf("%q", s)
}
