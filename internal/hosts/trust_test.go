package hosts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// guarded is a world with one agent that wants signatures.
type guarded struct {
	*world
	alice, mallory *trust.Signer
	allow          string // the file
	m              marks
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{m: marks(t.TempDir())}
	var err error
	if g.alice, err = trust.Generate("alice"); err != nil {
		t.Fatal(err)
	}
	if g.mallory, err = trust.Generate("alice"); err != nil { // claims to be her
		t.Fatal(err)
	}
	g.allow = filepath.Join(t.TempDir(), "allow")
	text := g.alice.PolicyLine() + "\nallow alice echo *\nallow-shell alice 'echo run *'\nallow alice sleep *\n"
	if err := os.WriteFile(g.allow, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := func() (*trust.Policy, error) { return trust.ReadPolicy(g.allow) }
	g.world = newWorld(t, hoststest.Warren(t))
	g.agent(agent.Config{Name: "safe", Policy: policy})
	g.online("safe")
	return g
}

// refusals are the reasons in the agent's audit log.
func (g *guarded) refusals() (reasons []string) {
	for _, e := range g.agents["safe"].Entries() {
		if e.Event == "refused" {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

func argv(words ...string) record.Command {
	return record.Command{Argv: words, TimeoutMS: 60_000, OutputLimit: 1000}
}

// Each combination that is not allowed is refused by the agent, and logged once.
func TestAllowList(t *testing.T) {
	g := newGuarded(t)
	signed := func(s *trust.Signer) *hosts.Client {
		c := client(t, g.b.URL)
		c.Signer = s
		return c
	}
	echo := argv("echo", "hello")
	with := func(f func(*record.Command)) record.Command {
		c := argv("echo", "hello")
		f(&c)
		return c
	}
	for _, c := range []struct {
		what   string
		signer *trust.Signer
		cmd    record.Command
		why    string // "": it is run
	}{
		{"allowed", g.alice, echo, ""},
		{"not signed", nil, echo, "not signed"},
		{"another key", g.mallory, echo, "signature"},
		{"another command", g.alice, argv("cat", "/etc/passwd"), "may not run this command"},
		{"too many arguments", g.alice, argv("echo", "a", "b"), "may not run"},
		{"an option", g.alice, argv("echo", "-n"), "may not run"},
		{"as another user", g.alice, with(func(c *record.Command) { c.User = "daemon" }), "with this user"},
		{"elsewhere", g.alice, with(func(c *record.Command) { c.Dir = "/etc" }), "with this user, directory"},
		{"with a variable", g.alice, with(func(c *record.Command) { c.Env = []string{"LD_PRELOAD=/x"} }), "environment"},
		{"shell", g.alice, with(func(c *record.Command) { c.Argv, c.Shell = []string{"echo hello"}, true }), "this shell command"},
	} {
		before := len(g.refusals())
		v, err := signed(c.signer).Run(t.Context(), hosts.Spec{Text: c.what, Hosts: []string{"safe"}, Command: c.cmd, Expires: time.Minute, Keep: time.Hour})
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		v = g.wait(v.Task.ID)
		logged := g.refusals()[before:]
		if c.why == "" {
			if v.Hosts[0].State != record.OK || len(logged) > 0 {
				t.Errorf("%s: %s, %q", c.what, brief(v), logged)
			}
			continue
		}
		if v.Hosts[0].State != record.Rejected || !strings.Contains(v.Hosts[0].Reason, c.why) || len(logged) != 1 || logged[0] != v.Hosts[0].Reason {
			t.Errorf("%s: %s (%s), logged %q; want %q", c.what, brief(v), v.Hosts[0].Reason, logged, c.why)
		}
	}
	// Only who may run a command can end it.
	alice := signed(g.alice)
	v, err := alice.Run(t.Context(), hosts.Spec{Text: "long", Hosts: []string{"safe"}, Command: argv("sleep", "600"), Expires: time.Minute, Keep: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	g.until(v.Task.ID, "safe", record.InFlight)
	before := len(g.refusals())
	if _, err := signed(nil).Cancel(t.Context(), v.Task.ID); err != nil {
		t.Fatal(err)
	}
	hoststest.Eventually(t, "the cancel is refused", func() error {
		if got := g.refusals()[before:]; len(got) != 1 || !strings.Contains(got[0], "not signed") {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	if _, err := alice.Cancel(t.Context(), v.Task.ID); err != nil {
		t.Fatal(err)
	}
	g.expect(g.wait(v.Task.ID), "safe=cancelled")
}

// What is changed in the allow file counts at once.
func TestOperatorRemoved(t *testing.T) {
	g := newGuarded(t)
	g.c.Signer = g.alice
	for _, c := range []struct{ text, want, why string }{
		{g.alice.PolicyLine() + "\nallow alice echo *\n", "safe=ok", ""},
		{g.alice.PolicyLine() + "\n", "safe=refused", `operator "alice" may not run this command on this host`},
		{g.mallory.PolicyLine() + "\nallow alice echo *\n", "safe=refused", `the signature of operator "alice" is wrong`},
		{"operator bob user bob\nallow bob echo *\n", "safe=refused", `operator "alice" has no key on this host`},
		{"operator", "safe=refused", "this host's allow file cannot be read; the agent's log says why"},
		{g.alice.PolicyLine() + "\nallow alice echo *\n", "safe=ok", ""},
	} {
		if err := os.WriteFile(g.allow, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := g.wait(g.run(hosts.Spec{Text: "echo x", Hosts: []string{"safe"}, Command: argv("echo", "x"), Expires: time.Minute, Keep: time.Hour}))
		g.expect(v, c.want)
		if v.Hosts[0].Reason != c.why {
			t.Errorf("%s: %q, want %q", c.text, v.Hosts[0].Reason, c.why)
		}
	}
}

// send puts a message into a queue, as somebody with the broker's password can.
func (g *guarded) send(queue, kind string, headers amqp.Table, body []byte) {
	g.t.Helper()
	g.publish("", queue, amqp.Publishing{Type: kind, Headers: headers, Body: body})
}

func (g *guarded) publish(exchange, key string, msg amqp.Publishing) {
	g.t.Helper()
	conn, err := amqp.Dial(g.b.URL)
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		g.t.Fatal(err)
	}
	if err := ch.Publish(exchange, key, false, false, msg); err != nil {
		g.t.Fatal(err)
	}
	if err := ch.Close(); err != nil {
		g.t.Fatal(err)
	}
}

// Messages that were forged, replayed, bent or broken run nothing, and harm
// nobody.
func TestForged(t *testing.T) {
	g := newGuarded(t)
	queue := topology.AgentQueue("safe")
	job := func(change func(*record.Job)) []byte {
		now := time.Now().UTC()
		text := g.m.text() // which the allow file permits
		j := record.Job{Version: 1, ID: 1000, Realm: "forged", Nonce: "n", Host: "safe", Text: text, Created: now, NotAfter: now.Add(time.Minute),
			Command: record.Command{Argv: []string{"echo run >>" + string(g.m) + "/$WARREN_HOST"}, Shell: true, TimeoutMS: 1000, OutputLimit: 10}}
		change(&j)
		raw, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	sign := func(s *trust.Signer, body []byte) amqp.Table { return s.Headers(topology.TypeTask, body) }
	policyAllows := func(j *record.Job) { j.Argv = []string{"echo run " + ">>" + string(g.m) + "/$WARREN_HOST"} }

	good := job(policyAllows)
	stray := job(func(j *record.Job) { j.Host = "other" })
	long := job(func(j *record.Job) { j.Host, j.Text = strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20) })
	for _, c := range []struct {
		what    string
		headers amqp.Table
		body    []byte
		why     string
	}{
		{"garbage", nil, []byte("\x00\xff garbage"), "cannot be read"},
		{"empty", nil, nil, "cannot be read"},
		{"deep", nil, []byte(strings.Repeat("[", 100_000)), "cannot be read"},
		{"not signed", nil, good, "not signed"},
		{"another key", sign(g.mallory, good), good, "signature"},
		{"changed", sign(g.alice, good), job(func(j *record.Job) { policyAllows(j); j.ID = 1001 }), "signature"},
		{"for another host", sign(g.alice, stray), stray, "meant for host \"other\""},
		{"huge", sign(g.alice, long), long, "xxx…"},
		{"signature of another type", g.alice.Headers(topology.TypeCancel, good), good, "signature"},
		{"headers that are no texts", amqp.Table{trust.OperatorHeader: int64(1), trust.SignatureHeader: amqp.Table{}}, good, "not signed"},
	} {
		before := len(g.refusals())
		g.send(queue, topology.TypeTask, c.headers, c.body)
		hoststest.Eventually(t, c.what, func() error {
			if got := g.refusals()[before:]; len(got) != 1 || !strings.Contains(got[0], c.why) {
				return fmt.Errorf("%q", got)
			}
			return nil
		})
	}
	// An old one, of which the signature is right.
	for what, change := range map[string]func(*record.Job){
		"the message was good until": func(j *record.Job) { j.NotAfter = time.Now().Add(-time.Hour) },
		"version 2":                  func(j *record.Job) { j.Version = 2 },
		"command is empty":           func(j *record.Job) { j.Argv = nil },
		"is not a task":              func(j *record.Job) { j.Nonce = "" },
	} {
		body := job(change)
		before := len(g.refusals())
		g.send(queue, topology.TypeTask, sign(g.alice, body), body)
		hoststest.Eventually(t, what, func() error {
			if got := g.refusals()[before:]; len(got) != 1 || !strings.Contains(got[0], what) {
				return fmt.Errorf("%q", got)
			}
			return nil
		})
	}
	if g.m.count("safe") != 0 {
		t.Fatalf("%d forged messages were run", g.m.count("safe"))
	}
	// What is right runs, once, however often it comes.
	text := record.Command{Argv: []string{"echo run >>" + string(g.m) + "/$WARREN_HOST"}, Shell: true, TimeoutMS: 1000, OutputLimit: 10}
	right := job(func(j *record.Job) { j.Command = text })
	for range 5 {
		g.send(queue, topology.TypeTask, sign(g.alice, right), right)
	}
	hoststest.Eventually(t, "the replays are noticed", func() error {
		n := 0
		for _, e := range g.agents["safe"].Entries() {
			if e.Event == "again" {
				n++
			}
		}
		if n != 4 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	hoststest.Eventually(t, "it runs", func() error {
		if g.m.count("safe") != 1 {
			return fmt.Errorf("%d runs", g.m.count("safe"))
		}
		return nil
	})
	// The same number, signed, with something else.
	before := len(g.refusals())
	other := job(func(j *record.Job) { j.Command = text; j.Nonce = "another" })
	g.send(queue, topology.TypeTask, sign(g.alice, other), other)
	hoststest.Eventually(t, "the number is taken", func() error {
		if got := g.refusals()[before:]; len(got) != 1 || !strings.Contains(got[0], "was here long ago") {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	// The control queue as well.
	for _, body := range []string{"garbage", `{"v":1,"id":1}`, `{"v":9}`} {
		before := len(g.refusals())
		g.send(topology.ControlQueue("safe"), topology.TypeCancel, nil, []byte(body))
		hoststest.Eventually(t, body, func() error {
			if got := g.refusals()[before:]; len(got) != 1 {
				return fmt.Errorf("%q", got)
			}
			return nil
		})
	}
	// The agent is as well as before.
	c := client(t, g.b.URL)
	c.Signer = g.alice
	v, err := c.Run(t.Context(), hosts.Spec{Text: "echo", Hosts: []string{"safe"}, Command: argv("echo", "x"), Expires: time.Minute, Keep: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	g.expect(g.wait(v.Task.ID), "safe=ok")
}

// Garbage in the queues that all share hides nothing.
func TestGarbageInShared(t *testing.T) {
	g := &guarded{world: newWorld(t, hoststest.Warren(t), "web1")}
	id := g.run(spec("echo x", "web1"))
	g.wait(id)
	for _, queue := range []string{topology.Registry, topology.Beats, topology.IDs, topology.Tasks, topology.RecordQueue(id)} {
		for _, body := range []string{"garbage", `{"v":99}`, `{"name":"../../x","id":-5,"next":-7,"realm":""}`,
			`{"id":9,"keep_ms":99999999999,"next":-7,"realm":"x"}`, `{"next":9223372036854775807,"realm":"x"}`, ""} {
			g.send(queue, "nonsense", nil, []byte(body))
		}
	}
	// What an agent's user may publish under its own key.
	for key, m := range map[string]amqp.Publishing{
		topology.PresenceKey("web1"):  {Type: topology.TypePresence, Body: []byte(`{"v":1,"name":"web1","addrs":["\u001b[2J"]}`)},
		topology.BeatKey("web1"):      {Type: topology.TypeBeat, Body: []byte(`{"v":1,"name":"web1","leaving":true,"groups":["a\nb"]}`)},
		topology.HostKey(id, "web1"):  {Type: "close", Body: []byte(fmt.Sprintf(`{"v":1,"kind":"close","task":%d}`, id))},
		topology.HostKey(id, "other"): {Type: "finished", Body: []byte(fmt.Sprintf(`{"v":1,"kind":"finished","task":%d,"host":"web1","outcome":{"state":"lost"}}`, id))},
	} {
		g.publish(topology.Events, key, m)
	}
	v, err := g.c.Task(t.Context(), id, hosts.TaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g.expect(v, "web1=ok")
	if v.Closed || v.Hosts[0].Late != nil {
		t.Errorf("closed: %v, told later: %v", v.Closed, v.Hosts[0].Late)
	}
	list, err := g.c.Hosts(t.Context())
	if err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	tasks, err := g.c.Tasks(t.Context(), 0)
	if err != nil || len(tasks) != 1 {
		t.Errorf("%v, %v", tasks, err)
	}
	if next := g.run(spec("true", "web1")); next != id+1 {
		t.Errorf("the next number is %d", next)
	}
}
