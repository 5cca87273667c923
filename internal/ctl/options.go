package ctl

import (
	"strconv"
	"strings"
)

// options are what was said, by the long name. Switches are "true" or "false".
type options map[string]string

// kind is what may stand behind an option.
type kind uint8

const (
	boolean kind = iota + 1
	text
	integer
)

// flag is an option of a command.
type flag struct {
	name  string
	kind  kind
	short string // one letter, without the hyphen
}

// globals are the options that every command takes. They may stand before the
// command or behind it.
func globals() []flag {
	return []flag{
		{"node", text, "n"}, {"longnames", boolean, "l"}, {"timeout", integer, "t"}, {"quiet", boolean, "q"},
		{"silent", boolean, "s"}, {"vhost", text, "p"}, {"help", boolean, "?"}, {"table-headers", boolean, ""},
		{"formatter", text, ""}, {"printer", text, ""}, {"file", text, ""}, {"erlang-cookie", text, ""},
		{"dry-run", boolean, ""}, {"script-name", text, ""}, {"rabbitmq-home", text, ""}, {"mnesia-dir", text, ""},
		{"plugins-dir", text, ""}, {"enabled-plugins-file", text, ""}, {"aliases-file", text, ""},
		{"print-stacktrace", boolean, ""},
		{"data-dir", text, ""},
	}
}

// badOption is one that is not known, or has no fitting value.
type badOption struct{ name, value string }

type parsed struct {
	opts    options
	args    []string
	invalid []badOption
}

// parse takes a command line apart: --name value, --name=value, --name and
// --no-name for switches, -n value, -n=value, several short ones together, and
// -- before arguments that begin with a hyphen.
func parse(argv []string, known []flag) parsed {
	p := parsed{opts: options{}}
	for i := 0; i < len(argv); i++ {
		a := argv[i]
		switch {
		case a == "--":
			p.args = append(p.args, argv[i+1:]...)
			return p
		case a == "-" || !strings.HasPrefix(a, "-") || isNumber(a):
			p.args = append(p.args, a)
		case strings.HasPrefix(a, "--"):
			i += p.take(a, a[2:], false, argv[i+1:], known)
		default:
			i += p.short(a, argv[i+1:], known)
		}
	}
	return p
}

// take reads one option and returns how many of the rest belong to it.
func (p *parsed) take(shown, name string, short bool, rest []string, known []flag) int {
	name, value, given := strings.Cut(name, "=")
	if given {
		shown, _, _ = strings.Cut(shown, "=")
	}
	f, negated := lookup(known, name, short)
	if f == nil {
		p.invalid = append(p.invalid, badOption{shown, value})
		return 0
	}
	used := 0
	switch {
	case f.kind == boolean && !given:
		value = strconv.FormatBool(!negated)
	case f.kind == boolean:
		if value != "true" && value != "false" {
			p.invalid = append(p.invalid, badOption{shown, value})
			return 0
		}
	case !given:
		if len(rest) == 0 || strings.HasPrefix(rest[0], "-") && rest[0] != "-" && !isNumber(rest[0]) {
			p.invalid = append(p.invalid, badOption{shown, ""})
			return 0
		}
		value, used = rest[0], 1
	}
	if f.kind == integer {
		if _, err := parseInt(value); err != nil {
			p.invalid = append(p.invalid, badOption{shown, value})
			return used
		}
	}
	p.opts[f.name] = value
	return used
}

// short reads -n, -n=value, and -qs, which is -q -s.
func (p *parsed) short(a string, rest []string, known []flag) int {
	body, _, _ := strings.Cut(a[1:], "=")
	if len(body) == 1 {
		return p.take(a, a[1:], true, rest, known)
	}
	used := 0
	for i := range len(body) {
		if f, _ := lookup(known, body[i:i+1], true); f == nil {
			p.invalid = append(p.invalid, badOption{a, ""})
			return 0
		}
	}
	for i := range len(body) {
		used += p.take("-"+body[i:i+1], body[i:i+1], true, rest[used:], known)
	}
	return used
}

func lookup(known []flag, name string, short bool) (f *flag, negated bool) {
	for i := range known {
		if short && known[i].short == name && name != "" || !short && known[i].name == name {
			return &known[i], false
		}
	}
	if rest, ok := strings.CutPrefix(name, "no-"); ok && !short {
		if f, _ := lookup(known, rest, false); f != nil && f.kind == boolean {
			return f, true
		}
	}
	return nil, false
}

// commandName is the first argument that is no option nor belongs to one.
func commandName(argv []string) string {
	if p := parse(argv, allFlags()); len(p.args) > 0 {
		return p.args[0]
	}
	return ""
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func parseInt(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }
