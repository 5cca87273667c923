package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ctlNames are what the program is called as, beside its own name.
var ctlNames = [...]string{"rabbitmqctl", "rabbitmq-plugins", "rabbitmq-diagnostics", "rabbitmq-queues", "rabbitmq-streams", "rabbitmq-upgrade"}

// link gives the program its other names.
func link(bin string) error {
	for _, name := range ctlNames {
		if err := os.Symlink("warren", filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	return nil
}

// session runs the commands of a transcript, and what they print and their exit
// code must be what the transcript says:
//
//	$ rabbitmqctl add_user alice secret
//	Adding user "alice" ...
//	Error:
//	User "alice" already exists
//	[70]
//
// What goes to stderr stands behind what goes to stdout. The code stands in
// brackets if it is not 0. A line that begins with "~ " is a regular expression,
// with "~* " one that any number of lines match.
// Escape characters are written as \e, and empty lines at the end are left out.
// "$ await-consumer QUEUE" waits until a queue has a consumer that has taken all.
// A line "< text" behind the command is its input.
func session(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: session FILE")
	}
	var failed bool
	for _, block := range strings.Split("\n"+ts.ReadFile(args[0]), "\n$ ")[1:] {
		line, want, _ := strings.Cut(block, "\n")
		input := ""
		for strings.HasPrefix(want, "< ") {
			var in string
			in, want, _ = strings.Cut(want, "\n")
			input += in[2:] + "\n"
		}
		if queue, ok := strings.CutPrefix(line, "await-consumer "); ok {
			awaitConsumer(ts, queue)
			continue
		}
		if diff := differ(strings.TrimRight(want, "\n"), runLine(ts, line, input)); diff != "" {
			failed = true
			ts.Logf("$ %s\n%s", line, diff)
		}
	}
	if failed {
		ts.Fatalf("the session in %s went otherwise", args[0])
	}
}

// awaitConsumer waits until a queue has a consumer with messages in hand.
func awaitConsumer(ts *testscript.TestScript, queue string) {
	deadline := time.Now().Add(patience)
	for !strings.Contains(runLine(ts, "rabbitmqctl -s list_queues name consumers messages_ready", "")+"\n", queue+"\t1\t0\n") {
		if time.Now().After(deadline) {
			ts.Fatalf("nobody consumes from %s", queue)
		}
	}
}

func runLine(ts *testscript.TestScript, line, input string) string {
	argv, err := splitWords(strings.ReplaceAll(line, "$PORT", ts.Getenv("PORT")))
	ts.Check(err)
	path := argv[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, argv[0])); err == nil {
			path = filepath.Join(dir, argv[0])
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH"), "WARREN_DATA_DIR=" + ts.MkAbs("data"), "RABBITMQ_NODENAME=" + ts.Getenv("RABBITMQ_NODENAME")}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%s: %v %v", line, err, ctx.Err())
	}
	out := stdout.String()
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	out += stderr.String()
	out = strings.NewReplacer("\x1b", `\e`, ts.MkAbs("."), "$WORK", ts.Getenv("PORT"), "$PORT").Replace(out)
	out = strings.TrimRight(out, "\n")
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		if out != "" {
			out += "\n"
		}
		out += fmt.Sprintf("[%d]", code)
	}
	return out
}

// differ shows what is not as it should be, or nothing.
func differ(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for ; len(w) > 0; w = w[1:] {
		if re, ok := strings.CutPrefix(w[0], "~* "); ok {
			n := 0
			for n < len(g) && matches(re, g[n]) {
				n++
			}
			g = g[n:]
			continue
		}
		re, isPattern := strings.CutPrefix(w[0], "~ ")
		switch {
		case len(g) == 0:
			return fmt.Sprintf("missing: %q\nall of it:\n%s", w[0], got)
		case isPattern && !matches(re, g[0]), !isPattern && w[0] != g[0]:
			return fmt.Sprintf("got  %q\nwant %q\nall of it:\n%s", g[0], w[0], got)
		}
		g = g[1:]
	}
	if len(g) > 0 {
		return fmt.Sprintf("too much: %q\nall of it:\n%s", g[0], got)
	}
	return ""
}

func matches(re, line string) bool {
	ok, err := regexp.MatchString("^(?:"+re+")$", line)
	return err == nil && ok
}

// splitWords takes a command line apart at blanks, outside of quotes.
func splitWords(s string) ([]string, error) {
	var out []string
	var word strings.Builder
	in, quote := false, rune(0)
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			in, quote = true, r
		case quote == 0 && r == ' ':
			if in {
				out = append(out, word.String())
				word.Reset()
				in = false
			}
		default:
			in = true
			word.WriteRune(r)
		}
	}
	if in {
		out = append(out, word.String())
	}
	if quote != 0 || len(out) == 0 {
		return nil, fmt.Errorf("cannot be taken apart: %s", s)
	}
	return out, nil
}
