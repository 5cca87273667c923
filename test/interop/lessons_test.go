package interop

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
)

// language says how a program of examples/ is called.
type language struct {
	name    string
	command func(t *testing.T, program string) []string
}

var languages = []language{
	{"python", func(t *testing.T, program string) []string {
		return []string{python(t, "pika", "python3-pika"), filepath.Join(root, "examples/python", program+".py")}
	}},
	{"go", func(t *testing.T, program string) []string {
		return []string{filepath.Join(goPrograms(t), program)}
	}},
}

// goPrograms builds the Go lessons once for all tests.
func goPrograms(t *testing.T) string {
	t.Helper()
	dir, err := buildGoPrograms()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var buildGoPrograms = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", scratch, "./examples/go/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the lessons: %w\n%s", err, out)
	}
	return scratch, nil
})

// lesson runs a test of a lesson in each language, with a broker of its own.
func lesson(t *testing.T, test func(t *testing.T, l *lessons)) {
	t.Parallel()
	for _, lang := range languages {
		t.Run(lang.name, func(t *testing.T) {
			t.Parallel()
			lang.command(t, "hello_send") // skip before the broker starts
			test(t, &lessons{t: t, broker: brokertest.Start(t), lang: lang})
		})
	}
}

type lessons struct {
	t      *testing.T
	broker *brokertest.Broker
	lang   language
}

// start runs a program of the lessons.
func (l *lessons) start(program string, args ...string) *program {
	l.t.Helper()
	cmd := l.lang.command(l.t, program)
	return run(l.t, l.broker, nil, cmd[0], append(cmd[1:], args...)...)
}

// listen runs a program that receives, and waits until it does.
func (l *lessons) listen(program string, args ...string) *program {
	l.t.Helper()
	p := l.start(program, args...)
	p.expect("waiting for messages")
	return p
}

// do runs a program to its end.
func (l *lessons) do(program string, args ...string) string {
	l.t.Helper()
	return l.start(program, args...).output()
}

// waiting waits until the queue has so many messages, all ready, and no consumer.
func (l *lessons) waiting(queue string, messages int) {
	l.t.Helper()
	ch := channel(l.t, l.broker)
	eventually(l.t, fmt.Sprintf("%s has %d messages and no consumer", queue, messages), func() bool {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		return err == nil && q.Messages == messages && q.Consumers == 0
	})
}

// drop deletes a queue that must have so many messages left.
func (l *lessons) drop(queue string, messages int) {
	l.t.Helper()
	if n, err := channel(l.t, l.broker).QueueDelete(queue, false, false, false); err != nil || n != messages {
		l.t.Errorf("%d messages were left in %s (%v), want %d", n, queue, err, messages)
	}
}

func TestHello(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		for _, typ := range []string{"classic", "quorum"} {
			if out := l.do("hello_send", "--queue-type", typ, "one"); out != "sent 'one'" {
				t.Errorf("hello_send printed %q", out)
			}
			r := l.listen("hello_receive", "--queue-type", typ)
			r.expect("received 'one'")
			l.do("hello_send", "--queue-type", typ, "zwölf")
			r.expect("received 'zwölf'")
			if out := r.stop(); strings.Count(out, "received") != 2 {
				t.Errorf("hello_receive printed\n%s", out)
			}
			l.drop("hello", 0)
		}
	})
}

// A broker that restarts keeps the tasks; each is done once.
func TestWorkQueue(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		for _, typ := range []string{"classic", "quorum"} {
			l.do("work_send", "--queue-type", typ, "a", "b", "c", "d")
			l.broker.Restart()
			w := l.listen("work_worker", "--queue-type", typ)
			for _, task := range []string{"a", "b", "c", "d"} {
				w.expect("got '" + task + "'")
				w.expect("done '" + task + "'")
			}
			w.stop()
			l.drop("tasks", 0)
		}
	})
}

// endless is a task that nobody finishes while the test runs.
var endless = strings.Repeat(".", 3600)

// A worker is killed in the middle of its task: another gets it, and is told.
func TestWorkerKilled(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		for _, typ := range []string{"classic", "quorum"} {
			first := l.listen("work_worker", "--queue-type", typ)
			l.do("work_send", "--queue-type", typ, "dig"+endless)
			if line := first.expect("got 'dig"); strings.Contains(line, "again") {
				t.Errorf("the first delivery is flagged redelivered: %s", line)
			}
			second := l.listen("work_worker", "--queue-type", typ)
			first.kill()
			if line := second.expect("got 'dig"); !strings.Contains(line, "again") {
				t.Errorf("the second delivery is not flagged redelivered: %s", line)
			}
			second.kill()
			l.waiting("tasks", 1)
			l.drop("tasks", 1)
		}
	})
}

// With prefetch_count=1 each of three busy workers holds one task, no more.
func TestFairDispatch(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		for _, typ := range []string{"classic", "quorum"} {
			var workers []*program
			for range 3 {
				workers = append(workers, l.listen("work_worker", "--queue-type", typ))
			}
			for i := range 5 {
				l.do("work_send", "--queue-type", typ, fmt.Sprint("task", i, endless))
			}
			for _, w := range workers {
				w.expect("got 'task")
			}
			// All that can be handed out has been; the rest waits at the broker.
			q, err := channel(t, l.broker).QueueDeclarePassive("tasks", true, false, false, false, amqp.Table{"x-queue-type": typ})
			if err != nil {
				t.Fatal(err)
			}
			if q.Messages != 2 || q.Consumers != 3 {
				t.Errorf("%s: %d messages wait for %d consumers, want 2 and 3", typ, q.Messages, q.Consumers)
			}
			for _, w := range workers {
				w.kill()
				if n := strings.Count(w.printed(), "got"); n != 1 {
					t.Errorf("%s: a worker got %d tasks, want 1", typ, n)
				}
			}
			// Dead workers' tasks are all there again.
			l.waiting("tasks", 5)
			l.drop("tasks", 5)
		}
	})
}

func TestPublishSubscribe(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		l.do("pubsub_publish", "before anybody listens")
		a, b := l.listen("pubsub_subscribe"), l.listen("pubsub_subscribe")
		l.do("pubsub_publish", "to both")
		a.expect("'to both'")
		b.expect("'to both'")
		if out := a.stop(); strings.Count(out, "received") != 1 {
			t.Errorf("the first subscriber printed\n%s", out)
		}
		l.do("pubsub_publish", "to one")
		b.expect("'to one'")
		if out := b.stop(); strings.Count(out, "received") != 2 {
			t.Errorf("the second subscriber printed\n%s", out)
		}
	})
}

func TestRouting(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		bad, all := l.listen("routing_subscribe", "error"), l.listen("routing_subscribe", "info", "warning", "error")
		for _, severity := range []string{"info", "debug", "warning", "error"} {
			l.do("routing_publish", severity, "about "+severity)
		}
		bad.expect("received error: 'about error'")
		all.expect("received info: 'about info'")
		all.expect("received warning: 'about warning'")
		all.expect("received error: 'about error'")
		if out := bad.stop(); strings.Count(out, "received") != 1 {
			t.Errorf("the subscriber of errors printed\n%s", out)
		}
		if out := all.stop(); strings.Count(out, "received") != 3 {
			t.Errorf("the subscriber of three severities printed\n%s", out)
		}
	})
}

func TestTopics(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		subscribers := map[string]*program{}
		for _, patterns := range []string{"#", "kern.*", "*.critical", "kern.* *.critical", "kern"} {
			subscribers[patterns] = l.listen("topics_subscribe", strings.Fields(patterns)...)
		}
		for _, topic := range []string{"kern.info", "kern.critical", "cron.critical", "kern.a.b", "kern", "end.of.it"} {
			l.do("topics_publish", topic, "text")
		}
		// One reaches each of them last, so that what is missing can be seen.
		last := map[string]string{"#": "end.of.it", "kern.*": "kern.critical", "*.critical": "cron.critical", "kern.* *.critical": "cron.critical", "kern": "kern"}
		count := map[string]int{"#": 6, "kern.*": 2, "*.critical": 2, "kern.* *.critical": 3, "kern": 1}
		for patterns, s := range subscribers {
			s.expect("received " + last[patterns] + ": 'text'")
			if out := s.stop(); strings.Count(out, "received") != count[patterns] {
				t.Errorf("the subscriber of %s printed\n%s\nwant %d messages", patterns, out, count[patterns])
			}
		}
	})
}

func TestRPC(t *testing.T) {
	lesson(t, func(t *testing.T, l *lessons) {
		s := l.listen("rpc_server")
		for _, how := range [][]string{nil, {"--direct"}} {
			out := l.do("rpc_client", append(how, "0", "1", "10", "90")...)
			for _, want := range []string{"fibonacci(0) = 0", "fibonacci(1) = 1", "fibonacci(10) = 55", "fibonacci(90) = 2880067194370816120"} {
				if !strings.Contains(out+"\n", want+"\n") {
					t.Errorf("rpc_client %v printed\n%s\nwithout %s", how, out, want)
				}
			}
		}
		if out := s.stop(); strings.Count(out, "asked") != 8 {
			t.Errorf("rpc_server printed\n%s", out)
		}
	})
}

// What one language sends, the other understands.
func TestLanguagesTogether(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	for i, server := range languages {
		client := languages[1-i]
		t.Run(client.name+" asks "+server.name, func(t *testing.T) {
			s := (&lessons{t: t, broker: b, lang: server}).listen("rpc_server")
			out := (&lessons{t: t, broker: b, lang: client}).do("rpc_client", "50")
			if out != "fibonacci(50) = 12586269025" {
				t.Errorf("rpc_client printed %q", out)
			}
			s.stop()
		})
	}
}
