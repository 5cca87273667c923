package server

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/api"
	"github.com/warrenmq/warren/internal/mgmt/debug"
	"github.com/warrenmq/warren/internal/mgmt/ui"
)

// management is the HTTP API. There is one for each time that the application
// runs, and one that knows the node only for when it does not.
type management struct {
	srv     *Server
	current atomic.Pointer[http.Handler]
}

// open builds the API of a running application; nil: of a stopped one.
func (m *management) open(a *app) error {
	if a == nil {
		a = &app{}
	}
	cfg := &m.srv.cfg
	c := &cfg.Management
	var pages http.Handler
	if a.broker != nil {
		pages = debug.Handler("/debug", a.broker, a.stats)
	}
	var hosts api.Hosts
	if cfg.Hosts != nil {
		hosts = cfg.Hosts(m.srv.DialAs)
	}
	h, err := api.New(api.Deps{
		Debug: pages, Hosts: hosts,
		Broker: a.broker, Stats: a.stats, Node: (*node)(m.srv), Logger: m.srv.logger, Audit: (*auditLog)(m.srv),
		UI: ui.Handler(ui.Options{Dir: c.PageDir}),
		Config: api.Config{
			NodeName: cfg.NodeName, ClusterName: cfg.ClusterName, ProductName: "Warren", ProductVersion: Version, Level: cfg.ProductVersion,
			DataDir: cfg.DataDir, ConfigFiles: cfg.ConfigFiles, LogFiles: logFiles(cfg),
			PathPrefix: c.PathPrefix, MaxBodySize: c.MaxBodySize, LoginTimeout: c.SessionTimeout,
			CORSOrigins: c.CORSOrigins, CORSMaxAge: int(c.CORSMaxAge / time.Second), CSP: c.CSP, HSTS: c.HSTS,
			ContentType: c.ContentTypeOpts, XSSProtection: c.XSSProtection, FrameOptions: c.FrameOptions, Referrer: c.ReferrerPolicy,
			NoBasicAuth: c.DisableBasicAuth, ReferenceAuth: c.ReferenceAuth, NoOpPolicies: c.OperatorPoliciesFixed,
			DisableStats: c.DisableStats || c.NoCollector, QueueTotals: c.QueueTotals, RatesMode: c.RatesMode,
		},
	})
	if err != nil {
		return err
	}
	a.api = h
	handler := http.Handler(h)
	m.current.Store(&handler)
	return nil
}

func logFiles(cfg *Config) func() []string {
	if cfg.Logs == nil {
		return nil
	}
	return cfg.Logs.Files
}

// ServeHTTP implements http.Handler.
func (m *management) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*m.current.Load()).ServeHTTP(w, r)
}

// trusted marks the requests that come over the control socket.
func trusted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(api.OverSocket(r.Context())))
	})
}

// node is a Server as the API sees it.
type node Server

func (n *node) server() *Server { return (*Server)(n) }

// Listeners implements api.Node.
func (n *node) Listeners() []api.ListenerInfo {
	var out []api.ListenerInfo
	for _, l := range n.server().Listeners() {
		out = append(out, api.ListenerInfo(l))
	}
	return out
}

// Plugins implements api.Node.
func (n *node) Plugins() []api.PluginInfo {
	var out []api.PluginInfo
	for _, p := range n.server().Plugins() {
		out = append(out, api.PluginInfo{Name: p.Name, Version: p.Version, Description: p.Description, Enabled: p.Enabled, Implicit: p.Implicit, Running: p.Running})
	}
	return out
}

func (n *node) Started() time.Time                   { return n.server().Started() }
func (n *node) AppRunning() bool                     { return n.server().AppRunning() }
func (n *node) Suspended() bool                      { return n.server().Suspended() }
func (n *node) StopApp() error                       { return n.server().StopApp() }
func (n *node) StartApp() error                      { return n.server().StartApp() }
func (n *node) Reset() error                         { return n.server().Reset() }
func (n *node) RequestStop()                         { n.server().RequestStop() }
func (n *node) SuspendListeners() error              { return n.server().SuspendListeners() }
func (n *node) ResumeListeners() error               { return n.server().ResumeListeners() }
func (n *node) EnablePlugins(names ...string) error  { return n.server().EnablePlugins(names...) }
func (n *node) DisablePlugins(names ...string) error { return n.server().DisablePlugins(names...) }
func (n *node) SetPlugins(names ...string) error     { return n.server().SetPlugins(names...) }

// Certificates implements api.Node.
func (n *node) Certificates() []api.CertificateInfo {
	var out []api.CertificateInfo
	for _, c := range n.server().Certificates() {
		out = append(out, api.CertificateInfo{Listener: api.ListenerInfo(c.Listener), File: c.File, Leaf: c.Leaf})
	}
	return out
}

// EffectiveConfig implements api.Node.
func (n *node) EffectiveConfig() []api.ConfigValue {
	var out []api.ConfigValue
	for _, s := range n.cfg.Settings {
		out = append(out, api.ConfigValue(s))
	}
	return out
}

// auditLog is the record as the API reads it.
type auditLog Server

// Add implements api.AuditLog.
func (a *auditLog) Add(e broker.AuditEntry) { (*Server)(a).record(e) }

// Recent implements api.AuditLog.
func (a *auditLog) Recent(before int64, count int) ([]api.AuditRecord, error) {
	if a.audit == nil {
		return nil, nil
	}
	es, err := a.audit.Last(count, before)
	var out []api.AuditRecord
	for _, e := range es {
		out = append(out, api.AuditRecord(e))
	}
	return out, err
}

// Alarms implements api.Node.
func (n *node) Alarms() []string {
	s := n.server()
	s.mu.Lock()
	a := s.app
	s.mu.Unlock()
	if a == nil {
		return nil
	}
	var out []string
	for _, al := range a.broker.Alarms() {
		out = append(out, al.Resource)
	}
	return out
}

// SetLogLevel implements api.Node.
func (n *node) SetLogLevel(category, level string) error {
	if n.cfg.Logs == nil {
		return errNotHere
	}
	return n.cfg.Logs.SetLevel(category, level)
}

// RotateLogs implements api.Node.
func (n *node) RotateLogs() error {
	err := errors.Join(n.audit.Reopen(), n.access.reopen())
	if n.cfg.Logs == nil {
		return err
	}
	return errors.Join(err, n.cfg.Logs.Reopen())
}

var errNotHere = errors.New("this node cannot do that")

func (n *node) Reload() ([]string, error) { return n.server().Reload() }
