package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// Two hundred hosts: one in twenty is away, one in twenty dies while it runs the
// command, and the broker is killed twice, while it hands out the task and
// while the hosts run it. Every host comes to the state that is true, by the
// deadline, and no command runs twice.
func TestManyHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	const n = 200
	b := hoststest.Warren(t)
	w := newWorld(t, b)
	var all, absent, dying []string
	for i := range n {
		name := fmt.Sprintf("host%03d", i)
		w.agent(agent.Config{Name: name, Groups: []string{"all-of-them"}})
		all = append(all, name)
		switch i % 20 {
		case 7:
			absent = append(absent, name)
		case 13:
			dying = append(dying, name)
		}
	}
	w.online(all...)
	for _, name := range absent {
		w.agents[name].Stop()
	}

	m := marks(t.TempDir())
	s := spec(m.text()+"; sleep 6; echo done", "@all-of-them")
	s.Expires, s.Command.TimeoutMS = 12*time.Second, 15_000
	ran := make(chan *record.View, 1)
	go func() {
		v, err := w.c.Run(t.Context(), s)
		if err != nil {
			t.Error(err)
		}
		ran <- v
	}()
	began := func() (hosts int) {
		for _, name := range all {
			hosts += min(m.count(name), 1)
		}
		return hosts
	}
	atLeast := func(want int) func() error {
		return func() error {
			if got := began(); got < want {
				return fmt.Errorf("%d of %d hosts have begun", got, want)
			}
			return nil
		}
	}
	hoststest.Eventually(t, "the first begin", atLeast(1))
	first := began()
	b.Kill()
	b.Start()
	v := <-ran
	if v == nil {
		t.FailNow()
	}
	deadline := time.Now().Add(v.Task.Deadline() + 5*time.Second)
	hoststest.Eventually(t, "all begin", atLeast(n-len(absent)))
	for _, name := range dying {
		w.agents[name].Cut()
	}
	b.Kill()
	b.Start()
	t.Logf("%d had begun when the broker was killed first", first)

	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	watcher := client(t, b.URL)
	err := watcher.Watch(ctx, v.Task.ID, hosts.TaskOptions{}, func(now *record.View) bool { v = now; return v.Final() })
	if err != nil {
		t.Fatalf("not over 5 s after the deadline: %v: %v", err, v.Count())
	}
	t.Logf("over %v before the deadline", time.Until(deadline.Add(-5*time.Second)).Round(time.Second))
	for _, h := range v.Hosts {
		want, runs := record.OK, 1
		switch {
		case slices.Contains(absent, h.Name):
			want, runs = record.Expired, 0
		case slices.Contains(dying, h.Name):
			want = record.Lost
		}
		if h.State != want || m.count(h.Name) != runs {
			t.Errorf("%s: %s (%s), %d runs; want %s, %d", h.Name, h.State, h.Reason, m.count(h.Name), want, runs)
		}
		if out := string(h.Stream("stdout")); want == record.OK && out != "done\n" {
			t.Errorf("%s: output %q", h.Name, out)
		}
	}
	again, err := client(t, b.URL).Task(t.Context(), v.Task.ID, hosts.TaskOptions{})
	if err != nil || brief(again) != brief(v) {
		t.Errorf("read again, it is another: %v\n%s\n%s", err, brief(again), brief(v))
	}
}

// The deadline closes a task although nobody watches it, and although the
// broker was down when it came.
func TestClosesByItself(t *testing.T) {
	b := hoststest.Warren(t) // RabbitMQ 3.10.8 does not always send a timer's dead letter on after it was killed
	w := newWorld(t, b, "dies", "away")
	w.agents["away"].Stop()
	s := spec("sleep 60", "dies", "away")
	s.Expires, s.Command.TimeoutMS = time.Second, 1000
	id := w.run(s)
	w.until(id, "dies", record.InFlight)
	w.agents["dies"].Cut()
	w.c.Close()
	b.Kill()
	b.Start()
	c := client(t, b.URL)
	hoststest.Eventually(t, "the task closes", func() error {
		v, err := c.Task(t.Context(), id, hosts.TaskOptions{})
		if err != nil {
			return err
		}
		if !v.Closed {
			return errors.New(brief(v))
		}
		if got := brief(v); got != "dies=lost away=expired" {
			t.Error(got)
		}
		return nil
	})
}

// A line is seen within half a second of its being printed.
func TestFollowIsPrompt(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "web1", "web2")
	const lines = 60
	id := w.run(spec(fmt.Sprintf("i=0; while [ $i -lt %d ]; do date +%%s%%N; sleep 0.05; i=$((i+1)); done", lines/2), "web1", "web2"))
	seen := map[string]int{}
	var late []time.Duration
	err := w.c.Watch(t.Context(), id, hosts.TaskOptions{}, func(v *record.View) bool {
		now := time.Now()
		for _, h := range v.Hosts {
			all := strings.Fields(string(h.Stream("stdout")))
			for _, line := range all[seen[h.Name]:] {
				var at int64
				fmt.Sscan(line, &at)
				late = append(late, now.Sub(time.Unix(0, at)))
			}
			seen[h.Name] = len(all)
		}
		return v.Final()
	})
	if err != nil || len(late) != lines {
		t.Fatalf("%d lines, %v", len(late), err)
	}
	slices.Sort(late)
	p50, p95 := late[lines/2], late[lines*95/100]
	t.Logf("p50 %v, p95 %v, max %v", p50, p95, late[lines-1])
	if p95 > 500*time.Millisecond {
		t.Errorf("p95 is %v", p95)
	}
}

// Output without end, and output that is no text.
func TestOutput(t *testing.T) {
	w := newWorld(t, hoststest.Warren(t), "web1")
	s := spec("head -c 300000000 /dev/zero; echo end >&2", "web1")
	s.Command.OutputLimit = 100_000
	v := w.wait(w.run(s))
	w.expect(v, "web1=ok")
	r := hosts.NewReport(v, nil).Hosts[0]
	if len(r.Stdout) != 100_000 || r.Kept != 100_000 || r.Printed != 300_000_004 || !r.Truncated {
		t.Errorf("%d here, %d kept, %d printed, %v", len(r.Stdout), r.Kept, r.Printed, r.Truncated)
	}
	v = w.wait(w.run(spec(`printf 'caf\351\n\000'`, "web1")))
	if r := hosts.NewReport(v, nil).Hosts[0]; string(r.StdoutRaw) != "caf\xe9\n\x00" {
		t.Errorf("%q", r.StdoutRaw)
	}
}
