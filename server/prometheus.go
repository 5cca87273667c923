package server

import (
	"encoding/json"
	"net/http"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/api"
	"github.com/warrenmq/warren/internal/mgmt/metrics"
)

// prometheusHandler is what the listener for Prometheus serves. The caller holds
// mu, and the application runs.
func (s *Server) prometheusHandler() http.Handler {
	mux := http.NewServeMux()
	s.health(mux)
	a, cfg := s.app, &s.cfg
	h := http.Handler(metrics.New(metrics.Options{
		Broker: a.broker, Stats: a.stats, Node: cfg.NodeName, Cluster: func() string { return clusterName(a.broker, cfg.ClusterName) },
		ClusterID: a.broker.NodeID(), Product: "Warren", Version: Version, Level: cfg.ProductVersion, Started: s.started,
		Limits: func() metrics.Limits { return limits(a.broker) }, Path: cfg.Prometheus.Path, PerObject: cfg.Prometheus.PerObject,
	}))
	if cfg.Prometheus.Authentication {
		h = a.api.Guard(api.Monitoring, h)
	}
	mux.Handle("/", h)
	return mux
}

// clusterName is what the cluster was called, or else what the configuration says.
func clusterName(b *broker.Broker, name string) string {
	b.View(func(s *meta.State) {
		if p := s.GlobalParameter("cluster_name"); p != nil {
			var given string
			if json.Unmarshal(p.Value, &given) == nil {
				name = given
			}
		}
	})
	return name
}

func limits(b *broker.Broker) metrics.Limits {
	r := b.Resources()
	l := metrics.Limits{Memory: max(r.MemoryLimit, 0), Disk: max(r.DiskLimit, 0)}
	for _, a := range b.Alarms() {
		l.MemoryAlarm = l.MemoryAlarm || a.Resource == broker.MemoryAlarm
		l.DiskAlarm = l.DiskAlarm || a.Resource == broker.DiskAlarm
	}
	return l
}
