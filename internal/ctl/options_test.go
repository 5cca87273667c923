package ctl

import (
	"fmt"
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	known := append([]flag{{"priority", integer, ""}, {"if-empty", boolean, "e"}, {"number", integer, "N"}}, globals()...)
	for _, c := range []struct {
		argv, want string
	}{
		{"[list_users]", "map[] [list_users] []"},
		{"[-q list_users -p v1]", "map[quiet:true vhost:v1] [list_users] []"},
		{"[list_users -qs --formatter=csv]", "map[formatter:csv quiet:true silent:true] [list_users] []"},
		{"[list_users -p=v1 --no-table-headers]", "map[table-headers:false vhost:v1] [list_users] []"},
		{"[set_policy p --priority -5]", "map[priority:-5] [set_policy p] []"},
		{"[set_policy p --priority=abc]", "map[] [set_policy p] [{--priority abc}]"},
		{"[list_users --nope]", "map[] [list_users] [{--nope }]"},
		{"[list_users --nope=3]", "map[] [list_users] [{--nope 3}]"},
		{"[list_users -z]", "map[] [list_users] [{-z }]"},
		{"[list_users -t]", "map[] [list_users] [{-t }]"},
		{"[list_users --vhost -q]", "map[quiet:true] [list_users] [{--vhost }]"},
		{"[list_users -t abc]", "map[] [list_users] [{-t abc}]"},
		{"[list_users --quiet=maybe]", "map[] [list_users] [{--quiet maybe}]"},
		{"[export -]", "map[] [export -] []"},
		{"[add_user u -- -q --x]", "map[] [add_user u -q --x] []"},
		{"[x -1 1.5]", "map[] [x -1 1.5] []"},
		{"[log_tail -N 3 -e]", "map[if-empty:true number:3] [log_tail] []"},
		{"[x -]", "map[] [x -] []"},
		{"[]", "map[] [] []"},
	} {
		var argv []string
		for _, s := range words(c.argv[1 : len(c.argv)-1]) {
			argv = append(argv, s)
		}
		p := parse(argv, known)
		if got := fmt.Sprint(map[string]string(p.opts), p.args, p.invalid); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.argv, got, c.want)
		}
	}
}

func TestCommandName(t *testing.T) {
	for argv, want := range map[string]string{
		"list_users":               "list_users",
		"-q list_users":            "list_users",
		"-n rabbit@h list_users x": "list_users",
		"--vhost v list_queues":    "list_queues",
		"-p":                       "",
		"--nope list_users":        "list_users",
	} {
		if got := commandName(words(argv)); got != want {
			t.Errorf("%s: %q, want %q", argv, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-q list_users", "--x=y")
	f.Fuzz(func(t *testing.T, a, b string) {
		p := parse([]string{a, b}, globals())
		if n := len(p.args); n > 2 {
			t.Errorf("%q %q: %d arguments", a, b, n)
		}
		if !reflect.DeepEqual(p, parse([]string{a, b}, globals())) {
			t.Error("not the same twice")
		}
	})
}
