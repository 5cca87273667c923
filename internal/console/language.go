// Package console is the text side of `warren hosts`: the language that people
// type, at a prompt or as arguments of the program, and how answers are shown.
//
// A line becomes words (command.Words), words become a call (parse), and a call
// is carried out with a hosts.Client (Console.Exec), which returns an exit code.
package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verb is a command of the language.
type verb struct {
	name  string
	args  string // for help
	short string
	flags []string
	run   func(*Console, *job) int
	help  string // more than short
}

// flag is an option. Its kind says what follows it: nothing, a value, or as
// many values as there are.
type flag struct {
	kind  flagKind
	value string // for help
	short string
}

type flagKind int

const (
	boolean flagKind = iota
	single
	many
	repeated
)

func flags() map[string]flag {
	return map[string]flag{
		"hosts":        {many, "HOST...", "names, addresses, patterns like 'web*', @group, @all; everything up to the next option"},
		"timeout":      {single, "TIME", "end the command after this time (5m); as in 30s, 10m, 2h, 1d"},
		"expires":      {single, "TIME", "a host that is away runs it only if it is back within this time (30m)"},
		"keep":         {single, "TIME", "how long the task can be looked at after its deadline (7d)"},
		"batch":        {single, "N|N%", "ask so many hosts at a time, and stop when one of them fails"},
		"wait":         {boolean, "", "wait until all hosts are done, and show the results"},
		"json":         {boolean, "", "print JSON"},
		"shell":        {boolean, "", "let /bin/sh run the command"},
		"user":         {single, "USER", "run it as this user"},
		"dir":          {single, "DIR", "run it in this directory"},
		"env":          {repeated, "NAME=VALUE", "set a variable; may be repeated"},
		"output-limit": {single, "SIZE", "keep so much output of each host (1MiB)"},
		"follow":       {boolean, "", "show output as it comes, until all hosts are done"},
		"host":         {single, "HOST", "this host only"},
		"raw":          {boolean, "", "print output as it is, whatever it does to a terminal"},
		"failed":       {boolean, "", "only on hosts that were not ok"},
		"all":          {boolean, "", "all, not just the newest"},
		"operator":     {boolean, "", "for somebody who uses the console, not for an agent"},
		"vhost":        {single, "VHOST", "the virtual host (/)"},
		"out":          {single, "FILE", "where to write the private key (NAME.key)"},
	}
}

func verbs() []verb {
	running := []string{"timeout", "expires", "keep", "batch", "wait", "json", "shell", "user", "dir", "env", "output-limit", "raw"}
	return []verb{
		{"run", "COMMAND... --hosts HOST...", "run commands on hosts; prints a task id for each", append([]string{"hosts"}, running...), (*Console).cmdRun,
			"Quote a command that has blanks: run \"df -h\" --hosts web1 10.4.3.4 @db\nSeveral commands become several tasks, side by side."},
		{"check_task", "ID", "show what became of a task", []string{"follow", "host", "json", "raw"}, (*Console).cmdCheck, ""},
		{"tasks", "", "list the newest tasks", []string{"all", "json"}, (*Console).cmdTasks, ""},
		{"cancel_task", "ID", "end a task on all of its hosts", []string{"json"}, (*Console).cmdCancel, ""},
		{"retry_task", "ID", "run a task's command again, as a new task", []string{"failed", "wait", "json", "raw"}, (*Console).cmdRetry, ""},
		{"hosts", "", "list the hosts that there are", []string{"json"}, (*Console).cmdHosts, ""},
		{"forget", "HOST...", "take hosts that will not come back off the list", nil, (*Console).cmdForget, ""},
		{"permissions", "NAME", "print what makes a broker user for an agent or operator", []string{"operator", "vhost"}, (*Console).cmdPermissions, ""},
		{"keygen", "NAME", "make a key with which an operator signs tasks", []string{"out"}, (*Console).cmdKeygen, ""},
		{"help", "[COMMAND]", "this list, or more on a command", nil, (*Console).cmdHelp, ""},
		{"exit", "", "leave; tasks go on", nil, (*Console).cmdExit, ""},
	}
}

// find finds a verb; dashes are as good as underscores.
func find(name string) (verb, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	if name == "quit" {
		name = "exit"
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == name })
	if i < 0 {
		return verb{}, false
	}
	return all[i], true
}

// call is a command with its arguments and options.
type call struct {
	verb verb
	args []string
	set  map[string][]string
	help bool
}

func parse(words []string) (*call, error) {
	v, ok := find(words[0])
	if !ok {
		return nil, fmt.Errorf("no command %q; 'help' lists them", words[0])
	}
	c := &call{verb: v, set: map[string][]string{}}
	known := flags()
	for rest := words[1:]; len(rest) > 0; {
		word := rest[0]
		rest = rest[1:]
		switch {
		case word == "--":
			c.args = append(c.args, rest...)
			return c, nil
		case word == "-h" && len(c.args) == 0, word == "--help":
			c.help = true
			return c, nil
		case len(word) < 2 || word[0] != '-':
			c.args = append(c.args, word)
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		f, there := known[name]
		if !there || !slices.Contains(v.flags, name) || !strings.HasPrefix(word, "--") {
			if slices.Contains([]string{"url", "key", "audit"}, name) {
				return nil, fmt.Errorf("%s has no option %s; it goes before the command: warren hosts --%s %s %s ...", v.name, word, name, strings.ToUpper(name), v.name)
			}
			if _, meant := known[name]; v.name == "run" && len(c.args) > 0 && !meant {
				return nil, fmt.Errorf("run has no option %s; quote a command with its options: run %q --hosts HOST...", word, c.args[len(c.args)-1]+" "+word)
			}
			return nil, fmt.Errorf("%s has no option %s; see: help %s", v.name, word, v.name)
		}
		n := f.kind.values(rest)
		switch {
		case f.kind == boolean && given:
			return nil, fmt.Errorf("--%s takes no value", name)
		case f.kind == boolean:
			c.set[name] = []string{}
		case given && value != "":
			c.set[name] = append(c.set[name], value)
			if f.kind == many {
				c.set[name] = append(c.set[name], rest[:n]...)
				rest = rest[n:]
			}
		case given || n == 0:
			return nil, fmt.Errorf("--%s wants %s", name, f.value)
		default:
			c.set[name] = append(c.set[name], rest[:n]...)
			rest = rest[n:]
		}
		if f.kind == single && len(c.set[name]) > 1 {
			return nil, fmt.Errorf("--%s is there twice", name)
		}
	}
	return c, nil
}

// values is how many of the following words belong to an option.
func (k flagKind) values(rest []string) int {
	n := 0
	for n < len(rest) && !strings.HasPrefix(rest[n], "--") {
		n++
	}
	switch k {
	case boolean:
		return 0
	case many:
		return n
	}
	return min(n, 1)
}

func (c *call) has(name string) bool { _, ok := c.set[name]; return ok }

func (c *call) text(name, otherwise string) string {
	if v := c.set[name]; len(v) > 0 {
		return v[0]
	}
	return otherwise
}

// duration reads a time: as Go does, and days.
func (c *call) duration(name string, otherwise time.Duration) (time.Duration, error) {
	s := c.text(name, "")
	if s == "" {
		return otherwise, nil
	}
	days, ok := strings.CutSuffix(s, "d")
	if n, err := strconv.ParseFloat(days, 64); ok && err == nil && n >= 0 && n < 10000 {
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("--%s %s: want a time, as in 30s, 10m, 2h or 1d", name, s)
	}
	return d, nil
}

// size reads a number of bytes.
func (c *call) size(name string, otherwise int64) (int64, error) {
	s := c.text(name, "")
	if s == "" {
		return otherwise, nil
	}
	unit := int64(1)
	number := s
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"MiB", 1 << 20}, {"KiB", 1 << 10}, {"MB", 1e6}, {"kB", 1e3}, {"M", 1 << 20}, {"K", 1 << 10}, {"k", 1 << 10}, {"B", 1}} {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			number, unit = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 40)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("--%s %s: want a size, as in 65536, 512KiB or 4MiB", name, s)
	}
	return n * unit, nil
}

// helpText is the list of commands, or the help of one.
func helpText(name string) (string, error) {
	var b strings.Builder
	if name == "" {
		for _, v := range verbs() {
			fmt.Fprintf(&b, "  %-36s %s\n", strings.TrimSpace(v.name+" "+v.args), v.short)
		}
		b.WriteString("\nOptions of a command: help COMMAND\n")
		return b.String(), nil
	}
	v, ok := find(name)
	if !ok {
		return "", fmt.Errorf("no command %q; 'help' lists them", name)
	}
	fmt.Fprintf(&b, "%s\n  %s\n", strings.TrimSpace(v.name+" "+v.args), v.short)
	if v.help != "" {
		fmt.Fprintf(&b, "\n%s\n", v.help)
	}
	known := flags()
	for i, name := range v.flags {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-22s %s\n", strings.TrimSpace("--"+name+" "+known[name].value), known[name].short)
	}
	return b.String(), nil
}

// Help is the list of commands.
func Help() string {
	text, _ := helpText("")
	return text
}
