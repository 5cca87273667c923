package api

import (
	"net/http"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) loginRoutes() []*Route {
	return []*Route{
		{Method: http.MethodGet, Path: "/whoami", Access: Anyone, Summary: "The user that asks", Out: apitype.WhoAmI{}, Handle: a.whoami},
		{Method: http.MethodPost, Path: "/login", Access: Open, Summary: "Begin a session; the body is a form with username and password", Out: apitype.LoginReply{}, Handle: a.postLogin},
		{Method: http.MethodDelete, Path: "/login", Access: Open, Summary: "End the session", Handle: a.deleteLogin},
		{Method: http.MethodGet, Path: "/auth", Access: Open, Summary: "What the page of RabbitMQ 3.10 asks for first", Out: apitype.OldAuth{}, Handle: a.getAuth},
		{Method: http.MethodGet, Path: "/auth/hash_password/{password}", Access: Anyone, Summary: "The stored form of a password", Out: apitype.HashedPassword{}, Handle: a.hashPassword},
	}
}

func (a *API) whoami(rq *Request) error {
	return rq.Reply(apitype.WhoAmI{Name: rq.User.Name, Tags: notNil(rq.User.Tags)})
}

func (a *API) getAuth(rq *Request) error { return rq.Reply(apitype.OldAuth{}) }

func (a *API) hashPassword(rq *Request) error {
	hash, _, err := a.Broker.HashPassword(rq.Var("password"))
	if err != nil {
		return adminFailure(err)
	}
	return rq.Reply(apitype.HashedPassword{OK: hash})
}
