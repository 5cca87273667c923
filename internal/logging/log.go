package logging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// Log is an open log.
type Log struct {
	files   []*File
	own     map[string]*sink // of categories that go to a file of their own, and nowhere else
	sinks   []*sink
	feed    *relay // to the exchange; nil: none
	notes   io.Writer
	mu      sync.Mutex // for writers of levels
	enabled atomic.Pointer[thresholds]
	work    sync.Pool // of *work
}

// sink is one place that entries go to: by a queue, where somebody may wait a
// moment, or by a relay, where nobody does.
type sink struct {
	name   string
	format Format
	level  func(*Config) Level
	queue  *Queue
	relay  *relay
	own    bool // of categories only
}

// put takes an entry. It uses the memory of line and returns it.
func (s *sink) put(e *entry, line []byte) []byte {
	line = s.format.append(line, e)
	switch {
	case s.queue == nil:
		s.relay.put(Message{Level: LevelName(e.level), Category: e.category, Time: e.time, JSON: s.format.JSON, Text: slices.Clone(line)})
	case e.level >= slog.LevelError:
		s.queue.PutNow(line)
	default:
		s.queue.Put(line)
	}
	return line
}

// work is the memory in which an entry is made.
type work struct {
	entry entry
	attrs []slog.Attr
	line  []byte
}

// thresholds are the levels from which on entries are written; they are
// replaced, not changed.
type thresholds struct {
	sinks      []Level
	categories map[string]Level
	lowest     Level
}

func (t *thresholds) finish() *thresholds {
	t.lowest = None
	for _, l := range t.sinks {
		t.lowest = min(t.lowest, l)
	}
	for _, l := range t.categories {
		t.lowest = min(t.lowest, l)
	}
	return t
}

// passes reports whether an entry goes to a sink. A category's level takes the
// place of the sink's, but what is silent stays so.
func (t *thresholds) passes(i int, category string, l Level) bool {
	from := t.sinks[i]
	if c, ok := t.categories[category]; ok && from != None {
		from = c
	}
	return l >= from && from != None
}

// Open opens the places that the log goes to. Stdout and stderr are the
// console's.
func Open(cfg Config, stdout, stderr io.Writer) (*Log, error) {
	l := &Log{notes: stderr, work: sync.Pool{New: func() any { return &work{} }}}
	t := &thresholds{categories: maps.Clone(cfg.Levels)}
	if t.categories == nil {
		t.categories = map[string]Level{}
	}
	if !cfg.NoFile && cfg.FileLevel != None {
		if _, err := l.openFile(&cfg, cfg.File, cfg.Rotation); err != nil {
			return nil, err
		}
	}
	if cfg.Console {
		w, name := stderr, "<stderr>"
		if cfg.Stdout {
			w, name = stdout, "<stdout>"
		}
		l.sinks = append(l.sinks, &sink{name: name, format: cfg.ConsoleFormat, level: func(c *Config) Level { return c.ConsoleLevel }, queue: NewQueue(w, l.lost)})
	}
	if cfg.Syslog != nil {
		s, err := l.openSyslog(*cfg.Syslog, cfg.SyslogFormat)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("log.syslog: %w", err), l.Close())
		}
		l.sinks = append(l.sinks, s)
	}
	if cfg.Exchange {
		l.sinks = append(l.sinks, l.openFeed(&cfg))
	}
	if err := l.openOwn(&cfg); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	for _, s := range l.sinks {
		t.sinks = append(t.sinks, s.level(&cfg))
	}
	l.enabled.Store(t.finish())
	return l, nil
}

// openFile adds a file to the places that the log goes to.
func (l *Log) openFile(cfg *Config, name string, r Rotation) (*sink, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(cfg.Dir, name)
	}
	f, err := OpenFile(name, r)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	s := &sink{name: name, format: cfg.FileFormat, level: func(c *Config) Level { return c.FileLevel }, queue: NewQueue(f, l.lost)}
	l.files = append(l.files, f)
	l.sinks = append(l.sinks, s)
	return s, nil
}

// openOwn opens the files of categories that have one. Two of them may share it.
func (l *Log) openOwn(cfg *Config) error {
	byName := map[string]*sink{}
	for _, category := range slices.Sorted(maps.Keys(cfg.Own)) {
		o := cfg.Own[category]
		s := byName[o.File]
		if s == nil {
			var err error
			if s, err = l.openFile(cfg, o.File, o.Rotation); err != nil {
				return err
			}
			s.own = true
			s.level = func(c *Config) Level {
				if c.NoFile || c.FileLevel == None {
					return Info // there is no other file, but there is this one
				}
				return c.FileLevel
			}
			byName[o.File] = s
		}
		if l.own == nil {
			l.own = map[string]*sink{}
		}
		l.own[category] = s
	}
	return nil
}

// aside writes to all places but one: what there is to say about that one.
func (l *Log) aside(s *sink) *slog.Logger {
	return slog.New(&handler{log: l, category: DefaultCategory, except: s})
}

// lost is told by a queue that lines have not been written.
func (l *Log) lost(n int64, err error) {
	if err != nil {
		fmt.Fprintf(l.notes, "the log cannot be written: %v (%d lines lost)\n", err, n)
		return
	}
	slog.New(&handler{log: l, category: DefaultCategory}).Error("the log could not keep up, lines are lost", "lines", n)
}

// Logger writes into the log.
func (l *Log) Logger() *slog.Logger { return slog.New(&handler{log: l, category: DefaultCategory}) }

// SetLevel changes the level of a category, or with "" that of everything.
func (l *Log) SetLevel(category, level string) error {
	lv, err := ParseLevel(level)
	if err != nil {
		return err
	}
	if category != "" && !IsCategory(category) {
		return fmt.Errorf("%q is not a category of the log", category)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.enabled.Load()
	t := &thresholds{sinks: append([]Level(nil), old.sinks...), categories: maps.Clone(old.categories)}
	if category != "" {
		t.categories[category] = lv
	} else {
		clear(t.categories)
		for i := range t.sinks {
			if t.sinks[i] != None {
				t.sinks[i] = lv
			}
		}
	}
	l.enabled.Store(t.finish())
	return nil
}

// SetLevels sets all levels as a configuration has them.
func (l *Log) SetLevels(cfg Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &thresholds{categories: maps.Clone(cfg.Levels)}
	if t.categories == nil {
		t.categories = map[string]Level{}
	}
	for _, s := range l.sinks {
		t.sinks = append(t.sinks, s.level(&cfg))
	}
	l.enabled.Store(t.finish())
}

// Reopen closes the files and opens them again under their names.
func (l *Log) Reopen() error {
	l.Flush()
	var err error
	for _, f := range l.files {
		err = errors.Join(err, f.Reopen())
	}
	return err
}

// Files are the places that the log goes to.
func (l *Log) Files() []string {
	out := []string{}
	for _, s := range l.sinks {
		out = append(out, s.name)
	}
	return out
}

// Flush waits until everything so far is written to files and consoles.
func (l *Log) Flush() {
	for _, s := range l.sinks {
		if s.queue != nil {
			s.queue.Flush()
		}
	}
}

// Close writes what is left.
func (l *Log) Close() error {
	for _, s := range l.sinks { // these may have something to say to the others
		if s.relay != nil {
			s.relay.close()
		}
	}
	for _, s := range l.sinks {
		if s.queue != nil {
			s.queue.Close()
		}
	}
	var err error
	for _, f := range l.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// handler implements slog.Handler.
type handler struct {
	log      *Log
	category string
	prefix   string // of the names of attributes, from groups
	attrs    []slog.Attr
	except   *sink // gets nothing
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= h.log.enabled.Load().lowest
}

func (h *handler) WithAttrs(as []slog.Attr) slog.Handler {
	n := *h
	n.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range as {
		if a.Key == "category" && h.prefix == "" {
			n.category = a.Value.String()
			continue
		}
		n.attrs = flatten(n.attrs, h.prefix, a)
	}
	return &n
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	n := *h
	n.prefix += name + "."
	return &n
}

// flatten appends an attribute; those of a group get its name in front.
func flatten(out []slog.Attr, prefix string, a slog.Attr) []slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, g := range a.Value.Group() {
			out = flatten(out, prefix, g)
		}
		return out
	}
	if a.Key == "" {
		return out
	}
	a.Key = prefix + a.Key
	return append(out, a)
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	w := h.log.work.Get().(*work)
	e := &w.entry
	*e = entry{time: r.Time, level: r.Level, category: h.category, text: r.Message}
	w.attrs = append(w.attrs[:0], h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "category" && h.prefix == "" {
			e.category = a.Value.String()
			return true
		}
		w.attrs = flatten(w.attrs, h.prefix, a)
		return true
	})
	e.attrs = w.attrs
	t := h.log.enabled.Load()
	own := h.log.own[e.category]
	for i, s := range h.log.sinks {
		if s != h.except && (own == s || own == nil && !s.own) && t.passes(i, e.category, e.level) {
			w.line = s.put(e, w.line[:0])
		}
	}
	clear(w.attrs)
	if cap(w.line) <= 4<<10 && cap(w.attrs) <= 64 {
		h.log.work.Put(w)
	}
	return nil
}
