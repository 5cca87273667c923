package api

import (
	"cmp"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// What passed between two objects. With rates_mode = detailed the core counts it,
// else there is nothing and the lists are empty.

func (v *view) pairs() bool { return !v.off && !v.counts }

// publishes are a channel's, by exchanges.
func (a *API) publishes(r *chanRef, v *view) []apitype.PerQueue {
	rows := []apitype.PerQueue{}
	if !v.pairs() {
		return rows
	}
	for _, f := range r.ch.Feeds() {
		if row, ok := a.feedRow(f, v); ok {
			row.Exchange = exchangeRef(f.Exchange, r.info.VHost)
			rows = append(rows, row)
		}
	}
	return sorted(rows)
}

// publishedTo is what came to an exchange, by channels.
func (a *API) publishedTo(rq *Request, r *xRef, v *view) []apitype.PerQueue {
	rows := []apitype.PerQueue{}
	if !v.pairs() {
		return rows
	}
	feeds := r.v.Incoming(r.x)
	if len(feeds) == 0 {
		return rows
	}
	at := rq.where()
	for _, f := range feeds {
		ref := at[f.Channel]
		if ref == nil {
			continue // of no connection, or gone by now
		}
		if row, ok := a.feedRow(f, v); ok {
			d := a.channelDetails(ref)
			row.ChannelDetails = &d
			rows = append(rows, row)
		}
	}
	return sorted(rows)
}

// outgoing is what left an exchange, by queues.
func (a *API) outgoing(r *xRef, v *view) []apitype.PerQueue {
	rows := []apitype.PerQueue{}
	if !v.pairs() {
		return rows
	}
	for _, f := range r.v.Outgoing(r.x) {
		if row, ok := a.flowRow(f, v); ok {
			row.Queue = &apitype.ObjectRef{Name: f.Queue.Name, VHost: r.v.Name}
			rows = append(rows, row)
		}
	}
	return sorted(rows)
}

// incoming is what came into a queue, by the exchanges that it was published to.
func (a *API) incoming(q *broker.Queue, v *view) []apitype.PerQueue {
	rows := []apitype.PerQueue{}
	if !v.pairs() {
		return rows
	}
	for _, f := range q.Incoming() {
		if row, ok := a.flowRow(f, v); ok {
			row.Exchange = exchangeRef(f.Exchange, q.VHost)
			rows = append(rows, row)
		}
	}
	return sorted(rows)
}

func (a *API) feedRow(f *broker.Feed, v *view) (row apitype.PerQueue, ok bool) {
	n := f.Sent()
	fs := a.Stats.Feed(f, v.ranges)
	row.Stats.PublishStats = publishStats(n.Published, fs)
	row.Stats.ConfirmStats = confirmStats(n.Confirmed, n.Dropped, n.Returned, fs)
	return row, n.Published > 0
}

func (a *API) flowRow(f *broker.Flow, v *view) (row apitype.PerQueue, ok bool) {
	n := f.Published()
	row.Stats.PublishStats = publishStats(n, a.Stats.Flow(f, v.ranges))
	return row, n > 0
}

func exchangeRef(x *broker.Exchange, vhost string) *apitype.ObjectRef {
	ref := &apitype.ObjectRef{VHost: vhost}
	if x != nil {
		ref.Name = x.Name
	}
	return ref
}

// sorted puts such rows in order by the object that they name.
func sorted(rows []apitype.PerQueue) []apitype.PerQueue {
	slices.SortFunc(rows, func(x, y apitype.PerQueue) int {
		switch {
		case x.Exchange != nil:
			return cmp.Compare(x.Exchange.Name, y.Exchange.Name)
		case x.Queue != nil:
			return cmp.Compare(x.Queue.Name, y.Queue.Name)
		}
		c, d := x.ChannelDetails, y.ChannelDetails
		return cmp.Or(cmp.Compare(c.ConnectionName, d.ConnectionName), cmp.Compare(c.Number, d.Number))
	})
	return rows
}
