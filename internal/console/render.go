package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// Exit codes of commands, beside those of sysexits.h.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUnreachable = 2
	exitRefused     = 3
	exitUsage       = 64
	exitUnavailable = 69
	exitInterrupted = 130
)

// exitCode says how a task went, as far as it has gone: the worst of its hosts.
func exitCode(v *record.View) int {
	code := exitOK
	for _, h := range v.Hosts {
		switch h.State {
		case record.Failed, record.Cancelled:
			code = max(code, exitFailed)
		case record.TimedOut, record.Expired, record.Lost:
			code = max(code, exitUnreachable)
		case record.Rejected:
			code = max(code, exitRefused)
		}
	}
	return code
}

// writeJSON prints what programs read.
func writeJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	e.Encode(v)
}

// writeTask prints a task: a line for each host, and its output.
func writeTask(w io.Writer, v *record.View, online map[string]bool, raw bool) {
	width := 0
	for _, h := range v.Hosts {
		width = max(width, utf8.RuneCountInString(label(h)))
	}
	for _, h := range v.Hosts {
		fmt.Fprintf(w, "%-*s  %s\n", width, label(h), hostLine(v, h, online))
		writeOutput(w, h.Chunks, raw)
		if o := h.Outcome; o != nil && o.Kept < o.Stdout+o.Stderr {
			fmt.Fprintf(w, "[output cut: %s of %s kept]\n", bytesText(o.Kept), bytesText(o.Stdout+o.Stderr))
		}
	}
}

// label is a host's name for a terminal; whoever writes records may name it.
func label(h *record.Host) string { return hosts.Line(h.Label()) }

// hostLine is what is said of a host, behind its name.
func hostLine(v *record.View, h *record.Host, online map[string]bool) string {
	state, detail := string(h.State), h.Reason
	switch {
	case h.State == record.Waiting && !h.Dispatched:
		detail = "not its turn yet"
	case h.State == record.Waiting && online != nil && !online[h.Name]:
		state, detail = "offline", "no agent answered; "+expiry(v)
	case h.State == record.Waiting:
		detail = "not begun yet; " + expiry(v)
	case h.Outcome != nil:
		detail = outcomeText(h.Outcome)
	}
	if h.Late != nil {
		detail += fmt.Sprintf(" (told later: %s, %s)", h.Late.State, outcomeText(h.Late))
	}
	return strings.TrimRight(fmt.Sprintf("%-6s  %s", state, hosts.Line(detail)), " ")
}

func outcomeText(o *record.Outcome) string {
	var parts []string
	switch {
	case o.Exit != nil && (o.State == record.OK || o.State == record.Failed):
		parts = append(parts, fmt.Sprintf("exit %d", *o.Exit))
	case o.Signal != "" && o.State == record.Failed:
		parts = append(parts, "signal: "+o.Signal)
	}
	if o.Reason != "" {
		parts = append(parts, o.Reason)
	}
	if o.DurationMS > 0 || o.Exit != nil {
		parts = append(parts, fmt.Sprintf("%.2f s", float64(o.DurationMS)/1000))
	}
	return strings.Join(parts, "  ")
}

func expiry(v *record.View) string {
	left := time.Until(v.Task.Created.Add(v.Task.Expires()))
	if left <= 0 {
		return "expires now"
	}
	return "expires in " + span(left)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func bytesText(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// writeOutput prints output, and sees to it that it ends its last line.
func writeOutput(w io.Writer, chunks []record.Chunk, raw bool) {
	if raw {
		for _, c := range chunks {
			w.Write(c.Data)
		}
		return
	}
	var text strings.Builder
	for _, c := range chunks {
		text.WriteString(hosts.Printable(c.Data))
	}
	s := text.String()
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	io.WriteString(w, s)
}

// tally is a task in a few words: "48 of 50 hosts: 45 ok, 3 failed, 2 running".
func tally(count map[record.State]int, hosts int) string {
	final := 0
	var parts []string
	for _, s := range []record.State{record.OK, record.Failed, record.TimedOut, record.Cancelled, record.Expired, record.Lost, record.Rejected,
		record.InFlight, record.Starting, record.Waiting} {
		if n := count[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
			if s.Final() {
				final += n
			}
		}
	}
	return fmt.Sprintf("%d of %d done: %s", final, hosts, strings.Join(parts, ", "))
}

// table prints rows in columns.
func table(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			row[i] = hosts.Line(cell)
			cell = row[i]
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func hostRows(list []hosts.Host) [][]string {
	rows := [][]string{{"NAME", "STATE", "SINCE", "LOAD", "RUNNING", "ADDRESSES", "GROUPS", "SYSTEM", "VERSION"}}
	for _, h := range list {
		row := []string{h.Name, "offline", "", "", "", strings.Join(h.Addrs, " "), strings.Join(h.Groups, " "), h.System, h.Program}
		if h.Online {
			// Both times are of the host's own clock.
			row[1], row[2] = "online", span(h.At.Sub(h.Since))
			row[3], row[4] = fmt.Sprintf("%.2f", h.Load[0]), fmt.Sprintf("%d of %d", h.Running, h.Slots)
		}
		for i := range row {
			row[i] = cmp.Or(row[i], "-")
		}
		rows = append(rows, row)
	}
	return rows
}

func taskRows(list []hosts.Summary) [][]string {
	rows := [][]string{{"ID", "BEGUN", "BY", "HOSTS", "COMMAND"}}
	for _, s := range list {
		text := hosts.Line(strings.Join(strings.Fields(s.Text), " "))
		if r := []rune(text); len(r) > 60 {
			text = string(r[:59]) + "…"
		}
		rows = append(rows, []string{s.ID.String(), s.Created.Local().Format("2006-01-02 15:04:05"), s.By, tally(s.Count, s.Hosts), text})
	}
	return rows
}
