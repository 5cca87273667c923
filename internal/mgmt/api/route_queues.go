package api

import (
	"net/http"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) queueRoutes() []*Route {
	const put, post, del = http.MethodPut, http.MethodPost, http.MethodDelete
	return []*Route{
		{Method: put, Path: "/queues/{vhost}/{queue}", Access: OfVHost, Summary: "Declare a queue. Without a body it is not durable", In: apitype.DeclareQueue{}, Handle: a.putQueue},
		{Method: del, Path: "/queues/{vhost}/{queue}", Access: OfVHost, Summary: "Delete a queue; if-unused=true, if-empty=true: only if it is", Handle: a.deleteQueue},
		{Method: del, Path: "/queues/{vhost}/{queue}/contents", Access: OfVHost, Summary: "Delete the messages that are ready", Handle: a.purgeQueue},
		{Method: post, Path: "/queues/{vhost}/{queue}/get", Access: OfVHost, Summary: "Take messages off a queue, and put them back or not", In: apitype.Get{}, Out: []apitype.Message{}, Handle: a.getMessages},
		{Method: post, Path: "/queues/{vhost}/{queue}/actions", Access: OfVHost, Summary: "sync or cancel_sync of mirrors, of which there are none", In: apitype.QueueAction{}, Handle: a.queueAction},
	}
}

// queueDef finds the path's queue; the error is 404 if there is none.
func (a *API) queueDef(rq *Request) (q *meta.Queue, err error) {
	a.Broker.View(func(s *meta.State) { q = s.Queue(rq.Var("vhost"), rq.Var("queue")) })
	if q == nil {
		return nil, NotFound()
	}
	return q, nil
}

func (a *API) putQueue(rq *Request) error {
	_, missing := a.queueDef(rq)
	err := rq.define(func(c *broker.Client) error {
		var in apitype.DeclareQueue
		if err := rq.Body(&in); err != nil {
			return err
		}
		if in.Node != "" && in.Node != a.Config.NodeName {
			return badRequestf("Node %s could not be contacted", in.Node)
		}
		if in.Exclusive {
			return BadRequest("a queue cannot be declared exclusive over HTTP: there is no connection that it could belong to")
		}
		args, err := argsOf(in.Arguments)
		if err != nil {
			return err
		}
		_, err = c.DeclareQueue(broker.QueueSpec{Name: rq.Var("queue"), Durable: bool(in.Durable), AutoDelete: bool(in.AutoDelete), Args: args})
		return err
	})
	if err != nil {
		return err
	}
	return rq.Created(missing == nil)
}

func (a *API) deleteQueue(rq *Request) error {
	if _, err := a.queueDef(rq); err != nil {
		return err
	}
	unused, empty := rq.Query("if-unused") == "true", rq.Query("if-empty") == "true"
	var err error
	if rq.Socket {
		// Whoever owns the node may delete somebody's exclusive queue, too.
		_, err = a.Broker.DeleteQueueAs(rq.Actor(), rq.Var("vhost"), rq.Var("queue"), unused, empty)
		err = coreFailure(err)
	} else {
		err = rq.define(func(c *broker.Client) error { return c.DeleteQueue(rq.Var("queue"), unused, empty, func(int) {}) })
	}
	if err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) purgeQueue(rq *Request) error {
	if _, err := a.queueDef(rq); err != nil {
		return err
	}
	var err error
	if rq.Socket {
		_, err = a.Broker.PurgeQueueAs(rq.Actor(), rq.Var("vhost"), rq.Var("queue"))
		err = coreFailure(err)
	} else {
		err = rq.define(func(c *broker.Client) error { _, err := c.PurgeQueue(rq.Var("queue")); return err })
	}
	if err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) queueAction(rq *Request) error {
	if _, err := a.queueDef(rq); err != nil {
		return err
	}
	var in apitype.QueueAction
	if err := rq.Body(&in, "action"); err != nil {
		return err
	}
	switch in.Action {
	case "sync", "cancel_sync":
		return rq.NoContent() // no mirrors, so all of them are in step
	}
	return BadRequest([]string{"unknown", in.Action})
}
