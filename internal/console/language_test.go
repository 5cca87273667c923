package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line string
		want string // arguments and options, or an error
	}{
		{`run "df -h" --hosts 192.168.3.55 10.4.3.4`, `run ["df -h"] hosts=["192.168.3.55" "10.4.3.4"]`},
		{`run uptime "df -h" --hosts @web db1 --wait --timeout 5s`, `run ["uptime" "df -h"] hosts=["@web" "db1"] timeout=["5s"] wait=[]`},
		{`run x --hosts=a b --hosts c`, `run ["x"] hosts=["a" "b" "c"]`},
		{`run --wait x --hosts a`, `run ["x"] hosts=["a"] wait=[]`},
		{`run x --env A=1 --env B=2 --hosts a`, `run ["x"] env=["A=1" "B=2"] hosts=["a"]`},
		{`run --hosts a -- x`, `run ["x"] hosts=["a"]`},
		{`check-task 5 --follow`, `check_task ["5"] follow=[]`},
		{`quit`, `exit []`},
		{`ls`, `no command "ls"; 'help' lists them`},
		{`run x --host a`, `run has no option --host; see: help run`},
		{`run x --key k --hosts a`, `run has no option --key; it goes before the command: warren hosts --key KEY run ...`},
		{`run x -hosts a`, `run has no option -hosts; see: help run`},
		{`run df -h --hosts a`, `run has no option -h; quote a command with its options: run "df -h" --hosts HOST...`},
		{`run ls --color --hosts a`, `run has no option --color; quote a command with its options: run "ls --color" --hosts HOST...`},
		{`run x --hosts`, `--hosts wants HOST...`},
		{`run x --hosts --wait`, `--hosts wants HOST...`},
		{`run x --timeout`, `--timeout wants TIME`},
		{`run x --timeout=`, `--timeout wants TIME`},
		{`run x --timeout 1s --timeout 2s`, `--timeout is there twice`},
		{`run x --wait=yes`, `--wait takes no value`},
		{`run`, `want: run COMMAND... --hosts HOST...; see: help run`},
		{`check_task`, `want: check_task ID; see: help check_task`},
		{`check_task 1 2`, `want: check_task ID; see: help check_task`},
		{`tasks 1`, `tasks takes no argument; see: help tasks`},
		{`help a b`, `want: help [COMMAND]; see: help help`},
	} {
		words, err := command.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		call, err := parse(words)
		if err == nil {
			err = call.arity()
		}
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%s %q", call.verb.name, call.args)
			if len(call.args) == 0 {
				got = call.verb.name + " []"
			}
			var names []string
			for name := range call.set {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				got += fmt.Sprintf(" %s=%q", name, call.set[name])
			}
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.line, got, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	value := func(name, v string) *call { return &call{set: map[string][]string{name: {v}}} }
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "0.5d": 12 * time.Hour} {
		if got, err := value("timeout", text).duration("timeout", 0); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{"100": 100, "512KiB": 512 << 10, "4MiB": 4 << 20, "2M": 2 << 20, "1kB": 1000} {
		if got, err := value("output-limit", text).size("output-limit", 0); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"5", "-5s", "soon", "1e9d", "-1d", "99999999999999999999d"} {
		if got, err := value("timeout", bad).duration("timeout", 0); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
	for _, bad := range []string{"x", "-1", "1.5MiB", "9999999999999999999", "MiB"} {
		if got, err := value("output-limit", bad).size("output-limit", 0); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
}

// What is wrong is said without asking the broker, with the right exit code.
func TestWrong(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"nonsense", exitUsage, `Error: no command "nonsense"; 'help' lists them`},
		{"run 'a", exitUsage, "Error: a ' is not closed"},
		{`run "" --hosts a`, exitRefused, "Error: the command is empty"},
		{`run "  " --hosts a --shell`, exitRefused, "Error: the command is empty"},
		{`run "df | grep x" --hosts a`, exitRefused, `Error: 'df | grep x': '|' means something to a shell only: quote it, or run the command with --shell`},
		{`run ok "echo 'x" --hosts a`, exitRefused, `Error: 'echo '\''x': a ' is not closed`},
		{`run x --hosts a --timeout soon`, exitUsage, "Error: --timeout soon: want a time, as in 30s, 10m, 2h or 1d"},
		{`run x --hosts a --output-limit 1TiB`, exitUsage, "Error: --output-limit 1TiB: want a size, as in 65536, 512KiB or 4MiB"},
		{`run x --hosts a --output-limit 1000MiB`, exitRefused, "Error: the output limit must be between 0 and 16777216 bytes"},
		{"check_task abc", exitRefused, `Error: "abc" is not a task id: ids are numbers, as in check_task 45334`},
		{"check_task -1", exitUsage, "Error: check_task has no option -1; see: help check_task"},
		{"cancel_task 0", exitRefused, `Error: "0" is not a task id: ids are numbers, as in check_task 45334`},
		{"retry_task 99999999999999999999", exitRefused, `Error: "99999999999999999999" is not a task id: ids are numbers, as in check_task 45334`},
		{"permissions a/b", exitUsage, `Error: "a/b" cannot be a name: letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit`},
		{"help nonsense", exitUsage, `Error: no command "nonsense"; 'help' lists them`},
		{"# a comment", exitOK, ""},
		{"", exitOK, ""},
	} {
		var out, errs bytes.Buffer
		con := New(&hosts.Client{}, &out, &errs)
		code := con.Line(context.Background(), c.line)
		if got := strings.TrimSpace(errs.String()); code != c.code || got != c.want || out.Len() > 0 {
			t.Errorf("%s: %d, %q, %q; want %d, %q", c.line, code, got, out.String(), c.code, c.want)
		}
		con.Close()
	}
}

func TestHelp(t *testing.T) {
	known := flags()
	for _, v := range verbs() {
		text, err := helpText(v.name)
		if err != nil || !strings.Contains(text, v.short) {
			t.Errorf("%s: %q, %v", v.name, text, err)
		}
		for _, f := range v.flags {
			if _, ok := known[f]; !ok || !strings.Contains(text, "--"+f) {
				t.Errorf("%s: option %s is not explained", v.name, f)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		states []record.State
		want   int
	}{
		{[]record.State{record.OK, record.OK}, 0},
		{[]record.State{record.OK, record.Failed}, 1},
		{[]record.State{record.Cancelled}, 1},
		{[]record.State{record.Failed, record.Expired}, 2},
		{[]record.State{record.TimedOut}, 2},
		{[]record.State{record.Lost, record.OK}, 2},
		{[]record.State{record.Lost, record.Rejected}, 3},
		{[]record.State{record.OK, record.InFlight}, 0},
	} {
		v := &record.View{}
		for _, s := range c.states {
			v.Hosts = append(v.Hosts, &record.Host{State: s})
		}
		if got := exitCode(v); got != c.want {
			t.Errorf("%v: %d, want %d", c.states, got, c.want)
		}
	}
}

// Nothing that stands in a record reaches the terminal as a control character,
// or begins a line that looks like another host's.
func TestHostile(t *testing.T) {
	evil := "\x1b[2J\u009b\r\nweb2  ok"
	h := &record.Host{Target: record.Target{Name: "web1", As: evil}, State: record.Failed, Reason: evil,
		Outcome: &record.Outcome{State: record.Failed, Signal: evil, Reason: evil}, Late: &record.Outcome{State: record.Lost, Reason: evil},
		Chunks: []record.Chunk{{Stream: "stdout", Data: []byte("\x1b[2Jtext\x07")}}, Bytes: 9}
	v := &record.View{Hosts: []*record.Host{h}}
	var out bytes.Buffer
	con := New(&hosts.Client{}, &out, &out)
	defer con.Close()
	writeTask(&out, v, nil, false)
	(&follower{out: &out, shown: map[string]*shown{}}).show(v)
	con.begun(&job{call: &call{}}, &record.View{Hosts: []*record.Host{{State: record.Rejected, Reason: evil}}})
	table(&out, taskRows([]hosts.Summary{{By: evil, Text: evil}}))
	table(&out, hostRows([]hosts.Host{{Presence: record.Presence{Name: evil, Groups: []string{evil}}}}))
	con.fail(errors.New("\x1b[2J"), 1)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "web2") {
			t.Errorf("a line of another host: %q", line)
		}
		if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl); i >= 0 {
			t.Errorf("%q has a control character at %d", line, i)
		}
	}
	if out.Len() < 200 {
		t.Errorf("%q", out.String())
	}
}

// A line is printed when it is over, however it came.
func TestFollower(t *testing.T) {
	var out bytes.Buffer
	h := &record.Host{Target: record.Target{Name: "a"}, State: record.InFlight}
	v := &record.View{Hosts: []*record.Host{h, {Target: record.Target{Name: "b"}, State: record.Waiting}}}
	f := &follower{out: &out, shown: map[string]*shown{}}
	for _, c := range [][2]string{{"one", ""}, {" line\ntwo", "a | one line\n"}, {"", ""}, {"\n\xc3", "a | two\n"}, {"\xa4\nthree\nfo", "a | ä\na | three\n"}, {"ur", ""}} {
		out.Reset()
		h.Chunks = append(h.Chunks, record.Chunk{Stream: "stdout", Data: []byte(c[0])})
		h.Bytes += int64(len(c[0]))
		f.show(v)
		if out.String() != c[1] {
			t.Errorf("%q: %q, want %q", c[0], out.String(), c[1])
		}
	}
	out.Reset()
	h.State = record.OK
	if f.show(v); out.String() != "a | four\na  ok\n" {
		t.Errorf("%q", out.String())
	}
}

func TestComplete(t *testing.T) {
	var out bytes.Buffer
	k := &completer{c: New(&hosts.Client{}, &out, &out), ctx: t.Context(), out: &out}
	for _, c := range [][2]string{{"ch", "check_task "}, {"ret", "retry_task "}, {"run x --ti", "run x --timeout "}, {"help keyg", "help keygen "}, {"zzz", "zzz"}, {"h", "h"}} {
		if got, pos, ok := k.complete(c[0], len(c[0]), '\t'); !ok || got != c[1] || pos != len(got) {
			t.Errorf("%q: %q, %d", c[0], got, pos)
		}
	}
	if !strings.Contains(out.String(), "help  hosts") {
		t.Errorf("%q", out.String())
	}
	if _, _, ok := k.complete("ch", 2, 'x'); ok {
		t.Error("a letter was completed")
	}
}

// A broker that does not answer does not hold up who types.
func TestCompleteHangs(t *testing.T) {
	var out bytes.Buffer
	end := make(chan struct{})
	defer close(end)
	dial := func(context.Context) (*amqp.Connection, error) { <-end; return nil, amqp.ErrClosed }
	k := &completer{c: New(&hosts.Client{Dial: dial}, &out, &out), ctx: t.Context(), out: &out}
	if got, _, _ := k.complete("run x --hosts --wa", 18, '\t'); got != "run x --hosts --wait " {
		t.Errorf("%q", got)
	}
}

// What another console has added in between stays, and the file does not grow
// for ever.
func TestHistory(t *testing.T) {
	file := t.TempDir() + "/dir/history"
	one, two := loadHistory(file), loadHistory(file)
	type typed struct {
		at   *history
		line string
	}
	for _, c := range []typed{{one, "one"}, {two, "two"}, {two, "two"}, {one, " "}, {one, "three"}} {
		c.at.Add(c.line)
		c.at.save(c.line)
	}
	h := loadHistory(file)
	if h.Len() != 3 || h.At(0) != "three" || h.At(2) != "one" {
		t.Errorf("%q", h.lines)
	}
	for i := range 2 * historyLength {
		h.save(fmt.Sprint(i))
	}
	if h = loadHistory(file); h.Len() != historyLength || h.At(0) != "1999" {
		t.Errorf("%d, %q", h.Len(), h.At(0))
	}
	if raw, _ := os.ReadFile(file); strings.Count(string(raw), "\n") != historyLength {
		t.Errorf("%d lines in the file", strings.Count(string(raw), "\n"))
	}
}
