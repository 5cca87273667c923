package command

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string // nil: refused
	}{
		{`df -h`, []string{"df", "-h"}},
		{`  a   b	c
d `, []string{"a", "b", "c", "d"}},
		{`echo 'a  b' "c  d"`, []string{"echo", "a  b", "c  d"}},
		{`echo a'b'"c"d`, []string{"echo", "abcd"}},
		{`echo '' ""`, []string{"echo", "", ""}},
		{`echo "a\"b\\c\d"`, []string{"echo", `a"b\c\d`}},
		{`echo 'a\b'`, []string{"echo", `a\b`}},
		{`echo a\ b \| \$HOME`, []string{"echo", "a b", "|", "$HOME"}},
		{`echo '$HOME; | &'`, []string{"echo", "$HOME; | &"}},
		{`find . -name *.log`, []string{"find", ".", "-name", "*.log"}},
		{`awk '{print $1}' f`, []string{"awk", "{print $1}", "f"}},
		{`echo a#b`, []string{"echo", "a#b"}},
		{`echo "ä €"`, []string{"echo", "ä €"}},
		{``, []string{}},
		{`   `, []string{}},
		{`df | grep x`, nil},
		{`echo $HOME`, nil},
		{`echo "$HOME"`, nil},
		{"echo `id`", nil},
		{"echo \"`id`\"", nil},
		{`a; b`, nil},
		{`a && b`, nil},
		{`a > b`, nil},
		{`(a)`, nil},
		{`a # b`, nil},
		{`echo 'a`, nil},
		{`echo "a`, nil},
		{`echo a\`, nil},
	} {
		got, err := Split(c.line)
		if c.want == nil {
			if err == nil {
				t.Errorf("Split(%q) = %q, want an error", c.line, got)
			}
			continue
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Split(%q) = %q, %v; want %q", c.line, got, err, c.want)
		}
	}
}

// What Split accepts, /bin/sh reads in the same way, but for patterns.
func TestSplitAsShell(t *testing.T) {
	for _, line := range []string{`a  b`, `'a  b' "c\"d" e\ f`, `'' x""y "\\" '\'`, `"it's" 'say "x"'`, `\'a\"`} {
		got, err := Split(line)
		if err != nil {
			t.Errorf("Split(%q): %v", line, err)
			continue
		}
		out, err := exec.Command("/bin/sh", "-c", `for w in `+line+`; do printf '%s\0' "$w"; done`).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		if !slices.Equal(got, want) {
			t.Errorf("Split(%q) = %q, the shell: %q", line, got, want)
		}
	}
}

// FuzzSplit: whatever Join writes, Split reads back; nothing panics.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a b", `"a\"`, "it's", "$x", "#"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		Split(a)
		Words(a)
		got, err := Split(Join([]string{a, b}))
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q, %q came back as %q, %v", a, b, got, err)
		}
	})
}
