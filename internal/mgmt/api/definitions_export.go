package api

import (
	"strings"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// export is all definitions, in a form that RabbitMQ imports as well.
func (a *API) export() apitype.Definitions {
	d := a.header()
	d.Format, d.OriginalClusterName = "cluster", a.clusterName()
	d.Explanation = "Definitions of cluster '" + d.OriginalClusterName + "'"
	d.RabbitMQVersion, d.ProductName, d.ProductVersion = a.Config.Level, a.Config.ProductName, a.Config.ProductVersion
	d.Users, d.VHosts, d.GlobalParameters = []apitype.User{}, []apitype.DefinedVHost{}, []apitype.GlobalParameter{}
	a.Broker.View(func(s *meta.State) {
		for u := range s.Users() {
			d.Users = append(d.Users, userRow(u))
		}
		for p := range s.GlobalParameters() {
			if p.Name != importedHash {
				d.GlobalParameters = append(d.GlobalParameters, apitype.GlobalParameter{Name: p.Name, Value: p.Value})
			}
		}
		for v := range s.VHosts() {
			d.VHosts = append(d.VHosts, definedVHost(v))
			exportVHost(s, v.Name, &d)
		}
	})
	d.Permissions = notNil(a.permissions(func(*meta.Permission) bool { return true }))
	d.TopicPermissions = notNil(a.topics(func(*meta.TopicPermission) bool { return true }))
	return d
}

// exportOne is the definitions of one virtual host; they can go into another.
// Rows of policies and parameters say where they are from, as in RabbitMQ.
func (a *API) exportOne(vhost string) apitype.Definitions {
	d := a.header()
	d.Format, d.OriginalVHostName = "single_virtual_host", vhost
	d.Explanation = "Definitions of virtual host '" + vhost + "'"
	a.Broker.View(func(s *meta.State) { exportVHost(s, vhost, &d) })
	for i := range d.Queues {
		d.Queues[i].VHost = ""
	}
	for i := range d.Exchanges {
		d.Exchanges[i].VHost = ""
	}
	for i := range d.Bindings {
		d.Bindings[i].VHost = ""
	}
	return d
}

func (a *API) header() apitype.Definitions {
	return apitype.Definitions{RabbitVersion: a.Config.Level, Parameters: []apitype.Parameter{}, Policies: []apitype.Policy{},
		Queues: []apitype.DefinedQueue{}, Exchanges: []apitype.DefinedExchange{}, Bindings: []apitype.DefinedBinding{}}
}

func definedVHost(v *meta.VHost) apitype.DefinedVHost {
	m := apitype.VHostMetadata{Description: v.Description, Tags: notNil(v.Tags), DefaultQueueType: v.DefaultQueueType}
	return apitype.DefinedVHost{Name: v.Name, Description: m.Description, Tags: m.Tags, DefaultQueueType: m.DefaultQueueType, Metadata: m}
}

// exportVHost adds what is in a virtual host, but not what goes with a
// connection and what every virtual host has.
func exportVHost(s *meta.State, vhost string, d *apitype.Definitions) {
	d.Parameters = append(d.Parameters, parameterRows(s, vhost)...)
	for p := range s.Policies(vhost, false) {
		d.Policies = append(d.Policies, policyRow(p))
	}
	for q := range s.Queues(vhost) {
		if !q.Exclusive {
			d.Queues = append(d.Queues, apitype.DefinedQueue{Name: q.Name, VHost: vhost, Type: q.Type, Durable: q.Durable, AutoDelete: q.AutoDelete, Arguments: ArgsObject(q.Args)})
		}
	}
	for x := range s.Exchanges(vhost) {
		if !strings.HasPrefix(x.Name, "amq.") {
			d.Exchanges = append(d.Exchanges, apitype.DefinedExchange{Name: x.Name, VHost: vhost, Type: x.Type, Durable: x.Durable, AutoDelete: x.AutoDelete, Internal: x.Internal, Arguments: ArgsObject(x.Args)})
		}
	}
	for b := range s.Bindings(vhost) {
		if q := s.Queue(vhost, b.Dest); b.DestKind == meta.ToQueue && (q == nil || q.Exclusive) {
			continue
		}
		d.Bindings = append(d.Bindings, apitype.DefinedBinding{Source: b.Source, VHost: vhost, Destination: b.Dest,
			DestinationType: b.DestKind.String(), RoutingKey: b.Key, Arguments: ArgsObject(b.Args)})
	}
}
