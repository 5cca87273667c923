package server

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Durability says what a publisher confirm stands for.
type Durability string

const (
	Disk   Durability = "disk"   // the message is synced to disk (the default)
	OS     Durability = "os"     // the operating system has it
	Memory Durability = "memory" // the broker has it
)

// Config is what a node is made of. The zero value of a field is its default.
type Config struct {
	// DataDir holds everything that outlives the process. Empty: the data
	// lives in memory and goes with it.
	DataDir string
	// Listeners are addresses for AMQP, "host:port"; port 0 picks a free one.
	// Nil: none; connections then come from Dial only.
	Listeners   []string
	Logger      *slog.Logger `json:"-"` // nil: silent
	Logs        Logs         `json:"-"` // nil: what Logger does stays as it is
	NodeName    string       // default: warren@host
	ClusterName string       // default: NodeName

	// Management and Prometheus are HTTP listeners. They are open while the
	// plugin of their name is enabled.
	Management Management
	Prometheus Prometheus
	// EnabledPlugins are switched on; nil: what EnabledPluginsFile says, and if
	// there is none, rabbitmq_management and rabbitmq_prometheus.
	EnabledPlugins     []string
	EnabledPluginsFile string // default: enabled_plugins in DataDir

	DefaultUser, DefaultPass, DefaultVHost string   // of an empty node; default guest, guest, /
	DefaultUserTags                        []string // default: administrator
	LoopbackUsers                          []string // may only connect from this host; nil: guest

	Heartbeat        time.Duration // offered to clients; default 60 s, negative: none
	FrameMax         uint32        // bytes; default 131072
	ChannelMax       uint16        // channels of a connection; default 2047
	HandshakeTimeout time.Duration // default 10 s
	MaxMessageSize   int64         // bytes of a body; default 16 MiB, at most 512 MiB
	Mechanisms       []string      // default: PLAIN, AMQPLAIN
	Product          string        // what clients are told; default RabbitMQ
	ProductVersion   string        // default Level

	Durability      Durability
	SegmentSize     int64         // bytes of a segment of the log; default 64 MiB
	CheckpointBytes int64         // bytes of log between checkpoints; default 128 MiB
	MemoryBudget    int64         // bytes of waiting messages kept in memory; default 24 MiB
	ShutdownTimeout time.Duration // for clients to go; default 5 s
}

// Management is the HTTP API and the page.
type Management struct {
	Listeners []string // "host:port"; nil: none
}

// Prometheus is the page that Prometheus scrapes.
type Prometheus struct {
	Listeners []string // "host:port"; nil: none
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
	if c.DataDir != "" {
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
	if c.ShutdownTimeout == 0 {
		c.ShutdownTimeout = 5 * time.Second
	}
	return c.check()
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
	for _, l := range [][]string{c.Listeners, c.Management.Listeners, c.Prometheus.Listeners} {
		for _, addr := range l {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				return fmt.Errorf("listener %q: want host:port", addr)
			}
		}
	}
	return nil
}
