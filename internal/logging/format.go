package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// entry is what a line is made from.
type entry struct {
	time     time.Time
	level    Level
	category string
	text     string
	attrs    []slog.Attr // groups resolved
}

// append writes the entry as a line.
func (f Format) append(b []byte, e *entry) []byte {
	if f.JSON {
		return f.appendJSON(b, e)
	}
	if f.Pattern != nil {
		return f.Pattern.append(b, f, e)
	}
	if !f.Bare {
		b = f.appendTime(b, e.time)
		b = append(b, " ["...)
		b = append(b, f.levelText(e.level)...)
		b = append(b, "] <"...)
		b = append(b, e.category...)
		b = append(b, "> "...)
	}
	return append(e.appendText(b), '\n')
}

// appendText writes the text and its attributes.
func (e *entry) appendText(b []byte) []byte {
	b = appendClean(b, e.text)
	for _, a := range e.attrs {
		b = append(b, ' ')
		b = append(b, a.Key...)
		b = append(b, '=')
		b = appendValue(b, a.Value)
	}
	return b
}

func (f Format) appendTime(b []byte, t time.Time) []byte {
	switch f.time() {
	case "epoch_usecs":
		return strconv.AppendInt(b, t.UnixMicro(), 10)
	case "epoch_secs":
		return strconv.AppendInt(b, t.Unix(), 10)
	case "rfc3339_T":
		return appendStamp(b, t, 'T')
	case "lager_default":
		return t.AppendFormat(b, "2006-01-02 15:04:05.000")
	}
	return appendStamp(b, t, ' ')
}

// appendStamp is t.AppendFormat of "2006-01-02 15:04:05.000000-07:00", with what
// is to stand between day and time, in a fraction of its time.
func appendStamp(b []byte, t time.Time, between byte) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, between), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), t.Nanosecond()/1000, 6)
	_, offset := t.Zone()
	sign := byte('+')
	if offset /= 60; offset < 0 {
		sign, offset = '-', -offset
	}
	b = appendDigits(append(b, sign), offset/60, 2)
	return appendDigits(append(b, ':'), offset%60, 2)
}

// appendDigits appends the last n digits of a number.
func appendDigits(b []byte, v, n int) []byte {
	at := len(b) + n
	b = append(b, "000000"[:n]...)
	for i := range n {
		b[at-1-i] = byte('0' + v%10)
		v /= 10
	}
	return b
}

func (f Format) levelText(l Level) string {
	name, form := LevelName(l), f.level()
	if n := form[2:]; n == "3" || n == "4" {
		name = shortLevel(name, int(n[0]-'0'))
	}
	if form[0] == 'u' {
		name = strings.ToUpper(name)
	}
	return name
}

// shortLevel is a level's name in a few letters, as RabbitMQ shortens them.
func shortLevel(name string, n int) string {
	switch {
	case name == "debug" && n == 3:
		return "dbg"
	case name == "info" && n == 3:
		return "inf"
	case name == "notice" && n == 3:
		return "ntc"
	case name == "warning" && n == 3:
		return "wrn"
	case name == "error" && n == 4:
		return "erro"
	case name == "emergency" && n == 3:
		return "emg"
	}
	return name[:n]
}

// appendClean writes text that may come from a peer: one line, and nothing that
// a terminal would act on.
func appendClean(b []byte, s string) []byte {
	for i, r := range s {
		if r < ' ' || r > '~' {
			return appendEscaped(append(b, s[:i]...), s[i:])
		}
	}
	return append(b, s...)
}

func appendEscaped(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '\n':
			b = append(b, `\n`...)
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			b = fmt.Appendf(b, `\x%02x`, r&0xff)
		case r != ' ' && !strconv.IsPrint(r): // such as U+009B, which is ESC [ to a terminal
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

func appendValue(b []byte, v slog.Value) []byte {
	s := text(v)
	if quote, ok := ordinary(s); ok && quote {
		return append(append(append(b, '"'), s...), '"')
	} else if ok {
		return append(b, s...)
	}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !strconv.IsPrint(r)
	}) {
		return strconv.AppendQuote(b, s)
	}
	return append(b, s...)
}

// ordinary reports whether a text is of ASCII's letters and the like, so that it
// stands as it is, and whether it needs quotes.
func ordinary(s string) (quote, ok bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '=':
			quote = true
		case c < ' ' || c > '~' || c == '"' || c == '\\':
			return false, false
		}
	}
	return quote, s != ""
}

func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case slog.KindAny:
		switch a := v.Any().(type) {
		case error:
			return a.Error()
		case []byte:
			return string(a)
		}
	}
	return v.String()
}

// appendJSON writes the fields that RabbitMQ's entries have, and the attributes
// beside them.
func (f Format) appendJSON(b []byte, e *entry) []byte {
	if f.Fields != nil || len(f.Verbosity) > 0 {
		return f.appendShaped(b, e)
	}
	b = append(b, `{"time":`...)
	if t := f.time(); t == "epoch_usecs" || t == "epoch_secs" {
		b = f.appendTime(b, e.time)
	} else {
		b = append(f.appendTime(append(b, '"'), e.time), '"')
	}
	b = append(b, `,"level":`...)
	b = appendString(b, f.levelText(e.level))
	b = append(b, `,"msg":`...)
	b = appendString(b, e.text)
	b = append(b, `,"domain":`...)
	b = appendString(b, domain(e.category))
	for _, a := range e.attrs {
		b = append(b, ',')
		b = appendString(b, attrName(a.Key))
		b = append(b, ':')
		b = appendJSONValue(b, a.Value)
	}
	return append(b, "}\n"...)
}

// attrName is what an attribute is called beside the fields that every entry has.
func attrName(key string) string {
	switch key {
	case "time", "level", "msg", "domain", "verbosity":
		return "attr." + key
	}
	return key
}

func domain(category string) string {
	if category == DefaultCategory {
		return "rabbitmq"
	}
	return "rabbitmq." + category
}

func appendString(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil { // a string always has a form
		return append(b, `""`...)
	}
	return append(b, j...)
}

func appendJSONValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindAny:
		if l, ok := v.Any().([]string); ok {
			if j, err := json.Marshal(l); err == nil {
				return append(b, j...)
			}
		}
	}
	return appendString(b, text(v))
}
