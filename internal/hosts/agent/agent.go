// Package agent is the part of host management that runs on each host: it
// takes tasks from its queue, runs them once, and tells what became of them.
//
// A delivery passes through session.task (may it run? begin only when the
// record has the acceptance) to job.run (journal, process, output), and all
// that a job tells goes through the outbox to the broker. The journal sees to
// it that nothing runs twice.
package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// Config is what an agent needs.
type Config struct {
	Dial     func(context.Context) (*amqp.Connection, error)
	Name     string
	Addrs    []string
	Groups   []string
	Slots    int    // commands at once
	StateDir string // journal and lock
	// Policy is asked for every message, so that what is changed counts at
	// once. nil: whoever the broker lets in may run anything.
	Policy  func() (*trust.Policy, error)
	Audit   func(Entry) // nil: none
	Log     *slog.Logger
	Program string // its version, to be shown
}

// Entry is a line of the audit log.
type Entry struct {
	Time     time.Time     `json:"time"`
	Event    string        `json:"event"` // run, refused, again, cancel, end
	Host     string        `json:"host"`
	Task     record.ID     `json:"task,omitempty"`
	Operator string        `json:"operator,omitempty"` // proven by a signature or the broker
	User     string        `json:"user,omitempty"`     // of the broker, as it says
	By       string        `json:"by,omitempty"`       // as the console says
	From     string        `json:"from,omitempty"`     // as the console says
	Command  string        `json:"command,omitempty"`
	As       string        `json:"as,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Outcome  *record.State `json:"outcome,omitempty"`
	Exit     *int          `json:"exit,omitempty"`
}

// Agent serves one host.
type Agent struct {
	cfg     Config
	boot    string
	since   time.Time
	journal *journal
	outbox  *outbox
	jobs    sync.WaitGroup

	// decide is held while it is decided whether a task runs, with the journal's
	// write; mu is not, for that long.
	decide sync.Mutex

	mu      sync.Mutex
	running map[string]*job // by taskKey
	freed   chan struct{}   // closed and replaced when a job ends
	leaving bool
}

// New opens the state of an agent.
func New(cfg Config) (*Agent, error) {
	p := record.Presence{Name: cfg.Name, Groups: cfg.Groups, Addrs: cfg.Addrs, Program: cfg.Program}
	if err := p.Check(); err != nil {
		return nil, err
	}
	cfg.Slots = cmp.Or(cfg.Slots, 8)
	j, err := openJournal(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg, boot: rand.Text(), since: time.Now(), journal: j, outbox: newOutbox(),
		running: map[string]*job{}, freed: make(chan struct{})}
	if err := a.recall(); err != nil {
		j.close()
		return nil, err
	}
	return a, nil
}

// recall takes up what the last life of this agent has left: results that the
// broker has not confirmed, and commands that it did not see the end of.
func (a *Agent) recall() error {
	for _, e := range a.journal.unfinished() {
		if e.State == started {
			ended := command.EndOrphan(e.PID, e.Started)
			reason := "the agent was started anew while the command ran"
			if ended {
				reason += "; what was left of it has been ended"
			}
			a.cfg.Log.Warn("a command was lost", "task", e.ID, "ended", ended)
			event := record.Event{Kind: record.Finished, Task: e.ID, Nonce: e.Nonce, Host: a.cfg.Name, Boot: a.boot, At: time.Now(),
				Outcome: &record.Outcome{State: record.Lost, Reason: reason}}
			e.State, e.Events = finished, []storedEvent{{Event: event}}
			if err := a.journal.put(&e, true); err != nil {
				return err
			}
		}
		a.tell(e)
	}
	return nil
}

// tell puts a finished entry's events into the outbox. When the last one is
// confirmed, the entry is done with.
func (a *Agent) tell(e entry) {
	for i, s := range e.Events {
		s.Event.Data = s.Data
		var after func()
		if i == len(e.Events)-1 {
			after = func() { a.settled(e) }
		}
		a.outbox.add(s.Event, after)
	}
}

func (a *Agent) settled(e entry) {
	err := a.journal.put(&entry{State: done, Realm: e.Realm, ID: e.ID, Nonce: e.Nonce}, false)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		a.cfg.Log.Error("cannot write the journal", "err", err)
	}
}

// Back-off between connections: long enough to spare a broker that is
// starting, short enough to be back within a lease.
const (
	backoffMin = 200 * time.Millisecond
	backoffMax = 8 * time.Second
)

// farewell is how long a stopping agent tries to tell what it knows.
const farewell = 5 * time.Second

// Run serves until the context is done: for ever, whatever the broker does.
// Then it ends what runs, tells of it, and leaves.
func (a *Agent) Run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	connected := make(chan struct{})
	go func() {
		defer close(connected)
		a.connect(life)
	}()
	<-ctx.Done()
	a.stopJobs()
	a.jobs.Wait()
	last, cancel := context.WithTimeout(life, farewell)
	a.outbox.drained(last)
	cancel()
	end()
	<-connected
	a.journal.close()
	return nil
}

// stopJobs ends what runs, and lets nothing begin.
func (a *Agent) stopJobs() {
	a.decide.Lock()
	defer a.decide.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaving = true
	for _, j := range a.running {
		j.stop("the agent was stopped")
	}
}

func (a *Agent) connect(ctx context.Context) {
	wait := backoffMin
	last := ""
	for ctx.Err() == nil {
		began := time.Now()
		err := a.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > backoffMax {
			wait, last = backoffMin, ""
		}
		if err != nil && err.Error() != last { // the same again would fill the log
			last = err.Error()
			a.cfg.Log.Warn("no connection to the broker; trying again", "err", explain(err, a.cfg.Name))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + time.Duration(float64(wait/2)*jitter())):
		}
		wait = min(wait*2, backoffMax)
	}
}

func jitter() float64 { return float64(time.Now().UnixNano()%1000) / 1000 }

func (a *Agent) once(ctx context.Context) error {
	conn, err := a.cfg.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := topology.Setup(conn); err != nil {
		return err
	}
	return a.session(ctx, conn)
}

// explain puts the broker's refusals into an administrator's terms.
func explain(err error, name string) error {
	switch {
	case topology.IsCode(err, amqp.AccessRefused) && strings.Contains(err.Error(), "exclusive"):
		return fmt.Errorf("another agent is connected under the name %s: %w", name, err)
	case topology.IsCode(err, amqp.AccessRefused):
		return fmt.Errorf("%w; 'warren hosts permissions %s' shows what its user needs, and 'warren hosts' of an operator creates what is shared", err, name)
	}
	return err
}

// presence is what the agent says of itself.
func (a *Agent) presence() record.Presence {
	a.mu.Lock()
	defer a.mu.Unlock()
	return record.Presence{Version: record.Version, Name: a.cfg.Name, Addrs: a.cfg.Addrs, Groups: a.cfg.Groups,
		Program: a.cfg.Program, System: runtime.GOOS + "/" + runtime.GOARCH, Boot: a.boot, Since: a.since, At: time.Now(),
		Load: load(), Cores: runtime.NumCPU(), Running: len(a.running), Slots: a.cfg.Slots, Signed: a.cfg.Policy != nil, Leaving: a.leaving}
}

// load is the system's load, where the system tells.
func load() (l [3]float64) {
	raw, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		fmt.Sscan(string(raw), &l[0], &l[1], &l[2])
	}
	return l
}

// room waits until a command may begin, and says whether one may at all.
func (a *Agent) room(ctx context.Context) bool {
	for {
		a.mu.Lock()
		free, freed, leaving := len(a.running) < a.cfg.Slots, a.freed, a.leaving
		a.mu.Unlock()
		if leaving {
			<-ctx.Done()
			return false
		}
		if free {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-freed:
		}
	}
}

func (a *Agent) full() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaving || len(a.running) >= a.cfg.Slots
}

func (a *Agent) audit(e Entry) {
	if a.cfg.Audit != nil {
		e.Time, e.Host = time.Now(), a.cfg.Name
		a.cfg.Audit(e)
	}
}
