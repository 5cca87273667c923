package interop

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren/brokertest"
)

// celery is a broker with programs that use Celery on it.
type celery struct {
	t      *testing.T
	broker *brokertest.Broker
	python string
	dir    string // for files that tasks leave
}

func newCelery(t *testing.T) *celery {
	t.Helper()
	return &celery{t: t, python: python(t, "celery", "python3-celery"), broker: brokertest.Start(t), dir: t.TempDir()}
}

func (c *celery) run(args ...string) *program {
	c.t.Helper()
	// The user that runs tests in a container is often root.
	return run(c.t, c.broker, []string{"PYTHONPATH=testdata/celery", "C_FORCE_ROOT=1"}, c.python, args...)
}

// worker starts a worker and waits until it serves.
func (c *celery) worker(name, queue, processes string) *program {
	c.t.Helper()
	w := c.run("-m", "celery", "-A", "tasks", "worker", "-n", name, "-Q", queue, "-c", processes, "-l", "INFO",
		"--statedb", filepath.Join(c.dir, name+".state"))
	w.expect(" ready.")
	return w
}

// check starts a function of check.py.
func (c *celery) check(name string) *program {
	c.t.Helper()
	return c.run("testdata/celery/check.py", name, c.dir)
}

// done waits for a check to end well.
func done(p *program) {
	p.t.Helper()
	p.expect("ok")
	p.output()
}

func TestCelery(t *testing.T) {
	t.Parallel()
	c := newCelery(t)
	w := c.worker("w@test", "celery", "2")
	for _, name := range []string{"results", "failure", "retry", "countdown", "eta", "rate_limit", "revoke", "inspect", "events", "far_ahead"} {
		if !t.Run(name, func(t *testing.T) {
			in := *c
			in.t = t
			done(in.check(name))
		}) {
			t.Log("the same worker serves the checks that follow")
		}
	}
	w.stop()
}

// A worker is killed with a task that it has not acknowledged; another does it.
func TestCeleryWorkerKilled(t *testing.T) {
	t.Parallel()
	c := newCelery(t)
	first := c.worker("first@test", "celery", "1")
	sender := c.check("send_interrupted")
	eventually(t, "the task has begun", func() bool {
		_, err := os.Stat(filepath.Join(c.dir, "started"))
		return err == nil
	})
	first.kill()
	second := c.worker("second@test", "celery", "1")
	done(sender)
	second.stop()
}

// Tasks that wait are done in the order of their priorities.
func TestCeleryPriorities(t *testing.T) {
	t.Parallel()
	c := newCelery(t)
	done(c.check("send_ranked"))
	w := c.worker("w@test", "ranked", "1")
	done(c.check("read_ranked"))
	w.stop()
}

// The broker restarts under a worker: it connects again, and works on.
func TestCeleryBrokerRestart(t *testing.T) {
	t.Parallel()
	c := newCelery(t)
	w := c.worker("w@test", "celery", "1")
	done(c.check("results"))
	c.broker.Restart()
	w.expect("Connected to amqp")
	done(c.check("results"))
	w.stop()
}
