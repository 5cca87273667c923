// Package config reads what a node is told: configuration file, environment,
// command line. Keys are RabbitMQ's; ours begin with "warren.".
package config

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/server"
)

// Sources are where settings come from; later ones win.
type Sources struct {
	DataDir string
	File    string // rabbitmq.conf; "": RABBITMQ_CONFIG_FILE, if set
	Set     []string
	Env     func(string) (string, bool)
}

// Config is the outcome.
type Config struct {
	Server   server.Config
	LogLevel slog.Level

	web     map[string]string // parts of HTTP listeners
	tcp     map[string]string // listeners by their name
	loop    map[string]bool
	noLoop  bool
	mechs   map[string]string
	tags    map[string]bool
	tcpNone bool
}

// Load puts the settings together.
func Load(src Sources) (*Config, error) {
	c := &Config{web: map[string]string{}, tcp: map[string]string{}, loop: map[string]bool{}, mechs: map[string]string{}, tags: map[string]bool{}, LogLevel: slog.LevelWarn}
	if src.Env == nil {
		src.Env = func(string) (string, bool) { return "", false }
	}
	file := src.File
	if file == "" {
		file, _ = src.Env("RABBITMQ_CONFIG_FILE")
		if _, err := os.Stat(file + ".conf"); file != "" && err == nil {
			file += ".conf"
		}
	}
	if file != "" {
		if err := c.file(file); err != nil {
			return nil, err
		}
	}
	if err := c.environment(src.Env); err != nil {
		return nil, err
	}
	for _, kv := range src.Set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("--set %s: want key=value", kv)
		}
		if err := c.set(strings.TrimSpace(k), strings.TrimSpace(v)); err != nil {
			return nil, fmt.Errorf("--set %s: %w", kv, err)
		}
	}
	if src.DataDir != "" {
		c.Server.DataDir = src.DataDir
	}
	if c.Server.DataDir == "" {
		dir, err := defaultDataDir(src.Env)
		if err != nil {
			return nil, err
		}
		c.Server.DataDir = dir
	}
	c.finish()
	return c, nil
}

func defaultDataDir(env func(string) (string, bool)) (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/warren", nil
	}
	if d, ok := env("XDG_DATA_HOME"); ok && d != "" {
		return filepath.Join(d, "warren"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no data directory: give --data-dir (%w)", err)
	}
	return filepath.Join(home, ".local", "share", "warren"), nil
}

// file reads one file in rabbitmq.conf's format: key = value, # comments.
func (c *Config) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("%s, line %d: want key = value", name, n)
		}
		if i := strings.Index(v, " #"); i >= 0 {
			v = v[:i]
		}
		v = strings.TrimSpace(v)
		if len(v) >= 2 && v[0] == '\'' && v[len(v)-1] == '\'' {
			v = v[1 : len(v)-1]
		}
		if err := c.set(strings.TrimSpace(k), v); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	return sc.Err()
}

// environment reads RabbitMQ's variables.
func (c *Config) environment(env func(string) (string, bool)) error {
	host, _ := env("RABBITMQ_NODE_IP_ADDRESS")
	if port, ok := env("RABBITMQ_NODE_PORT"); ok {
		if err := c.set("listeners.tcp.default", net.JoinHostPort(host, port)); err != nil {
			return fmt.Errorf("RABBITMQ_NODE_PORT: %w", err)
		}
	}
	for name, to := range map[string]*string{
		"RABBITMQ_NODENAME": &c.Server.NodeName, "RABBITMQ_DEFAULT_USER": &c.Server.DefaultUser,
		"RABBITMQ_DEFAULT_PASS": &c.Server.DefaultPass, "RABBITMQ_DEFAULT_VHOST": &c.Server.DefaultVHost,
		"WARREN_DATA_DIR": &c.Server.DataDir, "RABBITMQ_ENABLED_PLUGINS_FILE": &c.Server.EnabledPluginsFile,
	} {
		if v, ok := env(name); ok && v != "" {
			*to = v
		}
	}
	if v, ok := env("RABBITMQ_ENABLED_PLUGINS"); ok {
		c.Server.EnabledPlugins = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return nil
}

// keys are those that stand for one value.
var keys = map[string]func(c *Config, v string) error{
	"heartbeat":           func(c *Config, v string) error { return seconds(&c.Server.Heartbeat, v) },
	"frame_max":           func(c *Config, v string) error { return number(&c.Server.FrameMax, v) },
	"channel_max":         func(c *Config, v string) error { return number(&c.Server.ChannelMax, v) },
	"handshake_timeout":   func(c *Config, v string) error { return duration(&c.Server.HandshakeTimeout, v) },
	"max_message_size":    func(c *Config, v string) error { return size(&c.Server.MaxMessageSize, v) },
	"default_user":        func(c *Config, v string) error { c.Server.DefaultUser = v; return nil },
	"default_pass":        func(c *Config, v string) error { c.Server.DefaultPass = v; return nil },
	"default_vhost":       func(c *Config, v string) error { c.Server.DefaultVHost = v; return nil },
	"cluster_name":        func(c *Config, v string) error { c.Server.ClusterName = v; return nil },
	"product.name":        func(c *Config, v string) error { c.Server.Product = v; return nil },
	"product.version":     func(c *Config, v string) error { c.Server.ProductVersion = v; return nil },
	"log.console.level":   func(c *Config, v string) error { return level(&c.LogLevel, v) },
	"loopback_users":      func(c *Config, v string) error { c.noLoop = v == "none"; return oneOf(v, "none") },
	"listeners.tcp":       func(c *Config, v string) error { c.tcpNone = true; return oneOf(v, "none") },
	"management.tcp.ip":   func(c *Config, v string) error { c.web["management.ip"] = v; return nil },
	"management.tcp.port": func(c *Config, v string) error { return c.port("management.port", v) },
	"prometheus.tcp.ip":   func(c *Config, v string) error { c.web["prometheus.ip"] = v; return nil },
	"prometheus.tcp.port": func(c *Config, v string) error { return c.port("prometheus.port", v) },
	"warren.data_dir":     func(c *Config, v string) error { c.Server.DataDir = v; return nil },
	"warren.durability": func(c *Config, v string) error {
		c.Server.Durability = server.Durability(v)
		return oneOf(v, "disk", "os", "memory")
	},
	"warren.segment_size":     func(c *Config, v string) error { return size(&c.Server.SegmentSize, v) },
	"warren.memory_budget":    func(c *Config, v string) error { return size(&c.Server.MemoryBudget, v) },
	"warren.checkpoint_bytes": func(c *Config, v string) error { return size(&c.Server.CheckpointBytes, v) },
	"warren.shutdown_timeout": func(c *Config, v string) error { return duration(&c.Server.ShutdownTimeout, v) },
}

// set takes one setting in.
func (c *Config) set(k, v string) error {
	if f := keys[k]; f != nil {
		return f(c, v)
	}
	rest := func(prefix string) (string, bool) {
		s, ok := strings.CutPrefix(k, prefix)
		return s, ok && s != ""
	}
	if name, ok := rest("listeners.tcp."); ok {
		addr, err := address(v)
		c.tcp[name] = addr
		return err
	}
	if name, ok := rest("loopback_users."); ok {
		return boolean(c.loop, name, v)
	}
	if name, ok := rest("default_user_tags."); ok {
		return boolean(c.tags, name, v)
	}
	if name, ok := rest("auth_mechanisms."); ok {
		c.mechs[name] = v
		return oneOf(v, "PLAIN", "AMQPLAIN", "EXTERNAL")
	}
	if near := nearest(k); near != "" {
		return fmt.Errorf("unknown key %q; did you mean %q?", k, near)
	}
	return fmt.Errorf("unknown key %q", k)
}

// finish works out what depends on several keys.
func (c *Config) finish() {
	s := &c.Server
	if len(c.tcp) == 0 && !c.tcpNone {
		c.tcp["default"] = ":5672"
	}
	for _, k := range sorted(c.tcp) {
		s.Listeners = append(s.Listeners, c.tcp[k])
	}
	webAddr := func(name, port string) []string {
		if p, ok := c.web[name+".port"]; ok {
			port = p
		}
		return []string{net.JoinHostPort(c.web[name+".ip"], port)}
	}
	s.Management.Listeners = webAddr("management", "15672")
	s.Prometheus.Listeners = webAddr("prometheus", "15692")
	switch {
	case c.noLoop:
		s.LoopbackUsers = []string{}
	case len(c.loop) > 0:
		s.LoopbackUsers = []string{}
		if _, said := c.loop["guest"]; !said {
			s.LoopbackUsers = append(s.LoopbackUsers, "guest")
		}
		for _, u := range sorted(c.loop) {
			if c.loop[u] {
				s.LoopbackUsers = append(s.LoopbackUsers, u)
			}
		}
	}
	for _, k := range sorted(c.mechs) {
		s.Mechanisms = append(s.Mechanisms, c.mechs[k])
	}
	for _, t := range sorted(c.tags) {
		if c.tags[t] {
			s.DefaultUserTags = append(s.DefaultUserTags, t)
		}
	}
}

func (c *Config) port(name, v string) error {
	_, err := address(v)
	c.web[name] = v
	return err
}

func sorted[V any](m map[string]V) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	return ks
}

// address reads a port, or host:port.
func address(v string) (string, error) {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		host, port = "", v
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q is not a port or host:port", v)
	}
	return net.JoinHostPort(host, port), nil
}

func oneOf(v string, allowed ...string) error {
	if slices.Contains(allowed, v) {
		return nil
	}
	return fmt.Errorf("%q: want %s", v, strings.Join(allowed, " or "))
}

func boolean(m map[string]bool, name, v string) error {
	m[name] = v == "true"
	return oneOf(v, "true", "false")
}

func number[T uint16 | uint32](p *T, v string) error {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil || uint64(T(n)) != n {
		return fmt.Errorf("%q is not a number in range", v)
	}
	*p = T(n)
	return nil
}

func seconds(p *time.Duration, v string) error {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is not a number of seconds", v)
	}
	if *p = time.Duration(n) * time.Second; n == 0 {
		*p = -1
	}
	return nil
}

// duration reads milliseconds, or a number with a unit such as 10s.
func duration(p *time.Duration, v string) error {
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		*p = time.Duration(n) * time.Millisecond
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration", v)
	}
	*p = d
	return nil
}

// size reads bytes, or a number with a unit: powers of 1000 for k, kb, m, mb,
// ..., of 1024 for ki, kib, mi, mib, ...
func size(p *int64, v string) error {
	s := strings.ToLower(strings.TrimSpace(v))
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit := ""
	if i >= 0 {
		s, unit = s[:i], strings.TrimSuffix(s[i:], "b")
	}
	n, err := strconv.ParseInt(s, 10, 63)
	mult, ok := map[string]int64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}[unit]
	if err != nil || !ok || n > (1<<62)/mult {
		return fmt.Errorf("%q is not a size", v)
	}
	*p = n * mult
	return nil
}

func level(p *slog.Level, v string) error {
	l, ok := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "notice": slog.LevelInfo,
		"warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError, "none": slog.LevelError + 100}[v]
	if !ok {
		return errors.New(`want debug, info, notice, warning, error, critical or none`)
	}
	*p = l
	return nil
}

// nearest returns the known key that is most like k, if any is like it.
func nearest(k string) string {
	best, at := "", 4
	for name := range keys {
		if d := distance(k, name); d < at || d == at && name < best {
			best, at = name, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}
