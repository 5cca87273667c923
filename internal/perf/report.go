package perf

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

func matches(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(strings.ToLower(name), strings.ToLower(n)) })
}

// number prints three digits that mean something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a >= 1000:
		return thousands(int64(math.Round(v)))
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (s Spread) String() string {
	if s == (Spread{}) {
		return "–"
	}
	if s.Min == s.Max {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.Median), number(s.Min), number(s.Max))
}

// tables are what is printed: a head, then rows.
func (rep *Report) tables() (titles []string, tables [][][]string, notes []string) {
	if len(rep.Rows) > 0 {
		t, n := rep.costs()
		titles, tables, notes = append(titles, "CPU of the broker in µs, median of the rounds (least–most)"), append(tables, t), n
		titles, tables = append(titles, "Rate per second, and the peak of memory"), append(tables, rep.rates())
	}
	if len(rep.Figures) > 0 {
		titles, tables = append(titles, "Absolute figures"), append(tables, rep.figures())
		for _, f := range rep.Figures {
			for _, n := range f.Notes {
				notes = append(notes, f.Name+": "+n)
			}
		}
	}
	return titles, tables, notes
}

// reference reports whether the targets hold for this comparison: they are
// relative to RabbitMQ.
func (rep *Report) reference() bool { return rep.Brokers[0].Kind == "rabbitmq" }

func (rep *Report) costs() (t [][]string, notes []string) {
	head := []string{"scenario", "per"}
	for _, b := range rep.Brokers {
		head = append(head, b.Name)
	}
	first := rep.Brokers[0].Name
	for _, b := range rep.Brokers[1:] {
		head = append(head, fmt.Sprintf("%s: cheaper than %s by", b.Name, first))
	}
	if rep.reference() {
		head = append(head, "target", "LavinMQ 2.9", "floor in the issue")
	}
	t = append(t, head)
	for _, row := range rep.Rows {
		line := []string{row.Name, row.Unit}
		for _, b := range rep.Brokers {
			line = append(line, row.cell(b, &notes))
		}
		for _, b := range rep.Brokers[1:] {
			s := "–"
			if c := row.Cells[b.Name]; c != nil && c.Cheaper.Median > 0 {
				s = c.Cheaper.String() + "x"
				if rep.reference() && b.Kind == "warren" && row.Target > 0 {
					s += verdict(c.Cheaper.Median >= row.Target)
				}
			}
			line = append(line, s)
		}
		if rep.reference() {
			line = append(line, times(row.Target), times(row.Lavin), times(row.Floor))
		}
		t = append(t, line)
	}
	return t, notes
}

func verdict(met bool) string {
	if met {
		return " ✓"
	}
	return " ✗"
}

func times(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%gx", v)
}

// cell is a broker's cost; what is to be said about it goes to the notes.
func (r *Row) cell(b *Broker, notes *[]string) string {
	c := r.Cells[b.Name]
	if c == nil {
		return "–"
	}
	s := c.Cost.String()
	if len(c.Rounds) == 0 {
		s = "failed"
	}
	for _, n := range slices.Compact(slices.Clone(c.Notes)) {
		*notes = append(*notes, fmt.Sprintf("%s, %s: %s", b.Name, r.Name, n))
		s += fmt.Sprintf(" [%d]", len(*notes))
	}
	return s
}

func (rep *Report) rates() [][]string {
	head := []string{"scenario", "per second"}
	for _, b := range rep.Brokers {
		head = append(head, b.Name, "peak MiB")
	}
	t := [][]string{head}
	for _, row := range rep.Rows {
		line := []string{row.Name, plural(row.Unit)}
		for _, b := range rep.Brokers {
			c := row.Cells[b.Name]
			if c == nil || len(c.Rounds) == 0 {
				line = append(line, "–", "–")
				continue
			}
			line = append(line, c.Rate.String(), number(mib(c.Peak)))
		}
		t = append(t, line)
	}
	return t
}

func plural(unit string) string {
	if s, ok := strings.CutSuffix(unit, "y"); ok {
		return s + "ies"
	}
	return unit + "s"
}

func (rep *Report) figures() [][]string {
	head := []string{"figure", "unit", disk}
	for _, b := range rep.Brokers {
		head = append(head, b.Name)
	}
	t := [][]string{append(head, "target for Warren")}
	for _, f := range rep.Figures {
		if f.Values == nil {
			continue // only notes
		}
		line := []string{f.Name, f.Unit, f.value(disk)}
		for _, b := range rep.Brokers {
			s := f.value(b.Name)
			if v, ok := f.Values[b.Name]; ok && b.Kind == "warren" && f.limit(rep) > 0 {
				s += verdict(f.Least && v > f.limit(rep) || !f.Least && v <= f.limit(rep))
			}
			line = append(line, s)
		}
		t = append(t, append(line, f.targetText(rep)))
	}
	return t
}

func (f *Figure) value(broker string) string {
	if v, ok := f.Values[broker]; ok {
		return number(v)
	}
	return "–"
}

// factors are targets that are relative to the null forwarder.
func (f *Figure) factor() float64 {
	switch f.Name {
	case "end-to-end latency at 2000/s, p50":
		return 1.5
	case "end-to-end latency at 20000/s, p99.9":
		return 3
	}
	return 0
}

// limit is the target in the figure's unit; 0: there is none.
func (f *Figure) limit(rep *Report) float64 {
	for _, b := range rep.Brokers {
		if b.Kind == "null" && f.factor() > 0 {
			return f.factor() * f.Values[b.Name]
		}
	}
	return f.Target
}

func (f *Figure) targetText(rep *Report) string {
	l := f.limit(rep)
	switch {
	case l == 0 && f.factor() > 0:
		return fmt.Sprintf("≤ %gx null", f.factor())
	case l == 0:
		return ""
	case f.factor() > 0:
		return fmt.Sprintf("≤ %s (%gx null)", number(l), f.factor())
	case f.Least:
		return "> " + number(l)
	}
	return "≤ " + number(l)
}

// facts is the machine in words.
func (rep *Report) facts() []string {
	m := rep.Machine
	f := []string{
		fmt.Sprintf("%s: %d x %s, %s of memory, Linux %s, %s; %s", m.Time.Format("2006-01-02 15:04 UTC"), m.Cores, m.CPU, m.Memory, m.Kernel, m.OS, m.Go),
	}
	if len(rep.Rows) > 0 {
		f = append(f, fmt.Sprintf("%d rounds, each scenario published for %v; the brokers take turns in each round", rep.Rounds, rep.Length))
	}
	return f
}

// WriteMarkdown prints the report for a document.
func (rep *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for _, f := range rep.facts() {
		fmt.Fprintf(&b, "- %s\n", f)
	}
	titles, tables, notes := rep.tables()
	for i, t := range tables {
		fmt.Fprintf(&b, "\n### %s\n\n", titles[i])
		b.WriteString(markdown(t))
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for i, n := range notes {
		fmt.Fprintf(&b, "[%d] %s  \n", i+1, strings.ReplaceAll(n, "\n", " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText prints the report for a terminal.
func (rep *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(rep.facts(), "\n"))
	titles, tables, notes := rep.tables()
	for i, t := range tables {
		fmt.Fprintf(&b, "\n%s\n\n", titles[i])
		b.WriteString(align(t))
	}
	for i, n := range notes {
		fmt.Fprintf(&b, "[%d] %s\n", i+1, n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown is a table for a document.
func markdown(t [][]string) string {
	var b strings.Builder
	for i, line := range t {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(line)-1))
		}
	}
	return b.String()
}

// align puts a table into columns; the first to the left, numbers to the right.
func align(t [][]string) string {
	width := make([]int, len(t[0]))
	for _, line := range t {
		for i, s := range line {
			width[i] = max(width[i], len([]rune(s)))
		}
	}
	var b strings.Builder
	for _, line := range t {
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-len([]rune(s)))
			switch {
			case i == 0:
				s += pad
			default:
				s = "  " + pad + s
			}
			b.WriteString(s)
		}
		b.WriteString("\n")
	}
	return b.String()
}
