package topology

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
)

// Errors of Read.
var (
	// ErrNoQueue: what was to be read does not exist.
	ErrNoQueue = errors.New("no such queue")
	// ErrBusy: another console has been reading all the time.
	ErrBusy = errors.New("another console is reading this, and does not finish")
)

// lockFor is how long Read waits for other readers. A reader that hangs loses
// its connection when its heartbeats stop.
const lockFor = 60 * time.Second

// Read reads a queue from beginning to end and leaves it as it was, but for
// the messages of which each says that they can go. It calls then, if given,
// before any of them goes and while nobody else can be reading.
//
// An exclusive consumer keeps other readers away; they try again until it is
// their turn. A marker, published to the queue itself, says where the end is.
// When the channel closes, all that is not acknowledged goes back to where it
// was.
func Read(ctx context.Context, conn *amqp.Connection, queue string, each func(amqp.Delivery) (drop bool), then func(*amqp.Channel) error) error {
	turn := time.NewTimer(lockFor)
	defer turn.Stop()
	for {
		err := read(ctx, conn, queue, each, then)
		var e *amqp.Error
		switch {
		case IsCode(err, amqp.NotFound):
			return ErrNoQueue
		case errors.As(err, &e) && e.Code == amqp.AccessRefused && strings.Contains(e.Reason, "exclusive"):
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-turn.C:
			return ErrBusy
		case <-time.After(time.Duration(5+mathrand.IntN(40)) * time.Millisecond):
		}
	}
}

func read(ctx context.Context, conn *amqp.Connection, queue string, each func(amqp.Delivery) bool, then func(*amqp.Channel) error) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	messages, err := ch.Consume(queue, "", false, true, false, false, nil)
	if err != nil {
		return err
	}
	end := rand.Text()
	marker := amqp.Publishing{Type: typeMarker, MessageId: end, Expiration: "60000"}
	if err := ch.PublishWithContext(ctx, "", queue, false, false, marker); err != nil {
		return err
	}
	var drop []uint64
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, ok := <-messages:
			switch {
			case !ok:
				if e := <-closed; e != nil {
					return e
				}
				return amqp.ErrClosed
			case m.Type == typeMarker:
				drop = append(drop, m.DeliveryTag)
			case each(m):
				drop = append(drop, m.DeliveryTag)
			}
			if m.Type != typeMarker || m.MessageId != end {
				continue
			}
		}
		break
	}
	if then != nil {
		if err := then(ch); err != nil {
			return err
		}
	}
	for _, tag := range drop {
		if err := ch.Ack(tag, false); err != nil {
			return err
		}
	}
	return nil
}

// ticket is the one message in the queue IDs.
type ticket struct {
	Version int       `json:"v"`
	Realm   string    `json:"realm"`
	Next    record.ID `json:"next"`
}

// maxID is the greatest number that every reader of JSON can tell from the next.
const maxID = 1<<53 - 1

func (t *ticket) valid() bool { return t.Realm != "" && t.Next > 0 && t.Next < maxID }

// NextID gives out the next task id. The new ticket is safe in the queue
// before the old one goes: after a crash there may be two, and the higher
// counts.
func NextID(ctx context.Context, conn *amqp.Connection) (realm string, id record.ID, err error) {
	t := ticket{Version: 1, Realm: rand.Text()[:16], Next: 1}
	found := false
	each := func(m amqp.Delivery) bool {
		var other ticket
		if json.Unmarshal(m.Body, &other) == nil && other.valid() && (!found || other.Next > t.Next) {
			t, found = other, true
		}
		return true
	}
	err = Read(ctx, conn, IDs, each, func(ch *amqp.Channel) error {
		realm, id = t.Realm, t.Next
		t.Next++
		body, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		return Publish(ctx, ch, "", IDs, amqp.Publishing{Type: TypeTicket, DeliveryMode: amqp.Persistent, Body: body})
	})
	return realm, id, err
}

// Publish publishes a message, on a channel that confirms, and waits until the
// broker has it.
func Publish(ctx context.Context, ch *amqp.Channel, exchange, key string, msg amqp.Publishing) error {
	c, err := ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, msg)
	if err != nil {
		return err
	}
	return Confirmed(ctx, ch, c)
}

// Confirmed waits until the broker has a message.
func Confirmed(ctx context.Context, ch *amqp.Channel, c *amqp.DeferredConfirmation) error {
	ok, err := c.WaitContext(ctx)
	switch {
	case err != nil:
		return ctx.Err()
	case !ok && ch.IsClosed():
		return amqp.ErrClosed
	case !ok:
		return fmt.Errorf("the broker could not keep the message")
	}
	return nil
}

// EventMessage is the message of an event.
func EventMessage(e *record.Event) (amqp.Publishing, error) {
	headers, body, err := e.Encode()
	msg := amqp.Publishing{Type: string(e.Kind), ContentType: "application/json", DeliveryMode: amqp.Persistent, Headers: headers, Body: body}
	if e.Kind == record.Output {
		msg.ContentType = "application/octet-stream"
	}
	return msg, err
}

// ReadEvent reads an event out of a message. What a host tells counts under
// that host's routing key only, and what concerns the whole task only under the
// task's: the broker can keep agents to their own keys.
func ReadEvent(m amqp.Delivery) (record.Event, error) {
	e, err := record.DecodeEvent(m.Type, m.Headers, m.Body)
	if err != nil {
		return e, err
	}
	key := TaskKey(e.Task)
	if e.Kind.OfHost() {
		key = HostKey(e.Task, e.Host)
	}
	switch {
	case m.RoutingKey != key || e.Kind.OfHost() && e.Host == "":
		return e, fmt.Errorf("event %q of host %q in task %d under the key %q", e.Kind, e.Host, e.Task, m.RoutingKey)
	case e.Spec != nil && e.Spec.ID != e.Task:
		return e, fmt.Errorf("task %d in the record of task %d", e.Spec.ID, e.Task)
	}
	return e, nil
}

// Millis is a duration as AMQP's expiration wants it.
func Millis(d time.Duration) string { return strconv.FormatInt(max(d.Milliseconds(), 0), 10) }

// IsGone says whether an error means that the connection is lost, so that
// another one may do better.
func IsGone(err error) bool {
	var e *amqp.Error
	if errors.As(err, &e) {
		switch e.Code {
		case amqp.ChannelError, amqp.ConnectionForced, amqp.FrameError, amqp.UnexpectedFrame, amqp.InternalError:
			return true
		}
		return false
	}
	return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrNoQueue) && !errors.Is(err, ErrBusy)
}
