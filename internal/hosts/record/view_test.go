package record

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestStates reads testdata/states.txt.
func TestStates(t *testing.T) {
	raw, err := os.ReadFile("testdata/states.txt")
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "#") {
			text = append(text, line)
		}
	}
	n := 0
	for block := range strings.SplitSeq(strings.Join(text, ""), "\n\n") {
		entries, want, ok := strings.Cut(strings.TrimSpace(block), "----\n")
		if !ok {
			continue
		}
		n++
		if got := states(t, strings.Split(strings.TrimSpace(entries), "\n")); got != strings.TrimSpace(want) {
			t.Errorf("%s\n---- got\n%s\n---- want\n%s", entries, got, want)
		}
	}
	if n < 20 {
		t.Errorf("%d records were read", n)
	}
}

// states feeds entries to a view, each once as it is, and then all of them once
// more: a reader may see a part of a record twice.
func states(t *testing.T, entries []string) string {
	task := Task{ID: 7, Nonce: "n", Hosts: []Target{{Name: "a"}, {Name: "b"}, {Name: "a"}}, Command: Command{OutputLimit: 10}}
	if entries[0] == "batch" {
		task.Batch, entries = 1, entries[1:]
	}
	v := &View{}
	v.Apply(Event{Kind: Accepted, Task: 7, Host: "a"}) // before the beginning: nothing
	v.Apply(Event{Kind: Created, Spec: &task})
	var first string
	for range 2 {
		for _, line := range entries {
			v.Apply(entry(t, strings.Fields(line)))
		}
		if first == "" {
			first = show(v)
		}
	}
	if again := show(v); again != first {
		t.Errorf("%q: read twice, it is another: %s, then %s", entries, first, again)
	}
	return first
}

func show(v *View) string {
	var b strings.Builder
	for _, h := range v.Hosts {
		fmt.Fprintf(&b, "%s %s", h.Name, h.State)
		if out := h.Stream("stdout"); len(out) > 0 {
			fmt.Fprintf(&b, " %q", out)
		}
		if h.State.Final() {
			b.WriteString(" final")
		}
		if h.Late != nil {
			fmt.Fprintf(&b, " late %s", h.Late.State)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// entry reads "kind host… arguments".
func entry(t *testing.T, words []string) Event {
	e := Event{Task: 7, Nonce: "n", Boot: "1"}
	switch words[0] {
	case "othernonce":
		e.Nonce, words = "other", words[1:]
	case "othertask":
		e.Task, words = 8, words[1:]
	}
	e.Kind = Kind(words[0])
	words = words[1:]
	if n := len(words); n > 0 && strings.HasPrefix(words[n-1], "boot=") {
		e.Boot, words = words[n-1][5:], words[:n-1]
	}
	switch e.Kind {
	case Dispatched, Lapsed, Stopped, Silent, Cancelling:
		e.Hosts = words
		return e
	case Created:
		e.Spec = &Task{ID: 7, Hosts: []Target{{Name: "x"}}}
	}
	if len(words) > 0 {
		e.Host = words[0]
	}
	switch e.Kind {
	case Output:
		offset, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		e.Stream, e.Offset, e.Data = "stdout", offset, []byte(words[2])
	case Finished:
		state := State(words[1])
		if state == "timedout" {
			state = TimedOut
		}
		e.Outcome = &Outcome{State: state}
		if state == "nonsense" {
			e.Outcome = nil
		}
	}
	return e
}

// Of each host the beginning is kept, when there is not room for all.
func TestRoom(t *testing.T) {
	v := &View{Room: 10}
	v.Apply(Event{Kind: Created, Spec: &Task{ID: 7, Nonce: "n", Hosts: []Target{{Name: "a"}, {Name: "b"}}, Command: Command{OutputLimit: 100}}})
	for _, line := range []string{"output a 0 abc", "output a 3 def", "output a 6 ghi", "output b 0 12345", "output b 5 6", "output b 9 x"} {
		v.Apply(entry(t, strings.Fields(line)))
	}
	for host, want := range map[string]string{"a": "abcde 5 of 9", "b": "12345 5 of 6"} {
		h := v.Host(host)
		if got := fmt.Sprintf("%s %d of %d", h.Stream("stdout"), h.Held(), h.Bytes); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// An event comes back from its message as it was.
func TestEventRoundTrip(t *testing.T) {
	exit := 3
	for _, e := range []Event{
		{Kind: Created, Task: 1, Spec: &Task{ID: 1, Hosts: []Target{{"a", "10.0.0.1"}}, Command: Command{Argv: []string{"df"}}}},
		{Kind: Output, Task: 1, Host: "a", Stream: "stderr", Offset: 9, Data: []byte("\x00\xffbinary")},
		{Kind: Finished, Task: 1, Host: "a", Seq: 4, Outcome: &Outcome{State: Failed, Exit: &exit}},
		{Kind: Close, Task: 1},
	} {
		headers, body, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEvent(string(e.Kind), headers, body)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%+v\ncame back as\n%+v, %v", e, got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct {
		kind    string
		headers map[string]any
		body    string
		want    string
	}{
		{"running", nil, "", "not an event"},
		{"running", nil, `{"v":2,"kind":"running"}`, "version 2"},
		{"running", nil, `{"v":1,"kind":"finished"}`, `type "running"`},
		{"output", nil, "text", "without its header"},
		{"output", map[string]any{"event": int64(1)}, "text", "without its header"},
	} {
		if _, err := DecodeEvent(c.kind, c.headers, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.kind, c.body, err, c.want)
		}
	}
}

// FuzzRecord: whatever stands in a record, reading it does not panic, and keeps
// no more than the task allows.
func FuzzRecord(f *testing.F) {
	f.Add("created", `{"v":1,"kind":"created","spec":{"id":1,"hosts":[{"name":"a"}],"output_limit":5}}`, "output", "0123456789", `{"v":1,"kind":"output","host":"a","task":1}`)
	f.Add("created", `{"v":1,"kind":"created","spec":null}`, "close", `{"v":1,"kind":"close"}`, ``)
	f.Fuzz(func(t *testing.T, k1, b1, k2, b2, h2 string) {
		v := &View{}
		for _, m := range [][3]string{{k1, "", b1}, {k2, h2, b2}, {k2, h2, b2}} {
			if e, err := DecodeEvent(m[0], map[string]any{"event": m[1]}, []byte(m[2])); err == nil {
				v.Apply(e)
			}
		}
		for _, h := range v.Hosts {
			if h.Bytes > v.Task.OutputLimit {
				t.Errorf("%d bytes kept of %d", h.Bytes, v.Task.OutputLimit)
			}
		}
	})
}

// What an agent's password lets somebody publish does not reach a terminal.
func TestPresenceCheck(t *testing.T) {
	good := Presence{Name: "web1", Groups: []string{"web"}, Addrs: []string{"10.0.0.1", "fd00::1"}, Program: "warren 0.1.0", System: "linux/amd64"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for what, spoil := range map[string]func(*Presence){
		"name":    func(p *Presence) { p.Name = "../x" },
		"group":   func(p *Presence) { p.Groups = []string{"web\nweb2  online"} },
		"address": func(p *Presence) { p.Addrs = []string{"\x1b]0;x\x07"} },
		"program": func(p *Presence) { p.Program = strings.Repeat("x", 10_000) },
		"system":  func(p *Presence) { p.System = "a\u202eb" },
		"many":    func(p *Presence) { p.Groups = slices.Repeat(p.Groups, 1000) },
	} {
		p := good
		spoil(&p)
		if p.Check() == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func TestCommandCheck(t *testing.T) {
	good := Command{Argv: []string{"df", "-h"}, TimeoutMS: 1000, OutputLimit: 10}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*Command){
		"empty":           func(c *Command) { c.Argv = nil },
		"is empty":        func(c *Command) { c.Argv = []string{"", "x"} },
		"one text":        func(c *Command) { c.Shell = true },
		"NUL":             func(c *Command) { c.Argv[1] = "a\x00b" },
		"longer":          func(c *Command) { c.Argv[1] = strings.Repeat("x", MaxCommand) },
		"NAME=value":      func(c *Command) { c.Env = []string{"A B=c"} },
		"timeout":         func(c *Command) { c.TimeoutMS = 0 },
		"timeout must":    func(c *Command) { c.TimeoutMS = 18446744073710 }, // in nanoseconds it would be small
		"is not UTF-8":    func(c *Command) { c.Argv[1] = "caf\xe9" },
		"variables":       func(c *Command) { c.Env = slices.Repeat([]string{"A=" + strings.Repeat("x", 1000)}, 200) },
		"is too long":     func(c *Command) { c.User = strings.Repeat("x", 10_000) },
		"at most":         func(c *Command) { c.TimeoutMS = (MaxTimeout + time.Second).Milliseconds() },
		"output limit":    func(c *Command) { c.OutputLimit = MaxOutput + 1 },
		"user or":         func(c *Command) { c.User = "a\x00" },
		"begin with /":    func(c *Command) { c.Dir = "etc" },
		"between 0 and 1": func(c *Command) { c.OutputLimit = -1 },
	} {
		c := Command{Argv: []string{"df", "-h"}, TimeoutMS: 1000}
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c.Argv[:min(1, len(c.Argv))], err, want)
		}
	}
}
