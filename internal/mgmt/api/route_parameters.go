package api

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) parameterRoutes() []*Route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	list := []apitype.Parameter{}
	return []*Route{
		{Method: get, Path: "/parameters", Access: Policies, List: true, Summary: "All runtime parameters", Out: list, Handle: a.getParameters},
		{Method: get, Path: "/parameters/{component}", Access: Policies, List: true, Summary: "The runtime parameters of a component", Out: list, Handle: a.getParameters},
		{Method: get, Path: "/parameters/{component}/{vhost}", Access: Policies, List: true, Summary: "The same in a virtual host", Out: list, Handle: a.getParameters},
		{Method: get, Path: "/parameters/{component}/{vhost}/{name}", Access: Policies, Summary: "A runtime parameter", Out: apitype.Parameter{}, Handle: a.getParameter},
		{Method: put, Path: "/parameters/{component}/{vhost}/{name}", Access: Policies, Summary: "Set a runtime parameter", In: apitype.PutParameter{}, Handle: a.putParameter},
		{Method: del, Path: "/parameters/{component}/{vhost}/{name}", Access: Policies, Summary: "Delete a runtime parameter", Handle: a.deleteParameter},
		{Method: get, Path: "/global-parameters", Access: Globals, List: true, Summary: "All parameters of the cluster", Out: []apitype.GlobalParameter{}, Handle: a.getGlobals},
		{Method: get, Path: "/global-parameters/{name}", Access: Globals, Summary: "A parameter of the cluster", Out: apitype.GlobalParameter{}, Handle: a.getGlobal},
		{Method: put, Path: "/global-parameters/{name}", Access: Globals, Summary: "Set a parameter of the cluster", In: apitype.PutParameter{}, Handle: a.putGlobal},
		{Method: del, Path: "/global-parameters/{name}", Access: Globals, Summary: "Delete a parameter of the cluster", Handle: a.deleteGlobal},
	}
}

// The components that are something else here, and not plain parameters.
const (
	componentLimits         = "vhost-limits"
	componentOperatorPolicy = "operator_policy"
)

// parameterRows are the parameters of a virtual host as RabbitMQ lists them:
// limits and operator policies are among them.
func parameterRows(s *meta.State, vhost string) []apitype.Parameter {
	var rows []apitype.Parameter
	for p := range s.Policies(vhost, true) {
		value, _ := json.Marshal(struct {
			Pattern    string          `json:"pattern"`
			Definition json.RawMessage `json:"definition"`
			Priority   int64           `json:"priority"`
			ApplyTo    string          `json:"apply-to"`
		}{p.Pattern, p.Definition, p.Priority, p.ApplyTo})
		rows = append(rows, apitype.Parameter{Value: value, VHost: vhost, Component: componentOperatorPolicy, Name: p.Name})
	}
	for p := range s.Parameters(vhost) {
		rows = append(rows, apitype.Parameter{Value: p.Value, VHost: vhost, Component: p.Component, Name: p.Name})
	}
	if v := s.VHost(vhost); v != nil && len(v.Limits) > 0 {
		value, _ := json.Marshal(v.Limits)
		rows = append(rows, apitype.Parameter{Value: value, VHost: vhost, Component: componentLimits, Name: "limits"})
	}
	return rows
}

func (a *API) getParameters(rq *Request) error {
	names, err := rq.VHosts()
	if err != nil {
		return err
	}
	component, one := rq.vars["component"]
	rows := []apitype.Parameter{}
	a.Broker.View(func(s *meta.State) {
		for _, v := range names {
			for _, p := range parameterRows(s, v) {
				if !one || p.Component == component {
					rows = append(rows, p)
				}
			}
		}
	})
	return ListOf(rq, rows, "vhost", "component", "name")
}

// parameter finds the path's parameter; the error is 404 if there is none.
func (a *API) parameter(rq *Request) (p apitype.Parameter, err error) {
	found := false
	a.Broker.View(func(s *meta.State) {
		for _, row := range parameterRows(s, rq.Var("vhost")) {
			if row.Component == rq.Var("component") && row.Name == rq.Var("name") {
				p, found = row, true
			}
		}
	})
	if !found {
		return p, NotFound()
	}
	return p, nil
}

func (a *API) getParameter(rq *Request) error {
	p, err := a.parameter(rq)
	if err != nil {
		return err
	}
	return rq.Reply(p)
}

// mayParameter: limits and operator policies are the administrators' affair,
// whatever way is taken to them.
func (a *API) mayParameter(rq *Request) error {
	switch rq.Var("component") {
	case "policy":
		return BadRequest("policies may not be set using this method")
	case componentLimits:
		if !rq.Admin() {
			return notAuthorised("Not administrator user")
		}
	case componentOperatorPolicy:
		if !rq.Admin() {
			return notAuthorised("Not administrator user")
		}
		if a.Config.NoOpPolicies {
			return operatorPoliciesFixed()
		}
	}
	return nil
}

// warnIdle: parameters of shovels and of federation are kept, so that
// definitions go in and come out whole, but whoever sets one must not wait for
// messages that nothing moves.
func warnIdle(l *slog.Logger, vhost, component, name string) {
	l.Warn("a runtime parameter is kept, and nothing acts on it: shovels and federation are not part of this version",
		"vhost", vhost, "component", component, "name", name)
}

func (a *API) putParameter(rq *Request) error {
	if err := a.mayParameter(rq); err != nil {
		return err
	}
	if a.vhost(rq.Var("vhost")) == nil {
		return noSuch("vhost_not_found")
	}
	var in apitype.PutParameter
	if err := rq.Body(&in, "value"); err != nil {
		return err
	}
	_, missing := a.parameter(rq)
	if _, err := rq.Do(&meta.SetParameter{VHost: rq.Var("vhost"), Component: rq.Var("component"), Name: rq.Var("name"), Value: in.Value}); err != nil {
		return err
	}
	switch rq.Var("component") {
	case componentLimits, componentOperatorPolicy:
	default:
		warnIdle(a.Logger, rq.Var("vhost"), rq.Var("component"), rq.Var("name"))
	}
	return rq.Created(missing == nil)
}

func (a *API) deleteParameter(rq *Request) error {
	if err := a.mayParameter(rq); err != nil {
		return err
	}
	if _, err := a.parameter(rq); err != nil {
		return err
	}
	v, name := rq.Var("vhost"), rq.Var("name")
	var c meta.Command = &meta.DeleteParameter{VHost: v, Component: rq.Var("component"), Name: name}
	switch rq.Var("component") {
	case componentLimits:
		c = &meta.SetVHostLimits{VHost: v}
	case componentOperatorPolicy:
		c = &meta.DeletePolicy{VHost: v, Name: name, Operator: true}
	}
	if _, err := rq.Do(c); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) getGlobals(rq *Request) error {
	rows := []apitype.GlobalParameter{}
	a.Broker.View(func(s *meta.State) {
		for p := range s.GlobalParameters() {
			rows = append(rows, apitype.GlobalParameter{Name: p.Name, Value: p.Value})
		}
	})
	return ListOf(rq, rows, "name")
}

func (a *API) global(rq *Request) (p *meta.Parameter, err error) {
	a.Broker.View(func(s *meta.State) { p = s.GlobalParameter(rq.Var("name")) })
	if p == nil {
		return nil, NotFound()
	}
	return p, nil
}

func (a *API) getGlobal(rq *Request) error {
	p, err := a.global(rq)
	if err != nil {
		return err
	}
	return rq.Reply(apitype.GlobalParameter{Name: p.Name, Value: p.Value})
}

func (a *API) putGlobal(rq *Request) error {
	var in apitype.PutParameter
	if err := rq.Body(&in, "value"); err != nil {
		return err
	}
	res, err := rq.Do(&meta.SetGlobalParameter{Name: rq.Var("name"), Value: in.Value})
	if err != nil {
		return err
	}
	return rq.Created(res[0].Existed)
}

func (a *API) deleteGlobal(rq *Request) error {
	if _, err := a.global(rq); err != nil {
		return err
	}
	if _, err := rq.Do(&meta.DeleteGlobalParameter{Name: rq.Var("name")}); err != nil {
		return err
	}
	return rq.NoContent()
}
