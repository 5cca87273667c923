package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// session is the agent on one connection.
type session struct {
	a    *Agent
	conn *amqp.Connection
	// events confirms what it publishes: acceptances and the outbox.
	events *amqp.Channel
	// control is the control queue's consumer.
	control *amqp.Channel
}

// session serves a connection until it fails or the context is done. Each of
// its goroutines ends when one of them does.
func (a *Agent) session(ctx context.Context, conn *amqp.Connection) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &session{a: a, conn: conn}
	cancels, waiting, err := s.open()
	if err != nil {
		return err
	}
	if err := s.announce(ctx); err != nil {
		return err
	}
	if err := s.catchUp(ctx, cancels, waiting); err != nil {
		return err
	}
	a.cfg.Log.Info("connected", "name", a.cfg.Name)
	var all sync.WaitGroup
	part := func(f func(context.Context) error) {
		all.Go(func() { cancel(f(ctx)) })
	}
	sent := make(chan flying, inFlight)
	part(func(ctx context.Context) error { return a.outbox.send(ctx, s.events, sent) })
	part(func(ctx context.Context) error { return a.outbox.land(ctx, s.events, sent) })
	part(s.beat)
	part(s.tasks)
	part(func(ctx context.Context) error { return s.cancels(ctx, cancels) })
	<-ctx.Done()
	s.leave()
	conn.Close() // whoever waits for the broker ends
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// catchUp takes what was cancelled while this host was away, before it takes
// what was asked. Some of it may have expired since it was counted.
func (s *session) catchUp(ctx context.Context, cancels <-chan amqp.Delivery, waiting int) error {
	for range waiting {
		select {
		case m, ok := <-cancels:
			if !ok {
				return amqp.ErrClosed
			}
			if err := s.cancelled(m); err != nil {
				return err
			}
		case <-time.After(time.Second):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// open declares the agent's queues and consumes the control queue. Its
// exclusive consumer is what keeps a second agent of the same name out.
func (s *session) open() (cancels <-chan amqp.Delivery, waiting int, err error) {
	if s.events, err = s.conn.Channel(); err != nil {
		return nil, 0, err
	}
	if err := s.events.Confirm(false); err != nil {
		return nil, 0, err
	}
	if s.control, err = s.conn.Channel(); err != nil {
		return nil, 0, err
	}
	if waiting, err = topology.SetupAgent(s.control, s.a.cfg.Name); err != nil {
		return nil, 0, err
	}
	cancels, err = s.control.Consume(topology.ControlQueue(s.a.cfg.Name), "", false, true, false, false, nil)
	return cancels, waiting, err
}

// announce makes the agent known: for ever, and as alive.
func (s *session) announce(ctx context.Context) error {
	p := s.a.presence()
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	msg := amqp.Publishing{Type: topology.TypePresence, ContentType: "application/json", DeliveryMode: amqp.Persistent, Body: body}
	if err := topology.Publish(ctx, s.events, topology.Events, topology.PresenceKey(p.Name), msg); err != nil {
		return err
	}
	return s.sendBeat()
}

func (s *session) sendBeat() error {
	p := s.a.presence()
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.control.Publish(topology.Events, topology.BeatKey(p.Name), false, false,
		amqp.Publishing{Type: topology.TypeBeat, ContentType: "application/json", Body: body})
}

func (s *session) beat(ctx context.Context) error {
	tick := time.NewTicker(record.BeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if err := s.sendBeat(); err != nil {
				return err
			}
		}
	}
}

// leave says good-bye when the agent is stopping; otherwise the silence tells.
func (s *session) leave() {
	if s.a.presence().Leaving {
		s.sendBeat()
	}
}

// cancels serves the control queue.
func (s *session) cancels(ctx context.Context, messages <-chan amqp.Delivery) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m, ok := <-messages:
			if !ok {
				return amqp.ErrClosed
			}
			if err := s.cancelled(m); err != nil {
				return err
			}
		}
	}
}

// cancelled does what a cancel message asks for, if it may ask.
func (s *session) cancelled(m amqp.Delivery) error {
	a := s.a
	var c record.Cancel
	policy, who, err := s.who(m, &c)
	if err == nil && (c.Host != a.cfg.Name || c.ID <= 0 || c.Version > record.Version || len(c.Realm) > 64 || len(c.Nonce) > 64) {
		err = errors.New("the message is not meant for this host")
	}
	if err == nil {
		err = policy.Fresh(c.NotAfter, time.Now())
	}
	entry := Entry{Event: "cancel", Task: c.ID, Operator: who, User: m.UserId, By: c.By, From: c.From}
	if err != nil {
		entry.Event, entry.Reason, entry.By, entry.From = "refused", short(err.Error()), short(c.By), short(c.From)
		a.cfg.Log.Warn("a cancel was refused", "task", c.ID, "reason", entry.Reason)
	} else if err := a.cancelTask(c); err != nil {
		return err
	}
	a.audit(entry)
	return m.Ack(false)
}

// cancelTask ends a task, or sees to it that it does not begin.
func (a *Agent) cancelTask(c record.Cancel) error {
	a.decide.Lock()
	defer a.decide.Unlock()
	reason := "by " + short(c.By)
	if j := a.find(c.Realm, c.ID); j != nil && j.Nonce == c.Nonce {
		j.stop(reason)
		return nil
	}
	if _, known, forgotten := a.journal.find(c.Realm, c.ID); known || forgotten {
		return nil
	}
	event := record.Event{Kind: record.Finished, Task: c.ID, Nonce: c.Nonce, Host: a.cfg.Name, Boot: a.boot, At: time.Now(),
		Outcome: &record.Outcome{State: record.Cancelled, Reason: reason + ", before it began"}}
	e := entry{State: finished, Realm: c.Realm, ID: c.ID, Nonce: c.Nonce, Events: []storedEvent{{Event: event}}}
	if err := a.journal.put(&e, true); err != nil {
		return err
	}
	a.tell(e)
	return nil
}

// who finds out whom a message is from, and reads it. The policy holds for this
// message.
func (s *session) who(m amqp.Delivery, into any) (policy *trust.Policy, who string, err error) {
	if s.a.cfg.Policy != nil {
		if policy, err = s.a.cfg.Policy(); err != nil {
			s.a.cfg.Log.Error("nothing is run", "err", err)
			err = errors.New("this host's allow file cannot be read; the agent's log says why")
		}
	}
	if err == nil {
		who, err = policy.Who(trust.Message{Kind: m.Type, Headers: m.Headers, Body: m.Body, UserID: m.UserId})
	}
	if jsonErr := json.Unmarshal(m.Body, into); jsonErr != nil {
		return policy, who, fmt.Errorf("the message cannot be read: %w", jsonErr)
	}
	return policy, who, err
}

// tasks takes tasks from the queue, one by one, while there is room for them.
func (s *session) tasks(ctx context.Context) error {
	for s.a.room(ctx) {
		ch, err := s.conn.Channel()
		if err != nil {
			return err
		}
		if err := ch.Qos(1, 0, false); err != nil {
			return err
		}
		messages, err := ch.Consume(topology.AgentQueue(s.a.cfg.Name), "tasks", false, true, false, false, nil)
		if err != nil {
			return err
		}
		if err := s.take(ctx, ch, messages); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// take serves deliveries until all places are taken; then it closes the
// channel, so that what waits does so in the broker, with its expiry.
func (s *session) take(ctx context.Context, ch *amqp.Channel, messages <-chan amqp.Delivery) error {
	defer ch.Close()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m, ok := <-messages:
			if !ok {
				return amqp.ErrClosed
			}
			if err := s.task(ctx, m); err != nil {
				return err
			}
		}
		if s.a.full() {
			return nil // what came meanwhile is not acknowledged, and goes back
		}
	}
}

// task decides on one delivery. An error means that the connection is of no
// use any more.
func (s *session) task(ctx context.Context, m amqp.Delivery) error {
	a, came := s.a, time.Now()
	var j record.Job
	policy, who, err := s.who(m, &j)
	entry := Entry{Event: "run", Task: j.ID, Operator: who, User: m.UserId, By: j.By, From: j.From, Command: j.Text, As: j.User}
	if err == nil {
		err = s.permitted(policy, &j, who)
	}
	old, known, forgotten := a.journal.find(j.Realm, j.ID)
	if err == nil && (forgotten || known && old.Nonce != j.Nonce) {
		err = errors.New("a task of this number, or a later one, was here long ago")
	}
	if err != nil {
		return s.refuse(ctx, m, &j, entry, err)
	}
	if known { // a redelivery, or somebody tries
		entry.Event, entry.Reason = "again", "it was here before and is not run again"
		a.audit(entry)
		return m.Ack(false)
	}
	timely, err := s.accept(ctx, &j, came)
	if err != nil {
		return err
	}
	if !timely {
		return m.Nack(false, true)
	}
	begun, err := a.begin(j, who)
	if err != nil {
		return s.refuse(ctx, m, &j, entry, fmt.Errorf("the agent cannot write its journal: %w", err))
	}
	if !begun {
		if _, known, _ := a.journal.find(j.Realm, j.ID); !known { // leaving
			return s.giveBack(ctx, m, &j)
		}
		return m.Ack(false)
	}
	a.audit(entry)
	return m.Ack(false)
}

// short cuts a text of which nobody has checked the length.
func short(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (s *session) permitted(policy *trust.Policy, j *record.Job, who string) error {
	if j.Host != s.a.cfg.Name {
		return fmt.Errorf("the task is meant for host %q", j.Host)
	}
	if err := j.Check(); err != nil {
		return err
	}
	if err := policy.Fresh(j.NotAfter, time.Now()); err != nil {
		return err
	}
	return policy.Permits(who, &j.Command)
}

// refuse says no, in the record and in the logs.
func (s *session) refuse(ctx context.Context, m amqp.Delivery, j *record.Job, entry Entry, why error) error {
	reason := short(why.Error())
	entry.Event, entry.Reason = "refused", reason
	entry.Command, entry.As, entry.By, entry.From = short(entry.Command), short(entry.As), short(entry.By), short(entry.From)
	s.a.audit(entry)
	s.a.cfg.Log.Warn("a task was refused", "task", j.ID, "operator", entry.Operator, "user", entry.User, "reason", reason)
	if j.ID > 0 {
		e := s.event(record.Refused, j)
		e.Reason = reason
		if err := s.publish(ctx, &e); err != nil {
			return err
		}
	}
	return m.Ack(false)
}

// accept puts the acceptance into the record. Only if it is there in time may
// the task begin: then whoever reads an expiry without an acceptance before it
// knows that nothing ran. What comes too late is given back, for the broker to
// say whether there is still time.
func (s *session) accept(ctx context.Context, j *record.Job, came time.Time) (timely bool, err error) {
	e := s.event(record.Accepted, j)
	if err := s.publish(ctx, &e); err != nil {
		return false, err
	}
	if time.Since(came) < record.AcceptWithin {
		return true, nil
	}
	s.a.cfg.Log.Warn("the broker was slow to confirm; a task goes back to it", "task", j.ID)
	e = s.event(record.Returned, j)
	return false, s.publish(ctx, &e)
}

func (s *session) giveBack(ctx context.Context, m amqp.Delivery, j *record.Job) error {
	e := s.event(record.Returned, j)
	if err := s.publish(ctx, &e); err != nil {
		return err
	}
	return m.Nack(false, true)
}

func (s *session) event(kind record.Kind, j *record.Job) record.Event {
	return record.Event{Kind: kind, Task: j.ID, Nonce: j.Nonce, Host: s.a.cfg.Name, Boot: s.a.boot, At: time.Now()}
}

// publish sends an event past the outbox, and waits until the broker has it.
func (s *session) publish(ctx context.Context, e *record.Event) error {
	conf, err := publish(ctx, s.events, e)
	if err != nil {
		return err
	}
	return topology.Confirmed(ctx, s.events, conf)
}
