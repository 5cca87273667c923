package api

import (
	"errors"
	"net"
	"net/http"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// ctlRoutes are what the command line asks for and no page does.
func (a *API) ctlRoutes() []*Route {
	return []*Route{
		{Method: http.MethodPost, Path: "/node/authenticate", Access: Administrator, Summary: "Say whether a password is a user's",
			In: apitype.Credentials{}, Out: apitype.Authenticated{}, Handle: a.tryPassword},
	}
}

// tryPassword looks at the password only: from where the user may come is
// another question. That is no more than an administrator knows anyway.
func (a *API) tryPassword(rq *Request) error {
	var in apitype.Credentials
	if err := rq.Body(&in, "username", "password"); err != nil {
		return err
	}
	_, err := a.Broker.Authenticate(in.Username, in.Password, &net.UnixAddr{})
	var refusal *auth.Error
	if err != nil && !errors.As(err, &refusal) {
		return err
	}
	out := apitype.Authenticated{OK: err == nil}
	if refusal != nil {
		out.Reason = refusal.Text
	}
	return rq.Reply(out)
}
