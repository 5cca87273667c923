package api

import (
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// chanRef is a channel with the connection that it is part of.
type chanRef struct {
	*session
	ch     *broker.Channel
	number int
	name   string
}

func (s *session) channels() []chanRef {
	if s.info.Client == nil {
		return nil
	}
	var out []chanRef
	for _, ch := range s.info.Client.Channels() {
		n := channelNumber(ch)
		out = append(out, chanRef{s, ch, n, s.info.Name + " (" + strconv.Itoa(n) + ")"})
	}
	return out
}

func channelNumber(ch *broker.Channel) int {
	if cs, ok := ch.Outlet().(broker.ChannelSession); ok {
		return cs.Number()
	}
	return 0
}

func (a *API) channels(rq *Request) error {
	if _, ok := rq.vars["vhost"]; ok {
		if _, err := rq.VHost(); err != nil {
			return err
		}
	}
	var refs []chanRef
	ss := rq.sessions()
	for i := range ss {
		refs = append(refs, ss[i].channels()...)
	}
	return a.channelList(rq, refs)
}

func (a *API) connectionChannels(rq *Request) error {
	s, err := rq.findSession(rq.Var("name"))
	if err != nil {
		return err
	}
	return a.channelList(rq, s.channels())
}

func (a *API) channelList(rq *Request, refs []chanRef) error {
	v := a.viewOf(rq)
	return List(rq, Rows[apitype.Channel]{
		N:     len(refs),
		Row:   func(i int) apitype.Channel { return a.channelRow(&refs[i], &v) },
		Cheap: a.cheapChannels(refs, &v),
	})
}

// cheapChannels are the columns of a list of channels that can be had without
// the row.
func (a *API) cheapChannels(refs []chanRef, v *view) map[string]func(int) Key {
	keys := map[string]func(int) Key{
		"name":   func(i int) Key { return Text(refs[i].name) },
		"vhost":  func(i int) Key { return Text(refs[i].info.VHost) },
		"user":   func(i int) Key { return Text(refs[i].info.UserName) },
		"number": func(i int) Key { return Number(float64(refs[i].number)) },
		"node":   func(int) Key { return Text(a.Config.NodeName) },
	}
	if v.off {
		return keys
	}
	info := func(name string, f func(i *broker.ChannelInfo) int) {
		keys[name] = func(i int) Key {
			var ci broker.ChannelInfo
			if cs, ok := refs[i].ch.Outlet().(broker.ChannelSession); ok {
				ci = cs.Info()
			}
			return Number(float64(f(&ci)))
		}
	}
	info("messages_unacknowledged", func(i *broker.ChannelInfo) int { return i.Unacked })
	info("consumer_count", func(i *broker.ChannelInfo) int { return i.Consumers })
	info("prefetch_count", func(i *broker.ChannelInfo) int { return i.Prefetch })
	for name, m := range rateColumns() {
		if strings.HasPrefix(name, "message_stats.") && !v.counts {
			keys[name] = func(i int) Key { return Number(a.Stats.ChannelRate(refs[i].ch, m)) }
		}
	}
	return keys
}

func (a *API) channelRow(r *chanRef, v *view) apitype.Channel {
	i := &r.info
	c := apitype.Channel{
		ConnectionDetails: apitype.ConnectionRef{Name: i.Name, PeerHost: i.PeerHost, PeerPort: i.PeerPort},
		Name:              r.name, Node: a.Config.NodeName, Number: r.number, User: i.UserName, UserWhoPerformedAction: i.UserName, VHost: i.VHost,
	}
	if v.off {
		return c
	}
	f := a.Stats.Channel(r.ch, v.ranges)
	sent, unconfirmed := r.ch.Sent()
	var ci broker.ChannelInfo
	if cs, ok := r.ch.Outlet().(broker.ChannelSession); ok {
		ci = cs.Info()
	}
	st := &apitype.ChannelStats{
		AcksUncommitted: ci.UncommittedAcks, Confirm: ci.Confirm, ConsumerCount: ci.Consumers, GlobalPrefetchCount: ci.GlobalPrefetch,
		IdleSince: idleSince(f), MessagesUnacknowledged: ci.Unacked, MessagesUncommitted: ci.UncommittedMessages,
		PrefetchCount: ci.Prefetch, State: "running", Transactional: ci.Transactional,
	}
	if ci.Confirm {
		st.MessagesUnconfirmed = int64(unconfirmed)
	}
	if i.State == "flow" {
		st.State = "flow"
	}
	ms := &apitype.MessageStats{}
	if sent.Published > 0 {
		ms.PublishStats = publishStats(sent.Published, f)
		ms.ConfirmStats = confirmStats(sent.Confirmed, sent.Dropped, sent.Returned, f)
	}
	ms.DeliverStats = (*received)(&ci.Received).stats(f)
	if !v.counts {
		st.MessageStats = nonEmpty(ms)
	}
	c.ChannelStats = st
	return c
}

func (a *API) channel(rq *Request) error {
	name := rq.Var("channel")
	ss := rq.API.Broker.Sessions()
	for i := range ss {
		s := session{ss[i], ss[i].Info()}
		if !s.info.Opened || len(name) <= len(s.info.Name) || name[:len(s.info.Name)] != s.info.Name {
			continue
		}
		for _, r := range s.channels() {
			if r.name != name {
				continue
			}
			if !rq.Monitor() && s.info.UserName != rq.User.Name {
				return accessRefused()
			}
			return rq.Reply(a.channelPage(rq, &r))
		}
	}
	return NotFound()
}

func (a *API) channelPage(rq *Request, r *chanRef) apitype.ChannelPage {
	v := a.viewOf(rq)
	p := apitype.ChannelPage{Channel: a.channelRow(r, &v), ConsumerDetails: []apitype.Consumer{}, Deliveries: []apitype.PerQueue{}, Publishes: a.publishes(r, &v)}
	cs, ok := r.ch.Outlet().(broker.ChannelSession)
	if !ok || v.off {
		return p
	}
	cs.ByQueue(func(pq *queueproc.Queue, n broker.Received) {
		if a.Config.RatesMode == "detailed" && n != (broker.Received{}) {
			p.Deliveries = append(p.Deliveries, apitype.PerQueue{
				Stats: apitype.MessageStats{DeliverStats: (*received)(&n).stats(a.Stats.Delivery(r.ch, pq, v.ranges))},
				Queue: &apitype.ObjectRef{Name: pq.Name, VHost: pq.VHost},
			})
		}
		q, ok := pq.Owner.(*broker.Queue)
		if !ok {
			return
		}
		for _, c := range q.Consumers() {
			if c.Channel == r.ch {
				p.ConsumerDetails = append(p.ConsumerDetails, a.consumerRow(&c, r))
			}
		}
	})
	return p
}

// where finds the channels that consumers belong to.
func (rq *Request) where() map[*broker.Channel]*chanRef {
	at := map[*broker.Channel]*chanRef{}
	for _, s := range rq.API.Broker.Sessions() {
		se := &session{s, s.Info()}
		for _, r := range se.channels() {
			at[r.ch] = &r
		}
	}
	return at
}

func (a *API) consumers(rq *Request) error {
	names, err := rq.VHosts()
	if err != nil {
		return err
	}
	if v := a.viewOf(rq); v.off {
		return statsOff()
	}
	at := rq.where()
	rows := []apitype.Consumer{}
	for _, name := range names {
		v := a.Broker.VHost(name)
		if v == nil {
			continue
		}
		for _, q := range v.Queues() {
			for _, c := range q.Consumers() {
				r := at[c.Channel]
				if r == nil || !rq.Monitor() && r.info.UserName != rq.User.Name {
					continue
				}
				rows = append(rows, a.consumerRow(&c, r))
			}
		}
	}
	return ListOf(rq, rows, "queue.vhost", "queue.name", "consumer_tag")
}

func (a *API) channelDetails(r *chanRef) apitype.ChannelDetails {
	return apitype.ChannelDetails{
		ConnectionName: r.info.Name, Name: r.name, Node: a.Config.NodeName, Number: r.number,
		PeerHost: r.info.PeerHost, PeerPort: r.info.PeerPort, User: r.info.UserName,
	}
}

// consumerRow describes a consumer; r is nil if its channel has just gone.
func (a *API) consumerRow(c *broker.ConsumerInfo, r *chanRef) apitype.Consumer {
	row := apitype.Consumer{
		Arguments: wireTableJSON(nil), AckRequired: !c.NoAck, Active: c.Active, ActivityStatus: "up", ConsumerTag: c.Tag, Exclusive: c.Exclusive,
		PrefetchCount: int(c.Prefetch), Queue: apitype.ObjectRef{Name: c.Queue.Name, VHost: c.Queue.VHost}, Unacknowledged: c.Unacked,
	}
	if c.Session != nil {
		row.Arguments = wireTableJSON(c.Session.Arguments())
	}
	if c.Queue.Definition().Effective.SingleActive {
		if row.ActivityStatus = "waiting"; c.Active {
			row.ActivityStatus = "single_active"
		}
	}
	if r != nil {
		row.ChannelDetails = a.channelDetails(r)
	}
	return row
}
