package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) policyRoutes() []*Route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	var routes []*Route
	for _, op := range []bool{false, true} {
		base, word, change := "/policies", "policies", Policies
		if op {
			base, word, change = "/operator-policies", "operator policies", Administrator
		}
		one := strings.TrimSuffix(word, "ies") + "y"
		routes = append(routes,
			&Route{Method: get, Path: base, Access: OfVHost, List: true, Summary: "All " + word, Out: []apitype.Policy{}, Handle: a.getPolicies(op)},
			&Route{Method: get, Path: base + "/{vhost}", Access: OfVHost, List: true, Summary: "The " + word + " of a virtual host", Out: []apitype.Policy{}, Handle: a.getPolicies(op)},
			&Route{Method: get, Path: base + "/{vhost}/{name}", Access: change, Summary: "A" + article(one), Out: apitype.Policy{}, Handle: a.getPolicy(op)},
			&Route{Method: put, Path: base + "/{vhost}/{name}", Access: change, Summary: "Make or change a" + article(one), In: apitype.PutPolicy{}, Handle: a.putPolicy(op)},
			&Route{Method: del, Path: base + "/{vhost}/{name}", Access: change, Summary: "Delete a" + article(one), Handle: a.deletePolicy(op)},
		)
	}
	return routes
}

func article(noun string) string {
	if noun[0] == 'o' {
		return "n " + noun
	}
	return " " + noun
}

func policyRow(p *meta.Policy) apitype.Policy {
	return apitype.Policy{VHost: p.VHost, Name: p.Name, Pattern: p.Pattern, ApplyTo: p.ApplyTo, Definition: p.Definition, Priority: p.Priority}
}

func (a *API) getPolicies(operator bool) func(*Request) error {
	return func(rq *Request) error {
		names, err := rq.VHosts()
		if err != nil {
			return err
		}
		rows := []apitype.Policy{}
		a.Broker.View(func(s *meta.State) {
			for _, v := range names {
				for p := range s.Policies(v, operator) {
					rows = append(rows, policyRow(p))
				}
			}
		})
		return ListOf(rq, rows)
	}
}

// policy finds the path's policy; the error is 404 if there is none.
func (a *API) policy(rq *Request, operator bool) (p *meta.Policy, err error) {
	a.Broker.View(func(s *meta.State) { p = s.Policy(rq.Var("vhost"), rq.Var("name"), operator) })
	if p == nil {
		return nil, NotFound()
	}
	return p, nil
}

func (a *API) getPolicy(operator bool) func(*Request) error {
	return func(rq *Request) error {
		p, err := a.policy(rq, operator)
		if err != nil {
			return err
		}
		return rq.Reply(policyRow(p))
	}
}

func (a *API) putPolicy(operator bool) func(*Request) error {
	return func(rq *Request) error {
		if operator && a.Config.NoOpPolicies {
			return operatorPoliciesFixed()
		}
		if a.vhost(rq.Var("vhost")) == nil {
			return noSuch("vhost_not_found")
		}
		var in apitype.PutPolicy
		if err := rq.Body(&in, "pattern", "definition"); err != nil {
			return err
		}
		c, err := policyCommand(rq.Var("vhost"), rq.Var("name"), operator, &in)
		if err != nil {
			return err
		}
		res, err := a.Broker.Do(rq.Actor(), c)
		switch {
		case err != nil && operator:
			return unescaped(err)
		case err != nil:
			return adminFailure(err)
		}
		return rq.Created(res[0].Existed)
	}
}

func operatorPoliciesFixed() *Error {
	return &Error{http.StatusMethodNotAllowed, "method_not_allowed", "operator policies cannot be changed over HTTP on this node"}
}

func validationFailed(text string) *Error {
	return BadRequest(escape("Validation failed\n\n" + text + "\n"))
}

// policyCommand checks the types of a policy's members, with RabbitMQ's words.
func policyCommand(vhost, name string, operator bool, in *apitype.PutPolicy) (*meta.SetPolicy, error) {
	c := &meta.SetPolicy{VHost: vhost, Name: name, Operator: operator, ApplyTo: in.ApplyTo, Definition: in.Definition}
	if json.Unmarshal(in.Pattern, &c.Pattern) != nil || string(in.Pattern) == "null" {
		return nil, validationFailed("pattern should be a binary but was " + erlangJSON(in.Pattern))
	}
	if p := in.Priority; p != nil {
		if json.Unmarshal(p, &c.Priority) != nil || string(p) == "null" {
			return nil, validationFailed("priority should be a number, actually was " + erlangJSON(p))
		}
	}
	return c, nil
}

// erlang formats a JSON value as RabbitMQ quotes it.
func erlang(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return erlangJSON(raw)
}

func erlangJSON(raw []byte) string {
	if len(raw) == 0 {
		return "undefined"
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "?"
	}
	return meta.ErlangTerm(v)
}

func (a *API) deletePolicy(operator bool) func(*Request) error {
	return func(rq *Request) error {
		if operator && a.Config.NoOpPolicies {
			return operatorPoliciesFixed()
		}
		if _, err := a.policy(rq, operator); err != nil {
			return err
		}
		if _, err := rq.Do(&meta.DeletePolicy{VHost: rq.Var("vhost"), Name: rq.Var("name"), Operator: operator}); err != nil {
			return err
		}
		return rq.NoContent()
	}
}
