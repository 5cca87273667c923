package metrics

import (
	"math"
	"strconv"
	"strings"
)

// page is a page under way.
type page struct{ buf []byte }

// head begins a metric. As in RabbitMQ the type comes first.
func (p *page) head(name, typ, help string) {
	p.buf = append(p.buf, "# TYPE "...)
	p.buf = append(append(append(p.buf, name...), ' '), typ...)
	p.buf = append(p.buf, "\n# HELP "...)
	p.buf = append(append(append(p.buf, name...), ' '), help...)
	p.buf = append(p.buf, '\n')
}

// sample writes one line. labels are those of label, "" for none.
func (p *page) sample(name, labels string, v float64) {
	p.buf = append(append(p.buf, name...), labels...)
	p.buf = append(p.buf, ' ')
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		p.buf = strconv.AppendInt(p.buf, int64(v), 10)
	} else {
		p.buf = strconv.AppendFloat(p.buf, v, 'g', -1, 64)
	}
	p.buf = append(p.buf, '\n')
}

func (p *page) one(name, typ, help, labels string, v float64) {
	p.head(name, typ, help)
	p.sample(name, labels, v)
}

// label writes labels, given as pairs.
func label(pairs ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pairs[i])
		b.WriteString(`="`)
		b.WriteString(escape(pairs[i+1]))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

func escape(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if !strings.ContainsAny(s, "\\\"\n") {
		return s
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}

// with adds labels to others.
func with(labels string, pairs ...string) string {
	more := label(pairs...)
	if labels == "" {
		return more
	}
	return labels[:len(labels)-1] + "," + more[1:]
}

// histogram writes a histogram of counts per bucket; the last is open.
func (p *page) histogram(name, labels string, bounds []float64, counts []uint64, sum float64) {
	total := uint64(0)
	for i, c := range counts {
		total += c
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'f', -1, 64) // 1000000, not 1e+06, as RabbitMQ writes it
		}
		p.sample(name+"_bucket", with(labels, "le", le), float64(total))
	}
	p.sample(name+"_sum", labels, sum)
	p.sample(name+"_count", labels, float64(total))
}
