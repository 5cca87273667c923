package meta

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the answers of testdata/script into the files")

// TestScripts does what testdata/script/*.txt say, a command a line, and
// compares what is indented below: the error, or each change (+ added, ~
// changed, - gone) and what has to be stored. Parts begin with "== name" and a
// new State each. After every part the stored commands must lead to the same
// durable definitions.
func TestScripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/script/*.txt")
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { runScript(t, f) })
	}
}

func runScript(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	x := &scripted{t: t}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "== "):
			x.finish()
			x.reset(line)
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, "  "):
		case line == "" || line[0] == '#':
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintln(&out, line)
			for _, l := range x.do(line) {
				fmt.Fprintln(&out, "  "+l)
			}
		}
	}
	x.finish()
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	diff(t, string(raw), out.String())
}

func diff(t *testing.T, want, got string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			t.Fatalf("line %d\n got %q\nwant %q", i+1, b, a)
		}
	}
}

type scripted struct {
	t    *testing.T
	name string
	s    *State
	id   uint64
	log  [][]byte
}

func (x *scripted) reset(name string) {
	x.name, x.id, x.log, x.s = name, 0, nil, New()
	x.apply(&PutVHost{Name: "/"})
	x.apply(&PutUser{Name: "u"})
}

// finish replays what was to be stored.
func (x *scripted) finish() {
	if x.s == nil {
		return
	}
	again := New()
	for _, b := range x.log {
		c, err := Unmarshal(b)
		if err == nil {
			err = again.Replay(c)
		}
		if err != nil {
			x.t.Fatalf("%s: replaying %T: %v", x.name, c, err)
		}
	}
	again.maxID = x.s.maxID
	if a, b := x.s.Snapshot(), again.Snapshot(); string(a) != string(b) {
		x.t.Errorf("%s: replayed definitions differ:\n%q\n%q", x.name, a, b)
	}
	check(x.t, x.s)
	check(x.t, again)
}

func (x *scripted) apply(c Command) (Result, error) {
	r, err := x.s.Apply(c)
	for _, l := range r.Log {
		b, err := Marshal(l)
		if err != nil {
			x.t.Fatal(err)
		}
		x.log = append(x.log, b)
	}
	return r, err
}

func (x *scripted) do(line string) (out []string) {
	if rest, ok := strings.CutPrefix(line, "show "); ok {
		return x.show(strings.Fields(rest))
	}
	c := x.command(line)
	r, err := x.apply(c)
	if err != nil {
		return strings.Split(strings.TrimSuffix(answer(x.t, err), "\n"), "\n")
	}
	for _, ch := range r.Changes {
		out = append(out, describe(ch))
	}
	for _, l := range r.Log {
		if l != c {
			out = append(out, "store "+describeCommand(l))
		} else {
			out = append(out, "store")
		}
	}
	if r.Existed {
		out = append(out, "existed")
	}
	return out
}

func describeCommand(c Command) string {
	switch c := c.(type) {
	case *DeclareQueue:
		return "declare queue " + c.Name
	case *DeleteQueue:
		return "delete queue " + c.Name
	case *DeleteExchange:
		return "delete exchange " + c.Name
	}
	return fmt.Sprintf("%T", c)
}

func describe(c Change) string {
	switch c.Kind {
	case ExchangeDeclared:
		return "+ exchange " + c.Exchange.Name
	case ExchangeDeleted:
		return "- exchange " + c.Exchange.Name
	case ExchangeChanged:
		return "~ exchange " + c.Exchange.Name
	case QueueDeclared:
		return "+ queue " + c.Queue.Name
	case QueueDeleted:
		return "- queue " + c.Queue.Name
	case QueueChanged:
		return "~ queue " + c.Queue.Name
	case BindingAdded:
		return "+ binding " + arrow(c.Binding)
	case BindingRemoved:
		return "- binding " + arrow(c.Binding)
	case VHostAdded:
		return "+ vhost " + c.VHost
	case VHostChanged:
		return "~ vhost " + c.VHost
	case VHostDeleted:
		return "- vhost " + c.VHost
	case UserChanged:
		return "~ user " + c.User
	case UserDeleted:
		return "- user " + c.User
	case PermissionsChanged:
		return "~ permissions of " + c.User + " in " + c.VHost
	case PolicyChanged:
		return "~ policy " + c.Policy.Name
	case ParameterChanged:
		return "~ parameter " + c.Parameter.Component + "/" + c.Parameter.Name
	case ParameterDeleted:
		return "- parameter " + c.Parameter.Component + "/" + c.Parameter.Name
	}
	return fmt.Sprint("? ", c.Kind)
}

func arrow(b *Binding) string {
	s := b.Source + " > " + b.Dest + " (" + b.PropertiesKey() + ")"
	if b.Durable {
		s += " durable"
	}
	return s
}

// command reads a line: a verb, names, flags, key=value. "-" is the empty string.
func (x *scripted) command(line string) Command {
	x.id++
	f := strings.Fields(line)
	var pos []string
	flags := map[string]bool{}
	kv := map[string]string{"vhost": "/", "conn": "A"}
	for _, w := range f[1:] {
		switch {
		case strings.Contains(w, "="):
			k, v, _ := strings.Cut(w, "=")
			kv[k] = v
		case w == "durable" || w == "auto-delete" || w == "exclusive" || w == "internal" || w == "if-unused" ||
			w == "generated" || w == "operator" || w == "all" || w == "on":
			flags[w] = true
		case w == "-":
			pos = append(pos, "")
		default:
			pos = append(pos, w)
		}
	}
	for len(pos) < 5 {
		pos = append(pos, "")
	}
	var args Args
	if a, ok := kv["args"]; ok {
		args = table(x.t, a)
	}
	num := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	limits := func() Limits {
		l := Limits{}
		for k, v := range kv {
			if strings.HasPrefix(k, "max-") || k == "nope" {
				l[k] = num(v)
			}
		}
		return l
	}
	bind := func() *Bind {
		b := &Bind{VHost: kv["vhost"], Source: pos[0], Dest: pos[1], Key: pos[2], Args: args, Conn: kv["conn"]}
		if strings.HasPrefix(f[0], "x") {
			b.DestKind = ToExchange
		}
		return b
	}
	switch f[0] {
	case "exchange":
		return &DeclareExchange{VHost: kv["vhost"], Name: pos[0], Type: pos[1], Durable: flags["durable"],
			AutoDelete: flags["auto-delete"], Internal: flags["internal"], Args: args}
	case "delete-exchange":
		return &DeleteExchange{VHost: kv["vhost"], Name: pos[0], IfUnused: flags["if-unused"]}
	case "queue":
		return &DeclareQueue{VHost: kv["vhost"], Name: pos[0], Durable: flags["durable"], AutoDelete: flags["auto-delete"],
			Exclusive: flags["exclusive"], Owner: kv["conn"], Args: args, ID: x.id, Generated: flags["generated"]}
	case "delete-queue":
		return &DeleteQueue{VHost: kv["vhost"], Name: pos[0], Conn: kv["conn"], ID: uint64(num(kv["id"])), Internal: flags["all"]}
	case "bind", "xbind":
		return bind()
	case "unbind", "xunbind":
		return (*Unbind)(bind())
	case "vhost":
		return &PutVHost{Name: pos[0], DefaultQueueType: kv["type"], Protected: flags["on"]}
	case "delete-vhost":
		return &DeleteVHost{Name: pos[0]}
	case "vhost-limits":
		return &SetVHostLimits{VHost: pos[0], Limits: limits()}
	case "tracing":
		return &SetTracing{VHost: pos[0], On: flags["on"]}
	case "user":
		return &PutUser{Name: pos[0], PasswordHash: kv["hash"], Tags: strings.Fields(strings.ReplaceAll(kv["tags"], ",", " "))}
	case "delete-user":
		return &DeleteUser{Name: pos[0]}
	case "user-limits":
		return &SetUserLimits{User: pos[0], Limits: limits()}
	case "permissions":
		return &SetPermissions{User: pos[0], VHost: kv["vhost"], Configure: pos[1], Write: pos[2], Read: pos[3]}
	case "clear-permissions":
		return &ClearPermissions{User: pos[0], VHost: kv["vhost"]}
	case "topic":
		return &SetTopicPermissions{User: pos[0], VHost: kv["vhost"], Exchange: pos[1], Write: pos[2], Read: pos[3]}
	case "clear-topic":
		return &ClearTopicPermissions{User: pos[0], VHost: kv["vhost"], Exchange: pos[1], All: flags["all"]}
	case "policy":
		return &SetPolicy{VHost: kv["vhost"], Name: pos[0], Pattern: pos[1], Definition: []byte(pos[2]),
			ApplyTo: kv["to"], Priority: num(kv["priority"]), Operator: flags["operator"]}
	case "delete-policy":
		return &DeletePolicy{VHost: kv["vhost"], Name: pos[0], Operator: flags["operator"]}
	case "parameter":
		return &SetParameter{VHost: kv["vhost"], Component: pos[0], Name: pos[1], Value: []byte(pos[2])}
	case "delete-parameter":
		return &DeleteParameter{VHost: kv["vhost"], Component: pos[0], Name: pos[1]}
	case "global":
		return &SetGlobalParameter{Name: pos[0], Value: []byte(pos[1])}
	case "delete-global":
		return &DeleteGlobalParameter{Name: pos[0]}
	}
	x.t.Fatalf("what is %q", line)
	return nil
}

func (x *scripted) show(f []string) (out []string) {
	opt := func(name string, n int64) string {
		if n == None {
			return ""
		}
		return " " + name + "=" + strconv.FormatInt(n, 10)
	}
	switch f[0] {
	case "queue":
		q := x.s.Queue("/", f[1])
		if q == nil {
			return []string{"none"}
		}
		e := q.Effective
		l := fmt.Sprintf("%s durable=%v", q.Type, q.Durable) + opt("ttl", e.MessageTTL) + opt("expires", e.Expires) +
			opt("length", e.MaxLength) + opt("bytes", e.MaxBytes) + " " + e.Overflow + opt("limit", e.DeliveryLimit)
		if e.HasDeadLetter {
			l += fmt.Sprintf(" dlx=%q", e.DeadLetterExchange)
		}
		if e.HasDeadLetterKey {
			l += fmt.Sprintf(" dlrk=%q", e.DeadLetterRoutingKey)
		}
		if e.DeadLetterStrategy != "at-most-once" {
			l += " " + e.DeadLetterStrategy
		}
		if e.RetryType != "" {
			l += fmt.Sprintf(" retry=%s,%d,%d", e.RetryType, e.RetryMin, e.RetryMax)
		}
		for _, p := range []*Policy{q.Policy, q.OperatorPolicy} {
			if p != nil {
				l += " by " + p.Name
			}
		}
		return []string{l}
	case "exchange":
		e := x.s.Exchange("/", f[1])
		if e == nil {
			return []string{"none"}
		}
		return []string{fmt.Sprintf("%s ae=%q,%v", e.Type, e.Alternate, e.HasAlternate)}
	case "queues":
		for q := range x.s.Queues("/") {
			out = append(out, q.Name)
		}
	case "bindings":
		for b := range x.s.Bindings("/") {
			out = append(out, arrow(b))
		}
	case "owned":
		for _, q := range x.s.QueuesOwnedBy(f[1]) {
			out = append(out, q.Name)
		}
	}
	return out
}

// check looks whether all the indexes agree.
func check(t testing.TB, s *State) {
	t.Helper()
	ids := 0
	for v := range s.vhosts.all() {
		ids += len(v.queues)
		if v.qorder.n != len(v.queues) || v.xorder.n != len(v.exchanges) {
			t.Fatalf("%d/%d queues, %d/%d exchanges in order", v.qorder.n, len(v.queues), v.xorder.n, len(v.exchanges))
		}
		from, to := 0, 0
		for name, x := range v.exchanges {
			if x.x.Name != name {
				t.Fatalf("exchange %q is %q", name, x.x.Name)
			}
			from += len(x.from.list(bySource))
			to += len(x.to.list(byDest))
		}
		for name, q := range v.queues {
			if q.q.Name != name || s.byID[q.q.ID] != q {
				t.Fatalf("queue %q is %q", name, q.q.Name)
			}
			to += len(q.to.list(byDest))
		}
		if from != len(v.bindings) || to != len(v.bindings) {
			t.Fatalf("%d bindings, %d from, %d to", len(v.bindings), from, to)
		}
	}
	if ids != len(s.byID) {
		t.Fatalf("%d queues, %d ids", ids, len(s.byID))
	}
}
