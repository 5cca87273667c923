package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// oneChannel is the user's side of a channel that lives as long as a request:
// it waits for one confirm.
type oneChannel struct {
	decided chan bool
	done    atomic.Bool
}

func newOneChannel() *oneChannel { return &oneChannel{decided: make(chan bool, 1)} }

func (o *oneChannel) decide(ok bool) {
	if o.done.CompareAndSwap(false, true) {
		o.decided <- ok
	}
}

// Confirm and the others implement broker.Outlet.
func (o *oneChannel) Confirm(uint64, bool)                                              { o.decide(true) }
func (o *oneChannel) Refuse(uint64)                                                     { o.decide(false) }
func (o *oneChannel) Overdue() bool                                                     { return false }
func (o *oneChannel) Deliver(*queueproc.Consumer, queueproc.Delivery, *message.Message) {}
func (o *oneChannel) Flush() bool                                                       { return false }
func (o *oneChannel) Cancel(*queueproc.Consumer)                                        {}

// confirmTimeout is how long a publish may take to be safe.
const confirmTimeout = 5 * time.Second

func (a *API) publish(rq *Request) error {
	var in apitype.Publish
	if err := rq.Body(&in, "routing_key", "properties", "payload", "payload_encoding"); err != nil {
		if raw := rq.keys["payload"]; len(raw) > 0 && raw[0] != '"' {
			return BadRequest("payload_not_string")
		}
		return err
	}
	m, err := messageOf(rq.Var("exchange"), &in)
	if err != nil {
		return err
	}
	if int64(len(m.Body)) > a.Broker.MaxMessageSize() {
		return badRequestf("406 PRECONDITION_FAILED - message size %d is larger than configured max size %d", len(m.Body), a.Broker.MaxMessageSize())
	}
	c, err := rq.Core(rq.Var("vhost"))
	if err != nil {
		return err
	}
	defer c.Close()
	routed, err := a.publishOne(rq, c, m)
	if err != nil {
		return err
	}
	return rq.Reply(apitype.Published{Routed: routed})
}

// noSpace takes out what programs put into base64 to break its lines.
var noSpace = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")

// messageOf makes the message of a publish.
func messageOf(exchange string, in *apitype.Publish) (*message.Message, error) {
	props, err := propertiesOf(in.Properties)
	if err == nil {
		err = noVoid(props.Headers)
	}
	if err != nil {
		return nil, err
	}
	m := &message.Message{Exchange: []byte(exchange), RoutingKey: []byte(in.RoutingKey), Props: props.Append(nil)}
	if len(m.Exchange) > 255 || len(m.RoutingKey) > 255 {
		return nil, BadRequest("names and routing keys have at most 255 bytes")
	}
	switch in.PayloadEncoding {
	case "string":
		m.Body = []byte(in.Payload)
	case "base64":
		if m.Body, err = base64.StdEncoding.DecodeString(noSpace.Replace(in.Payload)); err != nil {
			return nil, BadRequest([]string{"not_base64", in.Payload})
		}
	default:
		return nil, BadRequest([]string{"unsupported_encoding", in.PayloadEncoding})
	}
	return m, nil
}

// publishOne publishes and waits until the message is as safe as a publisher
// with confirms would have it.
func (a *API) publishOne(rq *Request, c *broker.Client, m *message.Message) (routed bool, err error) {
	if err := a.Broker.Throttle(rq.Context()); err != nil {
		return false, err
	}
	out := newOneChannel()
	ch := c.NewChannel(out)
	defer ch.Close()
	if err := ch.SelectConfirm(); err != nil {
		return false, channelFailure(err)
	}
	if routed, err = ch.Publish(m); err != nil {
		return false, channelFailure(err)
	}
	if !routed {
		ch.Unroutable(true)
		ch.Unrouted()
	}
	c.Settle()
	t := time.NewTimer(confirmTimeout)
	defer t.Stop()
	select {
	case ok := <-out.decided:
		if !ok {
			return false, BadRequest("rejected")
		}
		return routed, nil
	case <-a.Broker.Done():
		return false, a.Broker.Err()
	case <-t.C:
		return false, BadRequest("timeout")
	case <-rq.Context().Done():
		return false, rq.Context().Err()
	}
}

// Bounds on one get. What is beyond stays in the queue.
const (
	maxGetCount = 10_000
	maxGetBytes = 64 << 20
)

// getMode is what becomes of messages that were got.
type getMode struct {
	noAck   bool
	outcome queue.Outcome
}

func modeOf(in *apitype.Get) (getMode, error) {
	if in.AckMode == "" && in.Requeue != nil {
		// What RabbitMQ before 3.7 took.
		in.AckMode = "ack_requeue_false"
		if *in.Requeue {
			in.AckMode = "ack_requeue_true"
		}
	}
	switch in.AckMode {
	case "ack_requeue_false":
		return getMode{noAck: true}, nil
	case "ack_requeue_true", "reject_requeue_true":
		return getMode{outcome: queue.Requeue}, nil
	case "reject_requeue_false":
		return getMode{outcome: queue.Reject}, nil
	}
	return getMode{}, BadRequest("Unsupported ackmode. Please use ack_requeue_true, ack_requeue_false, reject_requeue_true or reject_requeue_false.")
}

func (a *API) getMessages(rq *Request) error {
	var in apitype.Get
	if err := rq.Body(&in); err != nil {
		return err
	}
	required := []string{"ackmode", "count", "encoding"}
	if in.AckMode == "" && in.Requeue != nil {
		required = []string{"count", "encoding"}
	}
	if err := rq.Required(required...); err != nil {
		return err
	}
	mode, err := modeOf(&in)
	if err != nil {
		return err
	}
	if in.Encoding != "auto" && in.Encoding != "base64" {
		return BadRequest("Unsupported encoding. Please use auto or base64.")
	}
	c, err := rq.Core(rq.Var("vhost"))
	if err != nil {
		return err
	}
	defer c.Close()
	rows, err := a.take(rq, c, &in, mode)
	if n := len(rows); n > 0 && (mode.noAck || mode.outcome == queue.Reject) {
		// They are gone from the queue, by an operator's hand.
		a.record(broker.AuditEntry{Actor: rq.Actor(), Action: "get messages", VHost: rq.Var("vhost"), Object: rq.Var("queue"), Result: broker.AuditOK,
			Detail: fmt.Sprintf("%d, %s", n, in.AckMode)})
	}
	if err != nil {
		return err
	}
	return rq.Reply(rows)
}

// take gets messages and settles them.
func (a *API) take(rq *Request, c *broker.Client, in *apitype.Get, mode getMode) ([]apitype.Message, error) {
	ch := c.NewChannel(newOneChannel())
	defer ch.Close()
	rows := []apitype.Message{}
	var from *queueproc.Queue
	var held []queueproc.Settle
	// Whatever happens, nothing stays unacknowledged.
	defer func() {
		if from != nil && len(held) > 0 {
			ch.Settle(from, held, mode.outcome)
		}
	}()
	size := 0
	for n := min(int(in.Count), maxGetCount); n > 0 && size < maxGetBytes; n-- {
		ok, err := ch.Get(rq.Var("queue"), mode.noAck, func(q *queueproc.Queue, d queueproc.Delivery, m *message.Message, left int) {
			row := messageRow(m, in)
			row.Redelivered, row.MessageCount = d.Redelivered, left
			rows = append(rows, row)
			size += len(row.Payload)
			if !mode.noAck {
				from, held = q, append(held, queueproc.Settle{Slot: d.Slot, Seq: d.Seq})
			}
		})
		if err != nil {
			return rows, getFailure(err)
		}
		if !ok {
			break
		}
	}
	return rows, nil
}

// getFailure: RabbitMQ puts the name of the code before the text here.
func getFailure(err error) error {
	var e *broker.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case broker.NotFound:
		return noSuch("NOT_FOUND - " + e.Text)
	case broker.AccessRefused:
		return notAuthorised("ACCESS_REFUSED - " + e.Text)
	}
	return channelFailure(err)
}

// messageRow copies what is shown of a message.
func messageRow(m *message.Message, in *apitype.Get) apitype.Message {
	row := apitype.Message{PayloadBytes: len(m.Body), Exchange: string(m.Exchange), RoutingKey: string(m.RoutingKey), Properties: []any{}}
	if p, err := wire.ParseProperties(m.Props); err == nil && p.Present() != 0 {
		row.Properties = jsonProperties(&p)
	}
	body := m.Body
	if in.Truncate != nil && *in.Truncate >= 0 && int(*in.Truncate) < len(body) {
		body = body[:*in.Truncate]
	}
	if in.Encoding == "auto" && utf8.Valid(body) {
		row.Payload, row.PayloadEncoding = string(body), "string"
	} else {
		row.Payload, row.PayloadEncoding = base64.StdEncoding.EncodeToString(body), "base64"
	}
	return row
}
