package pattern

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"", []string{"", "a"}, nil},
		{".*", []string{"", "a", "a\nb"}, nil},
		{"^$", []string{""}, []string{"a", "\n"}},
		{"b", []string{"b", "abc"}, []string{"", "a"}}, // anywhere
		{"^a|b$", []string{"ax", "xb"}, []string{"xax", "bx"}},
		{"^(?!amq\\.).*", []string{"a", "", "amqp", "x.amq.y"}, []string{"amq.direct", "amq."}},
		{"^(?!a)(?!b)[a-z]+$", []string{"c", "cab"}, []string{"a", "b", "", "C"}},
		{"^(?=.*x)[a-z]*$", []string{"x", "ax", "xyz"}, []string{"", "abc", "X"}},
		{"^(?!(a|[)]b)).", []string{"b", ")c"}, []string{"a", "", ")b"}},
		{"^(?!x$)", []string{"xx", ""}, []string{"x"}},
		{"^(?!a)[]|]x", []string{"]x", "|x"}, []string{"ax", "x"}},
		{"^(svc|app)\\.", []string{"svc.a"}, []string{"svc", "xsvc."}},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		for _, s := range c.yes {
			if !p.Match(s) {
				t.Errorf("%q does not match %q", c.pattern, s)
			}
		}
		for _, s := range c.no {
			if p.Match(s) {
				t.Errorf("%q matches %q", c.pattern, s)
			}
		}
		if p.String() != c.pattern {
			t.Errorf("%q is called %q", c.pattern, p)
		}
	}
}

func TestBad(t *testing.T) {
	for _, s := range []string{"(", "[a", "a(?!b)", "^(?!a", "^(?!(", "^(?!a)b|c", "^(?!(?!a))b", "^(?!a)b)(c", "^(?!a)[](]x|y", string(make([]byte, MaxLength+1))} {
		if _, err := Compile(s); err == nil {
			t.Errorf("%.20q compiles", s)
		}
	}
}

func TestPermission(t *testing.T) {
	p, err := Permission("")
	if err != nil || p.Match("a") || !p.Match("") || p.String() != "" {
		t.Error("the empty permission allows something")
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"^(?!a)b", "^(?!(a|[)]b))c(", "^(?=[]x])"} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		if p, err := Compile(s); err == nil {
			p.Match(name)
		}
	})
}
