package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// client is a console's client; each has a connection of its own.
func client(t *testing.T, url string) *hosts.Client {
	t.Helper()
	dial, user, err := hosts.Dialer(url, "test")
	if err != nil {
		t.Fatal(err)
	}
	c := &hosts.Client{Dial: dial, User: user, By: "tester", From: "here"}
	t.Cleanup(func() { c.Close() })
	return c
}

// world is a broker with some agents, all online.
type world struct {
	t       *testing.T
	b       *hoststest.Broker
	c       *hosts.Client
	agents  map[string]*hoststest.Agent // by name, the last one
	started []*hoststest.Agent
}

func newWorld(t *testing.T, b *hoststest.Broker, names ...string) *world {
	t.Helper()
	w := &world{t: t, b: b, c: client(t, b.URL), agents: map[string]*hoststest.Agent{}}
	t.Cleanup(w.stop)
	for _, name := range names {
		w.agent(agent.Config{Name: name})
	}
	w.online(names...)
	return w
}

func (w *world) agent(cfg agent.Config) *hoststest.Agent {
	w.t.Helper()
	a := hoststest.Run(w.t, w.b.URL, cfg)
	w.agents[cfg.Name] = a
	w.started = append(w.started, a)
	return a
}

// stop stops all agents, at the same time: who has no network takes long.
func (w *world) stop() {
	var all sync.WaitGroup
	for _, a := range w.started {
		all.Go(a.Stop)
	}
	all.Wait()
}

// online waits until the hosts are seen.
func (w *world) online(names ...string) {
	w.t.Helper()
	hoststest.Eventually(w.t, "agents are online", func() error {
		list, err := w.c.Hosts(w.t.Context())
		if err != nil {
			return err
		}
		there := hosts.Online(list)
		for _, name := range names {
			if !there[name] {
				return fmt.Errorf("%s is not", name)
			}
		}
		return nil
	})
}

// spec is a task of a shell text.
func spec(text string, on ...string) hosts.Spec {
	return hosts.Spec{Text: text, Hosts: on, Expires: time.Minute, Keep: time.Hour,
		Command: record.Command{Argv: []string{text}, Shell: true, TimeoutMS: 60_000, OutputLimit: 1 << 20}}
}

func (w *world) run(s hosts.Spec) record.ID {
	w.t.Helper()
	v, err := w.c.Run(w.t.Context(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Task.ID
}

// wait follows a task to its end.
func (w *world) wait(id record.ID) *record.View {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	var v *record.View
	if err := w.c.Drive(ctx, id, hosts.TaskOptions{}, func(now *record.View) bool { v = now; return v.Final() }); err != nil {
		w.t.Fatalf("task %d: %v\n%s", id, err, brief(v))
	}
	return v
}

// until follows a task until a host is in a state.
func (w *world) until(id record.ID, host string, state record.State) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	err := w.c.Watch(ctx, id, hosts.TaskOptions{}, func(v *record.View) bool { return v.Host(host).State == state })
	if err != nil {
		w.t.Fatalf("%s is not %s: %v", host, state, err)
	}
}

// brief is a task in words: "a=ok b=failed(3) c=expired".
func brief(v *record.View) string {
	if v == nil {
		return "nothing"
	}
	var parts []string
	for _, h := range v.Hosts {
		s := h.Label() + "=" + string(h.State)
		if h.Outcome != nil && h.Outcome.Exit != nil && *h.Outcome.Exit != 0 {
			s += fmt.Sprintf("(%d)", *h.Outcome.Exit)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func (w *world) expect(v *record.View, want string) {
	w.t.Helper()
	if got := brief(v); got != want {
		w.t.Errorf("task %d: %s, want %s", v.Task.ID, got, want)
	}
}

func TestRun(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b, "web1", "web2")
		w.agent(agent.Config{Name: "db1", Addrs: []string{"10.4.3.4", "fd00::1"}, Groups: []string{"db"}})
		w.online("db1")
		for _, c := range []struct {
			hosts []string
			text  string
			want  string
			out   string // of the first
		}{
			{[]string{"web1", "web2"}, "echo $WARREN_HOST", "web1=ok web2=ok", "web1\n"},
			{[]string{"web*"}, "true", "web1=ok web2=ok", ""},
			{[]string{"@all"}, "exit 3", "db1=failed(3) web1=failed(3) web2=failed(3)", ""},
			{[]string{"@db,web1", "web1"}, "true", "db1=ok web1=ok", ""},
			{[]string{"10.4.3.4"}, "true", "10.4.3.4=ok", ""},
			{[]string{"fd00:0::1"}, "true", "fd00:0::1=ok", ""},
			{[]string{"web1", "web3"}, "true", "web1=ok web3=refused", ""},
		} {
			v := w.wait(w.run(spec(c.text, c.hosts...)))
			w.expect(v, c.want)
			if got := string(v.Hosts[0].Stream("stdout")); got != c.out {
				t.Errorf("%v: %q, want %q", c.hosts, got, c.out)
			}
		}
		v := w.wait(w.run(spec("true", "web3")))
		if why := v.Hosts[0].Reason; why != "there is no such host; nearest: web1, web2, db1" && why != "there is no such host; nearest: web1, web2" {
			t.Errorf("%q", why)
		}
	})
}

// forge puts another record in the place of a task's, as an operator of the
// broker can.
func (w *world) forge(id record.ID, change func(*record.Task)) error {
	v, err := w.c.Task(w.t.Context(), id, hosts.TaskOptions{})
	if err != nil {
		return err
	}
	conn, err := amqp.Dial(w.b.URL)
	if err != nil {
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if _, err := ch.QueuePurge(topology.RecordQueue(id), false); err != nil {
		return err
	}
	task := v.Task
	change(&task)
	msg, err := topology.EventMessage(&record.Event{Kind: record.Created, Task: id, Nonce: task.Nonce, Spec: &task})
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	return topology.Publish(w.t.Context(), ch, topology.Events, topology.TaskKey(id), msg)
}

// A record that shows one command and has another is not run again.
func TestRetryOfForged(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "web1")
	forged := spec("uptime", "web1")
	forged.Command.Argv = []string{"true"}
	id := w.run(forged)
	w.wait(id)
	if v, err := w.c.Retry(t.Context(), id, false); err == nil || !strings.Contains(err.Error(), "not what its hosts were asked") {
		t.Errorf("%v, %v", brief(v), err)
	}
	// One that names other hosts than it had.
	id = w.run(spec("true", "web1"))
	w.wait(id)
	if err := w.forge(id, func(task *record.Task) { task.Hosts = []record.Target{{Name: "@all"}} }); err != nil {
		t.Fatal(err)
	}
	if v, err := w.c.Retry(t.Context(), id, false); err == nil || !strings.Contains(err.Error(), `"@all" cannot be a name`) {
		t.Errorf("%v, %v", brief(v), err)
	}
	plain := hosts.Spec{Text: `test "a b" = 'a b'`, Hosts: []string{"web1"}, Command: argv("test", "a b", "=", "a b"), Expires: time.Minute, Keep: time.Hour}
	first := w.run(plain)
	w.wait(first)
	again, err := w.c.Retry(t.Context(), first, false)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(w.wait(again.Task.ID), "web1=ok")
}

// What cannot be run is refused before anything happens.
func TestRefuses(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "web1")
	w.agent(agent.Config{Name: "x1", Addrs: []string{"10.0.0.1"}})
	w.agent(agent.Config{Name: "x2", Addrs: []string{"10.0.0.1"}})
	w.online("x1", "x2")
	change := func(f func(*hosts.Spec)) hosts.Spec {
		s := spec("true", "web1")
		f(&s)
		return s
	}
	for want, s := range map[string]hosts.Spec{
		"no hosts are named":         spec("true"),
		"no hosts are named: use":    spec("true", ",", ""),
		"db*: there is no such host": spec("true", "db*"),
		"@db: there is no such host": spec("true", "@db"),
		"is not a pattern":           spec("true", "[a"),
		"of several hosts: x1, x2":   spec("true", "10.0.0.1"),
		"web 1: there is no such":    spec("true", "web 1"),
		"--expires":                  change(func(s *hosts.Spec) { s.Expires = 0 }),
		"--keep":                     change(func(s *hosts.Spec) { s.Keep = record.MaxKeep + 1 }),
		"--batch 0":                  change(func(s *hosts.Spec) { s.Batch = "0" }),
		"--batch 101%":               change(func(s *hosts.Spec) { s.Batch = "101%" }),
		"command is empty":           change(func(s *hosts.Spec) { s.Command.Argv = nil }),
		"timeout":                    change(func(s *hosts.Spec) { s.Command.TimeoutMS = 0 }),
	} {
		_, err := w.c.Run(t.Context(), s)
		var refused *hosts.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for what, err := range map[string]error{
		"reading":    second(w.c.Task(t.Context(), 99, hosts.TaskOptions{})),
		"cancelling": second(w.c.Cancel(t.Context(), 99)),
		"retrying":   second(w.c.Retry(t.Context(), 99, true)),
		"watching":   w.c.Watch(t.Context(), 99, hosts.TaskOptions{}, func(*record.View) bool { return true }),
	} {
		if err == nil || !strings.Contains(err.Error(), "no task 99") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := w.c.Tasks(t.Context(), 0); len(list) > 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

func second[T any](_ T, err error) error { return err }

// Numbers are given out once, however many consoles want one at the same time.
func TestIDs(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b, "web1")
		const consoles, each = 6, 5
		var mu sync.Mutex
		var ids []record.ID
		var all sync.WaitGroup
		for range consoles {
			c := client(t, b.URL)
			all.Go(func() {
				for range each {
					v, err := c.Run(t.Context(), spec("true", "web1"))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					ids = append(ids, v.Task.ID)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		slices.Sort(ids)
		for i, id := range ids {
			if int(id) != i+1 {
				t.Fatalf("%v", ids)
			}
		}
		for _, id := range ids {
			w.expect(w.wait(id), "web1=ok")
		}
		list, err := w.c.Tasks(t.Context(), 0)
		if err != nil || len(list) != consoles*each || !list[0].Final || list[0].ID != consoles*each || list[0].Count[record.OK] != 1 {
			t.Errorf("%d tasks, first %+v, %v", len(list), list[0], err)
		}
	})
}

// marks is a directory in which each run leaves a line, in a file of its host.
type marks string

func (m marks) text() string { return "echo run >>" + string(m) + "/$WARREN_HOST" }

func (m marks) count(host string) int {
	raw, _ := os.ReadFile(filepath.Join(string(m), host))
	return strings.Count(string(raw), "\n")
}

// Who is away gets the task when it is back, if it is still valid.
func TestAway(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b, "back", "gone")
		w.agents["back"].Cut()
		w.agents["gone"].Stop()
		m := marks(t.TempDir())
		s := spec(m.text(), "back", "gone")
		s.Expires = 6 * time.Second
		id := w.run(s)
		w.agents["back"].Mend()
		w.expect(w.wait(id), "back=ok gone=expired")
		w.agent(agent.Config{Name: "gone"})
		w.expect(w.wait(w.run(spec("true", "gone"))), "gone=ok")
		if m.count("back") != 1 || m.count("gone") != 0 {
			t.Errorf("runs: %d, %d", m.count("back"), m.count("gone"))
		}
	})
}

func TestCancel(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b, "runs", "away", "ends")
		w.agents["away"].Stop()
		m := marks(t.TempDir())
		id := w.run(spec(m.text()+`; [ $WARREN_HOST = ends ] || { trap "" TERM; sleep 600 & sleep 600; wait; }`, "runs", "away", "ends"))
		w.until(id, "runs", record.InFlight)
		w.until(id, "ends", record.OK)
		hoststest.Eventually(t, "it runs", func() error {
			if m.count("runs") == 0 {
				return errors.New("no mark")
			}
			return nil
		})
		began := time.Now()
		if _, err := w.c.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		v := w.wait(id)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		w.expect(v, "runs=cancelled away=cancelled ends=ok")
		if h := v.Host("runs"); h.Reason != "by tester" || h.Outcome.Signal != "killed" {
			t.Errorf("%+v", h)
		}
		// The task was in the host's queue; so is the cancel.
		w.agent(agent.Config{Name: "away"})
		w.expect(w.wait(w.run(spec("true", "away"))), "away=ok")
		if m.count("away") != 0 {
			t.Error("a cancelled task was run by a host that came back")
		}
		if _, err := w.c.Cancel(t.Context(), id); err == nil || !strings.Contains(err.Error(), "is over") {
			t.Errorf("cancelled twice: %v", err)
		}
	})
}

func TestBatches(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "h1", "h2", "h3", "h4", "h5")
	m := marks(t.TempDir())
	s := spec(m.text()+`; [ $WARREN_HOST != h3 ]`, "h1", "h2", "h3", "h4", "h5")
	s.Batch = "2"
	v := w.wait(w.run(s))
	w.expect(v, "h1=ok h2=ok h3=failed(1) h4=ok h5=cancelled")
	if why := v.Host("h5").Reason; why != "the batches were stopped: h3 failed" || m.count("h5") != 0 {
		t.Errorf("%q, %d runs", why, m.count("h5"))
	}
	again, err := w.c.Retry(t.Context(), v.Task.ID, true)
	if err != nil || brief(again) != "h3=waiting h5=waiting" || again.Task.RetryOf != v.Task.ID {
		t.Fatalf("%s, %v", brief(again), err)
	}
	w.expect(w.wait(again.Task.ID), "h3=failed(1) h5=ok")

	s = spec("true", "@all")
	s.Batch = "40%"
	w.expect(w.wait(w.run(s)), "h1=ok h2=ok h3=ok h4=ok h5=ok")

	// A host that is away stops the batches when its time is over.
	w.agents["h2"].Stop()
	s = spec("true", "h1", "h2", "h3")
	s.Batch, s.Expires = "1", 2*time.Second
	v = w.wait(w.run(s))
	w.expect(v, "h1=ok h2=expired h3=cancelled")

	// Who runs the batches goes away: the rest is not asked.
	s = spec("sleep 1", "h1", "h3", "h4")
	s.Batch = "1"
	id := w.run(s)
	ctx, cancel := context.WithCancel(t.Context())
	w.c.Drive(ctx, id, hosts.TaskOptions{}, func(*record.View) bool { cancel(); return false })
	v = w.wait(id)
	w.expect(v, "h1=ok h3=cancelled h4=cancelled")
	if why := v.Host("h3").Reason; why != "the console that ran the batches was closed" {
		t.Errorf("%q", why)
	}
}

// More than a host takes at once waits in the broker.
func TestSlots(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b)
		w.agent(agent.Config{Name: "small", Slots: 2})
		w.online("small")
		dir := t.TempDir()
		text := `mkdir ` + dir + `/$WARREN_TASK; ls ` + dir + ` | wc -l; sleep 0.3; rmdir ` + dir + `/$WARREN_TASK`
		var ids []record.ID
		for range 7 {
			ids = append(ids, w.run(spec(text, "small")))
		}
		for _, id := range ids {
			v := w.wait(id)
			w.expect(v, "small=ok")
			if n := strings.TrimSpace(string(v.Hosts[0].Stream("stdout"))); n != "1" && n != "2" {
				t.Errorf("%s at once", n)
			}
		}
	})
}

// Two agents of the same name: the second has to wait.
func TestSameName(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "twin")
	first := w.agents["twin"]
	second := w.agent(agent.Config{Name: "twin"})
	for range 3 {
		w.expect(w.wait(w.run(spec("true", "twin"))), "twin=ok")
	}
	if len(second.Entries()) != 0 {
		t.Error("both agents were asked")
	}
	first.Stop()
	w.expect(w.wait(w.run(spec("true", "twin"))), "twin=ok")
}

// A task and its output stay: for another console, over restarts of consoles,
// agents and the broker.
func TestOutlives(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		w := newWorld(t, b, "web1", "web2")
		s := spec("echo out; echo err >&2; printf '\\377\\000'", "web1", "web2")
		s.Command.OutputLimit = 9
		id := w.run(s)
		w.wait(id)
		w.c.Close()
		for _, a := range w.agents {
			a.Stop()
		}
		b.Kill()
		b.Start()
		v, err := client(t, b.URL).Task(t.Context(), id, hosts.TaskOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.expect(v, "web1=ok web2=ok")
		for _, h := range v.Hosts {
			// The order of the two streams is as they were read.
			if n := len(h.Stream("stdout")) + len(h.Stream("stderr")); n != 9 || h.Outcome.Kept != 9 || h.Outcome.Stdout != 6 || h.Outcome.Stderr != 4 {
				t.Errorf("%d bytes, %+v", n, h.Outcome)
			}
		}
	})
}

// Results that the broker did not confirm are told after a restart of the agent.
func TestTellsLater(t *testing.T) {
	b := hoststest.Warren(t)
	w := newWorld(t, b)
	dir := t.TempDir()
	m := marks(t.TempDir())
	a := w.agent(agent.Config{Name: "web1", StateDir: dir})
	w.online("web1")
	id := w.run(spec(m.text()+"; sleep 1; echo result", "web1"))
	w.until(id, "web1", record.InFlight)
	a.Cut()
	hoststest.Eventually(t, "the command ends", func() error {
		if !slices.ContainsFunc(a.Entries(), func(e agent.Entry) bool { return e.Event == "end" }) {
			return errors.New("not yet")
		}
		return nil
	})
	a.Stop()
	w.agent(agent.Config{Name: "web1", StateDir: dir})
	v := w.wait(id)
	w.expect(v, "web1=ok")
	if out := string(v.Hosts[0].Stream("stdout")); out != "result\n" || m.count("web1") != 1 {
		t.Errorf("%q, %d runs", out, m.count("web1"))
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "old", "new")
	if err := w.c.Forget(t.Context(), "old"); err == nil || !strings.Contains(err.Error(), "is running") {
		t.Error(err)
	}
	if err := w.c.Forget(t.Context(), "odl"); err == nil || !strings.Contains(err.Error(), "nearest: old") {
		t.Error(err)
	}
	w.agents["old"].Stop()
	hoststest.Eventually(t, "it is forgotten", func() error { return w.c.Forget(t.Context(), "old") })
	list, err := w.c.Hosts(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "new" {
		t.Errorf("%v, %v", list, err)
	}
	w.expect(w.wait(w.run(spec("true", "old"))), "old=refused")
}
