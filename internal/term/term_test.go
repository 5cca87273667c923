package term

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"[].", "[]"},
		{"[{rabbit, [{loopback_users, []}]}].", "[{rabbit,[{loopback_users,[]}]}]"},
		{"% a comment\n[ %% another\n a,\n 'B c' , \"d\\\"e\" \"f\"\n].\n% the end", `[a,'B c',"d\"ef"]`},
		{`{<<"bin">>, <<"ü"/utf8>>, <<104,105>>, <<>>}.`, `{<<"bin">>,<<"ü">>,<<"hi">>,<<"">>}`},
		{`[1, -2, 1_000, 16#ff, $a, $\n, 0.4, 1.0e3, 2.5e-1].`, `[1,-2,1000,255,97,10,0.4,1000.0,0.25]`},
		{`#{a => 1, <<"b">> => [x]}.`, `#{a => 1,<<"b">> => [x]}`},
		{`"\x41\x{e4}\101\t".`, `"AäA\t"`},
		{"[rabbitmq_management,rabbitmq_prometheus].", "[rabbitmq_management,rabbitmq_prometheus]"},
	} {
		got, err := Parse(c.in)
		if err != nil || got.Term.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.in, got.Term, err, c.want)
			continue
		}
		again, err := Parse(c.want + ".")
		if err != nil || again.Term.String() != c.want {
			t.Errorf("%s does not read as itself: %v, %v", c.want, again.Term, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "line 1: want a term, found the end of the file"},
		{"[a, b]", "line 1: want a full stop behind the term, found the end of the file"},
		{"[a,\n b,\n].", `line 3: a comma before "]"`},
		{"[a\n b].", `line 2: want a comma or "]", found "b]."`},
		{"[{rabbit, [}].", `line 1: want a term, found "}]."`},
		{"[\n\"abc].", `line 2: a " is opened and never closed`},
		{"a. b.", "line 1: one term is wanted"},
		{"99999999999999999999.", "not a number that fits"},
		{"Variable.", `want a term, found "Variable."`},
		{"<<300>>.", "between 0 and 255"},
		{strings.Repeat("[", 100000), "too many brackets"},
	} {
		_, err := Parse(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: error %v, want %s", c.in, err, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	p, err := Parse("[\n {a, 1},\n\n {b,\n  2}].")
	if err != nil {
		t.Fatal(err)
	}
	l := p.Term.(List)
	b := l[1].(Tuple)
	if p.Line(&l[0]) != 2 || p.Line(&l[1]) != 4 || p.Line(&b[1]) != 5 {
		t.Errorf("lines %d, %d, %d; want 2, 4, 5", p.Line(&l[0]), p.Line(&l[1]), p.Line(&b[1]))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[{rabbit, [{tcp_listeners, [5672]}, {default_user, <<\"app\">>}]}].")
	f.Add("#{a => $\\n, 'b' => 1.0e3}. % comment")
	f.Fuzz(func(t *testing.T, in string) {
		p, err := Parse(in)
		if err != nil {
			return
		}
		text := p.Term.String()
		again, err := Parse(text + ".")
		if err != nil || again.Term.String() != text {
			t.Errorf("%q: written as %q, which is read as %v, %v", in, text, again.Term, err)
		}
	})
}
