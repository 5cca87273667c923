package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
	"github.com/warrenmq/warren/internal/stats"
)

func (a *API) queues(rq *Request) error {
	names, err := rq.VHosts()
	if err != nil {
		return err
	}
	var qs []*broker.Queue
	for _, n := range names {
		if v := a.Broker.VHost(n); v != nil {
			qs = append(qs, v.Queues()...)
		}
	}
	w := a.queueWriter(rq)
	return List(rq, Rows[apitype.Queue]{
		N:     len(qs),
		Row:   func(i int) apitype.Queue { return w.row(qs[i], &queueRow{}) },
		Brief: func(i int) apitype.Queue { return w.row(qs[i], &w.scratch) },
		Cheap: w.cheap(qs),
	})
}

// cheap are the columns of a list of queues that can be had without the row.
func (w *queueWriter) cheap(qs []*broker.Queue) map[string]func(int) Key {
	keys := map[string]func(int) Key{
		"name":  func(i int) Key { return Text(qs[i].Name) },
		"vhost": func(i int) Key { return Text(qs[i].VHost) },
		"type":  func(i int) Key { return Text(qs[i].Definition().Type) },
		"node":  func(int) Key { return Text(w.a.Config.NodeName) },
		"state": func(int) Key { return Text("running") },
	}
	if w.off {
		return keys
	}
	depth := func(name string, f func(d *queueproc.Depths) int64) {
		keys[name] = func(i int) Key {
			b := qs[i].Backlog()
			return Number(float64(f(&b.Depths)))
		}
	}
	depth("messages", func(d *queueproc.Depths) int64 { return int64(d.Messages()) })
	depth("messages_delayed", func(d *queueproc.Depths) int64 { return int64(d.Delayed) })
	depth("messages_dlx", func(d *queueproc.Depths) int64 { return int64(d.Dead) })
	depth("messages_ready", func(d *queueproc.Depths) int64 { return int64(d.Ready) })
	depth("messages_unacknowledged", func(d *queueproc.Depths) int64 { return int64(d.Unacked) })
	depth("consumers", func(d *queueproc.Depths) int64 { return int64(d.Consumers) })
	depth("message_bytes", func(d *queueproc.Depths) int64 { return d.Bytes() })
	depth("message_bytes_dlx", func(d *queueproc.Depths) int64 { return d.DeadBytes })
	depth("message_bytes_ready", func(d *queueproc.Depths) int64 { return d.ReadyBytes })
	depth("message_bytes_unacknowledged", func(d *queueproc.Depths) int64 { return d.UnackedBytes })
	depth("memory", queueBytes)
	for name, m := range rateColumns() {
		if w.counts && strings.HasPrefix(name, "message_stats.") {
			continue
		}
		keys[name] = func(i int) Key { return Number(w.a.Stats.QueueRate(qs[i], m)) }
	}
	return keys
}

// queueBytes is what a queue takes of the memory.
func queueBytes(d *queueproc.Depths) int64 {
	return queueSize + d.Memory + itemSize*int64(d.ReadyInMemory+d.Unacked)
}

// findQueue finds the path's queue at work.
func (rq *Request) findQueue() (*broker.Queue, error) {
	if v := rq.API.Broker.VHost(rq.Var("vhost")); v != nil {
		if q := v.Queue(rq.Var("queue")); q != nil {
			return q, nil
		}
	}
	return nil, NotFound()
}

func (a *API) queue(rq *Request) error {
	q, err := rq.findQueue()
	if err != nil {
		return err
	}
	w := a.queueWriter(rq)
	p := apitype.QueuePage{Queue: w.row(q, &queueRow{}), ConsumerDetails: []apitype.Consumer{}, Deliveries: []apitype.PerQueue{}, Incoming: a.incoming(q, &w.view)}
	if w.off {
		return rq.Reply(p)
	}
	at := rq.where()
	for _, c := range q.Consumers() {
		p.ConsumerDetails = append(p.ConsumerDetails, a.consumerRow(&c, at[c.Channel]))
	}
	if a.Config.RatesMode == "detailed" {
		p.Deliveries = append(p.Deliveries, a.deliveries(q, at, &w.view)...)
	}
	return rq.Reply(p)
}

// deliveries are what each channel was given of a queue.
func (a *API) deliveries(q *broker.Queue, at map[*broker.Channel]*chanRef, v *view) (rows []apitype.PerQueue) {
	for ch, r := range at {
		cs, ok := ch.Outlet().(broker.ChannelSession)
		if !ok || r.info.VHost != q.VHost {
			continue
		}
		cs.ByQueue(func(pq *queueproc.Queue, n broker.Received) {
			if pq == q.Queue && n != (broker.Received{}) {
				d := a.channelDetails(r)
				rows = append(rows, apitype.PerQueue{Stats: apitype.MessageStats{DeliverStats: (*received)(&n).stats(a.Stats.Delivery(ch, pq, v.ranges))}, ChannelDetails: &d})
			}
		})
	}
	return sorted(rows)
}

// queueWriter makes rows of queues for one request.
type queueWriter struct {
	view
	a        *API
	now      time.Time
	figures  stats.Figures // scratch
	scratch  queueRow
	policies map[[2]*meta.Policy]json.RawMessage

	// What the row before had: many are alike.
	args     wire.TableView
	argsJSON json.RawMessage
	idle     time.Time
	idleText string
}

// queueRow is the memory of a row.
type queueRow struct {
	lengths apitype.Lengths
	details [3]apitype.Detail
	stats   apitype.QueueStats
	classic apitype.ClassicQueue
	backing apitype.BackingQueue
	delta   [5]any
}

func (a *API) queueWriter(rq *Request) *queueWriter {
	return &queueWriter{view: a.viewOf(rq), a: a, now: time.Now(), policies: map[[2]*meta.Policy]json.RawMessage{}}
}

func (w *queueWriter) arguments(t wire.TableView) json.RawMessage {
	if w.argsJSON == nil || !bytes.Equal(w.args, t) {
		w.args, w.argsJSON = t, tableJSON(t)
	}
	return w.argsJSON
}

func (w *queueWriter) idleSince(f *stats.Figures) string {
	if f == nil || f.Idle.IsZero() {
		return ""
	}
	if f.Idle != w.idle {
		w.idle, w.idleText = f.Idle, idleSince(f)
	}
	return w.idleText
}

// row describes a queue, in the memory of m.
func (w *queueWriter) row(q *broker.Queue, m *queueRow) apitype.Queue {
	d := q.Definition()
	r := apitype.Queue{
		Arguments: w.arguments(wire.TableView(d.Args)), AutoDelete: d.AutoDelete, Durable: d.Durable, Exclusive: d.Exclusive,
		Name: d.Name, Node: w.a.Config.NodeName, State: "running", Type: d.Type, VHost: d.VHost,
	}
	if q.Kind() != broker.ClassicQueue {
		r.QuorumQueue = w.quorum()
	}
	if w.off {
		if w.totals {
			b := q.Backlog()
			r.Lengths = &apitype.Lengths{Messages: int64(b.Messages()), MessagesReady: int64(b.Ready), MessagesUnacknowledged: int64(b.Unacked)}
		}
		return r
	}
	f := w.a.Stats.QueueInto(q, w.ranges, &w.figures)
	i := q.Info()
	r.Lengths = lengthsInto(&m.lengths, &m.details, f, i.Ready, i.Unacked, i.Aside())
	r.QueueStats = w.stats(&m.stats, q, d, &i, f)
	if q.Kind() == broker.ClassicQueue {
		paged := int64(i.Ready - i.ReadyInMemory)
		r.ClassicQueue = &m.classic
		m.classic = apitype.ClassicQueue{
			MessagesPagedOut: paged, MessageBytesPagedOut: share(i.ReadyBytes, paged, int64(i.Ready)),
			MessagesReadyRAM: int64(i.ReadyInMemory), StorageVersion: 2,
		}
		r.BackingQueueStatus = w.backing(m, q, &i, f)
	} else if i.Stream != nil {
		r.StreamStats = w.streamStats(i.Stream)
	} else {
		r.QuorumStats = w.quorumStats(d, &i)
	}
	return r
}

// share is the part of bytes that so many of all messages have.
func share(bytes, some, all int64) int64 {
	if all == 0 {
		return 0
	}
	return int64(float64(bytes) / float64(all) * float64(some))
}

// itemSize is what a queue keeps of a message in memory besides its bytes, and
// queueSize what it costs without messages.
const (
	itemSize  = 80
	queueSize = 2 << 10
)

func (w *queueWriter) stats(s *apitype.QueueStats, q *broker.Queue, d *meta.Queue, i *queueproc.Info, f *stats.Figures) *apitype.QueueStats {
	*s = apitype.QueueStats{
		Consumers: i.Consumers, EffectivePolicyDefinition: w.policy(d), IdleSince: w.idleSince(f),
		Memory:       queueSize + i.Memory + itemSize*int64(i.ReadyInMemory+i.Unacked),
		MessageBytes: i.Bytes(), MessageBytesReady: i.ReadyBytes, MessageBytesUnacknowledged: i.UnackedBytes,
		MessageBytesPersistent: i.PersistentBytes, MessagesPersistent: i.Persistent,
		MessagesRAM: int64(i.ReadyInMemory), MessageBytesRAM: share(i.ReadyBytes, int64(i.ReadyInMemory), int64(i.Ready)),
		OldestReadyAge: age(i.OldestReady, w.now), OldestUnackedAge: age(i.OldestUnacked, w.now),
	}
	if i.Consumers > 0 {
		s.ConsumerCapacity = max(min(1-f.Rate(stats.Stalled)/1000, 1), 0)
		s.ConsumerUtilisation = s.ConsumerCapacity
	}
	if i.ActiveTag != "" {
		tag := i.ActiveTag
		s.SingleActiveConsumerTag = &tag
	}
	if i.ExclusiveTag != "" {
		tag := i.ExclusiveTag
		s.ExclusiveConsumerTag = &tag
	}
	if d.Policy != nil {
		s.Policy = &d.Policy.Name
	}
	if d.OperatorPolicy != nil {
		s.OperatorPolicy = &d.OperatorPolicy.Name
	}
	if c := q.Owner(); c != nil {
		s.OwnerPidDetails = &apitype.ConnectionRef{Name: c.Name}
	}
	if i.Ready > 0 {
		s.HeadMessageTimestamp = headTimestamp(q)
	}
	c := &i.Counters
	rec := received{c.Delivered, c.DeliveredNoAck, c.Got, c.GotNoAck, c.GotEmpty, c.Redelivered, c.Acked}
	m := &apitype.MessageStats{DeliverStats: rec.stats(f)}
	if c.Published > 0 {
		m.PublishStats = publishStats(c.Published, f)
	}
	if !w.counts {
		s.MessageStats = nonEmpty(m)
	}
	return s
}

// headTimestamp is the property timestamp of the message that leaves next.
func headTimestamp(q *broker.Queue) (at *int64) {
	q.Head(func(m *message.Message) {
		v, err := wire.ParsePropertiesView(m.Props)
		if err != nil {
			return
		}
		if t, ok := v.Timestamp(); ok {
			n := int64(t)
			at = &n
		}
	})
	return at
}

// policy is what the policies in force come to.
func (w *queueWriter) policy(d *meta.Queue) json.RawMessage {
	if d.Policy == nil && d.OperatorPolicy == nil {
		return json.RawMessage("{}")
	}
	k := [2]*meta.Policy{d.Policy, d.OperatorPolicy}
	raw, ok := w.policies[k]
	if !ok {
		var err error
		if raw, err = json.Marshal(meta.EffectivePolicy(d.Policy, d.OperatorPolicy)); err != nil {
			raw = json.RawMessage("{}")
		}
		w.policies[k] = raw
	}
	return raw
}

func (w *queueWriter) quorum() *apitype.QuorumQueue {
	node := w.a.Config.NodeName
	return &apitype.QuorumQueue{Leader: node, Members: []string{node}, Online: []string{node}}
}

func (w *queueWriter) streamStats(i *queueproc.StreamInfo) *apitype.StreamStats {
	s := &apitype.StreamStats{CommittedOffset: i.Committed, FirstOffset: i.FirstOffset, NextOffset: i.NextOffset,
		Readers: map[string]int{w.a.Config.NodeName: i.Readers}, Segments: i.Segments}
	if i.FirstTime != 0 {
		s.FirstTimestamp = &i.FirstTime
	}
	return s
}

func (w *queueWriter) quorumStats(d *meta.Queue, i *queueproc.Info) *apitype.QuorumStats {
	s := &apitype.QuorumStats{DeliveryLimit: "unlimited", OpenFiles: map[string]int{w.a.Config.NodeName: 0},
		MessagesDelayed: int64(i.Delayed), MessagesDLX: int64(i.Dead), MessageBytesDLX: i.DeadBytes, DelayedRetry: delayedRetry(&d.Effective)}
	if l := d.Effective.DeliveryLimit; l >= 0 {
		s.DeliveryLimit = l
	}
	if i.Delayed > 0 {
		first, last := i.DelayedFirst, i.DelayedLast
		s.NextDelayedAt, s.LastDelayedAt = &first, &last
	}
	if i.ActiveTag != "" {
		tag := i.ActiveTag
		s.SingleActiveCTag = &tag
	}
	return s
}

// delayedRetry is how RabbitMQ writes it.
func delayedRetry(e *meta.Effective) string {
	if e.RetryType == "" {
		return "disabled"
	}
	return fmt.Sprintf("%s (min: %dms, max: %dms)", e.RetryType, e.RetryMin, e.RetryMax)
}

func (w *queueWriter) backing(m *queueRow, q *broker.Queue, i *queueproc.Info, f *stats.Figures) *apitype.BackingQueue {
	m.delta = [...]any{"delta", "undefined", i.Ready - i.ReadyInMemory, 0, "undefined"}
	b := &m.backing
	*b = apitype.BackingQueue{
		AvgIngressRate: f.Rate(stats.Publish), AvgEgressRate: f.Rate(stats.DeliverGet), AvgAckIngressRate: f.Rate(stats.Deliver), AvgAckEgressRate: f.Rate(stats.Ack),
		Delta: m.delta[:], Len: int64(i.Ready), Mode: "default",
		NextDeliverSeqID: i.NextSeq - 1 - uint64(i.Ready), NextSeqID: i.NextSeq - 1, Q4: int64(i.ReadyInMemory), TargetRAMCount: "infinity", Version: 2,
	}
	if q.Definition().Effective.MaxPriority > 0 {
		ls := q.Levels()
		b.PriorityLengths = map[string]int64{}
		for p, n := range ls {
			b.PriorityLengths[strconv.Itoa(p)] = int64(n)
		}
	}
	return b
}
