package api

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// nodeRoutes are commands to the node, which RabbitMQ has no paths for: what
// warren ctl does.
func (a *API) nodeRoutes() []*Route {
	post := func(path, summary string, in, out any, h func(*Request) error) *Route {
		return &Route{Method: http.MethodPost, Path: "/node/" + path, Access: Administrator, Stopped: true, Summary: summary, In: in, Out: out, Handle: h}
	}
	simple := func(path, summary, action string, f func() error) *Route {
		return post(path, summary, nil, nil, func(rq *Request) error { return a.nodeCommand(rq, action, "", f) })
	}
	n := a.Node
	return []*Route{
		{Method: http.MethodGet, Path: "/node/status", Access: Monitoring, Stopped: true, Summary: "How the node is, also while the broker is stopped", Out: apitype.NodeStatus{}, Handle: a.nodeStatus},
		simple("stop", "End the program", "stop node", func() error { n.RequestStop(); return nil }),
		simple("stop_app", "Stop the broker; the node stays", "stop broker", n.StopApp),
		simple("start_app", "Start the broker again", "start broker", n.StartApp),
		simple("reset", "Delete all definitions and messages; only after stop_app", "reset node", n.Reset),
		simple("suspend-listeners", "Refuse new connections", "suspend listeners", n.SuspendListeners),
		simple("resume-listeners", "Accept connections again", "resume listeners", n.ResumeListeners),
		simple("rotate-logs", "Close and open the log files", "rotate logs", n.RotateLogs),
		post("reload", "Read the configuration again", nil, apitype.Reloaded{}, a.reload),
		post("log-level", "Set the log level", apitype.LogLevel{}, nil, a.setLogLevel),
		{Method: http.MethodPost, Path: "/node/memory-watermark", Access: Administrator, Summary: "Set vm_memory_high_watermark until the node stops: 0.4 or 2GB", In: apitype.Setting{}, Handle: a.setting("set memory watermark", a.setMemoryWatermark)},
		{Method: http.MethodPost, Path: "/node/disk-monitor", Access: Administrator, Summary: "Watch free disk space until the node stops, or not: on, off", In: apitype.Setting{}, Handle: a.setting("watch disk", a.watchDisk)},
		{Method: http.MethodPost, Path: "/node/disk-free-limit", Access: Administrator, Summary: "Set disk_free_limit until the node stops: 2GB, or mem_relative 1.5", In: apitype.Setting{}, Handle: a.setting("set disk free limit", a.setDiskFreeLimit)},
		{Method: http.MethodPost, Path: "/node/close-connections", Access: Administrator, Summary: "Close connections", In: apitype.CloseConnections{}, Out: apitype.Closed{}, Handle: a.closeConnections},
		{Method: http.MethodGet, Path: "/config/effective", Access: Administrator, Stopped: true, List: true, Summary: "The configuration in force", Out: []apitype.ConfigValue{}, Handle: a.effectiveConfig},
		{Method: http.MethodGet, Path: "/plugins", Access: Administrator, Stopped: true, List: true, Summary: "Plugins and whether they are enabled", Out: []apitype.Plugin{}, Handle: a.getPlugins},
		{Method: http.MethodPut, Path: "/plugins", Access: Administrator, Stopped: true, Summary: "Enable exactly these plugins", In: apitype.PutPlugins{}, Handle: a.putPlugins},
		{Method: http.MethodPut, Path: "/plugins/{plugin}", Access: Administrator, Stopped: true, Summary: "Enable a plugin and what it needs", Handle: a.putPlugin},
		{Method: http.MethodDelete, Path: "/plugins/{plugin}", Access: Administrator, Stopped: true, Summary: "Disable a plugin and what needs it", Handle: a.deletePlugin},
		{Method: http.MethodGet, Path: "/audit", Access: Administrator, Summary: "The audit log, newest first; parameters count and before", Out: []apitype.AuditEntry{}, Handle: a.getAudit},
	}
}

// nodeCommand does something to the node and puts it on record.
func (a *API) nodeCommand(rq *Request, action, detail string, f func() error) error {
	if err := a.recorded(rq, action, detail, f); err != nil {
		return BadRequest(err.Error())
	}
	return rq.NoContent()
}

// recorded puts on record what f did.
func (a *API) recorded(rq *Request, action, detail string, f func() error) error {
	e := broker.AuditEntry{Actor: rq.Actor(), Action: action, Object: a.Config.NodeName, Result: broker.AuditOK, Detail: detail}
	err := f()
	if err != nil {
		e.Result, e.Reason = broker.AuditRefused, err.Error()
	}
	a.record(e)
	return err
}

// record puts an entry on record, whether the broker runs or not.
func (a *API) record(e broker.AuditEntry) {
	switch {
	case a.Broker != nil:
		a.Broker.Audit(e)
	case a.Audit != nil:
		a.Audit.Add(e)
	}
}

func (a *API) nodeStatus(rq *Request) error {
	c, n := &a.Config, a.Node
	st := apitype.NodeStatus{
		Name: c.NodeName, ClusterName: c.ClusterName, Product: c.ProductName, ProductVersion: c.ProductVersion, RabbitMQVersion: c.Level,
		GoVersion: runtime.Version(), OSPid: os.Getpid(), Uptime: time.Since(n.Started()).Milliseconds(),
		AppRunning: n.AppRunning(), Suspended: n.Suspended(), Alarms: notNil(n.Alarms()), Listeners: []apitype.Listener{},
	}
	if a.Broker != nil {
		st.ClusterName = a.clusterName()
		st.MemoryWatermark = watermarkText(a.Broker.MemoryHighWatermark())
	}
	for _, l := range n.Listeners() {
		st.Listeners = append(st.Listeners, apitype.Listener{Node: c.NodeName, Protocol: l.Protocol, IPAddress: l.Address, Port: l.Port, TLS: l.TLS})
	}
	return rq.Reply(st)
}

func watermarkText(w broker.Watermark) string {
	if w.Absolute > 0 {
		return strconv.FormatInt(w.Absolute, 10)
	}
	return strconv.FormatFloat(w.Relative, 'f', -1, 64)
}

func (a *API) reload(rq *Request) error {
	var pending []string
	err := a.recorded(rq, "reload configuration", "", func() (err error) {
		pending, err = a.Node.Reload()
		return err
	})
	if err != nil {
		return BadRequest(err.Error())
	}
	return rq.Reply(apitype.Reloaded{Pending: notNil(pending)})
}

func (a *API) setLogLevel(rq *Request) error {
	var in apitype.LogLevel
	if err := rq.Body(&in, "level"); err != nil {
		return err
	}
	return a.nodeCommand(rq, "set log level", in.Category+" "+in.Level, func() error { return a.Node.SetLogLevel(in.Category, in.Level) })
}

func (a *API) setting(action string, set func(string) error) func(*Request) error {
	return func(rq *Request) error {
		var in apitype.Setting
		if err := rq.Body(&in, "value"); err != nil {
			return err
		}
		return a.nodeCommand(rq, action, in.Value, func() error { return set(in.Value) })
	}
}

func (a *API) closeConnections(rq *Request) error {
	var in apitype.CloseConnections
	if err := rq.StrictBody(&in); err != nil {
		return err
	}
	left := int(in.Limit)
	n := a.Broker.CloseClients(rq.Actor(), closeReason(in.Reason), func(c *broker.ClientInfo) bool {
		if in.VHost != "" && c.VHost != in.VHost || in.User != "" && c.User != in.User || in.Limit > 0 && left == 0 {
			return false
		}
		left--
		return true
	})
	return rq.Reply(apitype.Closed{Closed: n})
}

func (a *API) effectiveConfig(rq *Request) error {
	rows := []apitype.ConfigValue{}
	for _, v := range a.Node.EffectiveConfig() {
		rows = append(rows, apitype.ConfigValue(v))
	}
	return ListOf(rq, rows, "key")
}

func (a *API) getPlugins(rq *Request) error {
	rows := []apitype.Plugin{}
	for _, p := range a.Node.Plugins() {
		rows = append(rows, apitype.Plugin{Name: p.Name, Version: p.Version, Description: p.Description, Enabled: p.Enabled, Implicit: p.Implicit, Running: p.Running})
	}
	return ListOf(rq, rows, "name")
}

func (a *API) putPlugins(rq *Request) error {
	var in apitype.PutPlugins
	if err := rq.Body(&in, "enabled"); err != nil {
		return err
	}
	return a.nodeCommand(rq, "set plugins", "", func() error { return a.Node.SetPlugins(in.Enabled...) })
}

func (a *API) putPlugin(rq *Request) error {
	return a.nodeCommand(rq, "enable plugin", rq.Var("plugin"), func() error { return a.Node.EnablePlugins(rq.Var("plugin")) })
}

func (a *API) deletePlugin(rq *Request) error {
	return a.nodeCommand(rq, "disable plugin", rq.Var("plugin"), func() error { return a.Node.DisablePlugins(rq.Var("plugin")) })
}

func (a *API) getAudit(rq *Request) error {
	if a.Audit == nil {
		return NotFound()
	}
	q := rq.URL.Query()
	count, ok, err := intParam(q, "count")
	if err != nil || count < 0 {
		return BadRequest("count must be a number that is not negative")
	}
	if !ok {
		count = 100
	}
	before, _, err := intParam(q, "before")
	if err != nil {
		return BadRequest("before must be the id of an entry")
	}
	records, err := a.Audit.Recent(int64(before), min(count, 10_000))
	if err != nil {
		return err
	}
	rows := make([]apitype.AuditEntry, 0, len(records))
	for _, r := range records {
		rows = append(rows, apitype.AuditEntry{ID: r.ID, Time: r.Time.UnixMilli(), User: r.User, Source: r.Source, Action: r.Action,
			VHost: r.VHost, Object: r.Object, Result: r.Result, Reason: r.Reason, Detail: r.Detail})
	}
	return rq.Reply(rows)
}

const defaultCloseReason = "Closed via management plugin"

func closeReason(s string) string {
	if s == "" {
		return defaultCloseReason
	}
	return s
}
