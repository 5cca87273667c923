package ctl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a command's function returns to be printed: nil (nothing), a string,
// rows, or a report. Other values are Erlang terms.

// rows is a list of objects.
type rows struct {
	columns []string
	list    [][]any
	// headless tables have no header line, not even if asked.
	headless bool
	// whole lists come in one piece, not row by row; it shows when they are
	// empty: as an empty line, or as [].
	whole bool
}

// report is something that has a text of its own, and a value for machines.
type report struct {
	text  string
	value any // for json; nil: {"message": text}
	erl   any // for erlang; nil: value
	// raw texts are written without a line break.
	raw bool
}

// sickness is a failed check: its report goes to stderr.
type sickness struct {
	report
	code int
	bare bool // without the word Error
}

func (s *sickness) Error() string { return s.text }

type formatter struct {
	c       *call
	name    string
	machine bool // output is for programs: no banner
	headers bool
}

func newFormatter(c *call) (*formatter, error) {
	f := &formatter{c: c, name: c.option("formatter")}
	if f.name == "" {
		f.name = c.cmd.Formatter
	}
	f.headers = !c.flag("silent") && c.option("table-headers") != "false"
	switch f.name {
	case "", "table", "pretty_table", "erlang", "string", "string_per_line", "plugins", "report":
	case "csv", "json", "json_stream":
		f.machine = true
	default:
		return nil, &exitError{code: exitUsage, text: fmt.Sprintf("Error: formatter %q is not known. Please use one of: table, pretty_table, csv, json, json_stream, erlang, string", f.name)}
	}
	return f, nil
}

func (f *formatter) print(v any) error {
	s := f.text(v)
	if s == "" {
		return nil
	}
	if r, ok := v.(report); !ok || !r.raw || f.machine {
		s += "\n"
	}
	_, err := fmt.Fprint(f.c.Stdout, s)
	return err
}

// failure prints a failed check in the way that was asked for.
func (f *formatter) failure(err error) error {
	s, ok := err.(*sickness)
	if !ok {
		return err
	}
	switch {
	case f.machine:
		return &exitError{code: s.code, text: f.text(s.report)}
	case s.bare:
		return &exitError{code: s.code, text: s.text}
	}
	return failed(s.code, s.text)
}

// text is a value in the chosen format, without the last line break.
func (f *formatter) text(v any) string {
	switch v := v.(type) {
	case nil:
		if f.name == "json" && f.c.node != nil {
			return jsonText(orderedObject{{"node", f.c.name()}, {"result", "ok"}})
		}
		return ""
	case string:
		return f.message(v)
	case report:
		return f.report(v)
	case rows:
		return f.rows(v)
	}
	switch f.name {
	case "json", "json_stream", "csv":
		return jsonText(asJSON(v))
	}
	return pretty(v)
}

func (f *formatter) message(s string) string {
	if f.machine && s != "" {
		return jsonText(orderedObject{{"message", s}})
	}
	return s
}

func (f *formatter) report(r report) string {
	value := r.value
	switch f.name {
	case "json", "json_stream", "csv":
		if value == nil {
			return f.message(r.text)
		}
		return jsonText(asJSON(value))
	case "erlang":
		if r.erl != nil {
			value = r.erl
		}
		if value != nil {
			return pretty(value)
		}
	}
	return r.text
}

func (f *formatter) rows(r rows) string {
	switch f.name {
	case "csv":
		return f.csv(r)
	case "json", "json_stream":
		return f.objects(r)
	case "erlang":
		out := list{}
		for _, row := range r.list {
			out = append(out, r.object(row))
		}
		return pretty(out)
	case "string", "string_per_line":
		var out []string
		for _, row := range r.list {
			out = append(out, inspect(r.object(row)))
		}
		return strings.Join(out, "\n")
	case "pretty_table":
		return f.pretty(r)
	}
	return f.tabbed(r)
}

func (r rows) object(row []any) pairs {
	out := pairs{}
	for i, c := range r.columns {
		out = append(out, pair{c, row[i]})
	}
	return out
}

func (f *formatter) tabbed(r rows) string {
	var lines []string
	if f.headers && !r.headless && len(r.list) > 0 {
		lines = append(lines, strings.Join(r.columns, "\t"))
	}
	for _, row := range r.list {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v)
		}
		lines = append(lines, strings.Join(cells, "\t"))
	}
	s := strings.Join(lines, "\n")
	if s == "" && (r.whole || len(r.list) > 0) { // an empty line is a line, too
		fmt.Fprintln(f.c.Stdout)
	}
	return s
}

func (f *formatter) csv(r rows) string {
	var lines []string
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		lines = append(lines, strings.Join(cells, ","))
	}
	if f.headers && !r.headless && len(r.list) > 0 {
		line(append([]string(nil), r.columns...))
	}
	for _, row := range r.list {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v)
		}
		line(cells)
	}
	return strings.Join(lines, "\n")
}

func (f *formatter) objects(r rows) string {
	var out []string
	for _, row := range r.list {
		out = append(out, jsonText(asJSON(r.object(row))))
	}
	if f.name == "json_stream" {
		return strings.Join(out, "\n\n")
	}
	if len(out) == 0 && r.whole {
		return "[]"
	}
	if len(out) == 0 {
		return "[\n]"
	}
	return "[\n" + strings.Join(out, "\n,") + "\n]"
}

// pretty draws a table with the line-drawing characters of terminals.
func (f *formatter) pretty(r rows) string {
	table := [][]string{}
	if f.headers {
		table = append(table, r.columns)
	}
	for _, row := range r.list {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v)
		}
		table = append(table, cells)
	}
	if len(r.list) == 0 {
		return ""
	}
	widths := make([]int, len(r.columns))
	for _, row := range table {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	rule(&b, widths, "l", "w", "k")
	for n, row := range table {
		if n > 0 {
			rule(&b, widths, "t", "n", "u")
		}
		b.WriteString(drawn("x"))
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if n == 0 && f.headers {
				c = bold(c)
			}
			b.WriteString(" " + c + pad + " " + drawn("x"))
		}
		b.WriteByte('\n')
	}
	rule(&b, widths, "m", "v", "j")
	return strings.TrimRight(b.String(), "\n")
}

func rule(b *strings.Builder, widths []int, left, middle, right string) {
	parts := make([]string, len(widths))
	for i, w := range widths {
		parts[i] = strings.Repeat("q", w+2)
	}
	b.WriteString(drawn(left+strings.Join(parts, middle)+right) + "\n")
}

func drawn(s string) string { return "\x1b(0" + s + "\x1b(B" }
func bold(s string) string  { return "\x1b[1m" + s + "\x1b[0m" }
