package api

import (
	"runtime"
	"strconv"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

func exchangeTypes(described bool) []apitype.ExchangeType {
	var out []apitype.ExchangeType
	for _, n := range []string{"direct", "fanout", "headers", "topic"} {
		out = append(out, apitype.ExchangeType{Name: n, Description: "AMQP " + n + " exchange, as per the AMQP specification", Enabled: true})
	}
	return out
}

// retention are the ages, in seconds, that samples can be asked for.
func (a *API) retention() map[string][]int64 {
	r := a.Stats.Retention()
	out := map[string][]int64{}
	for name, spans := range map[string][]stats.Span{"global": r.Global, "basic": r.Basic, "detailed": r.Detailed} {
		out[name] = []int64{}
		for _, s := range spans {
			out[name] = append(out[name], chartRange(s.Age))
		}
	}
	return out
}

// chartRange is the range of RabbitMQ's page that an age is meant for; 0: none.
func chartRange(age int64) int64 {
	if age <= 66 {
		return 60
	}
	for _, r := range []int64{600, 3600, 28800, 86400} {
		if age >= r-r/10 && age <= r+r/10 {
			return r
		}
	}
	return 0
}

func (a *API) overview(rq *Request) error {
	c := &a.Config
	v := a.viewOf(rq)
	o := apitype.Overview{
		ManagementVersion: c.Level, RatesMode: c.RatesMode, SampleRetentionPolicies: a.retention(), ExchangeTypes: exchangeTypes(true),
		Additions: a.additions(), ProductVersion: c.ProductVersion, ProductName: c.ProductName, RabbitMQVersion: c.Level, ClusterName: a.clusterName(),
		ClusterTags: apitype.Object{}, NodeTags: apitype.Object{},
		ErlangVersion: "", ErlangFullVersion: "none: Warren is written in Go (" + runtime.Version() + ")", CryptoLibVersion: runtime.Version(),
		ReleaseSeriesSupport: "supported", DisableStats: v.off, EnableQueueTotals: v.totals, IsOpPolicyUpdating: !c.NoOpPolicies, DefaultQueueType: "classic",
	}
	if v.off {
		o.ObjectTotals = a.fewTotals(rq)
	} else {
		a.overviewStats(rq, &o, &v)
	}
	if rq.Monitor() {
		o.Node = c.NodeName
	}
	if rq.Monitor() && !v.off {
		o.Listeners, o.Contexts = a.listenerRows(), a.contextRows()
	}
	return rq.Reply(o)
}

// fewTotals are the objects that are counted without statistics.
func (a *API) fewTotals(rq *Request) *apitype.FewTotals {
	t := &apitype.FewTotals{Connections: len(rq.sessions())}
	for _, n := range rq.vhostsSeen(rq.Monitor()) {
		if v := a.Broker.VHost(n); v != nil {
			t.Queues += len(v.Queues())
			t.Exchanges += len(v.Exchanges()) + 1
		}
	}
	return t
}

// overviewStats: who monitors sees the sums over everything, others those of
// the virtual hosts that they have access to.
func (a *API) overviewStats(rq *Request, o *apitype.Overview, v *view) {
	sv := a.Stats.Survey(surveyAge)
	f := a.Stats.Node(v.ranges)
	t, parts := &sv.Node, sv.VHosts
	if !rq.Monitor() {
		t, parts = a.visible(rq, sv)
		f = nil
	}
	tot := &apitype.ObjectTotals{}
	ready, unacked, aside := 0, 0, 0
	for i := range parts {
		p := &parts[i]
		ready, unacked, aside = ready+p.Ready, unacked+p.Unacked, aside+p.Aside
		tot.Queues += p.QueueCount
		tot.Exchanges += p.Exchanges
		tot.Consumers += p.Consumers
	}
	for _, s := range rq.sessions() {
		tot.Connections++
		if s.info.Client != nil {
			tot.Channels += s.info.Client.ChannelCount()
		}
	}
	o.ObjectTotals = tot
	o.MessageStats = overviewRates(t, f, v)
	o.QueueTotals = apitype.Object{}
	if tot.Queues > 0 {
		o.QueueTotals = lengths(f, ready, unacked, aside)
	}
	churn := a.churn(f)
	o.ChurnRates = &churn
	zero := 0
	o.EventQueue = &zero // nothing waits: samples are taken, not sent
}

// overviewRates: with rates_mode = none only what was read and written is
// counted.
func overviewRates(t *broker.Totals, f *stats.Figures, v *view) *apitype.MessageStats {
	ms, q := &apitype.MessageStats{}, t.AllQueues()
	if v.counts {
		f = nil
	} else if ms = sumStats(t, f); nonEmpty(ms) == nil {
		return ms
	}
	ms.DiskStats = &apitype.DiskStats{
		DiskReads: int64(q.DiskReads), DiskReadsDetails: detail(f, stats.DiskReads), DiskWrites: int64(q.DiskWrites), DiskWritesDetails: detail(f, stats.DiskWrites),
	}
	return ms
}

// visible sums up the virtual hosts that the user has access to.
func (a *API) visible(rq *Request, sv *broker.Survey) (*broker.Totals, []broker.VHostSurvey) {
	t := &broker.Totals{}
	var parts []broker.VHostSurvey
	mine := map[string]bool{}
	for _, n := range rq.vhostsSeen(false) {
		mine[n] = true
	}
	for i := range sv.VHosts {
		if mine[sv.VHosts[i].VHost.Name] {
			parts = append(parts, sv.VHosts[i])
			t.Add(&sv.VHosts[i].Totals)
		}
	}
	return t, parts
}

func (a *API) churn(f *stats.Figures) apitype.Churn {
	c := a.Broker.Churn()
	return apitype.Churn{
		ChannelClosed: int64(c.ChannelsClosed), ChannelClosedDetails: detail(f, stats.ChannelClosed),
		ChannelCreated: int64(c.ChannelsCreated), ChannelCreatedDetails: detail(f, stats.ChannelCreated),
		ConnectionClosed: int64(c.ConnectionsClosed), ConnectionClosedDetails: detail(f, stats.ConnectionClosed),
		ConnectionCreated: int64(c.ConnectionsCreated), ConnectionCreatedDetails: detail(f, stats.ConnectionCreated),
		QueueCreated: int64(c.QueuesCreated), QueueCreatedDetails: detail(f, stats.QueueCreated),
		QueueDeclared: int64(c.QueuesDeclared), QueueDeclaredDetails: detail(f, stats.QueueDeclared),
		QueueDeleted: int64(c.QueuesDeleted), QueueDeletedDetails: detail(f, stats.QueueDeleted),
	}
}

func (a *API) listenerRows() []apitype.ListenerRow {
	rows := []apitype.ListenerRow{}
	for _, l := range a.Node.Listeners() {
		rows = append(rows, apitype.ListenerRow{Node: a.Config.NodeName, Protocol: l.Protocol, IPAddress: l.Address, Port: l.Port, SocketOpts: apitype.Object{"port": l.Port}})
	}
	return rows
}

// promProtocol: RabbitMQ names the protocol of that context only.
func promProtocol(p string) string {
	if p == "http/prometheus" {
		return p
	}
	return ""
}

func (a *API) contextRows() []apitype.ContextRow {
	rows := []apitype.ContextRow{}
	for _, l := range a.Node.Listeners() {
		about := map[string]string{"http": "RabbitMQ Management", "https": "RabbitMQ Management", "http/prometheus": "RabbitMQ Prometheus"}[l.Protocol]
		if about == "" {
			continue
		}
		rows = append(rows, apitype.ContextRow{SSLOpts: []any{}, Node: a.Config.NodeName, Description: about, Protocol: promProtocol(l.Protocol),
			Path: "/", CowboyOpts: "[]", IP: l.Address, Port: strconv.Itoa(l.Port)})
	}
	return rows
}

// additions are the parts of the API that RabbitMQ does not have.
func (a *API) additions() []string {
	if a.Hosts == nil {
		return []string{"messages"}
	}
	return []string{"messages", "hosts"}
}
