package trust

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// skew is how far apart the clocks of a console and a host may be before a
// signed task counts as one of the past.
const skew = 5 * time.Minute

// Policy is an allow file. A nil Policy lets everybody do everything that the
// broker lets them do.
type Policy struct {
	operators map[string]operator
	rules     []rule
}

// operator is known by a key, or by the user name that the broker vouches for.
type operator struct {
	key  ed25519.PublicKey
	user string
}

// rule allows some operators a command.
type rule struct {
	operators []string
	shell     bool
	user      string // as whom; "" is the agent's own user
	dir       string // pattern; "" is none
	env       []string
	words     []string // patterns; "..." at the end takes all that follows
}

// ReadPolicy reads an allow file.
func ReadPolicy(name string) (*Policy, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if st.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("%s: everybody can write into it, and allow anything; try: chmod o-w %s", name, name)
	}
	p, err := parsePolicy(f)
	if err != nil {
		return nil, fmt.Errorf("%s, %w", name, err)
	}
	return p, nil
}

func parsePolicy(r io.Reader) (*Policy, error) {
	p := &Policy{operators: map[string]operator{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		words, err := command.Words(text)
		if err == nil {
			err = p.line(words)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return p, lines.Err()
}

func (p *Policy) line(words []string) error {
	switch words[0] {
	case "operator":
		return p.operator(words[1:])
	case "allow", "allow-shell":
		return p.allow(words[0] == "allow-shell", words[1:])
	}
	return fmt.Errorf("%q is not known here: operator, allow or allow-shell", words[0])
}

func (p *Policy) operator(words []string) error {
	if len(words) != 3 || words[2] == "" || !operatorName(words[0]) || words[1] != "key" && words[1] != "user" {
		return errors.New("want: operator NAME key KEY, or: operator NAME user BROKER-USER")
	}
	if _, twice := p.operators[words[0]]; twice {
		return fmt.Errorf("operator %s is there twice", words[0])
	}
	if words[1] == "user" {
		for name, o := range p.operators {
			if o.user == words[2] {
				return fmt.Errorf("user %s is operator %s already", words[2], name)
			}
		}
		p.operators[words[0]] = operator{user: words[2]}
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(words[2])
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%q is not an ed25519 key", words[2])
	}
	p.operators[words[0]] = operator{key: key}
	return nil
}

func (p *Policy) allow(shell bool, words []string) error {
	if len(words) < 2 {
		return errors.New("want: allow OPERATOR[,OPERATOR] [user=U] [dir=D] [env=A,B] COMMAND")
	}
	r := rule{operators: strings.Split(words[0], ","), shell: shell}
	for _, o := range r.operators {
		if _, known := p.operators[o]; !known {
			return fmt.Errorf("operator %s is not there; name operators before what they may do", o)
		}
	}
	words = words[1:]
	for ; len(words) > 0; words = words[1:] {
		if v, ok := strings.CutPrefix(words[0], "user="); ok {
			r.user = v
		} else if v, ok := strings.CutPrefix(words[0], "dir="); ok {
			r.dir = v
		} else if v, ok := strings.CutPrefix(words[0], "env="); ok {
			r.env = strings.Split(v, ",")
		} else {
			break
		}
	}
	if len(words) == 0 {
		return errors.New("the command is missing")
	}
	if shell && len(words) != 1 {
		return errors.New("allow-shell takes one pattern; quote it")
	}
	r.words = words
	p.rules = append(p.rules, r)
	return nil
}

// Message is what has come for an agent, with what says whom it is from.
type Message struct {
	Kind    string // the message's type
	Headers map[string]any
	Body    []byte
	UserID  string // the broker has checked it
}

// Who finds the operator that a message is from; with a nil policy, the
// broker's user.
func (p *Policy) Who(m Message) (string, error) {
	if p == nil {
		return m.UserID, nil
	}
	name, _ := m.Headers[OperatorHeader].(string)
	if name == "" {
		for n, o := range p.operators {
			if o.user != "" && o.user == m.UserID {
				return n, nil
			}
		}
		return "", errors.New("the message is not signed, and this host wants an operator's signature")
	}
	o, known := p.operators[name]
	if !known || o.key == nil {
		return "", fmt.Errorf("operator %q has no key on this host", name)
	}
	text, _ := m.Headers[SignatureHeader].(string)
	sig, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !ed25519.Verify(o.key, signed(m.Kind, m.Body), sig) {
		return "", fmt.Errorf("the signature of operator %q is wrong", name)
	}
	return name, nil
}

// Fresh refuses a signed message that is older than it may be.
func (p *Policy) Fresh(notAfter, now time.Time) error {
	if p == nil || !now.After(notAfter.Add(skew)) {
		return nil
	}
	return fmt.Errorf("the message was good until %s, and this host's clock says %s", notAfter.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
}

// Permits says whether an operator may run a command.
func (p *Policy) Permits(who string, c *record.Command) error {
	if p == nil {
		return nil
	}
	if slices.ContainsFunc(p.rules, func(r rule) bool { return r.permits(who, c) }) {
		return nil
	}
	what := "this command"
	if c.Shell {
		what = "this shell command"
	}
	if c.User != "" || c.Dir != "" || len(c.Env) > 0 {
		what += " with this user, directory and environment"
	}
	return fmt.Errorf("operator %q may not run %s on this host", who, what)
}

func (r *rule) permits(who string, c *record.Command) bool {
	if !slices.Contains(r.operators, who) || r.shell != c.Shell || r.user != c.User {
		return false
	}
	if c.Dir != "" && (strings.Contains(c.Dir, "..") || !match(r.dir, c.Dir)) {
		return false
	}
	for _, e := range c.Env {
		name, _, _ := strings.Cut(e, "=")
		if !slices.Contains(r.env, name) {
			return false
		}
	}
	for i, pattern := range r.words {
		if pattern == "..." && i == len(r.words)-1 && i > 0 {
			return true
		}
		if i >= len(c.Argv) || !r.word(pattern, c.Argv[i]) {
			return false
		}
	}
	return len(c.Argv) == len(r.words)
}

// word matches one argument. A pattern that begins with * does not let options
// in: "tail *" is not meant to allow "tail --follow". One that has a / in it
// does not let go up: "/var/log/*" is not meant to allow "/var/log/../../etc/shadow".
func (r *rule) word(pattern, arg string) bool {
	switch {
	case r.shell, pattern == arg:
	case strings.HasPrefix(pattern, "*") && strings.HasPrefix(arg, "-"):
		return false
	case strings.Contains(pattern, "/") && slices.Contains(strings.Split(arg, "/"), ".."):
		return false
	}
	return match(pattern, arg)
}

// match compares with a pattern in which * stands for any characters.
func match(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, last)
}
