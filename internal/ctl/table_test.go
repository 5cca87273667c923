package ctl

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every command of 3.10.8, and of its successors as of August 2026 (its plugins'
// among them), is known by the tool that knows it there.
func TestKnowsAllCommands(t *testing.T) {
	for file, least := range map[string]int{"commands-3.10.8.txt": 150, "commands-main.txt": 280} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(raw)) {
			tool, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			if find(Tool(tool), name) == nil {
				t.Errorf("%s: %s does not know %s", file, tool, name)
			}
			n++
		}
		if n < least {
			t.Errorf("%s: only %d commands in the list", file, n)
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, cmd := range table() {
		switch {
		case cmd.Run == nil, cmd.Short == "", !slices.Contains(groups(), cmd.Group):
			t.Errorf("%s lacks something", cmd.Name)
		case cmd.Max >= 0 && cmd.Max < cmd.Min:
			t.Errorf("%s wants at least %d and at most %d arguments", cmd.Name, cmd.Min, cmd.Max)
		case !strings.HasPrefix(cmd.Usage, cmd.Name) && cmd.Name != "list_node_auth_attempt_stats":
			t.Errorf("%s: usage %q", cmd.Name, cmd.Usage)
		}
		for _, d := range cmd.Defaults {
			if !slices.Contains(cmd.Columns, d) {
				t.Errorf("%s has no column %s", cmd.Name, d)
			}
		}
		for _, tool := range Tools() {
			if key := string(tool) + " " + cmd.Name; cmd.knows(tool) {
				if seen[key] {
					t.Errorf("%s twice", key)
				}
				seen[key] = true
			}
		}
		for _, f := range cmd.Flags {
			if g, _ := lookup(globals(), f.name, false); g != nil {
				t.Errorf("%s: --%s is one of the general options", cmd.Name, f.name)
			}
		}
	}
}

// run is a command line without a node.
func run(t *testing.T, tool Tool, argv ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	dir := t.TempDir()
	code = Main(context.Background(), &Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) (string, bool) { return "", false },
		Where: func(d string) (Where, error) { return Where{DataDir: dir, NodeName: "warren@test"}, nil }, Tool: tool, Name: string(tool), Version: "0.1.0", Now: time.Now,
	}, argv)
	return code, out.String(), strings.ReplaceAll(errs.String(), dir, "DIR")
}

// What 3.10.8 says to wrong command lines, word by word.
func TestWrongArguments(t *testing.T) {
	usage := func(s string) string {
		return "\n\n\x1b[1mUsage\x1b[0m\n\nrabbitmqctl [--node <node>] [--longnames] [--quiet] " + s + "\n"
	}
	const listQueues = "list_queues [--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column>, ...] [--timeout <timeout>]"
	for _, c := range []struct {
		argv []string
		code int
		want string
	}{
		{[]string{"list_queue"}, 64, "\nCommand 'list_queue' not found. \nDid you mean 'list_queues'? \n"},
		{[]string{"help", "nosuch"}, 64, "Error:\n\nCommand 'nosuch' not found.\n"},
		{[]string{"list_queues", "--nope"}, 64, "Error (argument validation): Invalid options for this command:\n--nope : \nArguments given:\n\tlist_queues --nope" + usage(listQueues)},
		{[]string{"list_queues", "nope"}, 64, "Error (argument validation): Info key(s) nope are not supported\nArguments given:\n\tlist_queues nope" + usage(listQueues)},
		{[]string{"list_users", "-t", "abc"}, 64, "Error (argument validation): Invalid options for this command:\n-t : abc\nArguments given:\n\tlist_users -t abc" + usage("list_users [--no-table-headers] [--timeout <timeout>]")},
		{[]string{"add_user"}, 64, "Error (argument validation): not enough arguments.\nArguments given:\n\tadd_user" + usage("add_user <username> <password>")},
		{[]string{"add_user", "a", "b", "c"}, 64, "Error (argument validation): too many arguments.\nArguments given:\n\tadd_user a b c" + usage("add_user <username> <password>")},
		{[]string{"add_user", "", "x"}, 65, "Error (argument validation): Bad argument: user cannot be an empty string\nArguments given:\n\tadd_user  x" + usage("add_user <username> <password>")},
		{[]string{"status", "--unit", "nope"}, 64, "Error (argument validation): \"unit 'nope' is not supported. Please use one of: bytes, mb, gb\"\nArguments given:\n\tstatus --unit nope" + usage("status [--unit <unit>] [--timeout <timeout>]")},
		{[]string{"set_vm_memory_high_watermark", "1.4"}, 65, "Error (argument validation): Bad argument: The threshold should be a fraction between 0.0 and 1.0\nArguments given:\n\tset_vm_memory_high_watermark 1.4" + usage("set_vm_memory_high_watermark <fraction> | absolute <value>")},
		{[]string{"set_vm_memory_high_watermark", "absolute", "x"}, 65, "Error (argument validation): Bad argument.\nArguments given:\n\tset_vm_memory_high_watermark absolute x" + usage("set_vm_memory_high_watermark <fraction> | absolute <value>")},
		{[]string{"set_log_level", "nope"}, 69, "Error:\nlevel nope is not supported. Try one of debug, info, warning, error, critical, none\n"},
		{[]string{"wait"}, 64, "Error (argument validation): \"No pid or pidfile specified\"\nArguments given:\n\twait" + usage("wait [<pidfile>] [--pid|-P <pid>] [--timeout <timeout>]")},
		{[]string{"eval", "--x", "1+1."}, 69, "Error:\nErlang expressions cannot be evaluated: this command is about the Erlang runtime, and Warren does not run on it\n"},
		{[]string{"list_users"}, 69, "Error: unable to perform an operation on node 'warren@test': it is not running (nothing listens on DIR/warren.sock)\n"},
		{[]string{"-n", "rabbit@h", "list_users"}, 69, "Error: unable to perform an operation on node 'rabbit@h': it is not running (nothing listens on DIR/warren.sock)\n"},
	} {
		code, _, got := run(t, Ctl, c.argv...)
		if code != c.code || got != c.want {
			t.Errorf("%q\n got %d %q\nwant %d %q", c.argv, code, got, c.code, c.want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for typed, want := range map[string]string{"stat": "status", "staus": "status", "lst_queues": "list_queues", "add_usr": "add_user",
		"lists_users": "list_users", "add": "add_user", "list": "list_users", "qqqq": "", "foo": ""} {
		c := &call{Env: &Env{Tool: Ctl}}
		if got := c.nearest(typed); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

func TestLocal(t *testing.T) {
	for _, c := range []struct {
		tool Tool
		argv []string
		code int
		want string
	}{
		{Ctl, []string{"version"}, 0, "0.1.0\n"},
		{Ctl, []string{"--version"}, 0, "0.1.0\n"},
		{Ctl, []string{"autocomplete", "list_q"}, 0, "list_queues\n"},
		{Ctl, []string{"--auto-complete", "list_q"}, 0, "list_queues\n"},
		{Ctl, []string{"hipe_compile", "/tmp/x"}, 0, "This command is a no-op. HiPE is no longer supported by modern Erlang versions\n"},
		{Ctl, []string{"list_users", "--dry-run"}, 0, ""},
		{Ctl, []string{"list_hashes", "-q"}, 0, "[sha512,sha384,sha256,sha224,sha]\n"},
		{Diagnostics, []string{"tls_versions", "-q"}, 0, "tlsv1.3\ntlsv1.2\ntlsv1.1\ntlsv1\n"},
	} {
		code, got, _ := run(t, c.tool, c.argv...)
		if code != c.code || got != c.want {
			t.Errorf("%q: %d %q", c.argv, code, got)
		}
	}
	for _, argv := range [][]string{{"help"}, {"--help"}, {"help", "set_policy"}, {"set_policy", "--help"}, {"help", "--list-commands"}} {
		if code, got, _ := run(t, Ctl, argv...); code != 0 || !strings.Contains(got, "set_policy") {
			t.Errorf("%q: %d %q", argv, code, got)
		}
	}
	for _, tool := range Tools() {
		if code, _, got := run(t, tool); code != 64 || !strings.Contains(got, string(tool)+" help <command>") {
			t.Errorf("%s: %d %q", tool, code, got)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		args []string
		word string
		want string
	}{
		{nil, "list_us", "list_user_limits list_user_permissions list_user_topic_permissions list_users"},
		{[]string{"list_vhosts"}, "t", "tags tracing"},
		{[]string{"set_policy"}, "--pri", "--priority --printer --print-stacktrace"},
		{[]string{"help"}, "set_pol", "set_policy"},
	} {
		if got := strings.Join(Complete(Ctl, c.args, c.word), " "); got != c.want {
			t.Errorf("%v %s: %s", c.args, c.word, got)
		}
	}
}
