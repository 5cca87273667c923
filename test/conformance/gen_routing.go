package conformance

import (
	"fmt"
	"strings"
)

// topics has one case per pattern, all keys against it.
func (g *generator) topics() {
	keys := []string{"-", "a", "b", "a.b", "a.b.c", "b.a", "a.", ".a", ".", "..", "a..b", "a.b.", "#", "*", "a.#", "a.*", "a.b.c.d", "aa", "A", "a.b.c.b", "a.c.b", "x.a.b.y"}
	pats := []string{"-", "a", "#", "*", "*.*", "#.#", "#.*", "*.#", "a.#", "#.a", "a.*", "*.a", "a.#.b", "a.*.b", "#.b.#", "*.*.*", "#.*.#", "a.#.#.b", "a..b", "a.", ".a", ".", ".*", "*.", "#.", ".#", "a.*.#", "*.#.*", "#.#.a", "a.b", "#a", "a#", "*a", "a.b.#.b", "#.a.#.b.#"}
	for i, p := range pats {
		l := []string{"open", "qd %q exclusive", "xd %x topic", "qb %q %x " + quoteIf(p)}
		for _, k := range keys {
			l = append(l, "pub %x "+quoteIf(k)+" "+quoteIf("["+strings.Trim(k, "-")+"]"))
		}
		l = append(l, "quiet", "drain %q")
		g.add(fmt.Sprintf("topic/%02d", i), l...)
	}
}

// headers has one case per binding, all messages against it.
func (g *generator) headers() {
	binds := []string{`{}`, `{x-match:"all"}`, `{x-match:"any"}`, `{x-match:"all",a:1}`, `{x-match:"any",a:1}`, `{a:1}`, `{x-match:"all",a:1,b:"x"}`, `{x-match:"any",a:1,b:"x"}`, `{x-match:"all",a:V}`, `{x-match:"any",a:V,b:"x"}`, `{x-match:"all",x-foo:1}`, `{x-match:"any",x-foo:1}`, `{x-match:"all-with-x",x-foo:1}`, `{x-match:"any-with-x",x-foo:1}`, `{x-match:"any-with-x",x-foo:1,a:9}`, `{x-match:"all-with-x",x-foo:1,a:1}`, `{x-match:"all",x-foo:1,a:1}`, `{a:"1"}`, `{a:d1.0}`, `{a:l1}`, `{a:true}`, `{x-match:"all",a:{n:1}}`, `{x-match:"all",a:[1]}`}
	msgs := []string{`-`, `headers={}`, `headers={a:1}`, `headers={a:2}`, `headers={a:l1}`, `headers={a:"1"}`, `headers={a:d1.0}`, `headers={a:s1}`, `headers={a:true}`, `headers={b:"x"}`, `headers={a:1,b:"x"}`, `headers={a:1,b:"y"}`, `headers={x-foo:1}`, `headers={x-foo:1,a:1}`, `headers={x-foo:2,a:9}`, `headers={a:V}`, `headers={a:{n:1}}`, `headers={a:[1]}`, `headers={x-match:"any"}`, `headers={b:x"x"}`}
	for i, b := range binds {
		l := []string{"open", "qd %q exclusive", "xd %x headers", "qb %q %x k args=" + b}
		for j, m := range msgs {
			if m == "-" {
				m = ""
			}
			l = append(l, fmt.Sprintf("pub %%x k m%02d %s", j, m))
		}
		l = append(l, "quiet", "drain %q")
		g.add(fmt.Sprintf("headers/%02d", i), l...)
	}
	for _, v := range []string{`"some"`, `"ALL"`, `""`, "1", "V", "true"} {
		g.add("headers/x-match="+inName(v)+fmt.Sprint(len(v)), "open ;; qd %q exclusive ;; xd %x headers ;; qb %q %x k args={x-match:"+v+",a:1} ;; pub %x k hi headers={a:1} mandatory ;; quiet")
	}
}
