package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) bindingRoutes() []*Route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	list := []apitype.Binding{}
	routes := []*Route{
		{Method: get, Path: "/bindings", Access: OfVHost, List: true, Paged: true, Summary: "All bindings", Out: list, Handle: a.getBindings},
		{Method: get, Path: "/bindings/{vhost}", Access: OfVHost, List: true, Paged: true, Summary: "The bindings of a virtual host", Out: list, Handle: a.getBindings},
		{Method: get, Path: "/exchanges/{vhost}/{exchange}/bindings/source", Access: OfVHost, List: true, Paged: true, Summary: "Bindings of which the exchange is the source", Out: list, Handle: a.getSourceBindings},
		{Method: get, Path: "/exchanges/{vhost}/{exchange}/bindings/destination", Access: OfVHost, List: true, Paged: true, Summary: "Bindings that lead to the exchange", Out: list, Handle: a.getDestinationBindings(meta.ToExchange, "exchange")},
		{Method: get, Path: "/queues/{vhost}/{queue}/bindings", Access: OfVHost, List: true, Paged: true, Summary: "Bindings that lead to the queue", Out: list, Handle: a.getDestinationBindings(meta.ToQueue, "queue")},
	}
	for _, kind := range []meta.DestKind{meta.ToQueue, meta.ToExchange} {
		letter := "q"
		if kind == meta.ToExchange {
			letter = "e"
		}
		path := "/bindings/{vhost}/e/{source}/" + letter + "/{destination}"
		routes = append(routes,
			&Route{Method: get, Path: path, Access: OfVHost, List: true, Summary: "Bindings between an exchange and a " + kind.String(), Out: list, Handle: a.getPairBindings(kind)},
			&Route{Method: post, Path: path, Access: OfVHost, Status: http.StatusCreated, Summary: "Bind a " + kind.String() + " to an exchange", In: apitype.PostBinding{}, Handle: a.postBinding(kind)},
			&Route{Method: get, Path: path + "/{props}", Access: OfVHost, Summary: "A binding", Out: apitype.Binding{}, Handle: a.getBinding(kind)},
			&Route{Method: del, Path: path + "/{props}", Access: OfVHost, Summary: "Take a binding away", Handle: a.deleteBinding(kind)},
		)
	}
	return routes
}

func bindingRow(b *meta.Binding) apitype.Binding {
	return apitype.Binding{Source: b.Source, VHost: b.VHost, Destination: b.Dest, DestinationType: b.DestKind.String(),
		RoutingKey: b.Key, Arguments: ArgsObject(b.Args), PropertiesKey: b.PropertiesKey()}
}

// implicit is the binding that every queue has to the default exchange.
func implicit(vhost, queue string) *meta.Binding {
	return &meta.Binding{VHost: vhost, DestKind: meta.ToQueue, Dest: queue, Key: queue}
}

// listBindings answers with those that collect finds.
func (a *API) listBindings(rq *Request, collect func(s *meta.State, vhost string) []*meta.Binding) error {
	names, err := rq.VHosts()
	if err != nil {
		return err
	}
	var found []*meta.Binding
	a.Broker.View(func(s *meta.State) {
		for _, v := range names {
			found = append(found, collect(s, v)...)
		}
	})
	return List(rq, Rows[apitype.Binding]{
		N: len(found), Row: func(i int) apitype.Binding { return bindingRow(found[i]) },
		Order: []string{"vhost", "source", "destination_type", "destination", "routing_key", "properties_key"},
		Cheap: map[string]func(int) Key{
			"vhost":            func(i int) Key { return Text(found[i].VHost) },
			"source":           func(i int) Key { return Text(found[i].Source) },
			"destination":      func(i int) Key { return Text(found[i].Dest) },
			"destination_type": func(i int) Key { return Text(found[i].DestKind.String()) },
			"routing_key":      func(i int) Key { return Text(found[i].Key) },
			"name":             func(i int) Key { return Text(found[i].Source + " " + found[i].Dest + " " + found[i].Key) },
		},
	})
}

func (a *API) getBindings(rq *Request) error {
	return a.listBindings(rq, func(s *meta.State, v string) (out []*meta.Binding) {
		for q := range s.Queues(v) {
			out = append(out, implicit(v, q.Name))
		}
		for b := range s.Bindings(v) {
			out = append(out, b)
		}
		return out
	})
}

func (a *API) getSourceBindings(rq *Request) error {
	x := rq.Var("exchange")
	if err := a.needExchange(rq, x); err != nil {
		return err
	}
	return a.listBindings(rq, func(s *meta.State, v string) (out []*meta.Binding) {
		if x != "" {
			return s.BindingsFrom(v, x)
		}
		for q := range s.Queues(v) {
			out = append(out, implicit(v, q.Name))
		}
		return out
	})
}

// needExchange: RabbitMQ 3.10 shows an empty list for an exchange that is not
// there, newer ones 404.
func (a *API) needExchange(rq *Request, name string) error {
	if name != "" && a.exchangeDef(rq.Var("vhost"), name) == nil {
		return NotFound()
	}
	return nil
}

func (a *API) getDestinationBindings(kind meta.DestKind, name string) func(*Request) error {
	return func(rq *Request) error {
		dest := rq.Var(name)
		if kind == meta.ToExchange {
			if err := a.needExchange(rq, dest); err != nil {
				return err
			}
		} else if _, err := a.queueDef(rq); err != nil {
			return err
		}
		return a.listBindings(rq, func(s *meta.State, v string) (out []*meta.Binding) {
			if kind == meta.ToQueue {
				out = append(out, implicit(v, dest))
			}
			return append(out, s.BindingsTo(v, kind, dest)...)
		})
	}
}

func pair(s *meta.State, rq *Request, kind meta.DestKind) (out []*meta.Binding) {
	v, source, dest := rq.Var("vhost"), rq.Var("source"), rq.Var("destination")
	if source == "" && kind == meta.ToQueue && s.Queue(v, dest) != nil {
		return []*meta.Binding{implicit(v, dest)}
	}
	for _, b := range s.BindingsTo(v, kind, dest) {
		if b.Source == source {
			out = append(out, b)
		}
	}
	return out
}

func (a *API) getPairBindings(kind meta.DestKind) func(*Request) error {
	return func(rq *Request) error {
		return a.listBindings(rq, func(s *meta.State, _ string) []*meta.Binding { return pair(s, rq, kind) })
	}
}

// binding finds the path's binding by its properties key; the error is 404. The
// key may come escaped once more than the rest of the path.
func (a *API) binding(rq *Request, kind meta.DestKind) (found *meta.Binding, err error) {
	a.Broker.View(func(s *meta.State) {
		for _, b := range pair(s, rq, kind) {
			if key := b.PropertiesKey(); key == rq.Var("props") || unescapedKey(key) == rq.Var("props") {
				found = b
				return
			}
		}
	})
	if found == nil {
		return nil, NotFound()
	}
	return found, nil
}

// unescapedKey is a properties key as it is left when a client has put it into a
// path as it is: its escapes are taken for the path's.
func unescapedKey(key string) string {
	s, err := url.PathUnescape(key)
	if err != nil {
		return key
	}
	return s
}

func (a *API) getBinding(kind meta.DestKind) func(*Request) error {
	return func(rq *Request) error {
		b, err := a.binding(rq, kind)
		if err != nil {
			return err
		}
		return rq.Reply(bindingRow(b))
	}
}

func (a *API) postBinding(kind meta.DestKind) func(*Request) error {
	return func(rq *Request) error {
		b := &meta.Binding{VHost: rq.Var("vhost"), Source: rq.Var("source"), DestKind: kind, Dest: rq.Var("destination")}
		err := rq.define(func(c *broker.Client) (err error) {
			var in apitype.PostBinding
			if err := rq.Body(&in); err != nil {
				return err
			}
			b.Key = in.RoutingKey
			if b.Args, err = argsOf(in.Arguments); err != nil {
				return err
			}
			if len(b.Key) > 255 {
				return BadRequest("the routing key is longer than 255 bytes")
			}
			return c.Bind(broker.BindSpec{Source: b.Source, DestKind: kind, Dest: b.Dest, Key: b.Key, Args: b.Args})
		})
		if err != nil {
			return err
		}
		rq.W.Header().Set("Location", url.PathEscape(b.Dest)+"/"+strings.ReplaceAll(url.PathEscape(b.PropertiesKey()), "+", "%2B"))
		return rq.Created(false)
	}
}

func (a *API) deleteBinding(kind meta.DestKind) func(*Request) error {
	return func(rq *Request) error {
		b, err := a.binding(rq, kind)
		if err != nil {
			return err
		}
		err = rq.define(func(c *broker.Client) error {
			return c.Unbind(broker.BindSpec{Source: b.Source, DestKind: kind, Dest: b.Dest, Key: b.Key, Args: b.Args})
		})
		if err != nil {
			return err
		}
		return rq.NoContent()
	}
}
