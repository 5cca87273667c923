package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/server"
)

// pluginKeys are the HTTP listeners, and definitions at start.
func (b *build) pluginKeys() []key {
	s := b.s
	m, p := &s.Management, &s.Prometheus
	rows := []key{
		{name: "management.path_prefix", set: func(_ *build, _ []string, v string) error {
			m.PathPrefix = strings.TrimSuffix(v, "/")
			if m.PathPrefix != "" && m.PathPrefix[0] != '/' {
				return errors.New("a prefix begins with /")
			}
			return nil
		}},
		{name: "management.cors.allow_origins", refuse: "want management.cors.allow_origins.1", harmless: []string{"none"}},
		{name: "management.cors.allow_origins.$n", set: item("management.cors.allow_origins", anything)},
		{name: "management.cors.max_age", def: "1800", set: func(_ *build, _ []string, v string) (err error) {
			m.CORSMaxAge, err = parseSeconds(v)
			return err
		}},
		{name: "management.csp.policy", set: text(&m.CSP)},
		{name: "warren.management_page_dir", set: text(&m.PageDir)},
		{name: "management.hsts.policy", set: text(&m.HSTS)},
		{name: "management.headers.content_type_options", set: text(&m.ContentTypeOpts)},
		{name: "management.headers.xss_protection", set: text(&m.XSSProtection)},
		{name: "management.headers.frame_options", set: text(&m.FrameOptions)},
		{name: "management.headers.referrer_policy", set: text(&m.ReferrerPolicy)},
		{name: "management.http.max_body_size", def: "10000000", set: func(_ *build, _ []string, v string) error {
			n, err := parseSize(v)
			if m.MaxBodySize = n; err == nil && (n < 1024 || n > 1<<30) {
				return errors.New("want 1024 bytes to 1 GiB")
			}
			return err
		}},
		{name: "management.http.hide_allow_header", note: "the header says nothing that the documentation does not"},
		{name: "management.login_session_timeout", def: "480", set: minutes(&m.SessionTimeout)},
		{name: "management.rates_mode", def: "basic", set: choice(&m.RatesMode, "basic", "detailed", "none")},
		{name: "management.disable_stats", def: "false", set: boolean(&m.DisableStats)},
		{name: "management.enable_queue_totals", def: "false", set: boolean(&m.QueueTotals)},
		{name: "management.disable_basic_auth", def: "false", set: boolean(&m.DisableBasicAuth)},
		{name: "management.sample_retention_policies.$policy.$interval", set: retention},
		{name: "management.load_definitions", set: needed(&b.definitions.load)},
		{name: "management.http_log_dir", set: func(b *build, _ []string, v string) error { b.accessLog[0] = v; return nil }},
		{name: "http_dispatch.access_log_dir", set: func(b *build, _ []string, v string) error { b.accessLog[1] = v; return nil }},
		{name: "management.listener.server.$*", note: "HTTP connections are looked after as they need it"},
		{name: "management.listener.ssl_opts", refuse: "want management.listener.ssl_opts.KEY", harmless: []string{"none"}},
		{name: "management.enable_uaa", refuse: "OAuth 2 is not part of this version", harmless: []string{"false"}},
		{name: "management.uaa_client_id", note: "OAuth 2 is not part of this version"},
		{name: "management.uaa_location", note: "OAuth 2 is not part of this version"},
		{name: "management.oauth_authorization_endpoint_params.$name", refuse: "OAuth 2 is not part of this version"},
		{name: "management.oauth_token_endpoint_params.$name", refuse: "OAuth 2 is not part of this version"},
		{name: "management.db_cache_multiplier", note: "nothing is cached that could be old"},
		{name: "management.delegate_count", note: "there is one node"},
		{name: "management.process_stats_gc_timeout", note: "there are no Erlang processes"},
		{name: "management.require_auth_for_api_reference", def: "false", set: boolean(&m.ReferenceAuth)},
		{name: "management.credential_encryption_secret", note: "a session's token says nothing about the password"},
		{name: "management.definitions.require_json_extension", note: "what matters is what is in the file"},
		{name: "management.restrictions.quorum_queue_replica_operations.disabled", note: "there is one node"},
		{name: "management.oauth_enabled", refuse: "OAuth 2 is not part of this version", harmless: []string{"false"}},
		{name: "management.oauth_resource_servers.$*", refuse: "OAuth 2 is not part of this version"},
		{name: "management_agent.disable_metrics_collector", def: "false", set: boolean(&m.NoCollector)},
		{name: "management_agent.filter_aggregated_queue_metrics_pattern", note: "statistics cost little"},

		{name: "prometheus.path", def: "/metrics", set: func(_ *build, _ []string, v string) error {
			if p.Path = v; v == "" || v[0] != '/' {
				return errors.New("a path begins with /")
			}
			return nil
		}},
		{name: "prometheus.tcp.listener", set: func(b *build, _ []string, v string) error {
			w := b.web["prometheus"]
			if w.off = v == "none"; w.off {
				return nil
			}
			addr, err := address(v)
			if err == nil {
				w.ip, w.port, err = net.SplitHostPort(addr)
			}
			return err
		}},
		{name: "prometheus.return_per_object_metrics", def: "false", set: boolean(&p.PerObject)},
		{name: "prometheus.authentication.enabled", def: "false", set: boolean(&p.Authentication)},
		{name: "prometheus.filter_aggregated_queue_metrics_pattern", note: "metrics cost little"},

		{name: "load_definitions", set: needed(&b.definitions.load)},
		{name: "definitions.local.path", set: needed(&b.definitions.local)},
		{name: "definitions.skip_if_unchanged", def: "false", set: boolean(&s.DefinitionsSkipUnchanged)},
		{name: "definitions.hashing.algorithm", note: "whether definitions have changed is found out with SHA-256"},
		{name: "definitions.import_backend", def: "local_filesystem", set: importBackend},
		{name: "definitions.https.url", secret: true, set: func(b *build, _ []string, v string) error {
			b.definitions.url = v
			u, err := url.Parse(v)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
				return errors.New("want a URL that begins with https://")
			}
			return nil
		}},
	}
	for _, name := range []string{"client_id", "client_secret", "provider_url", "scopes", "metadata_url", "initiated_logon_type", "disable_basic_auth", "response_type"} {
		rows = append(rows, key{name: "management.oauth_" + name, refuse: "OAuth 2 is not part of this version"})
	}
	rows = append(rows, b.clientTLSKeys("definitions.tls", &b.definitions.tls)...)
	rows = append(rows, b.webKeysOf("management", &m.TLS)...)
	rows = append(rows, b.webKeysOf("prometheus", &p.TLS)...)
	old := func(name string, check func(string) error) key {
		return key{name: "management.listener." + name, set: func(b *build, _ []string, v string) error {
			b.oldWeb[name] = v
			return check(v)
		}}
	}
	rows = append(rows, old("port", isPort), old("ip", anything), old("ssl", among("true", "false")))
	for _, k := range b.tlsKeys("management.ssl", &m.TLS) {
		k.name = strings.Replace(k.name, "management.ssl.", "management.listener.ssl_opts.", 1)
		rows = append(rows, k)
	}
	return rows
}

// retention is how far apart samples are that are kept for a minute, an hour, a
// day, or so many seconds.
func retention(b *build, at []string, v string) error {
	r := &b.s.Management.Retention
	list, ok := map[string]*[]server.Samples{"global": &r.Global, "basic": &r.Basic, "detailed": &r.Detailed}[at[0]]
	if !ok {
		return fmt.Errorf("%q: want global, basic or detailed", at[0])
	}
	name, ok := map[string]string{"minute": "60", "hour": "3600", "day": "86400"}[at[1]]
	if !ok {
		name = at[1]
	}
	span, err := parseInt(name, 10, maxRetention)
	if err != nil {
		return fmt.Errorf("%q: want minute, hour, day or a number of seconds from 10 to %d", at[1], maxRetention)
	}
	step, err := parseInt(v, 1, span)
	if err != nil {
		return fmt.Errorf("seconds between samples: %w", err)
	}
	s := server.Samples{Span: time.Duration(span) * time.Second, Step: time.Duration(step) * time.Second}
	i, found := slices.BinarySearchFunc(*list, s, func(a, b server.Samples) int { return cmp.Compare(a.Span, b.Span) })
	switch {
	case found:
		(*list)[i] = s
	case len(*list) == maxPolicies:
		return fmt.Errorf("more than %d of %s", maxPolicies, at[0])
	default:
		*list = slices.Insert(*list, i, s)
	}
	return nil
}

// Each object has a history for each of them; none is kept longer than 30 days.
const (
	maxPolicies  = 6
	maxRetention = 30 * 86400
)

// importBackend takes the names that RabbitMQ has for them.
func importBackend(b *build, _ []string, v string) error {
	name := strings.TrimPrefix(strings.TrimPrefix(v, "rabbitmq_definitions_import_"), "rabbit_definitions_import_")
	switch name {
	case "local", "local_filesystem":
		b.definitions.fetch = false
	case "http", "https":
		b.definitions.fetch = true
	default:
		return oneOf(v, "local_filesystem", "https")
	}
	return nil
}

// finishDefinitions decides where definitions come from.
func (b *build) finishDefinitions() error {
	d, s := &b.definitions, b.s
	d.tls.Versions, d.tls.Ciphers = valuesByKey(b.lists["definitions.tls.versions"]), valuesByKey(b.lists["definitions.tls.ciphers"])
	s.DefinitionsTLS = server.ClientTLS(d.tls)
	unused := func(key, why string) { b.notes = append(b.notes, key+" has no effect: "+why) }
	s.DefinitionsPath = d.load
	switch {
	case d.fetch && d.url == "":
		return errors.New("definitions.import_backend: definitions.https.url is wanted, too")
	case d.fetch && d.load != "":
		return errors.New("load_definitions and definitions.https.url: a node takes its definitions from one place")
	case d.fetch:
		if s.DefinitionsURL = d.url; d.local != "" {
			unused("definitions.local.path", "definitions.import_backend names another place")
		}
		return nil
	case d.url != "":
		unused("definitions.https.url", "definitions.import_backend does not name it")
	}
	if d.local != "" {
		if d.load != "" && d.load != d.local {
			return errors.New("load_definitions and definitions.local.path: a node takes its definitions from one place")
		}
		s.DefinitionsPath = d.local
	}
	return nil
}

func isPort(v string) error { _, err := portNumber(v); return err }

// webKeysOf are those of the listeners of HTTP servers.
func (b *build) webKeysOf(name string, t *server.TLS) []key {
	w := b.web[name]
	port := func(p *string) setter {
		return func(_ *build, _ []string, v string) error { *p = v; return isPort(v) }
	}
	def := map[string]string{"management": "15672", "prometheus": "15692"}[name]
	rows := []key{
		{name: name + ".tcp.port", def: def, set: port(&w.port)},
		{name: name + ".tcp.ip", set: text(&w.ip)},
		{name: name + ".ssl.port", set: port(&w.sslPort)},
		{name: name + ".ssl.ip", set: text(&w.sslIP)},
	}
	limits := map[string]*int{".tcp.": &b.s.Management.MaxConnections, ".ssl.": &b.s.Management.MaxTLSConnections}
	if name == "prometheus" {
		limits = map[string]*int{".tcp.": &b.s.Prometheus.MaxConnections, ".ssl.": &b.s.Prometheus.MaxTLSConnections}
	}
	for _, proto := range []string{".tcp.", ".ssl."} {
		for _, leaf := range []string{"compress", "idle_timeout", "inactivity_timeout", "request_timeout", "shutdown_timeout", "max_keepalive", "backlog"} {
			rows = append(rows, key{name: name + proto + leaf, note: "HTTP connections are looked after as they need it"})
		}
		rows = append(rows, key{name: name + proto + "max_connections", def: "infinity", set: func(_ *build, _ []string, v string) error {
			if *limits[proto] = 0; v == "infinity" {
				return nil
			}
			return integer(limits[proto], 1, 1_000_000)(nil, nil, v)
		}})
	}
	return append(rows, b.tlsKeys(name+".ssl", t)...)
}
