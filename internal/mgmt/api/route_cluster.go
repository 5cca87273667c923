package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) clusterRoutes() []*Route {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	return []*Route{
		{Method: get, Path: "/cluster-name", Access: Anyone, Summary: "The cluster's name", Out: apitype.ClusterName{}, Handle: a.getClusterName},
		{Method: put, Path: "/cluster-name", Access: Administrator, Summary: "Rename the cluster", In: apitype.ClusterName{}, Handle: a.putClusterName},
		{Method: get, Path: "/version", Access: Anyone, Summary: "The release of RabbitMQ that this behaves like", Out: "", Handle: a.version},
		{Method: get, Path: "/extensions", Access: Anyone, List: true, Summary: "Scripts that the page loads", Out: []apitype.Extension{}, Handle: a.extensions},
		{Method: get, Path: "/feature-flags", Access: Administrator, List: true, Summary: "Features of RabbitMQ that can be turned on; here they all are", Out: []apitype.FeatureFlag{}, Handle: a.featureFlags},
		{Method: put, Path: "/feature-flags/{name}/enable", Access: Administrator, Status: http.StatusNoContent, Summary: "Turn a feature on", Handle: a.enableFeatureFlag},
		{Method: get, Path: "/deprecated-features", Access: Administrator, List: true, Summary: "Features that RabbitMQ will take away; none is used up here", Out: []apitype.DeprecatedFeature{}, Handle: a.deprecated},
		{Method: get, Path: "/deprecated-features/used", Access: Administrator, List: true, Summary: "Those of them that are in use", Out: []apitype.DeprecatedFeature{}, Handle: a.deprecated},
		{Method: post, Path: "/rebalance/queues", Access: Administrator, Summary: "Spread queues over the nodes; there is one", Handle: a.rebalance},
		{Method: get, Path: "/auth/attempts/{node}", Access: Monitoring, List: true, Summary: "Logins since the start, by protocol", Out: []apitype.AuthAttempts{}, Handle: a.authAttempts(false)},
		{Method: get, Path: "/auth/attempts/{node}/source", Access: Monitoring, List: true, Summary: "Logins by protocol, address and user", Out: []apitype.AuthAttempts{}, Handle: a.authAttempts(true)},
		{Method: del, Path: "/auth/attempts/{node}", Access: Monitoring, Summary: "Count from the beginning", Handle: a.resetAttempts},
		{Method: del, Path: "/auth/attempts/{node}/source", Access: Monitoring, Summary: "Count from the beginning", Handle: a.resetAttempts},
		{Method: del, Path: "/connections/{name}", Access: Anyone, Summary: "Close a connection; the header X-Reason is what the client is told", Handle: a.deleteConnection},
		{Method: del, Path: "/connections/username/{user}", Access: Anyone, Summary: "Close all connections of a user", Handle: a.deleteUserConnections},
	}
}

// clusterName is what it was called, or else what the configuration says.
func (a *API) clusterName() string {
	name := a.Config.ClusterName
	a.Broker.View(func(s *meta.State) {
		if p := s.GlobalParameter("cluster_name"); p != nil {
			var given string
			if json.Unmarshal(p.Value, &given) == nil {
				name = given
			}
		}
	})
	return name
}

func (a *API) getClusterName(rq *Request) error {
	return rq.Reply(apitype.ClusterName{Name: a.clusterName()})
}

func (a *API) putClusterName(rq *Request) error {
	var in apitype.ClusterName
	if err := rq.Body(&in, "name"); err != nil {
		return err
	}
	value, err := json.Marshal(in.Name)
	if err != nil {
		return err
	}
	if _, err := rq.Do(&meta.SetGlobalParameter{Name: "cluster_name", Value: value}); err != nil {
		return err
	}
	return rq.NoContent()
}

func (a *API) version(rq *Request) error { return rq.Reply(a.Config.Level) }

// extensions: our page is one piece. A client of RabbitMQ's asks for what to
// load beyond its own.
func (a *API) extensions(rq *Request) error { return ListOf(rq, []apitype.Extension{}, "javascript") }

// featureFlags are those of RabbitMQ up to the release that this behaves like,
// as far as there is the feature. None can be off.
func featureFlags() []apitype.FeatureFlag {
	f := func(name, desc, provider string) apitype.FeatureFlag {
		return apitype.FeatureFlag{Name: name, Desc: desc, State: "enabled", Stability: "required", ProvidedBy: provider}
	}
	return []apitype.FeatureFlag{
		f("direct_exchange_routing_v2", "Direct exchange routing implementation", "rabbit"),
		f("drop_unroutable_metric", "Unroutable publishes that are dropped are counted", "rabbitmq_management_agent"),
		f("empty_basic_get_metric", "basic.get on empty queues is counted", "rabbitmq_management_agent"),
		f("implicit_default_bindings", "Default bindings are implicit", "rabbit"),
		f("listener_records_in_ets", "Listener records", "rabbit"),
		f("quorum_queue", "Queues of the type quorum", "rabbit"),
		f("user_limits", "Limits of a user's connections and channels", "rabbit"),
		f("virtual_host_metadata", "Virtual hosts have a description and tags", "rabbit"),
	}
}

func (a *API) featureFlags(rq *Request) error {
	return ListOf(rq, featureFlags(), "name")
}

func (a *API) enableFeatureFlag(rq *Request) error {
	name := rq.Var("name")
	if name != "all" && !slices.ContainsFunc(featureFlags(), func(f apitype.FeatureFlag) bool { return f.Name == name }) {
		return BadRequest("unsupported")
	}
	return rq.NoContent()
}

func (a *API) deprecated(rq *Request) error { return ListOf(rq, []apitype.DeprecatedFeature{}, "name") }

func (a *API) rebalance(rq *Request) error { return rq.NoContent() }

// ThisNode refuses the name of another node.
func (rq *Request) ThisNode() error {
	if rq.Var("node") != rq.API.Config.NodeName {
		return NotFound()
	}
	return nil
}

func (a *API) authAttempts(bySource bool) func(*Request) error {
	return func(rq *Request) error {
		if err := rq.ThisNode(); err != nil {
			return err
		}
		rows := []apitype.AuthAttempts{}
		for _, t := range a.Broker.AuthAttempts(bySource) {
			rows = append(rows, apitype.AuthAttempts{Protocol: t.Protocol, RemoteAddress: t.Remote, Username: t.User,
				Attempts: int64(t.Succeeded + t.Failed), Failed: int64(t.Failed), Succeeded: int64(t.Succeeded)})
		}
		return ListOf(rq, rows, "protocol", "remote_address", "username")
	}
}

func (a *API) resetAttempts(rq *Request) error {
	if err := rq.ThisNode(); err != nil {
		return err
	}
	return a.nodeCommand(rq, "reset counts of logins", "", func() error { a.Broker.ResetAuthAttempts(); return nil })
}

// closeReason is the header X-Reason, or RabbitMQ's words. The page encodes what
// headers cannot hold.
func (rq *Request) closeReason() string {
	reason := rq.Header.Get("X-Reason")
	if rq.Header.Get("X-Requested-With") == "warren" {
		if s, err := url.PathUnescape(reason); err == nil {
			reason = s
		}
	}
	return closeReason(reason)
}

func (a *API) deleteConnection(rq *Request) error {
	name := rq.Var("name")
	owner, found := "", false
	a.Broker.EachClient(func(c *broker.ClientInfo) {
		if c.Name == name {
			owner, found = c.User, true
		}
	})
	switch {
	case !found:
		return NotFound()
	case !rq.Admin() && owner != rq.User.Name:
		return notAuthorised("User not authorised to access object")
	}
	reason := rq.closeReason()
	if a.Broker.CloseClients(rq.Actor(), reason, func(c *broker.ClientInfo) bool { return c.Name == name }) == 0 {
		return NotFound()
	}
	return rq.NoContent()
}

func (a *API) deleteUserConnections(rq *Request) error {
	user := rq.Var("user")
	if !rq.Admin() && user != rq.User.Name {
		return notAuthorised("User not authorised to access object")
	}
	reason := rq.closeReason()
	a.Broker.CloseClients(rq.Actor(), reason, func(c *broker.ClientInfo) bool { return c.User == user })
	return rq.NoContent()
}
