package api

import (
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/stats"
)

// xRef is an exchange; def nil: the default one.
type xRef struct {
	v   *broker.VHost
	x   *broker.Exchange
	def *meta.Exchange
}

func (r *xRef) name() string {
	if r.def == nil {
		return ""
	}
	return r.def.Name
}

func exchangesOf(v *broker.VHost) []xRef {
	out := []xRef{{v: v}}
	for _, x := range v.Exchanges() {
		out = append(out, xRef{v, x, x.Definition()})
	}
	return out
}

func (a *API) exchanges(rq *Request) error {
	names, err := rq.VHosts()
	if err != nil {
		return err
	}
	var xs []xRef
	for _, n := range names {
		if v := a.Broker.VHost(n); v != nil {
			xs = append(xs, exchangesOf(v)...)
		}
	}
	v := a.viewOf(rq)
	return List(rq, Rows[apitype.Exchange]{
		N:   len(xs),
		Row: func(i int) apitype.Exchange { return a.exchangeRow(&xs[i], &v) },
		Cheap: map[string]func(int) Key{
			"name":  func(i int) Key { return Text(xs[i].name()) },
			"vhost": func(i int) Key { return Text(xs[i].v.Name) },
		},
	})
}

func (a *API) exchange(rq *Request) error {
	v := a.Broker.VHost(rq.Var("vhost"))
	if v == nil {
		return NotFound()
	}
	r := xRef{v: v}
	if n := rq.Var("exchange"); n != "" {
		if r.x = v.Exchange(n); r.x == nil {
			return NotFound()
		}
		r.def = r.x.Definition()
	}
	vw := a.viewOf(rq)
	return rq.Reply(apitype.ExchangePage{Exchange: a.exchangeRow(&r, &vw), Incoming: a.publishedTo(rq, &r, &vw), Outgoing: a.outgoing(&r, &vw)})
}

func (a *API) exchangeRow(r *xRef, v *view) apitype.Exchange {
	e := apitype.Exchange{Arguments: tableJSON(nil), Durable: true, Type: "direct", UserWhoPerformedAction: "rmq-internal", VHost: r.v.Name}
	var in, out uint64
	if d := r.def; d != nil {
		e = apitype.Exchange{
			Arguments: tableJSON(wire.TableView(d.Args)), AutoDelete: d.AutoDelete, Durable: d.Durable, Internal: d.Internal,
			Name: d.Name, Type: d.Type, UserWhoPerformedAction: d.User, VHost: d.VHost,
		}
		if e.UserWhoPerformedAction == "" {
			e.UserWhoPerformedAction = "rmq-internal"
		}
		if d.Policy != nil {
			e.Policy = d.Policy.Name
		}
		in, out = r.x.Passed()
	} else {
		in, out = r.v.DefaultPassed()
	}
	if v.off || v.counts || in == 0 {
		return e
	}
	f := a.Stats.Exchange(r.v, r.x, v.ranges)
	e.MessageStats = &apitype.MessageStats{ExchangeStats: &apitype.ExchangeStats{
		PublishIn: int64(in), PublishInDetails: detail(f, stats.PublishIn), PublishOut: int64(out), PublishOutDetails: detail(f, stats.PublishOut),
	}}
	return e
}
