package server

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/api"
)

// Durability says what a publisher confirm stands for.
type Durability string

const (
	Disk   Durability = "disk"   // the message is synced to disk (the default)
	OS     Durability = "os"     // the operating system has it
	Memory Durability = "memory" // the broker has it
)

// Config is what a node is made of. The zero value of a field is its default.
// Where RabbitMQ has a key for a field, the comment of the field names it.
type Config struct {
	// DataDir holds everything that outlives the process. Empty: the data
	// lives in memory and goes with it.
	DataDir string
	Logger  *slog.Logger `json:"-"` // nil: silent
	Logs    Logs         `json:"-"` // nil: what Logger does stays as it is
	// LogExchange makes the log hand its entries to publish, one after the other,
	// until stop; they go to the exchange amq.rabbitmq.log of DefaultVHost
	// (log.exchange). Nil: there is no such exchange.
	LogExchange func(publish func(LogEntry)) (stop func()) `json:"-"`
	// Hosts lets the management page run commands on hosts; nil: it does not.
	// The program warren sets it, so that who embeds a broker has no AMQP client in it.
	Hosts func(dial func(user string) (net.Conn, error)) api.Hosts `json:"-"`
	// Reread reads the configuration again, for Reload, and changes what it can
	// (levels of the log). It returns the settings that now stand there. Nil:
	// there is nothing to read.
	Reread      func() ([]Setting, error) `json:"-"`
	ConfigFiles []string                  // that the configuration was read from, to be shown
	NodeName    string                    // default: warren@host
	ClusterName string                    // cluster_name; default: NodeName

	// Listeners are addresses for AMQP, "host:port"; port 0 picks a free one.
	// Nil: none; connections then come from Dial only. (listeners.tcp.*)
	Listeners    []string
	TLSListeners []string // the same with TLS (listeners.ssl.*)
	TLS          TLS      // of TLSListeners (ssl_options.*)
	CertLogin    CertLogin
	// ProxyProtocol: each connection to Listeners and TLSListeners begins with a
	// PROXY header, version 1 or 2, that says where it really comes from.
	ProxyProtocol       bool
	HandshakeTimeout    time.Duration // until connection.open (handshake_timeout); default 10 s
	TLSHandshakeTimeout time.Duration // ssl_handshake_timeout; default 5 s
	Socket              SocketOptions

	// AuditDir is where audit.log is kept, the record of changes and refusals;
	// default: log in DataDir.
	AuditDir string

	// AccessLogDir is where access.log is kept, the record of HTTP requests
	// (management.http_log_dir, http_dispatch.access_log_dir); "": there is none.
	AccessLogDir string

	// Management and Prometheus are HTTP listeners. They are open while the
	// plugin of their name is enabled.
	Management Management
	Prometheus Prometheus
	// EnabledPlugins are switched on; nil: what EnabledPluginsFile says, and if
	// there is none, rabbitmq_management and rabbitmq_prometheus.
	EnabledPlugins     []string
	EnabledPluginsFile string // default: enabled_plugins in DataDir

	DefaultUser, DefaultPass, DefaultVHost string      // of an empty node; default guest, guest, /
	DefaultUserTags                        []string    // default: administrator
	DefaultPermissions                     Permissions // of DefaultUser in DefaultVHost; default: .* for each
	LoopbackUsers                          []string    // may only connect from this host; nil: guest
	PasswordHashing                        string      // of new passwords (password_hashing_module): rabbit_password_hashing_sha256 (default), _sha512
	CredentialValidator                    CredentialValidator
	Mechanisms                             []string // auth_mechanisms; default: PLAIN, AMQPLAIN
	// AnonymousUser and AnonymousPass are who comes with the mechanism ANONYMOUS
	// (anonymous_login_user, _pass); "": it is not offered.
	AnonymousUser, AnonymousPass string
	VHostUsers                   []VHostUser     // default_users: made with each new virtual host
	VHostLimits                  []VHostLimit    // default_limits.vhosts: given to each new virtual host
	OperatorPolicies             []DefaultPolicy // default_policies.operator: made with each new virtual host
	// DefinitionsPath is a file of definitions, or a directory of such files, to
	// be imported at each start before listeners open (load_definitions,
	// definitions.local.path). A node that imports makes no default user.
	DefinitionsPath          string
	DefinitionsSkipUnchanged bool // definitions.skip_if_unchanged
	// DefinitionsURL is where definitions are fetched from at each start
	// (definitions.https.url), by HTTPS or HTTP, instead of DefinitionsPath.
	DefinitionsURL string
	DefinitionsTLS ClientTLS // definitions.tls

	Heartbeat      time.Duration // offered to clients; default 60 s, negative: none
	FrameMax       uint32        // bytes; default 131072
	ChannelMax     uint16        // channels of a connection; default 2047
	MaxMessageSize int64         // bytes of a body; default 16 MiB, at most 512 MiB
	// Prefetch is what channels have until their client says otherwise
	// (default_consumer_prefetch); 0: no limit. PrefetchGlobal: for all their
	// consumers together.
	Prefetch       uint16
	PrefetchGlobal bool
	Limits         Limits
	Memory         MemoryAlarm
	DiskFree       DiskAlarm
	// DefaultQueueType is that of queues that are declared without one, in
	// virtual hosts that have none of their own: classic (default), quorum or stream.
	DefaultQueueType string
	// ConsumerTimeout is how long a delivery may stay unacknowledged
	// (consumer_timeout); default 30 min, negative: for ever.
	ConsumerTimeout time.Duration
	// StatisticsInterval is how often statistics are taken
	// (collect_statistics_interval); default 5 s.
	StatisticsInterval time.Duration

	// Settings are the keys that the rest was made from, to be shown to
	// operators. Secrets are not in it.
	Settings []Setting

	Product        string // what clients are told; default RabbitMQ
	ProductVersion string // default Level

	Durability      Durability
	SegmentSize     int64         // bytes of a segment of the log; default 64 MiB
	CheckpointBytes int64         // bytes of log between checkpoints; default 128 MiB
	MemoryBudget    int64         // bytes of waiting messages kept in memory; default 24 MiB
	ShutdownTimeout time.Duration // for clients to go; default 5 s
}

// TLS is what a listener with TLS needs.
type TLS struct {
	CertFile string // the server's certificate, PEM, with those between it and the root
	KeyFile  string // its key, PEM
	Password string // of a key that is encrypted
	CAFile   string // who signs peers' certificates, PEM (cacertfile)
	// VerifyPeer asks for the peer's certificate, and takes only those of
	// CAFile. Without one a peer is let in unless RequireCert is set.
	VerifyPeer  bool     // verify = verify_peer
	RequireCert bool     // fail_if_no_peer_cert
	Depth       int      // of intermediate certificates in a peer's chain; 0: 10, negative: none
	Versions    []string // tlsv1.2, tlsv1.3 (and older ones, if named); default: both
	Ciphers     []string // for TLS 1.2, by OpenSSL's or IANA's names; default: Go's choice
	// CRLCheck (crl_check) looks peers' certificates up in revocation lists: "true"
	// all but the root, "peer" the peer's own, "best_effort" all, and what no list
	// knows is good. "": none are looked up.
	CRLCheck string
	CRLs     []string // directories and files with lists, PEM or DER (crl_sources.N.path)
}

// ClientTLS is what a connection is told that the node opens itself.
type ClientTLS struct {
	CAFile                      string // whom to trust; "": those that the system trusts
	CertFile, KeyFile, Password string // ours, if the server asks
	NoVerify                    bool   // take any certificate
	Versions, Ciphers           []string
	ServerName                  string // "": the host's
}

// CertLogin is what of a peer's certificate is its user name, for EXTERNAL.
type CertLogin struct {
	// From (ssl_cert_login_from): distinguished_name (default), common_name or
	// subject_alternative_name.
	From string
	// SANType (ssl_cert_login_san_type) and SANIndex, from 0, pick the alternative
	// name: dns (default), ip, email, uri.
	SANType  string
	SANIndex int
}

// SocketOptions are those of AMQP connections (tcp_listen_options).
type SocketOptions struct {
	Delay       bool // nodelay = false: small packets gather
	NoKeepAlive bool // keepalive = false: the system does not probe silent peers
	SendBuffer  int  // bytes; 0: the system's choice
	RecvBuffer  int  // bytes; 0: the system's choice
}

// Permissions are regular expressions; "" is .* here.
type Permissions struct{ Configure, Write, Read string }

// CredentialValidator says what names and passwords new users may have.
type CredentialValidator struct {
	// Backend: rabbit_credential_validator_accept_everything (default),
	// _min_password_length, _password_regexp.
	Backend   string
	MinLength int
	Regexp    string
}

// VHostUser is a user that each new virtual host of a fitting name gets.
type VHostUser struct {
	Name         string
	VHostPattern string // regular expression; default .*
	Password     string // "": a random one, so that nobody can log in
	Permissions  Permissions
	Tags         []string
}

// VHostLimit is what each new virtual host of a fitting name is limited to.
type VHostLimit struct {
	Pattern        string // regular expression; default .*
	MaxConnections int64  // negative: no limit
	MaxQueues      int64  // negative: no limit
}

// DefaultPolicy is an operator policy that each new virtual host of a fitting
// name gets.
type DefaultPolicy struct {
	Name         string
	VHostPattern string // regular expression; default .*
	QueuePattern string // regular expression; default .*
	ApplyTo      string // queues (default), classic_queues, quorum_queues, ...
	Definition   map[string]int64
}

// Limits of a node. 0 is no limit.
type Limits struct {
	Connections         int64 // connection_max
	Channels            int64 // channel_max_per_node
	ConsumersPerChannel int64 // consumer_max_per_channel
	VHosts              int64 // vhost_max
	Queues              int64 // cluster_queue_limit
	Exchanges           int64 // cluster_exchange_limit
}

// MemoryAlarm is from what use of memory on publishers are blocked.
type MemoryAlarm struct {
	// Relative (vm_memory_high_watermark.relative) is a fraction of what the
	// machine, or the container, has; default 0.6. Absolute, if not 0, is in
	// bytes and wins.
	Relative float64
	Absolute int64
	// Total overrides what the machine is thought to have, in bytes
	// (total_memory_available_override_value).
	Total int64
}

// DiskAlarm is below what free space publishers are blocked.
type DiskAlarm struct {
	// Absolute (disk_free_limit.absolute) is in bytes; default 50 MB. Relative,
	// if not 0, is a multiple of the machine's memory, and wins.
	Absolute int64
	Relative float64
}

// Management is the HTTP API and the page (management.*).
type Management struct {
	Listeners    []string // "host:port"; nil: none
	TLSListeners []string
	TLS          TLS // management.ssl.*
	// Connections at a time (tcp.max_connections, ssl.max_connections); 0: no limit.
	MaxConnections, MaxTLSConnections int

	PathPrefix      string        // path_prefix, as in /rabbit; default none
	CORSOrigins     []string      // cors.allow_origins; nil: no CORS headers
	CORSMaxAge      time.Duration // cors.max_age; default 30 min
	CSP, HSTS       string        // csp.policy, hsts.policy: headers' values
	ContentTypeOpts string        // headers.content_type_options
	XSSProtection   string        // headers.xss_protection
	FrameOptions    string        // headers.frame_options
	ReferrerPolicy  string        // headers.referrer_policy
	MaxBodySize     int64         // http.max_body_size, bytes; default 10,000,000
	SessionTimeout  time.Duration // login_session_timeout; default 8 h
	RatesMode       string        // basic (default), detailed, none
	DisableStats    bool          // disable_stats
	QueueTotals     bool          // enable_queue_totals, with DisableStats
	// NoCollector is DisableStats, and no samples are kept either
	// (management_agent.disable_metrics_collector).
	NoCollector      bool
	Retention        Retention // sample_retention_policies.*
	DisableBasicAuth bool      // disable_basic_auth
	// OperatorPoliciesFixed: the HTTP API does not change operator policies
	// (restrictions.operator_policy_changes.disabled).
	OperatorPoliciesFixed bool
	// ReferenceAuth: the reference of the HTTP API is for users only
	// (require_auth_for_api_reference).
	ReferenceAuth bool
	// PageDir (warren.management_page_dir) has the page's files, for those who
	// work on them; default: those in the program.
	PageDir string
}

// Retention says for how long samples are kept. What is empty has RabbitMQ's
// defaults. Lists are sorted by Span.
type Retention struct {
	Global   []Samples // of the node and of virtual hosts
	Basic    []Samples // of queues, connections and channels
	Detailed []Samples // of exchanges; default Basic
}

// Samples are kept for Span, a sample each Step, but not more often than
// statistics are taken (StatisticsInterval).
type Samples struct{ Span, Step time.Duration }

// Prometheus is the page that Prometheus scrapes (prometheus.*).
type Prometheus struct {
	Listeners    []string // "host:port"; nil: none
	TLSListeners []string
	TLS          TLS // prometheus.ssl.*
	// Connections at a time (tcp.max_connections, ssl.max_connections); 0: no limit.
	MaxConnections, MaxTLSConnections int

	Path           string // default /metrics
	PerObject      bool   // return_per_object_metrics
	Authentication bool   // authentication.enabled: only for users with the tag monitoring
}

// Setting is a key of the configuration, its value as rabbitmq.conf would have
// it, and where it comes from: "FILE:LINE", a variable, "--set", "default".
type Setting struct{ Key, Value, Origin string }

// LogEntry is an entry of the log, as text or JSON.
type LogEntry struct {
	Level string // debug, info, ...
	Time  time.Time
	JSON  bool
	Text  []byte
}

// Logs is what can be changed about the log while the node runs.
type Logs interface {
	// SetLevel changes the level of a category ("connection", "channel", "queue",
	// ...), or of all for "". Levels are those of log.console.level.
	SetLevel(category, level string) error
	// Reopen closes and opens the log's files, which somebody may have moved.
	Reopen() error
	// Files are the paths of the log's files; "<stdout>" is one, too.
	Files() []string
}

func (c *Config) setDefaults() error {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	host, _ := os.Hostname()
	def(&c.NodeName, "warren@"+host)
	def(&c.ClusterName, c.NodeName)
	def(&c.DefaultUser, "guest")
	def(&c.DefaultPass, "guest")
	def(&c.DefaultVHost, "/")
	def(&c.Product, "RabbitMQ")
	def(&c.ProductVersion, Level)
	def(&c.CertLogin.From, "distinguished_name")
	def(&c.CertLogin.SANType, "dns")
	def(&c.DefaultPermissions.Configure, ".*")
	def(&c.DefaultPermissions.Write, ".*")
	def(&c.DefaultPermissions.Read, ".*")
	def(&c.PasswordHashing, "rabbit_password_hashing_sha256")
	def(&c.DefaultQueueType, "classic")
	def(&c.Management.RatesMode, "basic")
	def(&c.Prometheus.Path, "/metrics")
	c.setLimits()
	if c.DataDir != "" {
		def(&c.AuditDir, filepath.Join(c.DataDir, "log"))
		def(&c.EnabledPluginsFile, filepath.Join(c.DataDir, "enabled_plugins"))
	}
	if c.DefaultUserTags == nil {
		c.DefaultUserTags = []string{"administrator"}
	}
	if c.LoopbackUsers == nil {
		c.LoopbackUsers = []string{"guest"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 60 * time.Second
	}
	c.Heartbeat = max(c.Heartbeat, 0)
	if c.FrameMax == 0 {
		c.FrameMax = 131072
	}
	if c.ChannelMax == 0 {
		c.ChannelMax = 2047
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = 10 * time.Second
	}
	if c.Mechanisms == nil {
		c.Mechanisms = []string{"PLAIN", "AMQPLAIN"}
	}
	if c.TLSHandshakeTimeout == 0 {
		c.TLSHandshakeTimeout = 5 * time.Second
	}
	if c.ShutdownTimeout == 0 {
		c.ShutdownTimeout = 5 * time.Second
	}
	return c.check()
}

// setLimits fills in what alarms and intervals are by default.
func (c *Config) setLimits() {
	if c.Memory.Relative == 0 {
		c.Memory.Relative = 0.6
	}
	if c.DiskFree.Absolute == 0 {
		c.DiskFree.Absolute = 50_000_000
	}
	if c.ConsumerTimeout == 0 {
		c.ConsumerTimeout = 30 * time.Minute
	}
	if c.StatisticsInterval == 0 {
		c.StatisticsInterval = 5 * time.Second
	}
	m := &c.Management
	if m.MaxBodySize == 0 {
		m.MaxBodySize = 10_000_000
	}
	if m.SessionTimeout == 0 {
		m.SessionTimeout = 8 * time.Hour
	}
	if m.CORSMaxAge == 0 {
		m.CORSMaxAge = 30 * time.Minute
	}
}

func (c *Config) check() error {
	if c.FrameMax < 4096 {
		return fmt.Errorf("frame_max is %d, the protocol wants at least 4096", c.FrameMax)
	}
	switch c.Durability {
	case "", Disk, OS, Memory:
	default:
		return fmt.Errorf("durability %q: want disk, os or memory", c.Durability)
	}
	for _, l := range [][]string{c.Listeners, c.TLSListeners, c.Management.Listeners,
		c.Management.TLSListeners, c.Prometheus.Listeners, c.Prometheus.TLSListeners} {
		for _, addr := range l {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				return fmt.Errorf("listener %q: want host:port", addr)
			}
		}
	}
	return nil
}
