package api

import (
	"maps"
	"net/http"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) vhostRoutes() []*Route {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	return []*Route{
		{Method: put, Path: "/vhosts/{vhost}", Access: Administrator, Summary: "Make or change a virtual host", In: apitype.PutVHost{}, Handle: a.putVHost},
		{Method: del, Path: "/vhosts/{vhost}", Access: Administrator, Summary: "Delete a virtual host and everything in it", Handle: a.deleteVHost},
		{Method: post, Path: "/vhosts/{vhost}/start/{node}", Access: Administrator, Summary: "Start a virtual host; here they all run", Handle: a.startVHost},
		{Method: post, Path: "/vhosts/{vhost}/deletion/protection", Access: Administrator, Summary: "Protect a virtual host from deletion", Handle: a.protectVHost(true)},
		{Method: del, Path: "/vhosts/{vhost}/deletion/protection", Access: Administrator, Summary: "Lift the protection", Handle: a.protectVHost(false)},
		{Method: get, Path: "/vhost-limits", Access: SeesVHost, List: true, Summary: "Virtual hosts with limits", Out: []apitype.VHostLimits{}, Handle: a.getVHostLimits},
		{Method: get, Path: "/vhost-limits/{vhost}", Access: SeesVHost, List: true, Summary: "The limits of a virtual host, in a list", Out: []apitype.VHostLimits{}, Handle: a.getVHostLimits},
		{Method: put, Path: "/vhost-limits/{vhost}/{name}", Access: Administrator, Summary: "Set a limit: max-connections or max-queues", In: apitype.PutLimit{}, Handle: a.putVHostLimit},
		{Method: del, Path: "/vhost-limits/{vhost}/{name}", Access: Administrator, Summary: "Take a limit away", Handle: a.deleteVHostLimit},
	}
}

// vhost finds a virtual host; nil if there is none.
func (a *API) vhost(name string) (v *meta.VHost) {
	a.Broker.View(func(s *meta.State) { v = s.VHost(name) })
	return v
}

func (a *API) putVHost(rq *Request) error {
	var in apitype.PutVHost
	if err := rq.Body(&in); err != nil {
		return err
	}
	name := rq.Var("vhost")
	old := a.vhost(name)
	cmds := []meta.Command{putVHostCommand(name, old, &in)}
	if old == nil && !rq.Socket {
		// Whoever makes a virtual host has access to it.
		cmds = append(cmds, &meta.SetPermissions{User: rq.User.Name, VHost: name, Configure: ".*", Write: ".*", Read: ".*"})
	}
	res, err := rq.Do(cmds...)
	if err != nil {
		return err
	}
	return rq.Created(res[0].Existed)
}

// putVHostCommand: what a PUT does not mention stays as it is.
func putVHostCommand(name string, old *meta.VHost, in *apitype.PutVHost) *meta.PutVHost {
	c := &meta.PutVHost{Name: name}
	if old != nil {
		c.Description, c.Tags, c.DefaultQueueType, c.Tracing, c.Protected = old.Description, old.Tags, old.DefaultQueueType, old.Tracing, old.Protected
	}
	if in.Description != nil {
		c.Description = *in.Description
	}
	if in.Tags != nil {
		c.Tags = *in.Tags
	}
	for _, t := range []*string{in.OldDefaultQueueType, in.DefaultQueueType} {
		if t != nil {
			c.DefaultQueueType = *t
		}
	}
	if c.DefaultQueueType == "undefined" {
		c.DefaultQueueType = ""
	}
	if in.Tracing != nil {
		c.Tracing = bool(*in.Tracing)
	}
	if in.ProtectedFromDeletion != nil {
		c.Protected = bool(*in.ProtectedFromDeletion)
	}
	return c
}

func (a *API) deleteVHost(rq *Request) error {
	name, err := rq.VHost()
	if err != nil {
		return err
	}
	if v := a.vhost(name); v != nil && v.Protected {
		return &Error{http.StatusPreconditionFailed, "precondition_failed",
			"Refusing to delete virtual host '" + name + "' because it is protected from deletion"}
	}
	if _, err := rq.Do(&meta.DeleteVHost{Name: name}); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) startVHost(rq *Request) error {
	if n := rq.Var("node"); n != a.Config.NodeName {
		return badRequestf("Request to node %s failed with nodedown", n)
	}
	if _, err := rq.VHost(); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) protectVHost(on bool) func(*Request) error {
	return func(rq *Request) error {
		name, err := rq.VHost()
		if err != nil {
			return err
		}
		flag := apitype.Bool(on)
		if _, err := rq.Do(putVHostCommand(name, a.vhost(name), &apitype.PutVHost{ProtectedFromDeletion: &flag})); err != nil {
			return err
		}
		return rq.NoContent()
	}
}

func (a *API) getVHostLimits(rq *Request) error {
	names, err := rq.visibleVHosts()
	if err != nil {
		return err
	}
	rows := []apitype.VHostLimits{}
	a.Broker.View(func(s *meta.State) {
		for _, n := range names {
			if v := s.VHost(n); v != nil && len(v.Limits) > 0 {
				rows = append(rows, apitype.VHostLimits{VHost: n, Value: limitsRow(v.Limits)})
			}
		}
	})
	return ListOf(rq, rows, "vhost")
}

// visibleVHosts is VHosts for lists in which who monitors sees everything.
func (rq *Request) visibleVHosts() ([]string, error) {
	if _, ok := rq.vars["vhost"]; ok {
		return rq.VHosts()
	}
	return rq.vhostsSeen(rq.Monitor()), nil
}

// limitBody reads a limit. form is what the error looks like.
func limitBody(rq *Request, in *apitype.PutLimit, form string) error {
	var raw struct {
		Value any `json:"value"`
	}
	if err := rq.Body(&raw, "value"); err != nil {
		return err
	}
	f, ok := raw.Value.(float64)
	n := apitype.Int(f)
	if !ok || float64(n) != f {
		return badRequestf(form, rq.Var("name")+" should be a number, actually was "+erlang(raw.Value))
	}
	in.Value = &n
	return nil
}

func (a *API) putVHostLimit(rq *Request) error {
	if a.vhost(rq.Var("vhost")) == nil {
		return noSuch("vhost_not_found")
	}
	var in apitype.PutLimit
	if err := limitBody(rq, &in, "Validation failed\n\n%s\n"); err != nil {
		return err
	}
	return a.changeVHostLimits(rq, func(l meta.Limits) { l[rq.Var("name")] = int64(*in.Value) })
}

func (a *API) deleteVHostLimit(rq *Request) error {
	if _, err := rq.VHost(); err != nil {
		return err
	}
	return a.changeVHostLimits(rq, func(l meta.Limits) { delete(l, rq.Var("name")) })
}

func (a *API) changeVHostLimits(rq *Request, change func(meta.Limits)) error {
	v := a.vhost(rq.Var("vhost"))
	if v == nil {
		return NotFound()
	}
	l := maps.Clone(v.Limits)
	if l == nil {
		l = meta.Limits{}
	}
	change(l)
	if _, err := a.Broker.Do(rq.Actor(), &meta.SetVHostLimits{VHost: v.Name, Limits: l}); err != nil {
		return unescaped(err)
	}
	return rq.NoContent()
}

// unescaped is adminFailure where RabbitMQ quotes what was sent as it is.
func unescaped(err error) error {
	if e, ok := err.(*broker.Error); ok && e.Kind == broker.PreconditionFailed {
		return BadRequest(e.Text)
	}
	return adminFailure(err)
}
