package hosts

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// Spec is a task to be run.
type Spec struct {
	Text    string // as typed
	Command record.Command
	Hosts   []string // names, addresses, patterns, @group, @all
	// Expires is until when a host may begin, from being asked.
	Expires time.Duration
	// Keep is how long the record stays after the deadline.
	Keep time.Duration
	// Batch is how many hosts are asked at a time: "5", "20%", or empty.
	Batch   string
	RetryOf record.ID
}

// Entry is a line of a console's audit log.
type Entry struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"` // run, cancel
	Task     record.ID `json:"task"`
	By       string    `json:"by"`
	From     string    `json:"from,omitempty"`
	User     string    `json:"user,omitempty"` // of the broker
	Operator string    `json:"operator,omitempty"`
	Command  string    `json:"command"`
	As       string    `json:"as,omitempty"`
	Hosts    []string  `json:"hosts"`
}

// Run creates a task and asks its hosts, or the first batch of them; Drive does
// the rest of the batches. The view tells what is known at once: hosts that do
// not exist are refused in it.
func (c *Client) Run(ctx context.Context, s Spec) (*record.View, error) {
	if err := s.Command.Check(); err != nil {
		return nil, refusef("%s", err)
	}
	list, err := c.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := resolve(s.Hosts, list)
	if err != nil {
		return nil, err
	}
	task, err := c.plan(s, targets)
	if err != nil {
		return nil, err
	}
	if err := c.number(ctx, task); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := c.create(ctx, task); err != nil {
		return nil, err
	}
	c.audit("run", task)
	v := &record.View{}
	v.Apply(record.Event{Kind: record.Created, Task: task.ID, Spec: task})
	first := names(task.Hosts)
	if task.Batch > 0 {
		first = first[:min(task.Batch, len(first))]
	}
	return v, c.ask(ctx, v, first, func() time.Duration { return task.Each() - time.Since(began) }, list)
}

func names(targets []record.Target) []string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.Name
	}
	return list
}

// plan works out the times of a task.
func (c *Client) plan(s Spec, targets []record.Target) (*record.Task, error) {
	batch, err := batchSize(s.Batch, len(targets))
	switch {
	case err != nil:
		return nil, err
	case s.Expires < time.Second || s.Expires > record.MaxExpires:
		return nil, refusef("--expires must be between 1s and %v", record.MaxExpires)
	case s.Keep <= 0 || s.Keep > record.MaxKeep:
		return nil, refusef("--keep must be more than 0 and at most %v", record.MaxKeep)
	}
	expires := s.Expires
	if batch > 0 {
		rounds := time.Duration((len(targets) + batch - 1) / batch)
		expires = min(rounds*(s.Expires+s.Command.Timeout()+record.EndGrace), record.MaxExpires)
	}
	t := &record.Task{
		Nonce: rand.Text(), Text: s.Text, Command: s.Command, Hosts: targets, Batch: batch,
		ExpiresMS: expires.Milliseconds(), EachMS: s.Expires.Milliseconds(),
		DeadlineMS: (expires + s.Command.Timeout() + record.EndGrace).Milliseconds(),
		KeepMS:     s.Keep.Milliseconds(), By: c.By, From: c.From, RetryOf: s.RetryOf, Created: time.Now().UTC(),
	}
	if c.Signer != nil {
		t.Operator = c.Signer.Operator
	}
	return t, nil
}

// batchSize reads "5" or "20%".
func batchSize(s string, hosts int) (int, error) {
	if s == "" {
		return 0, nil
	}
	number, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 1 || percent && n > 100:
		return 0, refusef("--batch %s: want a number of hosts, or a percentage from 1%% to 100%%", s)
	case percent:
		n = max(hosts*n/100, 1)
	}
	return n, nil
}

// number gives the task an id that no record has.
func (c *Client) number(ctx context.Context, t *record.Task) error {
	return c.do(ctx, func(ctx context.Context, conn *amqp.Connection) (err error) {
		for {
			if t.Realm, t.ID, err = topology.NextID(ctx, conn); err != nil {
				return err
			}
			there, _, err := topology.Exists(conn, topology.RecordQueue(t.ID))
			if err != nil || !there {
				return err
			}
		}
	})
}

// create makes the record, with all that closes it by itself, and an entry in
// the list of tasks.
func (c *Client) create(ctx context.Context, t *record.Task) error {
	return c.channel(ctx, func(ctx context.Context, ch *amqp.Channel) error {
		if err := topology.SetupTask(ch, t); err != nil {
			return err
		}
		if err := c.event(ctx, ch, &record.Event{Kind: record.Created, Spec: t}, t); err != nil {
			return err
		}
		for _, timer := range []struct {
			kind  record.Kind
			after time.Duration
		}{{record.Expire, t.Expires() + record.ExpireGrace}, {record.Close, t.Deadline()}} {
			queue, msg, err := topology.Timer(t, timer.kind, timer.after)
			if err != nil {
				return err
			}
			if err := topology.Publish(ctx, ch, "", queue, msg); err != nil {
				return err
			}
		}
		return c.summarize(ctx, ch, Summary{ID: t.ID, Created: t.Created, By: t.By, Text: t.Text, Hosts: len(t.Hosts), RetryOf: t.RetryOf, KeepMS: t.DeadlineMS + t.KeepMS})
	})
}

// event publishes an event of a console.
func (c *Client) event(ctx context.Context, ch *amqp.Channel, e *record.Event, t *record.Task) error {
	e.Task, e.Nonce, e.At = t.ID, t.Nonce, time.Now().UTC()
	msg, err := topology.EventMessage(e)
	if err != nil {
		return err
	}
	msg.UserId = c.User
	key := topology.TaskKey(t.ID)
	if e.Host != "" {
		key = topology.HostKey(t.ID, e.Host)
	}
	return topology.Publish(ctx, ch, topology.Events, key, msg)
}

// sign makes the message of a request to an agent.
func (c *Client) sign(kind string, body any, valid time.Duration) (amqp.Publishing, error) {
	raw, err := json.Marshal(body)
	return amqp.Publishing{Type: kind, ContentType: "application/json", DeliveryMode: amqp.Persistent, UserId: c.User,
		Expiration: topology.Millis(valid), Headers: c.Signer.Headers(kind, raw), Body: raw}, err
}

// ask sends a task to hosts. With batches the record says first who is asked.
// Hosts that have no queue do not exist; the record says so.
func (c *Client) ask(ctx context.Context, v *record.View, hosts []string, left func() time.Duration, list []Host) error {
	t := &v.Task
	if t.Batch > 0 {
		e := record.Event{Kind: record.Dispatched, Hosts: hosts}
		if err := c.tell(ctx, t, &e); err != nil {
			return err
		}
		v.Apply(e)
	}
	unknown, err := c.send(ctx, hosts, topology.AgentQueue, func(host string) (amqp.Publishing, error) {
		if left() <= 0 {
			return amqp.Publishing{}, errTooLate
		}
		return c.sign(topology.TypeTask, t.Job(host), left())
	})
	if errors.Is(err, errTooLate) {
		err = nil // nobody else begins; the record will say that they expired
	}
	for _, host := range unknown {
		e := record.Event{Kind: record.Refused, Host: host, Reason: "there is no such host" + hint(host, list)}
		err = errors.Join(err, c.tell(ctx, t, &e))
		v.Apply(e)
	}
	return err
}

var errTooLate = errors.New("the time to ask hosts is over")

// tell publishes an event of the record, trying again while the broker is away.
func (c *Client) tell(ctx context.Context, t *record.Task, e *record.Event) error {
	return c.channel(ctx, func(ctx context.Context, ch *amqp.Channel) error { return c.event(ctx, ch, e, t) })
}

// send publishes a message to a queue of each host, and returns the hosts that
// have none. When the connection breaks, it goes on with those that are not
// confirmed: who gets a message twice will act once.
func (c *Client) send(ctx context.Context, hosts []string, queue func(string) string, message func(string) (amqp.Publishing, error)) (unknown []string, err error) {
	confirmed := 0
	err = c.channel(ctx, func(ctx context.Context, ch *amqp.Channel) error {
		returned := ch.NotifyReturn(make(chan amqp.Return, len(hosts)))
		var pending []*amqp.DeferredConfirmation
		missing := map[string]bool{}
		land := func() error {
			if err := topology.Confirmed(ctx, ch, pending[0]); err != nil {
				return err
			}
			pending = pending[1:]
			for len(returned) > 0 { // a return comes before its confirm
				missing[(<-returned).RoutingKey] = true
			}
			if host := hosts[confirmed]; missing[queue(host)] {
				unknown = append(unknown, host)
			}
			confirmed++
			return nil
		}
		for _, host := range hosts[confirmed:] {
			msg, err := message(host)
			if err != nil {
				return err
			}
			conf, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", queue(host), true, false, msg)
			if err != nil {
				return err
			}
			pending = append(pending, conf)
			if len(pending) > 256 {
				if err := land(); err != nil {
					return err
				}
			}
		}
		for len(pending) > 0 {
			if err := land(); err != nil {
				return err
			}
		}
		return nil
	})
	return unknown, err
}

func (c *Client) audit(event string, t *record.Task) {
	if c.Audit != nil {
		c.Audit(Entry{Time: time.Now(), Event: event, Task: t.ID, By: c.By, From: c.From, User: c.User, Operator: t.Operator,
			Command: t.Text, As: t.User, Hosts: names(t.Hosts)})
	}
}

// Retry runs a finished task's command again as a new task, on all of its hosts
// or on those that were not ok.
func (c *Client) Retry(ctx context.Context, id record.ID, failed bool) (*record.View, error) {
	old, err := c.Task(ctx, id, TaskOptions{NoOutput: true})
	if err != nil {
		return nil, err
	}
	var again []string
	for _, h := range old.Hosts {
		if err := record.CheckName(h.Name); err != nil { // it might mean others: @all
			return nil, refusef("the record of task %d is damaged: %s", id, err)
		}
		if !failed || h.State.Final() && h.State != record.OK {
			again = append(again, h.Name)
		}
	}
	if len(again) == 0 {
		return nil, refusef("task %d has no host that failed", id)
	}
	t := old.Task
	if !asTyped(&t) {
		return nil, refusef("the record of task %d says that %q was typed, but that is not what its hosts were asked to run", id, t.Text)
	}
	s := Spec{Text: t.Text, Command: t.Command, Hosts: again, Expires: t.Each(), Keep: time.Duration(t.KeepMS) * time.Millisecond, RetryOf: id}
	if t.Batch > 0 {
		s.Batch = strconv.Itoa(t.Batch)
	}
	return c.Run(ctx, s)
}

// asTyped says whether a task is what its text says. Who can write records
// must not have something else signed by who reads them.
func asTyped(t *record.Task) bool {
	if t.Shell {
		return len(t.Argv) == 1 && t.Argv[0] == t.Text
	}
	argv, err := command.Split(t.Text)
	return err == nil && slices.Equal(argv, t.Argv)
}

// Cancel ends a task: hosts that run it end it, the others do not begin.
func (c *Client) Cancel(ctx context.Context, id record.ID) (*record.View, error) {
	v, err := c.Task(ctx, id, TaskOptions{NoOutput: true})
	if err != nil {
		return nil, err
	}
	var open []string
	for _, h := range v.Hosts {
		if !h.State.Final() {
			open = append(open, h.Name)
		}
	}
	if len(open) == 0 {
		return v, refusef("task %d is over", id)
	}
	list, err := c.Hosts(ctx)
	if err != nil {
		return v, err
	}
	t := &v.Task
	body := record.Cancel{Version: record.Version, ID: id, Realm: t.Realm, Nonce: t.Nonce, By: c.By, From: c.From, NotAfter: time.Now().UTC().Add(t.Deadline())}
	// The agents know of it before the record does: who accepts the task later
	// than the record says will not begin.
	gone, err := c.send(ctx, open, topology.ControlQueue, func(host string) (amqp.Publishing, error) {
		body.Host = host
		return c.sign(topology.TypeCancel, body, t.Deadline())
	})
	if err != nil {
		return v, err
	}
	c.audit("cancel", t)
	for _, host := range open {
		if i := slices.IndexFunc(list, func(h Host) bool { return h.Name == host }); i < 0 || !list[i].Online {
			gone = append(gone, host)
		}
	}
	e := record.Event{Kind: record.Cancelling, By: c.By, From: c.From, Hosts: gone}
	if err := c.tell(ctx, t, &e); err != nil {
		return v, err
	}
	v.Apply(e)
	return v, nil
}

// errNoTask says that there is no record of a task.
func errNoTask(id record.ID) error {
	return refusef("no task %d: it never was, or its time is over (see: tasks)", id)
}
