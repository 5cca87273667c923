package metrics

import (
	"net/url"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// headTimestamps writes the property timestamp of the messages at the head of
// queues, where there is one.
func headTimestamps(p *page, l *look, prefix string) {
	name := prefix + "queue_head_message_timestamp"
	p.head(name, gauge, "Timestamp of the first message in the queue, if any")
	if !l.single {
		return // a sum would mean nothing
	}
	for i := range l.queues {
		r := &l.queues[i]
		if r.i.Ready == 0 {
			continue
		}
		r.queue.Head(func(m *message.Message) {
			v, err := wire.ParsePropertiesView(m.Props)
			if err != nil {
				return
			}
			if t, ok := v.Timestamp(); ok {
				p.sample(name, r.labels, float64(t))
			}
		})
	}
}

type value struct {
	name, typ, help string
	v               float64
}

func (p *page) values(prefix string, vs []value) {
	for _, v := range vs {
		p.one(prefix+v.name, v.typ, v.help, "", v.v)
	}
}

func (h *Handler) churn() []value {
	c := h.o.Broker.Churn()
	return []value{
		{"connections_opened_total", counter, "Total number of connections opened", float64(c.ConnectionsCreated)},
		{"connections_closed_total", counter, "Total number of connections closed or terminated", float64(c.ConnectionsClosed)},
		{"channels_opened_total", counter, "Total number of channels opened", float64(c.ChannelsCreated)},
		{"channels_closed_total", counter, "Total number of channels closed", float64(c.ChannelsClosed)},
		{"queues_declared_total", counter, "Total number of queues declared", float64(c.QueuesDeclared)},
		{"queues_created_total", counter, "Total number of queues created", float64(c.QueuesCreated)},
		{"queues_deleted_total", counter, "Total number of queues deleted", float64(c.QueuesDeleted)},
	}
}

func (h *Handler) coarse() []value {
	s := h.o.Stats.Process()
	return []value{
		{"process_open_fds", gauge, "Open file descriptors", float64(s.FDs)},
		{"process_open_tcp_sockets", gauge, "Open TCP sockets", float64(len(h.o.Broker.Sessions()))},
		{"process_resident_memory_bytes", gauge, "Memory used in bytes", float64(s.RSS)},
		{"disk_space_available_bytes", gauge, "Disk space available in bytes", float64(s.DiskFree)},
		{"erlang_processes_used", gauge, "Erlang processes used; here: goroutines", float64(s.Goroutines)},
		{"erlang_gc_runs_total", counter, "Total number of garbage collector runs", float64(s.GCs)},
		{"erlang_gc_reclaimed_bytes_total", counter, "Total number of bytes of memory reclaimed by the garbage collector", float64(s.GCBytes)},
		{"erlang_scheduler_context_switches_total", counter, "Total number of context switches", float64(s.ContextSwitches)},
	}
}

func (h *Handler) limits() []value {
	s, l := h.o.Stats.Process(), h.o.Limits()
	return []value{
		{"process_max_fds", gauge, "Open file descriptors limit", float64(s.FDLimit)},
		{"process_max_tcp_sockets", gauge, "Open TCP sockets limit", float64(s.FDLimit)},
		{"resident_memory_limit_bytes", gauge, "Memory high watermark in bytes", float64(l.Memory)},
		{"disk_space_available_limit_bytes", gauge, "Free disk space low watermark in bytes", float64(l.Disk)},
		{"erlang_processes_limit", gauge, "Erlang processes limit; goroutines have none", 0},
		{"erlang_scheduler_run_queue", gauge, "Erlang scheduler run queue", 0},
		{"erlang_net_ticktime_seconds", gauge, "Inter-node heartbeat interval", 0},
		{"erlang_uptime_seconds", gauge, "Node uptime", time.Since(h.o.Started).Seconds()},
	}
}

func (h *Handler) persister() []value {
	st := h.o.Broker.StoreStats()
	q := h.o.Stats.Survey(time.Second).Node.AllQueues()
	c := func(name, help string, v float64) value { return value{name, counter, help, v} }
	return []value{
		c("io_read_ops_total", "Total number of I/O read operations", float64(q.DiskReads)),
		c("io_read_bytes_total", "Total number of I/O bytes read", 0),
		c("io_write_ops_total", "Total number of I/O write operations", float64(st.Commits)),
		c("io_write_bytes_total", "Total number of I/O bytes written", float64(st.Bytes)),
		c("io_sync_ops_total", "Total number of I/O sync operations", float64(st.Syncs)),
		c("io_seek_ops_total", "Total number of I/O seek operations", 0),
		c("io_reopen_ops_total", "Total number of times files have been reopened", 0),
		c("schema_db_ram_tx_total", "Total number of Schema DB memory transactions", 0),
		c("schema_db_disk_tx_total", "Total number of Schema DB disk transactions", 0),
		c("msg_store_read_total", "Total number of Message Store read operations", float64(q.DiskReads)),
		c("msg_store_write_total", "Total number of Message Store write operations", float64(q.DiskWrites)),
		c("queue_index_read_ops_total", "Total number of Queue Index read operations", 0),
		c("queue_index_write_ops_total", "Total number of Queue Index write operations", 0),
		c("io_read_time_seconds_total", "Total I/O read time", 0),
		c("io_write_time_seconds_total", "Total I/O write time", 0),
		c("io_sync_time_seconds_total", "Total I/O sync time", st.SyncTotal.Seconds()),
		c("io_seek_time_seconds_total", "Total I/O seek time", 0),
	}
}

// node writes what has no labels.
func (h *Handler) node(p *page) {
	p.values("rabbitmq_", h.churn())
	p.values("rabbitmq_", h.coarse())
	p.values("rabbitmq_", h.limits())
	p.values("rabbitmq_", h.persister())
	h.alarms(p, "rabbitmq_")
}

func (h *Handler) alarms(p *page, prefix string) {
	l := h.o.Limits()
	is := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	p.one(prefix+"alarms_memory_used_watermark", "untyped", "is 1 if VM memory watermark alarm is in effect", "", is(l.MemoryAlarm))
	p.one(prefix+"alarms_free_disk_space_watermark", "untyped", "is 1 if free disk space watermark alarm is in effect", "", is(l.DiskAlarm))
	p.one(prefix+"alarms_file_descriptor_limit", "untyped", "is 1 if file descriptor limit alarm is in effect", "", 0)
	p.one(prefix+"unreachable_cluster_peers_count", gauge, "Number of peers in the cluster the current node cannot reach.", "", 0)
}

func (h *Handler) authAttempts(p *page) { h.attempts(p, "rabbitmq_auth_attempts", false) }

func (h *Handler) attempts(p *page, name string, bySource bool) {
	as := h.o.Broker.AuthAttempts(bySource)
	write := func(suffix, help string, v func(*broker.AuthAttempts) uint64) {
		p.head(name+suffix, counter, help)
		for i := range as {
			labels := label("protocol", as[i].Protocol)
			if bySource {
				labels = label("remote_address", as[i].Remote, "username", as[i].User, "protocol", as[i].Protocol)
			}
			p.sample(name+suffix, labels, float64(v(&as[i])))
		}
	}
	write("_total", "Total number of authorization attempts", func(a *broker.AuthAttempts) uint64 { return a.Succeeded + a.Failed })
	write("_succeeded_total", "Total number of successful authentication attempts", func(a *broker.AuthAttempts) uint64 { return a.Succeeded })
	write("_failed_total", "Total number of failed authentication attempts", func(a *broker.AuthAttempts) uint64 { return a.Failed })
}

func (h *Handler) totals(p *page, l *look) {
	p.values("rabbitmq_", []value{
		{"connections", gauge, "Connections currently open", float64(l.count.conns)},
		{"channels", gauge, "Channels currently open", float64(l.count.chans)},
		{"consumers", gauge, "Consumers currently connected", float64(l.count.consumers)},
		{"queues", gauge, "Queues available", float64(l.count.queues)},
	})
}

// kinds are the labels of types of queues.
func kinds() [broker.QueueKinds]string {
	return [broker.QueueKinds]string{"rabbit_classic_queue", "rabbit_quorum_queue", "rabbit_stream_queue"}
}

// global writes the counters that never go down.
func (h *Handler) global(p *page, l *look) {
	const pre = "rabbitmq_global_"
	n := &l.survey.Node
	proto := label("protocol", "amqp091")
	publishers, consumers := 0, 0
	for i := range l.survey.VHosts {
		publishers += l.survey.VHosts[i].Publishers
		consumers += l.survey.VHosts[i].Consumers
	}
	for _, v := range []value{
		{"messages_received_total", counter, "Total number of messages received from publishers", float64(n.Published)},
		{"messages_received_confirm_total", counter, "Total number of messages received from publishers expecting confirmations", float64(n.Confirming)},
		{"messages_routed_total", counter, "Total number of messages routed to queues or streams", float64(n.Routed)},
		{"messages_confirmed_total", counter, "Total number of messages confirmed to publishers", float64(n.Confirmed)},
		{"messages_unroutable_dropped_total", counter, "Total number of messages published as non-mandatory into an exchange and dropped as unroutable", float64(n.Dropped)},
		{"messages_unroutable_returned_total", counter, "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable", float64(n.Returned)},
		{"publishers", gauge, "Current number of publishers", float64(publishers)},
		{"consumers", gauge, "Current number of consumers", float64(consumers)},
	} {
		p.one(pre+v.name, v.typ, v.help, proto, v.v)
	}
	byKind := func(name, help string, v func(k broker.QueueKind) uint64) {
		p.head(pre+name, counter, help)
		for k, kind := range kinds() {
			p.sample(pre+name, label("protocol", "amqp091", "queue_type", kind), float64(v(broker.QueueKind(k))))
		}
	}
	q := &n.Queues
	byKind("messages_delivered_total", "Total number of messages delivered to consumers", func(k broker.QueueKind) uint64 { return q[k].DeliverGet() })
	byKind("messages_delivered_consume_auto_ack_total", "Total number of messages delivered to consumers using basic.consume with automatic acknowledgment", func(k broker.QueueKind) uint64 { return q[k].DeliveredNoAck })
	byKind("messages_delivered_consume_manual_ack_total", "Total number of messages delivered to consumers using basic.consume with manual acknowledgment", func(k broker.QueueKind) uint64 { return q[k].Delivered })
	byKind("messages_delivered_get_auto_ack_total", "Total number of messages delivered to consumers using basic.get with automatic acknowledgment", func(k broker.QueueKind) uint64 { return q[k].GotNoAck })
	byKind("messages_delivered_get_manual_ack_total", "Total number of messages delivered to consumers using basic.get with manual acknowledgment", func(k broker.QueueKind) uint64 { return q[k].Got })
	byKind("messages_get_empty_total", "Total number of times basic.get operations fetched no message", func(k broker.QueueKind) uint64 { return q[k].GotEmpty })
	byKind("messages_redelivered_total", "Total number of messages redelivered to consumers", func(k broker.QueueKind) uint64 { return q[k].Redelivered })
	byKind("messages_acknowledged_total", "Total number of messages acknowledged by consumers", func(k broker.QueueKind) uint64 { return q[k].Acked })
	h.deadLettered(p, n)
	h.sizes(p, n)
	// Dead letters are not confirmed by their targets: the strategy is at-most-once.
	p.one(pre+"messages_dead_lettered_confirmed_total", counter, "Total number of messages dead-lettered and confirmed by target queues",
		label("queue_type", kinds()[broker.QuorumQueue], "dead_letter_strategy", "at_least_once"), 0)
}

func (h *Handler) deadLettered(p *page, n *broker.Totals) {
	for _, m := range []struct {
		name, help string
		reason     queue.Reason
	}{
		{"expired", "message TTL exceeded", queue.Expired},
		{"maxlen", "overflow drop-head or reject-publish-dlx", queue.MaxLen},
		{"rejected", "basic.reject or basic.nack", queue.Rejected},
		{"delivery_limit", "delivery-limit exceeded", queue.DeliveryLimit},
	} {
		name := "rabbitmq_global_messages_dead_lettered_" + m.name + "_total"
		p.head(name, counter, "Total number of messages dead-lettered due to "+m.help)
		for k, kind := range kinds() {
			if broker.QueueKind(k) == broker.StreamQueue || m.reason == queue.DeliveryLimit && broker.QueueKind(k) != broker.QuorumQueue {
				continue // it has none
			}
			for i, strategy := range []string{"disabled", "at_most_once"} {
				p.sample(name, label("queue_type", kind, "dead_letter_strategy", strategy), float64(n.Queues[k].Dead[i][m.reason]))
			}
		}
	}
}

func (h *Handler) sizes(p *page, n *broker.Totals) {
	b := broker.SizeBounds()
	bounds := make([]float64, len(b))
	for i := range b {
		bounds[i] = float64(b[i])
	}
	p.head("rabbitmq_message_size_bytes", "histogram", "Size of messages received from publishers")
	p.histogram("rabbitmq_message_size_bytes", label("protocol", "amqp091"), bounds, n.Sizes[:], float64(n.Bytes))
}

// own writes what RabbitMQ does not have.
func (h *Handler) own(p *page, l *look) {
	const ages = "warren_queue_oldest_ready_age_seconds"
	if l.single {
		p.head(ages, gauge, "Age of the message that leaves a queue next")
		for i := range l.queues {
			if r := &l.queues[i]; r.i.OldestReady > 0 {
				p.sample(ages, r.labels, max(float64(l.now.UnixMilli()-r.i.OldestReady)/1000, 0))
			}
		}
	}
	p.head("warren_queue_age_seconds", "histogram", "Age of the oldest ready message of queues that have one, at each sample of each queue")
	for k, kind := range kinds() {
		a := h.o.Stats.Ages(broker.QueueKind(k))
		bounds, counts := ageBounds(), make([]uint64, len(a.Buckets))
		for i := range counts {
			counts[i] = a.Buckets[i].Load()
		}
		p.histogram("warren_queue_age_seconds", label("queue_type", kind), bounds, counts, float64(a.Sum.Load())/1000)
	}
	p.head("warren_message_time_in_queue_seconds", "histogram", "How long messages waited in their queues until they were delivered; every 64th of a queue's deliveries is timed")
	for k, kind := range kinds() {
		w := h.o.Broker.Waits(broker.QueueKind(k))
		var bounds []float64
		counts := make([]uint64, len(w.Buckets))
		for i := range counts {
			counts[i] = w.Buckets[i].Load()
			if i < len(counts)-1 {
				bounds = append(bounds, float64(uint64(1)<<i)/1000)
			}
		}
		p.histogram("warren_message_time_in_queue_seconds", label("queue_type", kind), bounds, counts, float64(w.Sum.Load())/1000)
	}
	st := h.o.Broker.StoreStats()
	var bounds []float64
	for i := range len(st.SyncHist) - 1 {
		bounds = append(bounds, float64(uint64(1)<<i)/1e6)
	}
	p.head("warren_store_sync_seconds", "histogram", "How long syncs of the log took")
	p.histogram("warren_store_sync_seconds", "", bounds, st.SyncHist[:], st.SyncTotal.Seconds())
	p.values("warren_store_", []value{
		{"records_total", counter, "Records appended to the log", float64(st.Records)},
		{"written_bytes_total", counter, "Bytes appended to the log", float64(st.Bytes)},
		{"commits_total", counter, "Batches written to the log", float64(st.Commits)},
		{"segments", gauge, "Segments of the log", float64(st.Segments)},
		{"disk_bytes", gauge, "Bytes of the log's segments", float64(st.DiskBytes)},
		{"live_bytes", gauge, "Bytes of records that are needed", float64(st.LiveBytes)},
		{"pending_bytes", gauge, "Bytes that wait to be written", float64(st.Pending)},
	})
}

func ageBounds() []float64 {
	return []float64{0.01, 0.1, 1, 5, 10, 60, 300, 1800, 3600, 86400}
}

// runtime writes what Go programs usually tell.
func (h *Handler) runtime(p *page) {
	s := h.o.Stats.Process()
	p.values("", []value{
		{"process_start_time_seconds", gauge, "Start time of the process since unix epoch in seconds.", float64(h.o.Started.Unix())},
		{"process_resident_memory_bytes", gauge, "Resident memory size in bytes.", float64(s.RSS)},
		{"process_open_fds", gauge, "Number of open file descriptors.", float64(s.FDs)},
		{"process_max_fds", gauge, "Maximum number of open file descriptors.", float64(s.FDLimit)},
		{"process_cpu_seconds_total", counter, "Total user and system CPU time spent in seconds.", cpuSeconds()},
		{"go_goroutines", gauge, "Number of goroutines that currently exist.", float64(s.Goroutines)},
		{"go_memstats_heap_inuse_bytes", gauge, "Bytes of objects in the heap.", float64(s.Heap)},
		{"go_memstats_stack_inuse_bytes", gauge, "Bytes of stacks.", float64(s.Stacks)},
		{"go_memstats_sys_bytes", gauge, "Bytes that the runtime has of the system.", float64(s.GoTotal)},
		{"go_gc_cycles_total", counter, "Completed garbage collections.", float64(s.GCs)},
	})
	p.one("go_info", gauge, "Information about the Go environment.", label("version", runtime.Version()), 1)
}

func cpuSeconds() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return max(s[0].Value.Float64()-s[1].Value.Float64(), 0)
}

// memory writes the page of what memory is used for.
func (h *Handler) memory(p *page) {
	s := h.o.Stats.Process()
	held := h.o.Broker.MemoryHeld()
	for _, v := range []value{
		{"binary_heap_bytes", gauge, "Messages that wait in memory", float64(held)},
		{"management_stats_db_bytes", gauge, "Histories of statistics", float64(h.o.Stats.Held())},
		{"other_erlang_process_bytes", gauge, "Stacks of goroutines", float64(s.Stacks)},
		{"other_system_bytes", gauge, "The Go runtime's own", float64(s.OtherGo)},
		{"runtime_allocated_unused_bytes", gauge, "Free memory that the Go runtime keeps", float64(s.HeapFree)},
		{"code_module_bytes", gauge, "The program", max(float64(s.RSS-s.GoTotal), 0)},
		{"other_ets_bytes", gauge, "Everything else on the heap: queues, connections, definitions", max(float64(s.Heap-held-int64(h.o.Stats.Held())), 0)},
	} {
		p.one("rabbitmq_memory_"+v.name, v.typ, v.help, "", v.v)
	}
}

// families is the page of chosen families.
func (h *Handler) families(p *page, q url.Values) {
	const pre = "rabbitmq_detailed_"
	var vhosts map[string]bool
	for _, v := range q["vhost"] {
		if vhosts == nil {
			vhosts = map[string]bool{}
		}
		vhosts[v] = true
	}
	plain := map[string]func() []value{
		"connection_churn_metrics": h.churn, "node_coarse_metrics": h.coarse, "node_metrics": h.limits, "node_persister_metrics": h.persister,
	}
	objects := objectFamilies()
	l := (*look)(nil)
	done := map[string]bool{}
	for _, name := range q["family"] {
		if done[name] {
			continue
		}
		done[name] = true
		if f := plain[name]; f != nil {
			p.values(pre, f())
			continue
		}
		switch name {
		case "auth_attempt_metrics":
			h.attempts(p, pre+"auth_attempts", false)
			continue
		case "auth_attempt_detailed_metrics":
			h.attempts(p, pre+"auth_attempts_detailed", true)
			continue
		case "vhost_status", "exchange_bindings", "exchange_names":
			h.cluster(p, name, vhosts)
			continue
		case "alarms":
			h.alarms(p, pre)
			continue
		case "ra_metrics", "stream_consumer_metrics":
			continue // there are no members of other nodes, and no streams
		}
		i := slices.IndexFunc(objects, func(f family) bool { return f.name == name })
		if i < 0 {
			continue // as in RabbitMQ: it may be one of another release
		}
		// The same metric may be in two families; it can be on a page once.
		if name == "queue_consumer_count" && slices.Contains(q["family"], "queue_metrics") {
			continue
		}
		if l == nil {
			l = h.lookAt(vhosts)
		}
		objects[i].write(p, l, pre)
	}
}

// cluster writes what is the same on all nodes.
func (h *Handler) cluster(p *page, name string, vhosts map[string]bool) {
	wanted := func(v string) bool { return vhosts == nil || vhosts[v] }
	if name == "vhost_status" {
		p.head("rabbitmq_cluster_vhost_status", gauge, "Whether a given vhost is running")
		for _, v := range h.o.Broker.VHosts() {
			if wanted(v.Name) {
				p.sample("rabbitmq_cluster_vhost_status", label("vhost", v.Name), 1)
			}
		}
		return
	}
	metric, help := "rabbitmq_cluster_exchange_bindings", "Number of bindings for an exchange. This value is cluster-wide."
	if name == "exchange_names" {
		metric, help = "rabbitmq_cluster_exchange_name", "Enumerates exchanges without any additional info. This value is cluster-wide."
	}
	type row struct {
		labels string
		n      int
	}
	var rows []row
	h.o.Broker.View(func(s *meta.State) {
		for v := range s.VHosts() {
			if !wanted(v.Name) {
				continue
			}
			for x := range s.Exchanges(v.Name) {
				n := 1
				if name == "exchange_bindings" {
					n = len(s.BindingsFrom(v.Name, x.Name))
				}
				rows = append(rows, row{label("vhost", v.Name, "exchange", x.Name, "type", x.Type), n})
			}
		}
	})
	p.head(metric, gauge, help)
	for _, r := range rows {
		p.sample(metric, r.labels, float64(r.n))
	}
}
