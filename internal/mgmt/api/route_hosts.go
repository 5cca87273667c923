package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Commands on hosts. What goes through the broker goes as the user who asks, with
// the user's permissions in the virtual host.

// Hosts opens the host management of a virtual host for a user. What the session
// makes hosts do it tells note, which puts it into the audit log.
type Hosts interface {
	Open(ctx context.Context, user, vhost, from string, note func(action, task, detail string)) (HostSession, error)
}

// HostSession is the host management of a virtual host. An error that is a
// *HostError is for the user.
type HostSession interface {
	Hosts(ctx context.Context) (any, error)
	Tasks(ctx context.Context, limit int) (any, error)
	Task(ctx context.Context, id string) (any, error)
	Run(ctx context.Context, t apitype.RunOnHosts) (any, error)
	Cancel(ctx context.Context, id string) (any, error)
	Close() error
}

// HostError is a refusal, in a user's words.
type HostError struct {
	Text    string
	Missing bool // there is no such task
}

func (e *HostError) Error() string { return e.Text }

// runsHosts is the tag of users who, besides administrators, may run commands.
const runsHosts = "hosts"

func (a *API) hostRoutes() []*Route {
	if a.Hosts == nil {
		return nil
	}
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	return []*Route{
		{Method: get, Path: "/hosts/{vhost}", Access: OfVHost, Summary: "Hosts with an agent in a virtual host",
			Handle: hostHandler(func(rq *Request, s HostSession) (any, error) { return s.Hosts(rq.Context()) })},
		{Method: get, Path: "/hosts/{vhost}/tasks", Access: OfVHost, Summary: "The newest tasks, newest first (limit, 100 if not said)",
			Handle: hostHandler(func(rq *Request, s HostSession) (any, error) {
				limit, err := bounded(rq.URL.Query(), "limit", 100, 10_000)
				if err != nil {
					return nil, err
				}
				return s.Tasks(rq.Context(), limit)
			})},
		{Method: get, Path: "/hosts/{vhost}/tasks/{id}", Access: OfVHost, Summary: "A task with what its hosts have printed so far",
			Handle: hostHandler(func(rq *Request, s HostSession) (any, error) { return s.Task(rq.Context(), rq.Var("id")) })},
		{Method: post, Path: "/hosts/{vhost}/tasks", Access: OfVHost, In: apitype.RunOnHosts{}, Summary: "Runs a command on hosts. For administrators and users with the tag hosts.",
			Handle: hostHandler(func(rq *Request, s HostSession) (any, error) {
				var in apitype.RunOnHosts
				if err := rq.mayRun(); err != nil {
					return nil, err
				}
				if err := rq.Body(&in, "command", "hosts"); err != nil {
					return nil, err
				}
				return s.Run(rq.Context(), in)
			})},
		{Method: del, Path: "/hosts/{vhost}/tasks/{id}", Access: OfVHost, Summary: "Cancels a task: hosts that run it end it",
			Handle: hostHandler(func(rq *Request, s HostSession) (any, error) {
				if err := rq.mayRun(); err != nil {
					return nil, err
				}
				return s.Cancel(rq.Context(), rq.Var("id"))
			})},
	}
}

func (rq *Request) mayRun() error {
	if hasAny(rq.User.Tags, "administrator", runsHosts) {
		return nil
	}
	return notAuthorised("Only administrators and users with the tag 'hosts' run commands on hosts")
}

func hostHandler(f func(*Request, HostSession) (any, error)) func(*Request) error {
	return func(rq *Request) error {
		vhost, err := rq.VHost()
		if err != nil {
			return err
		}
		if rq.Socket {
			return BadRequest("use 'warren hosts' on the command line: it logs in to the broker as a user")
		}
		s, err := rq.API.Hosts.Open(rq.Context(), rq.User.Name, vhost, rq.Actor().Source, func(action, task, detail string) {
			rq.API.record(broker.AuditEntry{Actor: rq.Actor(), Action: action, VHost: vhost, Object: task, Result: broker.AuditOK, Detail: detail})
		})
		if err != nil {
			return hostFailure(err)
		}
		defer s.Close()
		out, err := f(rq, s)
		if err != nil {
			return hostFailure(err)
		}
		return rq.Reply(out)
	}
}

func hostFailure(err error) error {
	var e *HostError
	switch {
	case !errors.As(err, &e):
		return err
	case e.Missing:
		return NotFound()
	}
	return BadRequest(e.Text)
}
