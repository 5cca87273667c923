package metrics

import (
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/stats"
)

// look is a look at all objects. With single there is a row for each, with its
// labels. Without, there is one of each kind: the sums that the core keeps.
type look struct {
	single bool
	now    time.Time
	count  counts
	queues []queueRow
	chans  []chanRow
	conns  []connRow
	xs     []exchangeRow
	parts  []partRow
	survey *broker.Survey
}

type counts struct{ queues, chans, conns, consumers int }

type queueRow struct {
	labels   string
	queue    *broker.Queue
	i        queueproc.Info
	ramBytes float64 // of ready messages in memory
	capacity float64
}

type chanRow struct {
	labels      string
	i           broker.ChannelInfo
	sent        broker.Sent
	unconfirmed uint64
}

type connRow struct {
	labels   string
	t        broker.Traffic
	channels int
}

type exchangeRow struct {
	labels  string
	in, out uint64
}

// partRow is what a channel was given of a queue.
type partRow struct {
	labels string
	r      broker.Received
}

// lookAtSums looks at the core's sums. However many objects there are, that is
// soon done.
func (h *Handler) lookAtSums() *look {
	sv := h.o.Stats.Survey(time.Second)
	n, d, c := sv.Queues.All()
	ch := &sv.Channels
	return &look{
		survey: sv, now: time.Now(), count: counts{n, ch.Count, sv.Opened, d.Consumers},
		queues: []queueRow{{
			i: queueproc.Info{
				Ready: d.Ready, Unacked: d.Unacked, Delayed: d.Delayed, Dead: d.Dead, DeadBytes: d.DeadBytes, Consumers: d.Consumers, ReadyBytes: d.ReadyBytes, UnackedBytes: d.UnackedBytes,
				ReadyInMemory: d.ReadyInMemory, Persistent: d.Persistent, PersistentBytes: d.PersistentBytes, Memory: d.Memory, Counters: c,
			},
			ramBytes: float64(d.RAMBytes),
			capacity: max(float64(d.Consumed)-h.o.Stats.CapacityLost(), 0),
		}},
		chans: []chanRow{{i: ch.Info, sent: ch.Sent, unconfirmed: ch.Unconfirmed}},
		conns: []connRow{{t: sv.Traffic, channels: ch.Count}},
		parts: []partRow{{r: ch.Info.Received}},
	}
}

// lookAt looks at each of the objects of some virtual hosts; nil: all.
func (h *Handler) lookAt(vhosts map[string]bool) *look {
	l := &look{single: true, now: time.Now()}
	wanted := func(v string) bool { return vhosts == nil || vhosts[v] }
	for _, v := range h.o.Broker.VHosts() {
		if wanted(v.Name) {
			h.queues(l, v)
			l.exchanges(v)
		}
	}
	for _, s := range h.o.Broker.Sessions() {
		if i := s.Info(); i.Opened && i.Client != nil && wanted(i.VHost) {
			l.connection(s, &i)
		}
	}
	l.survey = h.o.Stats.Survey(time.Second)
	l.count = counts{queues: len(l.queues), chans: len(l.chans), conns: len(l.conns)}
	for i := range l.queues {
		l.count.consumers += l.queues[i].i.Consumers
	}
	return l
}

func (h *Handler) queues(l *look, v *broker.VHost) {
	var f stats.Figures
	for _, q := range v.Queues() {
		r := queueRow{queue: q, i: q.Info(), labels: label("vhost", v.Name, "queue", q.Name)}
		if r.i.Ready > 0 {
			r.ramBytes = float64(r.i.ReadyBytes) / float64(r.i.Ready) * float64(r.i.ReadyInMemory)
		}
		if r.i.Consumers > 0 {
			r.capacity = max(min(1-h.o.Stats.QueueInto(q, stats.Ranges{}, &f).Rate(stats.Stalled)/1000, 1), 0)
		}
		l.queues = append(l.queues, r)
	}
}

func (l *look) exchanges(v *broker.VHost) {
	in, out := v.DefaultPassed()
	l.xs = append(l.xs, exchangeRow{label("vhost", v.Name, "exchange", ""), in, out})
	for _, x := range v.Exchanges() {
		in, out := x.Passed()
		l.xs = append(l.xs, exchangeRow{label("vhost", v.Name, "exchange", x.Name), in, out})
	}
}

func (l *look) connection(s broker.Session, i *broker.SessionInfo) {
	chs := i.Client.Channels()
	l.conns = append(l.conns, connRow{label("connection", i.Name), s.Traffic(), len(chs)})
	for _, ch := range chs {
		cs, ok := ch.Outlet().(broker.ChannelSession)
		if !ok {
			continue
		}
		name := i.Name + " (" + strconv.Itoa(cs.Number()) + ")"
		r := chanRow{labels: label("channel", name), i: cs.Info()}
		r.sent, r.unconfirmed = ch.Sent()
		if !r.i.Confirm {
			r.unconfirmed = 0
		}
		l.chans = append(l.chans, r)
		cs.ByQueue(func(q *queueproc.Queue, n broker.Received) {
			l.parts = append(l.parts, partRow{label("channel", name, "vhost", q.VHost, "queue", q.Name), n})
		})
	}
}

// family is a group of metrics, as /metrics/detailed names them.
type family struct {
	name    string
	general bool // on the other pages, too
	write   func(p *page, l *look, prefix string)
}

// metric is one of a family's, for rows of a kind.
type metric[R any] struct {
	name, typ, help string
	value           func(r *R) float64
}

// rows writes metrics: a line for each row, or their sum.
func rows[R any](p *page, l *look, prefix string, rs []R, labels func(*R) string, ms []metric[R]) {
	for i := range ms {
		m := &ms[i]
		name := prefix + m.name
		p.head(name, m.typ, m.help)
		if !l.single {
			sum := 0.0
			for k := range rs {
				sum += m.value(&rs[k])
			}
			p.sample(name, "", sum)
			continue
		}
		for k := range rs {
			p.sample(name, labels(&rs[k]), m.value(&rs[k]))
		}
	}
}

const (
	gauge   = "gauge"
	counter = "counter"
)

func queueLabels(r *queueRow) string { return r.labels }
func chanLabels(r *chanRow) string   { return r.labels }
func connLabels(r *connRow) string   { return r.labels }
func partLabels(r *partRow) string   { return r.labels }

// objectFamilies are those of queues, channels, connections and exchanges.
func objectFamilies() []family {
	queues := func(ms []metric[queueRow]) func(*page, *look, string) {
		return func(p *page, l *look, prefix string) { rows(p, l, prefix, l.queues, queueLabels, ms) }
	}
	chans := func(ms []metric[chanRow]) func(*page, *look, string) {
		return func(p *page, l *look, prefix string) { rows(p, l, prefix, l.chans, chanLabels, ms) }
	}
	conns := func(ms []metric[connRow]) func(*page, *look, string) {
		return func(p *page, l *look, prefix string) { rows(p, l, prefix, l.conns, connLabels, ms) }
	}
	parts := func(ms []metric[partRow]) func(*page, *look, string) {
		return func(p *page, l *look, prefix string) { rows(p, l, prefix, l.parts, partLabels, ms) }
	}
	xs := func(ms []metric[exchangeRow]) func(*page, *look, string) {
		return func(p *page, l *look, prefix string) {
			rows(p, l, prefix, l.xs, func(r *exchangeRow) string { return r.labels }, ms)
		}
	}
	return []family{
		{"queue_coarse_metrics", true, queues(queueCoarse())},
		{"queue_consumer_count", false, queues(queueConsumers())},
		{"queue_metrics", true, func(p *page, l *look, prefix string) {
			queues(append(queueConsumers(), queueFine()...))(p, l, prefix)
			headTimestamps(p, l, prefix)
		}},
		{"queue_delivery_metrics", false, queues(queueDelivery())},
		{"queue_exchange_metrics", false, queues([]metric[queueRow]{{"queue_exchange_messages_published_total", counter, "Total number of messages published to queues", published}})},
		{"channel_metrics", true, chans(channelMetrics())},
		{"channel_exchange_metrics", true, chans(channelSent())},
		{"channel_process_metrics", true, chans([]metric[chanRow]{{"channel_process_reductions_total", counter, "Total number of channel process reductions", func(*chanRow) float64 { return 0 }}})},
		{"channel_queue_metrics", true, parts(channelQueue())},
		{"channel_queue_exchange_metrics", true, queues([]metric[queueRow]{{"queue_messages_published_total", counter, "Total number of messages published to queues", published}})},
		{"exchange_metrics", false, xs([]metric[exchangeRow]{
			{"exchange_messages_published_total", counter, "Total number of messages published into an exchange", func(r *exchangeRow) float64 { return float64(r.in) }},
			{"exchange_messages_routed_total", counter, "Total number of ways that messages took from an exchange into queues", func(r *exchangeRow) float64 { return float64(r.out) }},
		})},
		{"connection_coarse_metrics", true, conns(connCoarse())},
		{"connection_metrics", true, conns(connFine())},
	}
}

func published(r *queueRow) float64 { return float64(r.i.Counters.Published) }

func queueCoarse() []metric[queueRow] {
	return []metric[queueRow]{
		{"queue_messages_ready", gauge, "Messages ready to be delivered to consumers", func(r *queueRow) float64 { return float64(r.i.Ready) }},
		{"queue_messages_unacked", gauge, "Messages delivered to consumers but not yet acknowledged", func(r *queueRow) float64 { return float64(r.i.Unacked) }},
		{"queue_messages", gauge, "Sum of ready and unacknowledged messages - total queue depth", func(r *queueRow) float64 { return float64(r.i.Ready + r.i.Unacked + r.i.Aside()) }},
		{"queue_process_reductions_total", counter, "Total number of queue process reductions", func(*queueRow) float64 { return 0 }},
	}
}

func queueConsumers() []metric[queueRow] {
	return []metric[queueRow]{{"queue_consumers", gauge, "Consumers on a queue", func(r *queueRow) float64 { return float64(r.i.Consumers) }}}
}

func queueFine() []metric[queueRow] {
	capacity := func(r *queueRow) float64 { return r.capacity }
	paged := func(r *queueRow) float64 { return float64(r.i.Ready - r.i.ReadyInMemory) }
	pagedBytes := func(r *queueRow) float64 { return float64(r.i.ReadyBytes) - r.ramBytes }
	return []metric[queueRow]{
		{"queue_consumer_capacity", gauge, "Consumer capacity", capacity},
		{"queue_consumer_utilisation", gauge, "Same as consumer capacity", capacity},
		{"queue_process_memory_bytes", gauge, "Memory in bytes used by the queue", func(r *queueRow) float64 { return float64(r.i.Memory + 80*int64(r.i.ReadyInMemory+r.i.Unacked)) }},
		{"queue_messages_ram", gauge, "Ready and unacknowledged messages stored in memory", func(r *queueRow) float64 { return float64(r.i.ReadyInMemory) }},
		{"queue_messages_ram_bytes", gauge, "Size of ready and unacknowledged messages stored in memory", func(r *queueRow) float64 { return r.ramBytes }},
		{"queue_messages_ready_ram", gauge, "Ready messages stored in memory", func(r *queueRow) float64 { return float64(r.i.ReadyInMemory) }},
		{"queue_messages_unacked_ram", gauge, "Unacknowledged messages stored in memory", func(*queueRow) float64 { return 0 }},
		{"queue_messages_persistent", gauge, "Persistent messages", func(r *queueRow) float64 { return float64(r.i.Persistent) }},
		{"queue_messages_persistent_bytes", gauge, "Size in bytes of persistent messages", func(r *queueRow) float64 { return float64(r.i.PersistentBytes) }},
		{"queue_messages_bytes", gauge, "Size in bytes of ready and unacknowledged messages", func(r *queueRow) float64 { return float64(r.i.Bytes()) }},
		{"queue_messages_ready_bytes", gauge, "Size in bytes of ready messages", func(r *queueRow) float64 { return float64(r.i.ReadyBytes) }},
		{"queue_messages_unacked_bytes", gauge, "Size in bytes of all unacknowledged messages", func(r *queueRow) float64 { return float64(r.i.UnackedBytes) }},
		{"queue_messages_paged_out", gauge, "Messages paged out to disk", paged},
		{"queue_messages_paged_out_bytes", gauge, "Size in bytes of messages paged out to disk", pagedBytes},
		{"queue_disk_reads_total", counter, "Total number of times queue read messages from disk", func(r *queueRow) float64 { return float64(r.i.Counters.DiskReads) }},
		{"queue_disk_writes_total", counter, "Total number of times queue wrote messages to disk", func(r *queueRow) float64 { return float64(r.i.Counters.DiskWrites) }},
	}
}

func queueDelivery() []metric[queueRow] {
	c := func(f func(*queueproc.Counters) uint64) func(*queueRow) float64 {
		return func(r *queueRow) float64 { return float64(f(&r.i.Counters)) }
	}
	return []metric[queueRow]{
		{"queue_get_ack_total", counter, "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode", c(func(c *queueproc.Counters) uint64 { return c.Got })},
		{"queue_get_total", counter, "Total number of messages fetched from a queue with basic.get in automatic acknowledgement mode", c(func(c *queueproc.Counters) uint64 { return c.GotNoAck })},
		{"queue_messages_delivered_ack_total", counter, "Total number of messages delivered from a queue to consumers in manual acknowledgement mode", c(func(c *queueproc.Counters) uint64 { return c.Delivered })},
		{"queue_messages_delivered_total", counter, "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode", c(func(c *queueproc.Counters) uint64 { return c.DeliveredNoAck })},
		{"queue_messages_redelivered_total", counter, "Total number of messages redelivered from a queue to consumers", c(func(c *queueproc.Counters) uint64 { return c.Redelivered })},
		{"queue_messages_acked_total", counter, "Total number of messages acknowledged by consumers on a queue", c(func(c *queueproc.Counters) uint64 { return c.Acked })},
		{"queue_get_empty_total", counter, "Total number of times basic.get operations fetched no message on a queue", c(func(c *queueproc.Counters) uint64 { return c.GotEmpty })},
	}
}

func channelMetrics() []metric[chanRow] {
	return []metric[chanRow]{
		{"channel_consumers", gauge, "Consumers on a channel", func(r *chanRow) float64 { return float64(r.i.Consumers) }},
		{"channel_messages_unacked", gauge, "Delivered but not yet acknowledged messages", func(r *chanRow) float64 { return float64(r.i.Unacked) }},
		{"channel_messages_unconfirmed", gauge, "Published but not yet confirmed messages", func(r *chanRow) float64 { return float64(r.unconfirmed) }},
		{"channel_messages_uncommitted", gauge, "Messages received in a transaction but not yet committed", func(r *chanRow) float64 { return float64(r.i.UncommittedMessages) }},
		{"channel_acks_uncommitted", gauge, "Message acknowledgements in a transaction not yet committed", func(r *chanRow) float64 { return float64(r.i.UncommittedAcks) }},
		{"consumer_prefetch", gauge, "Limit of unacknowledged messages for each consumer", func(r *chanRow) float64 { return float64(r.i.Prefetch) }},
		{"channel_prefetch", gauge, "Total limit of unacknowledged messages for all consumers on a channel", func(r *chanRow) float64 { return float64(r.i.GlobalPrefetch) }},
	}
}

func channelSent() []metric[chanRow] {
	return []metric[chanRow]{
		{"channel_messages_published_total", counter, "Total number of messages published into an exchange on a channel", func(r *chanRow) float64 { return float64(r.sent.Published) }},
		{"channel_messages_confirmed_total", counter, "Total number of messages published into an exchange and confirmed on the channel", func(r *chanRow) float64 { return float64(r.sent.Confirmed) }},
		{"channel_messages_unroutable_returned_total", counter, "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable", func(r *chanRow) float64 { return float64(r.sent.Returned) }},
		{"channel_messages_unroutable_dropped_total", counter, "Total number of messages published as non-mandatory into an exchange and dropped as unroutable", func(r *chanRow) float64 { return float64(r.sent.Dropped) }},
	}
}

func channelQueue() []metric[partRow] {
	return []metric[partRow]{
		{"channel_get_ack_total", counter, "Total number of messages fetched with basic.get in manual acknowledgement mode", func(r *partRow) float64 { return float64(r.r.Got) }},
		{"channel_get_total", counter, "Total number of messages fetched with basic.get in automatic acknowledgement mode", func(r *partRow) float64 { return float64(r.r.GotNoAck) }},
		{"channel_messages_delivered_ack_total", counter, "Total number of messages delivered to consumers in manual acknowledgement mode", func(r *partRow) float64 { return float64(r.r.Delivered) }},
		{"channel_messages_delivered_total", counter, "Total number of messages delivered to consumers in automatic acknowledgement mode", func(r *partRow) float64 { return float64(r.r.DeliveredNoAck) }},
		{"channel_messages_redelivered_total", counter, "Total number of messages redelivered to consumers", func(r *partRow) float64 { return float64(r.r.Redelivered) }},
		{"channel_messages_acked_total", counter, "Total number of messages acknowledged by consumers", func(r *partRow) float64 { return float64(r.r.Acked) }},
		{"channel_get_empty_total", counter, "Total number of times basic.get operations fetched no message", func(r *partRow) float64 { return float64(r.r.GotEmpty) }},
	}
}

func connCoarse() []metric[connRow] {
	return []metric[connRow]{
		{"connection_incoming_bytes_total", counter, "Total number of bytes received on a connection", func(r *connRow) float64 { return float64(r.t.RecvBytes) }},
		{"connection_outgoing_bytes_total", counter, "Total number of bytes sent on a connection", func(r *connRow) float64 { return float64(r.t.SendBytes) }},
		{"connection_process_reductions_total", counter, "Total number of connection process reductions", func(*connRow) float64 { return 0 }},
	}
}

func connFine() []metric[connRow] {
	return []metric[connRow]{
		{"connection_incoming_packets_total", counter, "Total number of packets received on a connection", func(r *connRow) float64 { return float64(r.t.RecvCount) }},
		{"connection_outgoing_packets_total", counter, "Total number of packets sent on a connection", func(r *connRow) float64 { return float64(r.t.SendCount) }},
		{"connection_pending_packets", gauge, "Number of packets waiting to be sent on a connection", func(r *connRow) float64 { return float64(r.t.SendPending) }},
		{"connection_channels", gauge, "Channels on a connection", func(r *connRow) float64 { return float64(r.channels) }},
	}
}
