package api

import (
	"fmt"
	"net/http"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) exchangeRoutes() []*Route {
	const put, post, del = http.MethodPut, http.MethodPost, http.MethodDelete
	return []*Route{
		{Method: put, Path: "/exchanges/{vhost}/{exchange}", Access: OfVHost, Summary: "Declare an exchange", In: apitype.DeclareExchange{}, Handle: a.putExchange},
		{Method: del, Path: "/exchanges/{vhost}/{exchange}", Access: OfVHost, Summary: "Delete an exchange; if-unused=true: only if nothing is bound", Handle: a.deleteExchange},
		{Method: post, Path: "/exchanges/{vhost}/{exchange}/publish", Access: OfVHost, Summary: "Publish a message", In: apitype.Publish{}, Out: apitype.Published{}, Handle: a.publish},
	}
}

// Core opens a client of the core for the user, in the path's virtual host. The
// error is an answer.
func (rq *Request) Core(vhost string) (*broker.Client, error) {
	info := broker.ClientInfo{
		ID: fmt.Sprintf("http-%d", rq.API.clients.Add(1)), User: rq.User.Name, VHost: vhost, Name: rq.Actor().Source,
		Impersonator: rq.User.Has("impersonator"), Brief: true, Operator: rq.Socket,
	}
	c, err := rq.API.Broker.Connect(info)
	if err != nil {
		return nil, coreFailure(err)
	}
	return c, nil
}

// define does something to definitions with the user's permissions.
func (rq *Request) define(f func(*broker.Client) error) error {
	v, err := rq.VHost()
	if err != nil {
		return noSuch("vhost_not_found")
	}
	c, err := rq.Core(v)
	if err != nil {
		return err
	}
	defer c.Close()
	return coreFailure(f(c))
}

// exchangeDef finds the path's exchange; nil if there is none.
func (a *API) exchangeDef(vhost, name string) (x *meta.Exchange) {
	a.Broker.View(func(s *meta.State) { x = s.Exchange(vhost, name) })
	return x
}

func (a *API) putExchange(rq *Request) error {
	name := rq.Var("exchange")
	existed := a.exchangeDef(rq.Var("vhost"), name) != nil
	err := rq.define(func(c *broker.Client) error {
		in := apitype.DeclareExchange{Type: "direct"}
		if err := rq.Body(&in); err != nil {
			return err
		}
		args, err := argsOf(in.Arguments)
		if err != nil {
			return err
		}
		return c.DeclareExchange(broker.ExchangeSpec{Name: name, Type: in.Type, Durable: bool(in.Durable),
			AutoDelete: bool(in.AutoDelete), Internal: bool(in.Internal), Args: args})
	})
	if err != nil {
		return err
	}
	return rq.Created(existed)
}

func (a *API) deleteExchange(rq *Request) error {
	v, name := rq.Var("vhost"), rq.Var("exchange")
	if name != "" && a.exchangeDef(v, name) == nil {
		return NotFound()
	}
	err := rq.define(func(c *broker.Client) error { return c.DeleteExchange(name, rq.Query("if-unused") == "true") })
	if err != nil {
		return err
	}
	return rq.NoContent()
}
