package trust

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

func signer(t *testing.T, name string) *Signer {
	t.Helper()
	s, err := Generate(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func policy(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := parsePolicy(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKeyFile(t *testing.T) {
	s, file := signer(t, "alice"), filepath.Join(t.TempDir(), "alice.key")
	if err := s.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if err := s.WriteFile(file); err == nil {
		t.Error("a key was overwritten")
	}
	again, err := ReadSigner(file)
	if err != nil || again.PolicyLine() != s.PolicyLine() {
		t.Errorf("%v, %v", again, err)
	}
	os.WriteFile(file, []byte("no key"), 0o600)
	if _, err := ReadSigner(file); err == nil || !strings.Contains(err.Error(), "not an operator's key") {
		t.Error(err)
	}
	if _, err := Generate("a b"); err == nil {
		t.Error("a name with a blank")
	}
}

func TestWho(t *testing.T) {
	alice, mallory := signer(t, "alice"), signer(t, "alice")
	stranger := signer(t, "stranger")
	p := policy(t, alice.PolicyLine()+"\noperator bob user bob-at-broker\n")
	body := []byte(`{"id":1}`)
	sign := func(s *Signer, kind, text string) Message {
		return Message{Kind: "task", Headers: s.Headers(kind, []byte(text)), Body: body}
	}
	for _, c := range []struct {
		what string
		m    Message
		who  string // "": refused
		err  string
	}{
		{"signed", sign(alice, "task", string(body)), "alice", ""},
		{"by another key of that name", sign(mallory, "task", string(body)), "", "signature of operator \"alice\" is wrong"},
		{"by somebody unknown", sign(stranger, "task", string(body)), "", "no key"},
		{"of another body", sign(alice, "task", "{}"), "", "wrong"},
		{"of another type", sign(alice, "cancel", string(body)), "", "wrong"},
		{"not signed", Message{Kind: "task", Body: body}, "", "not signed"},
		{"not signed, by the broker's user", Message{Kind: "task", Body: body, UserID: "bob-at-broker"}, "bob", ""},
		{"a name without signature", Message{Kind: "task", Body: body, Headers: map[string]any{OperatorHeader: "alice"}}, "", "wrong"},
		{"the name of one without a key", Message{Kind: "task", Body: body, Headers: map[string]any{OperatorHeader: "bob"}}, "", "no key"},
		{"headers of other types", Message{Kind: "task", Body: body, Headers: map[string]any{OperatorHeader: int32(1), SignatureHeader: true}}, "", "not signed"},
	} {
		who, err := p.Who(c.m)
		if who != c.who || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v; want %q, %q", c.what, who, err, c.who, c.err)
		}
	}
	if who, err := (*Policy)(nil).Who(Message{UserID: "guest"}); who != "guest" || err != nil {
		t.Errorf("without a policy: %q, %v", who, err)
	}
}

func TestPermits(t *testing.T) {
	p := policy(t, `
# who
operator alice user alice
operator bob user bob
# what
allow alice,bob df -h
allow alice tail -n * /var/log/*.log
allow alice systemctl restart ...
allow alice user=postgres dir=/srv/* env=PGHOST,LANG psql -c *
allow alice "my prog" a\ b
allow-shell bob "echo *"
`)
	for _, c := range []struct {
		who, line, user, dir, env string
		shell, ok                 bool
	}{
		{who: "alice", line: "df -h", ok: true},
		{who: "bob", line: "df -h", ok: true},
		{who: "carol", line: "df -h"},
		{who: "alice", line: "df"},
		{who: "alice", line: "df -h /"},
		{who: "alice", line: "/tmp/df -h"},
		{who: "alice", line: "df -h", shell: true},
		{who: "alice", line: "df -h", user: "root"},
		{who: "alice", line: "df -h", dir: "/srv/x"},
		{who: "alice", line: "df -h", env: "LD_PRELOAD=/tmp/x"},
		{who: "alice", line: "tail -n 5 /var/log/a.log", ok: true},
		{who: "alice", line: "tail -n --follow /var/log/a.log"},
		{who: "alice", line: "tail -n 5 /var/log/../../etc/a.log"},
		{who: "alice", line: "tail -n 5 /var/log/x/../../../etc/a.log"},
		{who: "alice", line: "tail -n 5 /var/log/a..b.log", ok: true},
		{who: "alice", line: "tail -n 5 /etc/shadow"},
		{who: "alice", line: "tail -n 5 /var/log/a.log /etc/shadow"},
		{who: "bob", line: "tail -n 5 /var/log/a.log"},
		{who: "alice", line: "systemctl restart", ok: true},
		{who: "alice", line: "systemctl restart nginx --now", ok: true},
		{who: "alice", line: "systemctl stop nginx"},
		{who: "alice", line: "psql -c 'select 1'", user: "postgres", ok: true},
		{who: "alice", line: "psql -c 'select 1'", user: "postgres", dir: "/srv/db", env: "PGHOST=h", ok: true},
		{who: "alice", line: "psql -c 'select 1'", user: "postgres", dir: "/srv/../etc"},
		{who: "alice", line: "psql -c 'select 1'", user: "postgres", env: "PATH=/tmp"},
		{who: "alice", line: "psql -c 'select 1'"},
		{who: "alice", line: "'my prog' 'a b'", ok: true},
		{who: "bob", line: "echo hello", shell: true, ok: true},
		{who: "bob", line: "rm x; echo hello", shell: true},
		{who: "alice", line: "echo hello", shell: true},
	} {
		argv, err := command.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		if c.shell {
			argv = []string{c.line}
		}
		cmd := &record.Command{Argv: argv, Shell: c.shell, User: c.user, Dir: c.dir}
		if c.env != "" {
			cmd.Env = []string{c.env}
		}
		if err := p.Permits(c.who, cmd); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense":                             `line 1: "nonsense" is not known`,
		"operator alice":                       "want: operator",
		"\noperator alice key short":           "line 2",
		"operator a user a\noperator a user b": "twice",
		"operator a user x\noperator b user x": "user x is operator a already",
		"operator a user ''":                   "want: operator",
		"allow alice df":                       "operator alice is not there",
		"operator a user a\nallow a":           "want: allow",
		"operator a user a\nallow a user=x":    "command is missing",
		"operator a user a\nallow-shell a b c": "quote it",
		"allow 'a df":                          "not closed",
	} {
		if _, err := parsePolicy(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A file that everybody can write is nobody's permission.
func TestPolicyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow")
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o666: false, 0o602: false} {
		if err := errors.Join(os.WriteFile(file, []byte("operator a user a\n"), 0o600), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPolicy(file); (err == nil) != ok {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

func TestFresh(t *testing.T) {
	now := time.Now()
	p := &Policy{}
	if err := p.Fresh(now.Add(-4*time.Minute), now); err != nil {
		t.Error(err)
	}
	if err := p.Fresh(now.Add(-6*time.Minute), now); err == nil || !strings.Contains(err.Error(), "this host's clock") {
		t.Error(err)
	}
	if err := (*Policy)(nil).Fresh(time.Time{}, now); err != nil {
		t.Error("without signatures clocks do not matter:", err)
	}
}

// FuzzMatch: the pattern of a text without stars matches that text only.
func FuzzMatch(f *testing.F) {
	f.Add("a*b*c", "abc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		got := match(pattern, s)
		if !strings.Contains(pattern, "*") && got != (pattern == s) {
			t.Errorf("match(%q, %q) = %v", pattern, s, got)
		}
		if !match("*"+s+"*", "x"+s+"y") && !strings.Contains(s, "*") {
			t.Errorf("*%q*", s)
		}
	})
}
