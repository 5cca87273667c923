// Package metrics writes what Prometheus scrapes: RabbitMQ's metrics by their
// names, types and labels, so that its dashboards work, and a few of our own
// (warren_*, go_*, process_*).
//
// A page is written straight into bytes: with ten thousand queues there are
// hundreds of thousands of lines. Figures are the core's present ones, copied
// object by object.
package metrics

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/stats"
)

// Options are what a Handler is made of.
type Options struct {
	Broker *broker.Broker
	Stats  *stats.Sampler
	Node   string
	// Cluster is the cluster's name, ClusterID what stays when it is renamed.
	Cluster   func() string
	ClusterID string
	// Product, Version and Level are what this is, and the release of RabbitMQ
	// that it behaves like.
	Product, Version, Level string
	Started                 time.Time
	// Limits are those that alarms watch, in bytes, and whether alarms are set.
	Limits    func() Limits
	Path      string // default /metrics
	PerObject bool   // Path gives single objects, too
}

// Limits of memory and disk.
type Limits struct {
	Memory, Disk           int64
	MemoryAlarm, DiskAlarm bool
}

// Handler serves the pages. Other paths are not found.
type Handler struct {
	o Options

	mu      sync.Mutex
	scrapes map[string]*scrapes // by page
}

type scrapes struct {
	count          uint64
	seconds        float64
	bytes, encoded uint64
}

// New makes a Handler.
func New(o Options) *Handler {
	if o.Path == "" {
		o.Path = "/metrics"
	}
	if o.Path = strings.Trim(o.Path, "/"); o.Path != "" {
		o.Path = "/" + o.Path
	}
	return &Handler{o: o, scrapes: map[string]*scrapes{}}
}

// Pages, as the label rabbitmq_endpoint names them.
const (
	aggregated      = "aggregated"
	perObject       = "per-object"
	detailed        = "detailed"
	memoryBreakdown = "memory-breakdown"
)

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), h.o.Path)
	p := &page{}
	start := time.Now()
	name := ""
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case rest == "" && !h.o.PerObject:
		name = aggregated
		h.everything(p, false)
	case rest == "" || rest == "/"+perObject:
		name = perObject
		h.everything(p, true)
	case rest == "/"+detailed:
		name = detailed
		h.families(p, r.URL.Query())
	case rest == "/"+memoryBreakdown:
		name = memoryBreakdown
		h.memory(p)
	default:
		http.NotFound(w, r)
		return
	}
	h.identity(p, name)
	h.telemetry(p, name)
	n := h.reply(w, r, p.buf)
	h.scraped(name, time.Since(start), len(p.buf), n)
}

const contentType = "text/plain; version=0.0.4; charset=utf-8"

// reply sends a page, packed if the client takes that, and returns how many
// bytes went out.
func (h *Handler) reply(w http.ResponseWriter, r *http.Request, body []byte) int {
	w.Header().Set("Content-Type", contentType)
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
		return len(body)
	}
	w.Header().Set("Content-Encoding", "gzip")
	c := &counting{w: w}
	z, err := gzip.NewWriterLevel(c, gzip.BestSpeed)
	if err != nil {
		return 0
	}
	z.Write(body)
	z.Close()
	return c.n
}

type counting struct {
	w http.ResponseWriter
	n int
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

func (h *Handler) scraped(name string, d time.Duration, size, encoded int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.scrapes[name]
	if s == nil {
		s = &scrapes{}
		h.scrapes[name] = s
	}
	s.count++
	s.seconds += d.Seconds()
	s.bytes += uint64(size)
	s.encoded += uint64(encoded)
}

// telemetry is about the scrapes before this one.
func (h *Handler) telemetry(p *page, name string) {
	h.mu.Lock()
	s := scrapes{}
	if at := h.scrapes[name]; at != nil {
		s = *at
	}
	h.mu.Unlock()
	labels := label("registry", name, "content_type", contentType)
	for _, m := range []struct {
		name, help string
		sum        float64
	}{
		{"telemetry_scrape_duration_seconds", "Scrape duration", s.seconds},
		{"telemetry_scrape_size_bytes", "Scrape size, not encoded", float64(s.bytes)},
		{"telemetry_scrape_encoded_size_bytes", "Scrape size, encoded", float64(s.encoded)},
	} {
		p.head(m.name, "summary", m.help)
		p.sample(m.name+"_count", labels, float64(s.count))
		p.sample(m.name+"_sum", labels, m.sum)
	}
}

// identity says what this is. Every dashboard joins on it.
func (h *Handler) identity(p *page, endpoint string) {
	o := &h.o
	p.one("rabbitmq_build_info", "untyped", "RabbitMQ & Erlang/OTP version info", label("rabbitmq_version", o.Level, "prometheus_plugin_version", o.Version,
		"prometheus_client_version", o.Version, "erlang_version", "none", "product_name", o.Product, "product_version", o.Version), 1)
	p.one("rabbitmq_identity_info", "untyped", "RabbitMQ node & cluster identity info", label("rabbitmq_node", o.Node, "rabbitmq_cluster", o.Cluster(),
		"rabbitmq_cluster_permanent_id", o.ClusterID, "rabbitmq_endpoint", endpoint), 1)
}

// everything is the page of all families.
func (h *Handler) everything(p *page, single bool) {
	var l *look
	if single {
		l = h.lookAt(nil)
	} else {
		l = h.lookAtSums()
	}
	h.node(p)
	h.authAttempts(p)
	for _, f := range objectFamilies() {
		if f.general {
			f.write(p, l, "rabbitmq_")
		}
	}
	h.totals(p, l)
	h.global(p, l)
	h.own(p, l)
	h.runtime(p)
}
