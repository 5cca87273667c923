package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) permissionRoutes() []*Route {
	r := func(method, path, summary string, in, out any, h func(*Request) error) *Route {
		return &Route{Method: method, Path: path, Access: Administrator, Summary: summary, In: in, Out: out,
			List: method == http.MethodGet && strings.HasSuffix(path, "permissions"), Handle: h}
	}
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	return []*Route{
		r(get, "/permissions", "All permissions", nil, []apitype.Permission{}, a.getPermissions),
		r(get, "/vhosts/{vhost}/permissions", "Permissions in a virtual host", nil, []apitype.Permission{}, a.getVHostPermissions),
		r(get, "/permissions/{vhost}/{user}", "What a user may do in a virtual host", nil, apitype.Permission{}, a.getPermission),
		r(put, "/permissions/{vhost}/{user}", "Set what a user may do in a virtual host", apitype.PutPermission{}, nil, a.putPermission),
		r(del, "/permissions/{vhost}/{user}", "Take a virtual host away from a user", nil, nil, a.deletePermission),
		r(get, "/topic-permissions", "All topic permissions", nil, []apitype.TopicPermission{}, a.getTopics),
		r(get, "/vhosts/{vhost}/topic-permissions", "Topic permissions in a virtual host", nil, []apitype.TopicPermission{}, a.getVHostTopics),
		r(get, "/topic-permissions/{vhost}/{user}", "A user's topic permissions in a virtual host", nil, []apitype.TopicPermission{}, a.getTopic),
		r(put, "/topic-permissions/{vhost}/{user}", "Limit the routing keys of a user for an exchange", apitype.PutTopicPermission{}, nil, a.putTopic),
		r(del, "/topic-permissions/{vhost}/{user}", "Lift all topic limits of a user", nil, nil, a.deleteTopics),
		r(get, "/topic-permissions/{vhost}/{user}/{exchange}", "A user's topic permission for an exchange, in a list", nil, []apitype.TopicPermission{}, a.getTopic),
		r(del, "/topic-permissions/{vhost}/{user}/{exchange}", "Lift the topic limits for an exchange", nil, nil, a.deleteTopics),
	}
}

func (a *API) permissions(want func(*meta.Permission) bool) []apitype.Permission {
	rows := []apitype.Permission{}
	a.Broker.View(func(s *meta.State) {
		for _, p := range s.Permissions() {
			if want(p) {
				rows = append(rows, apitype.Permission(*p))
			}
		}
	})
	return rows
}

func (a *API) topics(want func(*meta.TopicPermission) bool) []apitype.TopicPermission {
	rows := []apitype.TopicPermission{}
	a.Broker.View(func(s *meta.State) {
		for _, p := range s.AllTopicPermissions() {
			if want(p) {
				rows = append(rows, apitype.TopicPermission(*p))
			}
		}
	})
	return rows
}

func (a *API) getPermissions(rq *Request) error {
	return ListOf(rq, a.permissions(func(*meta.Permission) bool { return true }), "vhost", "user")
}

func (a *API) getVHostPermissions(rq *Request) error {
	v, err := rq.VHost()
	if err != nil {
		return err
	}
	return ListOf(rq, a.permissions(func(p *meta.Permission) bool { return p.VHost == v }), "vhost", "user")
}

// granted finds virtual host and user of the path; the error is 404.
func (a *API) granted(rq *Request) (p *meta.Permission, err error) {
	a.Broker.View(func(s *meta.State) { p = s.Permission(rq.Var("user"), rq.Var("vhost")) })
	if p == nil {
		return nil, NotFound()
	}
	return p, nil
}

func (a *API) getPermission(rq *Request) error {
	p, err := a.granted(rq)
	if err != nil {
		return err
	}
	return rq.Reply(apitype.Permission(*p))
}

// who turns a missing user or virtual host into RabbitMQ's answer to a PUT.
func whoIsMissing(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return BadRequest("vhost_or_user_not_found")
	}
	return err
}

func (a *API) putPermission(rq *Request) error {
	var in apitype.PutPermission
	if err := rq.Body(&in, "configure", "write", "read"); err != nil {
		return err
	}
	res, err := rq.Do(&meta.SetPermissions{User: rq.Var("user"), VHost: rq.Var("vhost"), Configure: in.Configure, Write: in.Write, Read: in.Read})
	if err != nil {
		return whoIsMissing(err)
	}
	return rq.Created(res[0].Existed)
}

func (a *API) deletePermission(rq *Request) error {
	if _, err := a.granted(rq); err != nil {
		return err
	}
	if _, err := rq.Do(&meta.ClearPermissions{User: rq.Var("user"), VHost: rq.Var("vhost")}); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) getTopics(rq *Request) error {
	return ListOf(rq, a.topics(func(*meta.TopicPermission) bool { return true }), "vhost", "user", "exchange")
}

func (a *API) getVHostTopics(rq *Request) error {
	v, err := rq.VHost()
	if err != nil {
		return err
	}
	return ListOf(rq, a.topics(func(p *meta.TopicPermission) bool { return p.VHost == v }), "vhost", "user", "exchange")
}

// topicsOf are the path's: of one exchange or of all. None is 404.
func (a *API) topicsOf(rq *Request) ([]apitype.TopicPermission, error) {
	_, one := rq.vars["exchange"]
	rows := a.topics(func(p *meta.TopicPermission) bool {
		return p.VHost == rq.Var("vhost") && p.User == rq.Var("user") && (!one || p.Exchange == rq.Var("exchange"))
	})
	if len(rows) == 0 {
		return nil, NotFound()
	}
	return rows, nil
}

func (a *API) getTopic(rq *Request) error {
	rows, err := a.topicsOf(rq)
	if err != nil {
		return err
	}
	return ListOf(rq, rows, "exchange")
}

func (a *API) putTopic(rq *Request) error {
	var in apitype.PutTopicPermission
	if err := rq.Body(&in, "exchange", "write", "read"); err != nil {
		return err
	}
	res, err := rq.Do(&meta.SetTopicPermissions{User: rq.Var("user"), VHost: rq.Var("vhost"), Exchange: in.Exchange, Write: in.Write, Read: in.Read})
	if err != nil {
		return whoIsMissing(err)
	}
	return rq.Created(res[0].Existed)
}

func (a *API) deleteTopics(rq *Request) error {
	if _, err := a.topicsOf(rq); err != nil {
		return err
	}
	_, one := rq.vars["exchange"]
	if _, err := rq.Do(&meta.ClearTopicPermissions{User: rq.Var("user"), VHost: rq.Var("vhost"), Exchange: rq.Var("exchange"), All: !one}); err != nil {
		return err
	}
	return rq.NoContent()
}
