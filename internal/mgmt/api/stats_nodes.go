package api

import (
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

func (a *API) nodes(rq *Request) error {
	v := a.viewOf(rq)
	return ListOf(rq, []apitype.Node{a.nodeRow(&v)}, "name")
}

// thisNode checks that the path speaks of this node; there is no other.
func (rq *Request) thisNode() error {
	if rq.Var("node") != rq.API.Config.NodeName {
		return NotFound()
	}
	return nil
}

func (a *API) oneNode(rq *Request) error {
	if err := rq.thisNode(); err != nil {
		return err
	}
	v := a.viewOf(rq)
	n := a.nodeRow(&v)
	if rq.Query("memory") == "true" {
		n.Memory = a.memory()
	}
	if rq.Query("binary") == "true" {
		n.Binary = apitype.Object{}
	}
	return rq.Reply(n)
}

func (a *API) nodeMemory(relative bool) func(*Request) error {
	return func(rq *Request) error {
		if err := rq.thisNode(); err != nil {
			return err
		}
		m := a.memory()
		if relative {
			return rq.Reply(apitype.NodeMemory{Memory: percent(m)})
		}
		return rq.Reply(apitype.NodeMemory{Memory: m})
	}
}

func (a *API) noTables(rq *Request) error {
	if err := rq.thisNode(); err != nil {
		return err
	}
	return rq.Reply(apitype.Object{})
}

func (a *API) nodeRow(v *view) apitype.Node {
	res, p := a.resources(), a.Stats.Process()
	n := apitype.Node{
		ApplicationRows: []apitype.ApplicationRow{{Name: "warren", Description: a.Config.ProductName, Version: a.Config.ProductVersion}},
		ClusterLinks:    []any{}, ConfigFiles: notNil(a.Config.ConfigFiles), DBDir: a.Config.DataDir, Contexts: nodeContexts(a.contextRows()), DiskFreeLimit: res.diskLimit, EnabledPlugins: []string{},
		ExchangeTypes: exchangeTypes(true), FDTotal: p.FDLimit, LogFiles: a.logFiles(), MemStrategy: "rss", MemLimit: res.memoryLimit,
		MetricsGCQueue: noQueues(), Name: a.Config.NodeName, OSPid: strconv.Itoa(os.Getpid()), Partitions: []string{},
		ProcTotal: 1 << 20, Processors: runtime.GOMAXPROCS(0), RaOpenFileMetrics: map[string]int{"ra_log_wal": 0, "ra_log_segment_writer": 0}, RabbitMQVersion: a.Config.Level, RatesMode: a.Config.RatesMode,
		Running: true, SocketsTotal: p.FDLimit, Type: "disc", Uptime: time.Since(a.Node.Started()).Milliseconds(),
	}
	for _, m := range []string{"PLAIN", "AMQPLAIN", "EXTERNAL"} {
		n.AuthMechanisms = append(n.AuthMechanisms, apitype.ExchangeType{Name: m, Description: "SASL " + m + " authentication mechanism", Enabled: m != "EXTERNAL"})
	}
	n.MemAlarm, n.DiskFreeAlarm = res.memoryAlarm, res.diskAlarm
	for _, pl := range a.Node.Plugins() {
		if pl.Enabled {
			n.EnabledPlugins = append(n.EnabledPlugins, pl.Name)
		}
	}
	if !v.off {
		n.NodeStats = a.nodeStats(v, &p)
	}
	return n
}

// noQueues: RabbitMQ's queues of what is still to be forgotten. There are none.
func noQueues() map[string]int {
	return map[string]int{"connection_closed": 0, "channel_closed": 0, "consumer_deleted": 0, "exchange_deleted": 0,
		"queue_deleted": 0, "vhost_deleted": 0, "node_node_deleted": 0, "channel_consumer_deleted": 0}
}

// nodeContexts: within a node they need not say which.
func nodeContexts(cs []apitype.ContextRow) []apitype.ContextRow {
	for i := range cs {
		cs[i].Node, cs[i].SSLOpts = "", nil
	}
	return cs
}

func (a *API) logFiles() []string {
	if a.Config.LogFiles == nil {
		return []string{}
	}
	return notNil(a.Config.LogFiles())
}

func (a *API) nodeStats(v *view, p *stats.Process) *apitype.NodeStats {
	f := a.Stats.Node(v.ranges)
	st := a.Broker.StoreStats()
	q := a.Stats.Survey(surveyAge).Node.AllQueues()
	s := &apitype.NodeStats{
		Churn:   a.churn(f),
		MemUsed: p.RSS, MemUsedDetails: detail(f, stats.MemUsed), FDUsed: p.FDs, FDUsedDetails: detail(f, stats.FDUsed),
		SocketsUsed: int64(len(a.Broker.Sessions())), SocketsUsedDetails: detail(f, stats.SocketsUsed),
		ProcUsed: p.Goroutines, ProcUsedDetails: detail(f, stats.ProcUsed), DiskFree: p.DiskFree, DiskFreeDetails: detail(f, stats.DiskFree),
		GCNum: p.GCs, GCNumDetails: detail(f, stats.GCNum), GCBytes: p.GCBytes, GCBytesDetails: detail(f, stats.GCBytes),
		ContextSwitches: p.ContextSwitches, ContextSwitchesDetails: detail(f, stats.ContextSwitches),
		IOReadCount: int64(q.DiskReads), IOReadCountDetails: detail(f, stats.IOReadCount),
		IOWriteCount: int64(st.Commits), IOWriteCountDetails: detail(f, stats.IOWriteCount),
		IOWriteBytes: int64(st.Bytes), IOWriteBytesDetails: detail(f, stats.IOWriteBytes),
		IOSyncCount: int64(st.Syncs), IOSyncCountDetails: detail(f, stats.IOSyncCount),
		MsgStoreReadCount: int64(q.DiskReads), MsgStoreReadCountDetails: detail(f, stats.DiskReads),
		MsgStoreWriteCount: int64(q.DiskWrites), MsgStoreWriteCountDetails: detail(f, stats.DiskWrites),
	}
	if st.Syncs > 0 {
		s.IOSyncAvgTime = float64(st.SyncTotal.Microseconds()) / float64(st.Syncs) / 1000
	}
	return s
}

// resources are the limits that alarms watch, and the alarms that are set.
type resources struct {
	memoryLimit, diskLimit int64
	memoryAlarm, diskAlarm bool
}

func (a *API) resources() (r resources) {
	now := a.Broker.Resources()
	r.memoryLimit, r.diskLimit = max(now.MemoryLimit, 0), max(now.DiskLimit, 0)
	for _, al := range a.Broker.Alarms() {
		r.memoryAlarm = r.memoryAlarm || al.Resource == broker.MemoryAlarm
		r.diskAlarm = r.diskAlarm || al.Resource == broker.DiskAlarm
	}
	return r
}

// memoryKeys are RabbitMQ's, in its order; total stands apart.
func memoryKeys() []string {
	return []string{"connection_readers", "connection_writers", "connection_channels", "connection_other", "queue_procs", "queue_slave_procs",
		"quorum_queue_procs", "quorum_queue_dlx_procs", "stream_queue_procs", "stream_queue_replica_reader_procs", "stream_queue_coordinator_procs",
		"plugins", "other_proc", "metrics", "mgmt_db", "mnesia", "quorum_ets", "other_ets", "binary", "msg_index", "code", "atom", "other_system",
		"allocated_unused", "reserved_unallocated"}
}

// memory says what the memory is used for, as far as it is known; its parts add
// up to the resident memory. Sizes of connections and queues are estimates.
func (a *API) memory() apitype.Object {
	p := a.Stats.Process()
	m := map[string]int64{}
	left := p.Heap // what is not known otherwise
	take := func(key string, n int64) {
		n = max(min(n, left), 0)
		m[key] += n
		left -= n
	}
	sv := a.Stats.Survey(surveyAge)
	conns, chans := int64(0), int64(0)
	for i := range sv.VHosts {
		vs := &sv.VHosts[i]
		conns, chans = conns+int64(vs.Connections), chans+int64(vs.Channels)
	}
	take("binary", a.Broker.MemoryHeld())
	take("mgmt_db", int64(a.Stats.Held()))
	take("queue_procs", queueMemory(sv, broker.ClassicQueue))
	take("quorum_queue_procs", queueMemory(sv, broker.QuorumQueue))
	take("stream_queue_procs", queueMemory(sv, broker.StreamQueue))
	take("connection_readers", conns*readerSize)
	take("connection_writers", pendingBytes(sv)+conns*writerSize)
	take("connection_channels", chans*channelSize)
	m["other_proc"] = p.Stacks
	m["other_ets"] = left
	m["other_system"] = p.OtherGo
	m["allocated_unused"] = p.HeapFree
	m["code"] = max(p.RSS-p.GoTotal, 0)
	out, sum := apitype.Object{}, int64(0)
	for _, k := range memoryKeys() {
		out[k] = m[k]
		sum += m[k]
	}
	// Not all that the runtime has of the system need be resident.
	out["strategy"] = "rss"
	out["total"] = apitype.Object{"erlang": p.GoTotal - p.HeapFree, "rss": p.RSS, "allocated": sum}
	return out
}

// What connections and channels take, in bytes; measured with idle ones.
const (
	readerSize  = 6 << 10
	writerSize  = 1 << 10
	channelSize = 1 << 10
)

func pendingBytes(sv *broker.Survey) int64 { return sv.Node.SendPending }

// queueMemory is what the indexes of queues of a kind take.
func queueMemory(sv *broker.Survey, k broker.QueueKind) int64 {
	n := &sv.Queues[k]
	return int64(n.Count)*queueSize + itemSize*int64(n.Depths.Unacked+n.Depths.ReadyInMemory)
}

// percent is memory in percent of the total, rounded up as RabbitMQ does it.
func percent(m apitype.Object) apitype.Object {
	total := m["total"].(apitype.Object)["allocated"].(int64)
	out := apitype.Object{"total": 100}
	for _, k := range memoryKeys() {
		n := m[k].(int64)
		if n > 0 && total > 0 {
			out[k] = (n*100 + total - 1) / total
		} else {
			out[k] = 0
		}
	}
	return out
}
