package perf

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

// page holds all that it shows: no scripts, nothing from elsewhere.
const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{.Title}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-size:13px}td,th{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}text{font:11px system-ui,sans-serif;fill:#555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}text{fill:#aaa}}
</style>
<h1>{{.Title}}</h1>
{{range .Facts}}<p>{{.}}</p>{{end}}
{{range .Tables}}<h2>{{.Title}}</h2><table>{{range $i, $r := .Rows}}<tr>{{range $r}}{{if $i}}<td>{{.}}</td>{{else}}<th>{{.}}</th>{{end}}{{end}}</tr>{{end}}</table>{{end}}
{{range .Charts}}<h2>{{.Title}}</h2>{{.SVG}}{{end}}
</html>
`

type htmlPage struct {
	Title  string
	Facts  []string
	Tables []htmlTable
	Charts []htmlChart
}

type htmlTable struct {
	Title string
	Rows  [][]string
}

type htmlChart struct {
	Title string
	SVG   template.HTML
}

func (p htmlPage) write(w io.Writer) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// line is a curve of a chart.
type line struct {
	name string
	x, y []float64
}

// colors can be told apart by those who do not see all of them.
func color(i int) string {
	return [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"}[i%5]
}

const (
	chartW, chartH            = 800.0, 260.0
	chartL, chartT, chartFoot = 70.0, 24.0, 30.0
)

// lineChart draws; label writes a value of the y axis, xLabel one of the other.
func lineChart(lines []line, label, xLabel func(float64) string) template.HTML {
	var maxX, maxY float64
	for _, l := range lines {
		for i := range l.x {
			maxX, maxY = max(maxX, l.x[i]), max(maxY, l.y[i])
		}
	}
	if maxX == 0 || maxY == 0 {
		return ""
	}
	maxY = nice(maxY)
	px := func(x float64) float64 { return chartL + x/maxX*(chartW-chartL-10) }
	py := func(y float64) float64 { return chartH - chartFoot - y/maxY*(chartH-chartFoot-chartT) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img">`, chartW, chartH)
	for i := range 5 {
		y := maxY * float64(i) / 4
		fmt.Fprintf(&b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="#8884"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`,
			chartL, chartW-10, py(y), py(y), chartL-6, py(y)+4, template.HTMLEscapeString(label(y)))
		x := maxX * float64(i) / 4
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, px(x), chartH-10, template.HTMLEscapeString(xLabel(x)))
	}
	for i, l := range lines {
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, color(i))
		for j := range l.x {
			fmt.Fprintf(&b, "%.1f,%.1f ", px(l.x[j]), py(l.y[j]))
		}
		fmt.Fprintf(&b, `"/><rect x="%g" y="6" width="10" height="10" fill="%s"/><text x="%g" y="15">%s</text>`,
			chartL+float64(i)*150, color(i), chartL+float64(i)*150+14, template.HTMLEscapeString(l.name))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // all text in it is escaped above
}

// bars draws one bar for each name, on a logarithmic scale.
func bars(names []string, values []float64, label func(float64) string) template.HTML {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high == 0 {
		return ""
	}
	low = math.Pow(10, math.Floor(math.Log10(low))-0.3)
	const step = 22.0
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img">`, chartW, step*float64(len(names))+6)
	for i, v := range values {
		w := 0.0
		if v > 0 {
			w = math.Log(v/low) / math.Log(high/low) * (chartW - 280)
		}
		y := step * float64(i)
		fmt.Fprintf(&b, `<text x="120" y="%g" text-anchor="end">%s</text><rect x="128" y="%g" width="%.1f" height="15" fill="%s"/><text x="%.1f" y="%g">%s</text>`,
			y+15, template.HTMLEscapeString(names[i]), y+4, w, color(i), 134+w, y+16, template.HTMLEscapeString(label(v)))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // all text in it is escaped above
}

// nice is the next round number.
func nice(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 4, 5, 8} {
		if v <= m*p {
			return m * p
		}
	}
	return 10 * p
}

// WriteHTML prints a result as a page with charts.
func (r *Result) WriteHTML(w io.Writer) error {
	p := htmlPage{Title: "warren perf: " + r.Scenario, Facts: []string{machine().Time.Format("2006-01-02 15:04 UTC")}}
	p.Tables = append(p.Tables, htmlTable{"Result", append([][]string{{"", ""}}, r.lines()...)})
	seconds := func(x float64) string { return fmt.Sprintf("%.3g s", x) }
	all := map[string]func(s Sample) float64{
		"published":  func(s Sample) float64 { return s.PublishRate },
		"consumed":   func(s Sample) float64 { return s.ConsumeRate },
		"confirmed":  func(s Sample) float64 { return s.ConfirmRate },
		"operations": func(s Sample) float64 { return s.OperationRate },
	}
	var rates []line
	for _, name := range []string{"published", "consumed", "confirmed", "operations"} {
		if l := r.over(name, all[name]); len(l.x) > 0 {
			rates = append(rates, l)
		}
	}
	p.chart("Rate per second", lineChart(rates, number, seconds))
	duration := func(us float64) string { return time.Duration(us * 1e3).String() }
	for title, of := range map[string]func(s Sample) *Percentiles{
		"Latency over time":             func(s Sample) *Percentiles { return s.Latency },
		"Latency of confirms over time": func(s Sample) *Percentiles { return s.ConfirmLatency },
	} {
		var ls []line
		for _, q := range []string{"p50", "p99", "p99.9"} {
			l := r.over(q, func(s Sample) float64 {
				v := of(s)
				switch {
				case v == nil:
					return 0
				case q == "p50":
					return micros(v.P50)
				case q == "p99":
					return micros(v.P99)
				}
				return micros(v.P999)
			})
			if len(l.x) > 0 {
				ls = append(ls, l)
			}
		}
		p.chart(title, lineChart(ls, duration, seconds))
	}
	var curves []line
	for name, v := range map[string]*Percentiles{"end to end": r.Latency, "confirms": r.ConfirmLatency} {
		if v == nil {
			continue
		}
		l := line{name: name}
		for _, q := range v.Curve {
			if q.Percent < 100 {
				l.x, l.y = append(l.x, math.Log10(100/(100-q.Percent))), append(l.y, micros(q.Value))
			}
		}
		curves = append(curves, l)
	}
	p.chart("Latency by percentile", lineChart(curves, duration, func(x float64) string { return fmt.Sprintf("%.5g%%", 100-100/math.Pow(10, x)) }))
	return p.write(w)
}

func (p *htmlPage) chart(title string, svg template.HTML) {
	if svg != "" {
		p.Charts = append(p.Charts, htmlChart{title, svg})
	}
}

// over is something over time; empty if it never was.
func (r *Result) over(name string, of func(Sample) float64) line {
	l := line{name: name}
	some := false
	for _, s := range r.Series {
		v := of(s)
		some = some || v > 0
		l.x, l.y = append(l.x, s.At.Seconds()), append(l.y, v)
	}
	if !some {
		return line{}
	}
	return l
}

// lines are the result in words.
func (r *Result) lines() (t [][]string) {
	add := func(name, value string) { t = append(t, []string{name, value}) }
	count := func(name string, n uint64) {
		if n > 0 {
			add(name, fmt.Sprintf("%s  (%s/s)", thousands(int64(n)), number(per(float64(n), r.Elapsed.Seconds()))))
		}
	}
	count("published", r.Published)
	count("confirmed", r.Confirmed)
	count("refused", r.Refused)
	count("consumed", r.Consumed)
	if r.Operation != nil {
		count(r.Operation.Kind, r.Operations)
	}
	add("time", r.Elapsed.Round(time.Millisecond).String())
	if r.Load != nil && r.Load.Consumers > 0 {
		add("lost", thousands(int64(r.Lost)))
		add("out of order", thousands(int64(r.OutOfOrder)))
	}
	for _, q := range []struct {
		name string
		p    *Percentiles
	}{{"latency", r.Latency}, {"confirm latency", r.ConfirmLatency}} {
		if p := q.p; p != nil {
			us := func(d time.Duration) time.Duration { return d.Round(100 * time.Nanosecond) }
			add(q.name, fmt.Sprintf("p50 %v  p90 %v  p99 %v  p99.9 %v  p99.99 %v  max %v", us(p.P50), us(p.P90), us(p.P99), us(p.P999), us(p.P9999), us(p.Max)))
		}
	}
	if r.Usage != nil {
		add("broker's CPU", fmt.Sprintf("%v, %s µs each", r.Usage.CPU, number(r.Cost())))
		add("broker's memory", fmt.Sprintf("%s MiB, peak %s MiB", number(mib(r.Usage.RSS)), number(mib(r.Usage.Peak))))
		if r.Operation != nil && r.Operation.Kind == Connections {
			add("per connection", number(per(float64(r.Usage.Grew)/1024, float64(r.Operations)))+" KiB")
		}
	}
	return t
}

// WriteText prints the result for a terminal.
func (r *Result) WriteText(w io.Writer) error {
	for _, l := range r.lines() {
		if _, err := fmt.Fprintf(w, "%-16s  %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// WriteHTML prints the comparison as a page with charts.
func (rep *Report) WriteHTML(w io.Writer) error {
	p := htmlPage{Title: "warren perf compare", Facts: rep.facts()}
	titles, tables, notes := rep.tables()
	for i, t := range tables {
		p.Tables = append(p.Tables, htmlTable{titles[i], t})
	}
	for _, row := range rep.Rows {
		var names []string
		var values []float64
		for _, b := range rep.Brokers {
			if c := row.Cells[b.Name]; c != nil && c.Cost.Median > 0 {
				names, values = append(names, b.Name), append(values, c.Cost.Median)
			}
		}
		p.chart(row.Name+": CPU per "+row.Unit+", logarithmic", bars(names, values, func(v float64) string { return number(v) + " µs" }))
	}
	for i, n := range notes {
		p.Facts = append(p.Facts, fmt.Sprintf("[%d] %s", i+1, n))
	}
	return p.write(w)
}

// String is the line that is shown every second.
func (s Sample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4.0f s", s.At.Seconds())
	for _, v := range []struct {
		name  string
		total uint64
		rate  float64
	}{{"published", s.Published, s.PublishRate}, {"confirmed", s.Confirmed, s.ConfirmRate}, {"consumed", s.Consumed, s.ConsumeRate}, {"done", s.Operations, s.OperationRate}} {
		if v.total > 0 {
			fmt.Fprintf(&b, "  %s %s/s", v.name, number(v.rate))
		}
	}
	for _, v := range []struct {
		name string
		p    *Percentiles
	}{{"latency", s.Latency}, {"confirm", s.ConfirmLatency}} {
		if v.p != nil {
			fmt.Fprintf(&b, "  %s p50 %v p99 %v", v.name, v.p.P50.Round(time.Microsecond), v.p.P99.Round(time.Microsecond))
		}
	}
	return b.String()
}
