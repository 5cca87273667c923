package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

// What is counted, and how it changes. Counters and lengths are the core's
// present ones; rates and samples are those of package stats.

func (a *API) statsRoutes() []*Route {
	get := func(path string, access Access, out any, summary string, h func(*Request) error) *Route {
		return &Route{Method: http.MethodGet, Path: path, Access: access, Summary: summary, Out: out, Handle: h}
	}
	list := func(path string, access Access, out any, summary string, h func(*Request) error) *Route {
		r := get(path, access, out, summary, h)
		r.List, r.Paged = true, true
		return r
	}
	plain := func(r *Route) *Route {
		r.Paged = false
		return r
	}
	return []*Route{
		get("/overview", Anyone, apitype.Overview{}, "The cluster at a glance", a.overview),
		plain(list("/nodes", Monitoring, []apitype.Node{}, "The nodes", a.nodes)),
		get("/nodes/{node}", Monitoring, apitype.Node{}, "A node; memory=true and binary=true add a breakdown", a.oneNode),
		get("/nodes/{node}/memory", Monitoring, apitype.NodeMemory{}, "What a node's memory is used for, in bytes", a.nodeMemory(false)),
		get("/nodes/{node}/memory/relative", Monitoring, apitype.NodeMemory{}, "What a node's memory is used for, in percent", a.nodeMemory(true)),
		get("/nodes/{node}/memory/ets", Monitoring, apitype.Object{}, "Erlang tables; there are none", a.noTables),
		get("/nodes/{node}/memory/ets/{filter}", Monitoring, apitype.Object{}, "Erlang tables; there are none", a.noTables),

		list("/connections", Anyone, []apitype.Connection{}, "Connections", a.connections),
		list("/vhosts/{vhost}/connections", SeesVHost, []apitype.Connection{}, "Connections of a virtual host", a.connections),
		get("/connections/{name}", Anyone, apitype.Connection{}, "A connection", a.connection),
		plain(list("/connections/username/{user}", Anyone, []apitype.UserConnection{}, "Connections of a user", a.userConnections)),
		list("/connections/{name}/channels", Anyone, []apitype.Channel{}, "Channels of a connection", a.connectionChannels),
		list("/channels", Anyone, []apitype.Channel{}, "Channels", a.channels),
		list("/vhosts/{vhost}/channels", SeesVHost, []apitype.Channel{}, "Channels of a virtual host", a.channels),
		get("/channels/{channel}", Anyone, apitype.ChannelPage{}, "A channel", a.channel),
		list("/consumers", Anyone, []apitype.Consumer{}, "Consumers", a.consumers),
		list("/consumers/{vhost}", OfVHost, []apitype.Consumer{}, "Consumers of a virtual host", a.consumers),

		list("/queues", Anyone, []apitype.Queue{}, "Queues", a.queues),
		list("/queues/detailed", Anyone, []apitype.Queue{}, "Queues with all that there is to say", a.queues),
		list("/queues/{vhost}", OfVHost, []apitype.Queue{}, "Queues of a virtual host", a.queues),
		get("/queues/{vhost}/{queue}", OfVHost, apitype.QueuePage{}, "A queue", a.queue),
		get("/queues/{vhost}/{queue}/why", OfVHost, apitype.Why{}, "Why consumers of a queue get nothing", a.queueWhy),
		list("/exchanges", Anyone, []apitype.Exchange{}, "Exchanges", a.exchanges),
		list("/exchanges/{vhost}", OfVHost, []apitype.Exchange{}, "Exchanges of a virtual host", a.exchanges),
		get("/exchanges/{vhost}/{exchange}", OfVHost, apitype.ExchangePage{}, "An exchange", a.exchange),
		list("/vhosts", Anyone, []apitype.VHost{}, "Virtual hosts", a.vhosts),
		get("/vhosts/{vhost}", OfVHost, apitype.VHost{}, "A virtual host", a.oneVHost),

		{Method: http.MethodDelete, Path: "/reset", Access: Administrator, Summary: "Forget all rates and samples", Handle: a.resetStats},
		{Method: http.MethodDelete, Path: "/reset/{node}", Access: Administrator, Summary: "Forget a node's rates and samples", Handle: a.resetStats},
	}
}

// view is what a request wants of the statistics.
type view struct {
	ranges stats.Ranges
	off    bool // no statistics
	totals bool // but lengths of queues
	counts bool // no message_stats (rates_mode = none)
}

func (a *API) viewOf(rq *Request) view {
	q := rq.URL.Query()
	// What the configuration takes away a request does not bring back. It is
	// about the HTTP API: the tools at the node's own socket are told everything.
	v := view{off: q.Get("disable_stats") == "true", totals: q.Get("enable_queue_totals") == "true"}
	if !overSocket(rq.Context()) {
		v.off = v.off || a.Config.DisableStats
		v.totals = v.totals || a.Config.QueueTotals
		v.counts = a.Config.RatesMode == "none"
	}
	v.ranges = stats.Ranges{
		Lengths: rangeOf(q, "lengths"), Messages: rangeOf(q, "msg_rates"),
		Data: rangeOf(q, "data_rates"), Node: rangeOf(q, "node_stats"),
	}
	return v
}

// maxRange bounds how many samples one answer has of a metric.
const maxRange = 500

// checkRanges refuses ages that are not a number of steps, with RabbitMQ's words.
// What is no number at all asks for no samples.
func (rq *Request) checkRanges(q url.Values) error {
	code := "bad_request"
	if rq.Route.List {
		code = "invalid_range_parameters"
	}
	for _, name := range []string{"lengths", "msg_rates", "data_rates", "node_stats"} {
		age, err1 := strconv.ParseInt(q.Get(name+"_age"), 10, 64)
		incr, err2 := strconv.ParseInt(q.Get(name+"_incr"), 10, 64)
		if err1 == nil && err2 == nil && (age <= 0 || incr <= 0 || age/incr > maxRange) {
			return &Error{http.StatusBadRequest, code, fmt.Sprintf("Invalid range parameters: age %d, incr %d", age, incr)}
		}
	}
	return nil
}

func rangeOf(q url.Values, name string) stats.Range {
	age, err1 := strconv.ParseInt(q.Get(name+"_age"), 10, 64)
	incr, err2 := strconv.ParseInt(q.Get(name+"_incr"), 10, 64)
	if err1 != nil || err2 != nil || age <= 0 || incr <= 0 {
		return stats.Range{}
	}
	return stats.Range{Age: age, Incr: incr}
}

// detail is how a metric changes.
func detail(f *stats.Figures, m stats.Metric) apitype.Detail {
	d := apitype.Detail{Rate: f.Rate(m)}
	s := f.Series(m)
	if s == nil {
		return d
	}
	d.Avg, d.AvgRate = &s.Avg, &s.AvgRate
	d.Samples = make([]apitype.Sample, len(s.Samples))
	for i, x := range s.Samples {
		d.Samples[i] = apitype.Sample{Sample: float64(x.Value), Timestamp: x.Time}
	}
	return d
}

func details(f *stats.Figures, m stats.Metric) *apitype.Detail {
	d := detail(f, m)
	return &d
}

func lengths(f *stats.Figures, ready, unacked, aside int) *apitype.Lengths {
	return lengthsInto(&apitype.Lengths{}, &[3]apitype.Detail{}, f, ready, unacked, aside)
}

// lengthsInto is lengths in memory of the caller's.
func lengthsInto(l *apitype.Lengths, d *[3]apitype.Detail, f *stats.Figures, ready, unacked, aside int) *apitype.Lengths {
	*d = [3]apitype.Detail{detail(f, stats.Messages), detail(f, stats.Ready), detail(f, stats.Unacked)}
	*l = apitype.Lengths{
		Messages: int64(ready + unacked + aside), MessagesDetails: &d[0],
		MessagesReady: int64(ready), MessagesReadyDetails: &d[1],
		MessagesUnacknowledged: int64(unacked), MessagesUnacknowledgedDetails: &d[2],
	}
	return l
}

// received are the figures of deliveries, wherever they come from.
type received struct {
	Delivered, DeliveredNoAck, Got, GotNoAck, GotEmpty, Redelivered, Acked uint64
}

func (r *received) any() bool { return *r != received{} }

func (r *received) stats(f *stats.Figures) *apitype.DeliverStats {
	if !r.any() {
		return nil
	}
	return &apitype.DeliverStats{
		Ack: int64(r.Acked), AckDetails: detail(f, stats.Ack),
		Deliver: int64(r.Delivered), DeliverDetails: detail(f, stats.Deliver),
		DeliverGet: int64(r.Delivered + r.DeliveredNoAck + r.Got + r.GotNoAck), DeliverGetDetails: detail(f, stats.DeliverGet),
		DeliverNoAck: int64(r.DeliveredNoAck), DeliverNoAckDetails: detail(f, stats.DeliverNoAck),
		Get: int64(r.Got), GetDetails: detail(f, stats.Get),
		GetEmpty: int64(r.GotEmpty), GetEmptyDetails: detail(f, stats.GetEmpty),
		GetNoAck: int64(r.GotNoAck), GetNoAckDetails: detail(f, stats.GetNoAck),
		Redeliver: int64(r.Redelivered), RedeliverDetails: detail(f, stats.Redeliver),
	}
}

func publishStats(n uint64, f *stats.Figures) *apitype.PublishStats {
	return &apitype.PublishStats{Publish: int64(n), PublishDetails: detail(f, stats.Publish)}
}

func confirmStats(confirmed, dropped, returned uint64, f *stats.Figures) *apitype.ConfirmStats {
	return &apitype.ConfirmStats{
		Confirm: int64(confirmed), ConfirmDetails: detail(f, stats.Confirm),
		DropUnroutable: int64(dropped), DropUnroutableDetails: detail(f, stats.DropUnroutable),
		ReturnUnroutable: int64(returned), ReturnUnroutableDetails: detail(f, stats.ReturnUnroutable),
	}
}

// rateColumns are the rates that lists are sorted by.
func rateColumns() map[string]stats.Metric {
	m := map[string]stats.Metric{
		"messages_details.rate": stats.Messages, "messages_ready_details.rate": stats.Ready, "messages_unacknowledged_details.rate": stats.Unacked,
	}
	for name, metric := range map[string]stats.Metric{
		"publish": stats.Publish, "confirm": stats.Confirm, "return_unroutable": stats.ReturnUnroutable, "drop_unroutable": stats.DropUnroutable,
		"deliver": stats.Deliver, "deliver_no_ack": stats.DeliverNoAck, "deliver_get": stats.DeliverGet, "get": stats.Get, "get_no_ack": stats.GetNoAck,
		"get_empty": stats.GetEmpty, "redeliver": stats.Redeliver, "ack": stats.Ack,
	} {
		m["message_stats."+name+"_details.rate"] = metric
	}
	return m
}

// nonEmpty is m, or nil if nothing has happened.
func nonEmpty(m *apitype.MessageStats) *apitype.MessageStats {
	if *m == (apitype.MessageStats{}) {
		return nil
	}
	return m
}

// idleSince is RabbitMQ's text for since when nothing has happened.
func idleSince(f *stats.Figures) string {
	if f == nil || f.Idle.IsZero() {
		return ""
	}
	return f.Idle.UTC().Format("2006-01-02T15:04:05.000-07:00")
}

// age is how old something is, in ms; nil: there is nothing.
func age(at int64, now time.Time) *int64 {
	if at == 0 {
		return nil
	}
	ms := max(now.UnixMilli()-at, 0)
	return &ms
}

// statsOff is RabbitMQ's answer where there is nothing without statistics.
func statsOff() error {
	return &Error{http.StatusBadRequest, "bad_request", "Stats in management UI are disabled on this node"}
}

func (a *API) resetStats(rq *Request) error {
	if n := rq.Var("node"); n != "" && n != a.Config.NodeName {
		return NotFound()
	}
	return a.nodeCommand(rq, "reset statistics", "", func() error { a.Stats.Reset(); return nil })
}
