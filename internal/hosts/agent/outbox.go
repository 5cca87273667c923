package agent

import (
	"context"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// outbox holds the events that the broker has not confirmed, in order. It
// outlives connections: a new one begins with the first of them, so an event
// may reach a record twice, but none is missed and none overtakes another.
//
// Its size is bounded by the commands that run at once and their output limits,
// as nothing new begins without a connection.
type outbox struct {
	mu     sync.Mutex
	events []queued
	next   uint64        // number of the next event to come
	change chan struct{} // closed and replaced when events come or go
}

type queued struct {
	number uint64
	event  record.Event
	after  func() // runs when the broker has it; may be nil
}

func newOutbox() *outbox { return &outbox{change: make(chan struct{})} }

func (o *outbox) changed() {
	close(o.change)
	o.change = make(chan struct{})
}

// add appends an event.
func (o *outbox) add(e record.Event, after func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, queued{o.next, e, after})
	o.next++
	o.changed()
}

// of lists a task's events that are not confirmed.
func (o *outbox) of(id record.ID) []storedEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	var es []storedEvent
	for _, q := range o.events {
		if q.event.Task == id {
			es = append(es, storedEvent{q.event, q.event.Data})
		}
	}
	return es
}

// from waits for events from a number on.
func (o *outbox) from(ctx context.Context, number uint64) []queued {
	for {
		o.mu.Lock()
		i, _ := slices.BinarySearchFunc(o.events, number, func(q queued, n uint64) int {
			if q.number < n {
				return -1
			}
			return 1
		})
		ready, change := slices.Clone(o.events[i:]), o.change
		o.mu.Unlock()
		if len(ready) > 0 {
			return ready
		}
		select {
		case <-ctx.Done():
			return nil
		case <-change:
		}
	}
}

// confirmed drops the first event, which the broker has.
func (o *outbox) confirmed(number uint64) {
	o.mu.Lock()
	var after func()
	if len(o.events) > 0 && o.events[0].number == number {
		after = o.events[0].after
		o.events[0] = queued{}
		o.events = o.events[1:]
		o.changed()
	}
	o.mu.Unlock()
	if after != nil {
		after()
	}
}

// drained waits until all is confirmed.
func (o *outbox) drained(ctx context.Context) {
	for {
		o.mu.Lock()
		n, change := len(o.events), o.change
		o.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-change:
		}
	}
}

// inFlight is how many events may be on their way at once.
const inFlight = 128

// flying is an event that has been sent.
type flying struct {
	number uint64
	conf   *amqp.DeferredConfirmation
}

// send publishes the events until the context is done or the connection fails.
// What it has sent goes to out; land takes it from there.
func (o *outbox) send(ctx context.Context, ch *amqp.Channel, out chan<- flying) error {
	for next := uint64(0); ; {
		for _, q := range o.from(ctx, next) {
			conf, err := publish(ctx, ch, &q.event)
			if err != nil {
				return err
			}
			select {
			case out <- flying{q.number, conf}:
			case <-ctx.Done():
			}
			next = q.number + 1
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// land takes away what the broker confirms.
func (o *outbox) land(ctx context.Context, ch *amqp.Channel, in <-chan flying) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f := <-in:
			if err := topology.Confirmed(ctx, ch, f.conf); err != nil {
				return err
			}
			o.confirmed(f.number)
		}
	}
}

// publish sends an event of a host.
func publish(ctx context.Context, ch *amqp.Channel, e *record.Event) (*amqp.DeferredConfirmation, error) {
	msg, err := topology.EventMessage(e)
	if err != nil {
		return nil, err
	}
	return ch.PublishWithDeferredConfirmWithContext(ctx, topology.Events, topology.HostKey(e.Task, e.Host), false, false, msg)
}
