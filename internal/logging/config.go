// Package logging writes the node's log: entries of log/slog as lines in
// RabbitMQ's form or as JSON, to the console and to a file that rotates, with
// levels that can be changed while the node runs.
//
// An entry belongs to a category, which is its attribute "category":
//
//	logger.With("category", "connection")
package logging

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Config says where the log goes.
type Config struct {
	Dir    string // of the file
	File   string // its name, or its path
	NoFile bool

	Console bool // standard error
	Stdout  bool // standard output instead

	// Exchange: entries are handed over by Log.Exchange. ExchangeVHost is where
	// the exchange is, to be shown.
	Exchange      bool
	ExchangeVHost string

	Syslog *Syslog // nil: none

	FileLevel, ConsoleLevel, ExchangeLevel, SyslogLevel     Level
	FileFormat, ConsoleFormat, ExchangeFormat, SyslogFormat Format

	Rotation Rotation
	// Own are the files of categories that go there, and nowhere else.
	Own map[string]OwnFile
	// Levels are those of categories; they take the place of the other levels.
	Levels map[string]Level
}

// Format is how an entry looks.
type Format struct {
	JSON  bool
	Bare  bool   // a line is the text and the attributes: time, level and category are told otherwise
	Time  string // rfc3339_space (default), rfc3339_T, epoch_usecs, epoch_secs, lager_default
	Level string // lc (default), uc, lc3, uc3, lc4, uc4

	Pattern   *Pattern         // of lines of plain text; nil: the usual one
	Fields    *Fields          // of JSON; nil: the usual ones
	Verbosity map[string]int64 // of JSON: what the field verbosity says of a level; nil: there is none
}

// OwnFile is the file of a category.
type OwnFile struct {
	File     string // its name, or its path
	Rotation Rotation
}

// Rotation is when a file is put aside.
type Rotation struct {
	Date     string // a schedule: $D0 at midnight, $W0D23, $M1D0, $H30; "": none
	Size     int64  // bytes; 0: no limit
	Count    int    // of files put aside that are kept; 0: DefaultCount
	Compress bool
}

// DefaultCount is how many files are kept that were put aside.
const DefaultCount = 10

// Default is the log of a node that was told nothing: a file with everything
// from info on, and the console with what goes wrong.
func Default() Config {
	return Config{
		Console: true, ConsoleLevel: Warning, FileLevel: Info, ExchangeLevel: Info, SyslogLevel: Info,
		Rotation: Rotation{Date: "$D0"}, Levels: map[string]Level{},
	}
}

// Level is a level, by RabbitMQ's names. It is one of slog's.
type Level = slog.Level

// Levels in their order.
const (
	Debug     = slog.LevelDebug
	Info      = slog.LevelInfo
	Notice    = slog.Level(2)
	Warning   = slog.LevelWarn
	Error     = slog.LevelError
	Critical  = slog.Level(12)
	Alert     = slog.Level(14)
	Emergency = slog.Level(16)
	None      = slog.Level(100)
)

var levels = [...]struct {
	level Level
	name  string
}{
	{Debug, "debug"}, {Info, "info"}, {Notice, "notice"}, {Warning, "warning"}, {Error, "error"},
	{Critical, "critical"}, {Alert, "alert"}, {Emergency, "emergency"}, {None, "none"},
}

// ParseLevel reads a level's name.
func ParseLevel(s string) (Level, error) {
	for _, l := range levels {
		if l.name == s {
			return l.level, nil
		}
	}
	var names []string
	for _, l := range levels {
		names = append(names, l.name)
	}
	return 0, fmt.Errorf("%q is not a level; want one of %s", s, strings.Join(names, ", "))
}

// LevelName is the name of the level that an entry has.
func LevelName(l Level) string {
	name := levels[0].name
	for _, k := range levels {
		if k.level <= l && k.level != None {
			name = k.name
		}
	}
	return name
}

// DefaultCategory is that of entries that name none.
const DefaultCategory = "default"

// Categories that entries have, or that RabbitMQ's have.
func Categories() []string {
	return []string{"channel", "connection", DefaultCategory, "federation", "mirroring", "prelaunch", "queue", "ra", "shovel", "upgrade", "user"}
}

// IsCategory reports whether a category is one of them.
func IsCategory(s string) bool { return slices.Contains(Categories(), s) }

func (f Format) time() string  { return cmp.Or(f.Time, "rfc3339_space") }
func (f Format) level() string { return cmp.Or(f.Level, "lc") }
