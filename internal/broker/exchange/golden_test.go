package exchange

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func dataLines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for l := range strings.Lines(string(b)) {
		if l = strings.TrimSuffix(l, "\n"); l != "" && l[0] != '#' {
			lines = append(lines, l)
		}
	}
	return lines
}

func quoted(t *testing.T, s string) (words []string) {
	t.Helper()
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		q, err := strconv.QuotedPrefix(s)
		if err != nil {
			t.Fatal(s, err)
		}
		w, _ := strconv.Unquote(q)
		words = append(words, w)
		s = s[len(q):]
	}
	return words
}

func TestTopicAsRecorded(t *testing.T) {
	lines := dataLines(t, "testdata/topic.txt")
	keys := quoted(t, strings.TrimPrefix(lines[0], "keys "))
	all := NewTable[string](Topic)
	want := map[string][]string{}
	for _, l := range lines[1:] {
		w := quoted(t, l)
		all = all.Bind(Binding[string]{Dest: w[0], Key: w[0]})
		for _, k := range w[1:] {
			want[k] = append(want[k], w[0])
		}
	}
	for _, k := range keys {
		got := route(all, k, nil)
		slices.Sort(got)
		slices.Sort(want[k])
		if !slices.Equal(got, want[k]) {
			t.Errorf("key %q: %q, want %q", k, got, want[k])
		}
	}
}

func parseArgs(t *testing.T, s string) lookup {
	t.Helper()
	var l lookup
	for s != "" {
		k, rest, _ := strings.Cut(s, ":")
		end := len(rest)
		depth := 0
		for i, c := range rest {
			if strings.ContainsRune("[{", c) {
				depth++
			} else if strings.ContainsRune("]}", c) {
				depth--
			} else if c == ',' && depth == 0 {
				end = i
				break
			}
		}
		l = append(l, Arg{k, parseValue(t, rest[:end])})
		s = strings.TrimPrefix(rest[end:], ",")
	}
	return l
}

func parseValue(t *testing.T, s string) Value {
	t.Helper()
	switch {
	case s == "V":
		return Value{}
	case s == "true":
		return BoolValue(true)
	case s[0] == '[':
		return Value{Kind: Array, Data: []byte(s)}
	case s[0] == '{':
		return Value{Kind: Fields, Data: []byte(s)}
	case strings.HasSuffix(s, `"`):
		return StringValue(strings.Trim(strings.TrimPrefix(s, "x"), `"`))
	case s[0] == 'd':
		f, err := strconv.ParseFloat(s[1:], 64)
		if err != nil {
			t.Fatal(s, err)
		}
		return FloatValue(f)
	}
	n, err := strconv.Atoi(strings.TrimLeft(s, "ls"))
	if err != nil {
		t.Fatal(s, err)
	}
	return IntValue(int64(n))
}

func TestHeadersAsRecorded(t *testing.T) {
	var messages []lookup
	for _, l := range dataLines(t, "testdata/headers.txt") {
		if m, ok := strings.CutPrefix(l, "message "); ok {
			messages = append(messages, parseArgs(t, strings.TrimPrefix(m[2:], " ")))
			continue
		}
		args, want, _ := strings.Cut(strings.TrimPrefix(l, "bind "), "->")
		x := NewTable[int](Headers)
		x = x.Bind(Binding[int]{Dest: 1, Args: parseArgs(t, strings.TrimSpace(args))})
		var got []string
		for i, m := range messages {
			if len(route(x, "k", m)) > 0 {
				got = append(got, fmt.Sprintf("%02d", i))
			}
		}
		if w := strings.Fields(want); !slices.Equal(got, w) {
			t.Errorf("%s: %q, want %q", args, got, w)
		}
	}
}
