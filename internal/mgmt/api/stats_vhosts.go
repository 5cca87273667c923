package api

import (
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

// surveyAge is how old sums over all objects may be that the API shows.
const surveyAge = 100 * time.Millisecond

func (a *API) vhosts(rq *Request) error {
	rows := []apitype.VHost{}
	v := a.viewOf(rq)
	sv := a.Stats.Survey(surveyAge)
	for _, d := range a.vhostDefs(rq.vhostsSeen(rq.Monitor())) {
		rows = append(rows, a.vhostRow(d, &v, sv))
	}
	return ListOf(rq, rows, "name")
}

func (a *API) vhostDefs(names []string) (ds []*meta.VHost) {
	a.Broker.View(func(s *meta.State) {
		for _, n := range names {
			if d := s.VHost(n); d != nil {
				ds = append(ds, d)
			}
		}
	})
	return ds
}

func (a *API) oneVHost(rq *Request) error {
	name, err := rq.VHost()
	if err != nil {
		return err
	}
	ds := a.vhostDefs([]string{name})
	if len(ds) == 0 {
		return NotFound()
	}
	v := a.viewOf(rq)
	return rq.Reply(a.vhostRow(ds[0], &v, a.Stats.Survey(surveyAge)))
}

func (a *API) vhostRow(d *meta.VHost, v *view, sv *broker.Survey) apitype.VHost {
	tags := d.Tags
	if tags == nil {
		tags = []string{}
	}
	r := apitype.VHost{
		ClusterState: map[string]string{a.Config.NodeName: "running"}, DefaultQueueType: d.DefaultQueueType, Description: d.Description,
		Metadata: apitype.VHostMetadata{Description: d.Description, Tags: tags, DefaultQueueType: d.DefaultQueueType},
		Name:     d.Name, ProtectedFromDeletion: d.Protected, Tags: tags, Tracing: d.Tracing,
	}
	if r.DefaultQueueType == "" {
		r.DefaultQueueType = "undefined"
	}
	if v.off {
		return r
	}
	for i := range sv.VHosts {
		if vs := &sv.VHosts[i]; vs.VHost.Name == d.Name {
			a.fillVHost(&r, vs, v)
		}
	}
	return r
}

func (a *API) fillVHost(r *apitype.VHost, vs *broker.VHostSurvey, v *view) {
	f := a.Stats.VHost(vs.VHost, v.ranges)
	t := &vs.Totals
	if vs.QueueCount > 0 {
		r.Lengths = lengths(f, vs.Ready, vs.Unacked, vs.Aside)
	}
	if t.RecvBytes > 0 {
		r.VHostTraffic = &apitype.VHostTraffic{
			RecvOct: int64(t.RecvBytes), RecvOctDetails: detail(f, stats.RecvOct), SendOct: int64(t.SendBytes), SendOctDetails: detail(f, stats.SendOct),
		}
	}
	if !v.counts {
		r.MessageStats = nonEmpty(sumStats(t, f))
	}
}

// sumStats are the message stats of a virtual host or the node.
func sumStats(t *broker.Totals, f *stats.Figures) *apitype.MessageStats {
	q := t.AllQueues()
	rec := received{q.Delivered, q.DeliveredNoAck, q.Got, q.GotNoAck, q.GotEmpty, q.Redelivered, q.Acked}
	m := &apitype.MessageStats{DeliverStats: rec.stats(f)}
	if t.Published > 0 {
		m.PublishStats = publishStats(t.Published, f)
		m.ConfirmStats = confirmStats(t.Confirmed, t.Dropped, t.Returned, f)
	}
	return m
}
