package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

// logKeys are about the log.
func (b *build) logKeys() []key {
	c := &b.c.Log
	const elsewhere = "is not supported: log to the console, and let the system's supervisor (systemd, a container) collect it"
	level := func(p *logging.Level) setter {
		return func(_ *build, _ []string, v string) (err error) { *p, err = logging.ParseLevel(v); return err }
	}
	rows := []key{
		{name: "log.dir", set: needed(&c.Dir)},
		{name: "log.file", set: func(_ *build, _ []string, v string) error {
			c.NoFile = v == "false"
			if c.File = v; v == "true" || v == "false" {
				c.File = ""
			}
			return nil
		}},
		{name: "log.file.level", def: "info", set: level(&c.FileLevel)},
		{name: "log.file.rotation.date", set: func(_ *build, _ []string, v string) (err error) {
			c.Rotation.Date = v
			_, err = logging.ParseSchedule(v)
			return err
		}},
		{name: "log.file.rotation.size", set: size(&c.Rotation.Size)},
		{name: "log.file.rotation.count", set: integer(&c.Rotation.Count, 0, 1000)},
		{name: "log.file.rotation.compress", def: "false", set: boolean(&c.Rotation.Compress)},
		{name: "log.console", def: "true, from warning on", set: func(b *build, _ []string, v string) error {
			on, err := parseBool(v)
			if b.console = &on; on && b.levels == 0 {
				c.ConsoleLevel = logging.Info
			}
			return err
		}},
		{name: "log.console.level", set: func(b *build, at []string, v string) error {
			b.levels++
			return level(&c.ConsoleLevel)(b, at, v)
		}},
		{name: "log.console.stdio", def: "stderr", set: func(_ *build, _ []string, v string) error {
			c.Stdout = v == "stdout"
			return oneOf(v, "stdout", "stderr")
		}},
		{name: "log.console.use_colors", note: "the log has no colours"},
		{name: "log.console.color_esc_seqs.$*", note: "the log has no colours"},
		{name: "log.journald", refuse: "journald's own protocol " + elsewhere, harmless: []string{"false"}},
		{name: "log.journald.$*", note: "there is no log to journald's own protocol"},
		{name: "log.exchange", def: "false", set: boolean(&c.Exchange)},
		{name: "log.exchange.level", def: "info", set: level(&c.ExchangeLevel)},
		{name: "log.error_logger_format_depth", note: "this is Erlang's"},
		{name: "log.summarize_process_state", note: "this is Erlang's"},
		{name: "log.error_logger.$*", note: "this is Erlang's"},
		{name: "log.$category.file", set: func(b *build, at []string, v string) error {
			if !logging.IsCategory(at[0]) {
				return errCategory
			}
			b.ownLog(at[0]).File = v
			return nil
		}},
		{name: "log.$category.rotation.date", set: b.ownRotation(func(r *logging.Rotation, v string) (err error) {
			r.Date = v
			_, err = logging.ParseSchedule(v)
			return err
		})},
		{name: "log.$category.rotation.size", set: b.ownRotation(func(r *logging.Rotation, v string) error { return size(&r.Size)(nil, nil, v) })},
		{name: "log.$category.rotation.count", set: b.ownRotation(func(r *logging.Rotation, v string) error { return integer(&r.Count, 0, 1000)(nil, nil, v) })},
		{name: "log.$category.rotation.compress", set: b.ownRotation(func(r *logging.Rotation, v string) error { return boolean(&r.Compress)(nil, nil, v) })},
		{name: "log.$category.level", def: "info", set: func(_ *build, at []string, v string) error {
			if !logging.IsCategory(at[0]) {
				return errCategory
			}
			l, err := logging.ParseLevel(v)
			c.Levels[at[0]] = l
			return err
		}},
	}
	rows = append(b.syslogKeys(), rows...) // before log.$category
	for _, out := range []struct {
		name string
		f    *logging.Format
	}{{"file", &c.FileFormat}, {"console", &c.ConsoleFormat}, {"exchange", &c.ExchangeFormat}, {"syslog", &c.SyslogFormat}} {
		rows = append(rows, formatKeys(out.name, out.f)...)
	}
	return rows
}

var errCategory = errors.New("no such category; want one of " + strings.Join(logging.Categories(), ", "))

// ownLog is what is known of the file of a category.
func (b *build) ownLog(category string) *logging.OwnFile {
	o := b.ownLogs[category]
	if o == nil {
		o = &logging.OwnFile{}
		b.ownLogs[category] = o
	}
	return o
}

// ownRotation sets when the file of a category is put aside.
func (b *build) ownRotation(set func(r *logging.Rotation, v string) error) setter {
	return func(b *build, at []string, v string) error {
		if !logging.IsCategory(at[0]) {
			return errCategory
		}
		return set(&b.ownLog(at[0]).Rotation, v)
	}
}

// finishOwnLogs gives categories their files. What they do not say about
// rotation is as for the file of the others.
func (b *build) finishOwnLogs() {
	c := &b.c.Log
	for category, o := range b.ownLogs {
		if o.File == "" || o.File == "false" {
			continue // rotation of no file
		}
		r := &o.Rotation
		r.Date, r.Size, r.Count = cmp.Or(r.Date, c.Rotation.Date), cmp.Or(r.Size, c.Rotation.Size), cmp.Or(r.Count, c.Rotation.Count)
		r.Compress = r.Compress || c.Rotation.Compress
		if c.Own == nil {
			c.Own = map[string]logging.OwnFile{}
		}
		c.Own[category] = *o
	}
}

// formatKeys are about how an entry looks in one of the log's outputs.
func formatKeys(output string, f *logging.Format) []key {
	p := "log." + output + ".formatter"
	return []key{
		{name: p, def: "plaintext", set: func(_ *build, _ []string, v string) error {
			f.JSON = v == "json"
			return oneOf(v, "plaintext", "json")
		}},
		{name: p + ".time_format", def: "rfc3339_space", set: choice(&f.Time, "rfc3339_space", "rfc3339_T", "epoch_usecs", "epoch_secs", "lager_default")},
		{name: p + ".level_format", def: "lc", set: choice(&f.Level, "lc", "uc", "lc3", "uc3", "lc4", "uc4")},
		{name: p + ".single_line", note: "an entry is always one line"},
		{name: p + ".plaintext.format", set: func(_ *build, _ []string, v string) (err error) {
			f.Pattern, err = logging.ParsePattern(v)
			return err
		}},
		{name: p + ".json.field_map", set: func(_ *build, _ []string, v string) (err error) {
			f.Fields, err = logging.ParseFields(v)
			return err
		}},
		{name: p + ".json.verbosity_map", set: func(_ *build, _ []string, v string) (err error) {
			f.Verbosity, err = logging.ParseVerbosity(v)
			return err
		}},
	}
}

// syslogKeys are about the log by way of syslog.
func (b *build) syslogKeys() []key {
	c := &b.c.Log
	s := &b.syslog
	const p = "log.syslog."
	rows := []key{
		{name: "log.syslog", def: "false", set: func(_ *build, _ []string, v string) error {
			on, err := parseBool(v)
			if c.Syslog = nil; on {
				c.Syslog = s
			}
			return err
		}},
		{name: p + "level", def: "info", set: func(_ *build, _ []string, v string) (err error) {
			c.SyslogLevel, err = logging.ParseLevel(v)
			return err
		}},
		{name: p + "transport", def: "udp", set: func(_ *build, _ []string, v string) error {
			if s.Transport = v; v == "ssl" {
				s.Transport = "tls"
			}
			return oneOf(v, "udp", "tcp", "tls", "ssl")
		}},
		{name: p + "protocol", def: "rfc3164, with TLS rfc5424", set: choice(&s.Protocol, "rfc3164", "rfc5424")},
		{name: p + "host", def: "127.0.0.1", set: needed(&b.syslogHost)},
		{name: p + "ip", set: func(_ *build, _ []string, v string) error {
			if s.Host = v; net.ParseIP(v) == nil {
				return fmt.Errorf("%q is not an IP address; log.syslog.host takes a name", v)
			}
			return nil
		}},
		{name: p + "port", def: "514", set: integer(&s.Port, 1, 65535)},
		{name: p + "identity", def: "rabbitmq-server", set: needed(&s.Identity)},
		{name: p + "facility", def: "daemon", set: choice(&s.Facility, logging.Facilities()...)},
		{name: p + "multiline_mode", note: "an entry is always one line"},
	}
	return append(rows, b.clientTLSKeys("log.syslog.ssl_options", &s.TLS)...)
}

// finishSyslog works out what depends on several keys.
func (b *build) finishSyslog() error {
	c := &b.c.Log
	b.syslog.TLS.ServerName = b.syslogHost
	if s := &b.syslog; s.Host == "" { // the address wins, as in RabbitMQ
		s.Host = b.syslogHost
	}
	b.syslog.TLS.Versions, b.syslog.TLS.Ciphers = valuesByKey(b.lists["log.syslog.ssl_options.versions"]), valuesByKey(b.lists["log.syslog.ssl_options.ciphers"])
	if c.ExchangeVHost = b.s.DefaultVHost; c.ExchangeVHost == "" {
		c.ExchangeVHost = "/"
	}
	if c.Syslog == nil {
		return nil
	}
	if _, host, ok := strings.Cut(b.s.NodeName, "@"); ok {
		c.Syslog.Hostname = host
	}
	if c.Syslog.Transport == "tls" && c.Syslog.Protocol == "rfc3164" {
		return errors.New("log.syslog.protocol: rfc3164 cannot be used with TLS; use rfc5424")
	}
	return nil
}

// warrenKeys are our own.
func (b *build) warrenKeys() []key {
	s := b.s
	return []key{
		{name: "warren.data_dir", set: needed(&s.DataDir)},
		{name: "warren.node_name", set: func(_ *build, _ []string, v string) error { s.NodeName = nodeName(v); return nil }},
		{name: "warren.durability", def: "disk", set: func(_ *build, _ []string, v string) error {
			s.Durability = server.Durability(v)
			return oneOf(v, "disk", "os", "memory")
		}},
		{name: "warren.segment_size", def: "64MiB", set: size(&s.SegmentSize)},
		{name: "warren.memory_budget", def: "24MiB", set: size(&s.MemoryBudget)},
		{name: "warren.checkpoint_bytes", def: "128MiB", set: size(&s.CheckpointBytes)},
		{name: "warren.shutdown_timeout", def: "5s", set: millis(&s.ShutdownTimeout)},
		{name: "warren.config_passphrase_file", set: seen},
		{name: "config_entry_decoder.passphrase", set: seen, secret: true},
		{name: "config_entry_decoder.cipher", def: "aes_128_cbc", set: seen},
		{name: "config_entry_decoder.hash", def: "sha256", set: seen},
		{name: "config_entry_decoder.iterations", def: "1", set: seen},
		{name: "warren.pid_file", set: needed(&b.c.PIDFile)},
		{name: "warren.enabled_plugins_file", set: needed(&s.EnabledPluginsFile)},
		{name: "warren.plugins", set: func(_ *build, _ []string, v string) error { return enable(s, v) }},
	}
}

// seen is for keys that have been looked at before all others (findDecoder).
func seen(*build, []string, string) error { return nil }
