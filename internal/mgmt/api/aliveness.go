package api

import (
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// alivenessQueue stays after the test, as RabbitMQ's does.
const alivenessQueue = "aliveness-test"

// aliveness sends a message through the virtual host.
func (a *API) aliveness(rq *Request) error {
	v, err := rq.VHost()
	if err != nil {
		return err
	}
	c, err := rq.Core(v)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.DeclareQueue(broker.QueueSpec{Name: alivenessQueue}); err != nil {
		return getFailure(err)
	}
	m := &message.Message{RoutingKey: []byte(alivenessQueue), Body: []byte("test_message")}
	if _, err := a.publishOne(rq, c, m); err != nil {
		return err
	}
	ch := c.NewChannel(newOneChannel())
	defer ch.Close()
	got, err := ch.Get(alivenessQueue, true, func(*queueproc.Queue, queueproc.Delivery, *message.Message, int) {})
	if err != nil {
		return getFailure(err)
	}
	if !got {
		return rq.reply(503, apitype.Health{Status: "failed", Reason: "the message did not arrive"})
	}
	return rq.Reply(apitype.Health{Status: "ok"})
}
