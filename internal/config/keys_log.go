package config

import (
	"errors"
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
		{name: "log.syslog", refuse: "syslog " + elsewhere, harmless: []string{"false"}},
		{name: "log.syslog.$*", note: "there is no log to syslog"},
		{name: "log.journald", refuse: "journald's own protocol " + elsewhere, harmless: []string{"false"}},
		{name: "log.journald.$*", note: "there is no log to journald's own protocol"},
		{name: "log.exchange", refuse: "a log to the exchange amq.rabbitmq.log is not part of this version", harmless: []string{"false"}},
		{name: "log.exchange.$*", note: "there is no log to an exchange"},
		{name: "log.upgrade.file", note: "all categories are in one file"},
		{name: "log.error_logger.$*", note: "this is Erlang's"},
		{name: "log.$category.file", refuse: "a file of its own for one category is not supported: all are in log.file"},
		{name: "log.$category.level", def: "info", set: func(_ *build, at []string, v string) error {
			if !logging.IsCategory(at[0]) {
				return errors.New("no such category; want one of " + strings.Join(logging.Categories(), ", "))
			}
			l, err := logging.ParseLevel(v)
			c.Levels[at[0]] = l
			return err
		}},
	}
	for _, out := range []struct {
		name string
		f    *logging.Format
	}{{"file", &c.FileFormat}, {"console", &c.ConsoleFormat}} {
		p := "log." + out.name + ".formatter"
		rows = append(rows, []key{
			{name: p, def: "plaintext", set: func(_ *build, _ []string, v string) error {
				out.f.JSON = v == "json"
				return oneOf(v, "plaintext", "json")
			}},
			{name: p + ".time_format", def: "rfc3339_space", set: choice(&out.f.Time, "rfc3339_space", "rfc3339_T", "epoch_usecs", "epoch_secs", "lager_default")},
			{name: p + ".level_format", def: "lc", set: choice(&out.f.Level, "lc", "uc", "lc3", "uc3", "lc4", "uc4")},
			{name: p + ".single_line", note: "an entry is always one line"},
			{name: p + ".plaintext.format", refuse: "a pattern for lines is not supported; use log." + out.name + ".formatter = json"},
			{name: p + ".json.field_map", refuse: "other names for the fields are not supported"},
			{name: p + ".json.verbosity_map", refuse: "other names for levels are not supported"},
		}...)
	}
	return rows
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
		{name: "warren.pid_file", set: needed(&b.c.PIDFile)},
		{name: "warren.enabled_plugins_file", set: needed(&s.EnabledPluginsFile)},
		{name: "warren.plugins", set: func(_ *build, _ []string, v string) error { return enable(s, v) }},
	}
}
