package hosts

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// Watch follows a task: it calls f with the task as its record has it, then
// whenever something changes, and at least every second, until f says that it
// has seen enough. When the broker goes away it waits for it, and begins anew:
// the view is another one then.
//
// Who watches also notices when an agent has fallen silent: after record.Lease
// it puts that on record, for everybody.
func (c *Client) Watch(ctx context.Context, id record.ID, o TaskOptions, f func(*record.View) (enough bool)) error {
	wait := 100 * time.Millisecond
	for {
		err := c.watchOnce(ctx, id, o, f)
		if err == nil || !c.worth(err) || ctx.Err() != nil {
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(wait*2, 2*time.Second)
	}
}

// watcher is one Watch on one connection.
type watcher struct {
	c     *Client
	ch    *amqp.Channel
	queue string
	view  *record.View
	signs map[string]time.Time // when each host was heard last
	since time.Time
	told  map[string]bool // whose silence is on record
	// probe is a message to this watcher's own queue; when it comes back, all
	// that the broker had before has been seen.
	probe  string
	probed time.Time
}

const (
	probeEvery = time.Second
	// slow is how late a probe may come back before silence means nothing: the
	// broker, or this console, was not listening itself.
	slow = 3 * time.Second
)

func (c *Client) watchOnce(ctx context.Context, id record.ID, o TaskOptions, f func(*record.View) bool) error {
	conn, err := c.connection(ctx)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	w := &watcher{c: c, ch: ch, queue: topology.Prefix + "watch." + rand.Text(), signs: map[string]time.Time{}, told: map[string]bool{}, since: time.Now()}
	// First listen, then read: what comes in between is seen twice, which
	// changes nothing.
	messages, err := w.listen(id)
	if err != nil {
		return err
	}
	if w.view, err = readTask(ctx, conn, id, o); err != nil {
		return err
	}
	return w.serve(ctx, messages, f)
}

func (w *watcher) listen(id record.ID) (<-chan amqp.Delivery, error) {
	if _, err := w.ch.QueueDeclare(w.queue, false, true, true, false, amqp.Table{"x-queue-type": "classic"}); err != nil {
		return nil, err
	}
	for _, key := range []string{topology.TaskKey(id) + ".#", "beat.#"} {
		if err := w.ch.QueueBind(w.queue, key, topology.Events, false, nil); err != nil {
			return nil, err
		}
	}
	return w.ch.Consume(w.queue, "", true, true, false, false, nil)
}

func (w *watcher) serve(ctx context.Context, messages <-chan amqp.Delivery, f func(*record.View) bool) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for changed := true; ; {
		if changed && f(w.view) {
			return nil
		}
		changed = false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, ok := <-messages:
			if !ok {
				return amqp.ErrClosed
			}
			var err error
			if changed, err = w.take(ctx, m); err != nil {
				return err
			}
		case <-tick.C:
			changed = true
			if err := w.ask(ctx); err != nil {
				return err
			}
		}
	}
}

// take looks at a message, and says whether the view is different now.
func (w *watcher) take(ctx context.Context, m amqp.Delivery) (changed bool, err error) {
	switch m.Type {
	case topology.TypeBeat:
		var p record.Presence
		host := w.view.Host(topology.KeyHost(m.RoutingKey))
		if host != nil && json.Unmarshal(m.Body, &p) == nil && (p.Boot == host.Boot || host.Boot == "") {
			w.signs[host.Name] = time.Now()
		}
		return false, nil
	case typeProbe:
		return false, w.answered(ctx, m.MessageId)
	}
	e, err := topology.ReadEvent(m)
	if err != nil {
		return false, nil // not for this program, or not for anybody
	}
	if w.view.Host(e.Host) != nil {
		w.signs[e.Host] = time.Now()
	}
	_, changed = w.view.Apply(e)
	return changed, nil
}

const typeProbe = "probe"

// ask sends a probe, unless one is on its way.
func (w *watcher) ask(ctx context.Context) error {
	if w.probe != "" {
		return nil
	}
	w.probe, w.probed = rand.Text(), time.Now()
	return w.ch.PublishWithContext(ctx, "", w.queue, false, false, amqp.Publishing{Type: typeProbe, MessageId: w.probe})
}

// answered: the probe is back, so whoever was not heard has been silent.
func (w *watcher) answered(ctx context.Context, probe string) error {
	if probe != w.probe {
		return nil
	}
	w.probe = ""
	if time.Since(w.probed) > slow {
		w.since = time.Now() // count from here
		clear(w.signs)
		return nil
	}
	for _, h := range w.view.Hosts {
		if h.State != record.Starting && h.State != record.InFlight || w.told[h.Name+h.Boot] {
			continue
		}
		last, heard := w.signs[h.Name]
		if !heard {
			last = w.since
		}
		if time.Since(last) < record.Lease {
			continue
		}
		w.told[h.Name+h.Boot] = true
		e := record.Event{Kind: record.Silent, Hosts: []string{h.Name}, Boot: h.Boot,
			Reason: "its agent has said nothing for " + record.Lease.String()}
		if err := w.put(ctx, &e); err != nil {
			return err
		}
	}
	return nil
}

// put publishes an event; it comes back as everybody else sees it.
func (w *watcher) put(ctx context.Context, e *record.Event) error {
	t := &w.view.Task
	e.Task, e.Nonce, e.At, e.By = t.ID, t.Nonce, time.Now().UTC(), w.c.By
	msg, err := topology.EventMessage(e)
	if err != nil {
		return err
	}
	return w.ch.PublishWithContext(ctx, topology.Events, topology.TaskKey(t.ID), false, false, msg)
}

// Drive watches a task and, if it runs in batches, asks the next hosts when
// those before are ok, and stops when one is not. A task's batches go on only
// while the client that ran it drives it. When the context ends, the hosts
// that were not asked will not be, and the record says so.
func (c *Client) Drive(ctx context.Context, id record.ID, o TaskOptions, f func(*record.View) (enough bool)) error {
	d := &driver{c: c, asked: time.Now()}
	err := c.Watch(ctx, id, o, func(v *record.View) bool {
		d.view = v
		if d.err = d.step(ctx); d.err != nil {
			return true
		}
		return f(v) || v.Final()
	})
	if err = errors.Join(err, d.err); err != nil && d.view != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, d.stop(last, "the console that ran the batches was closed"))
	}
	return err
}

// driver runs the batches of a task.
type driver struct {
	c     *Client
	view  *record.View
	asked time.Time // when the last batch was asked
	err   error
}

// step does what is to be done next, if anything.
func (d *driver) step(ctx context.Context) error {
	v := d.view
	if v.Task.Batch == 0 || v.Final() || v.Cancelling != "" {
		return nil
	}
	var open, late, next []string
	failed := ""
	for _, h := range v.Hosts {
		switch {
		case !h.Dispatched && h.State == record.Waiting:
			next = append(next, h.Name)
		case !h.State.Final():
			open = append(open, h.Name)
			if h.State == record.Waiting {
				late = append(late, h.Name)
			}
		case h.State != record.OK && failed == "" && h.Dispatched:
			failed = h.Label() + " was " + string(h.State)
			if h.State == record.Failed {
				failed = h.Label() + " failed"
			}
		}
	}
	switch {
	case len(late) > 0 && time.Since(d.asked) > v.Task.Each()+record.ExpireGrace:
		d.asked = time.Now() // not again at once
		return d.c.tell(ctx, &v.Task, &record.Event{Kind: record.Lapsed, Hosts: late})
	case len(open) > 0 || len(next) == 0:
		return nil
	case failed != "":
		return d.stop(ctx, "the batches were stopped: "+failed)
	}
	d.asked = time.Now()
	asked := d.asked
	return d.c.ask(ctx, v, next[:min(v.Task.Batch, len(next))], func() time.Duration { return v.Task.Each() - time.Since(asked) }, nil)
}

// stop says in the record that the rest will not be asked.
func (d *driver) stop(ctx context.Context, reason string) error {
	var rest []string
	for _, h := range d.view.Hosts {
		if !h.Dispatched && !h.State.Final() {
			rest = append(rest, h.Name)
		}
	}
	if len(rest) == 0 || d.view.Task.Batch == 0 {
		return nil
	}
	e := record.Event{Kind: record.Stopped, Hosts: rest, Reason: reason}
	err := d.c.tell(ctx, &d.view.Task, &e)
	if err == nil {
		e.Task = d.view.Task.ID
		d.view.Apply(e)
	}
	return err
}
