package conformance

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var reGen = regexp.MustCompile(`amq\.(gen|ctag)-[A-Za-z0-9_\-]{22}`)
var reReply = regexp.MustCompile(`amq\.rabbitmq\.reply-to\.[A-Za-z0-9+/=_\-.]+`)
var reT = regexp.MustCompile(`\bT(\d{10})\b`)
var reVhostDown = regexp.MustCompile(`(vhost '[^']*') is down`)

// Who published what the firehose shows.
var reTracer = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+ -> \d+\.\d+\.\d+\.\d+:\d+`)
var reTraceNode = regexp.MustCompile(`\bnode:"[^"]*"`)
var rePid = regexp.MustCompile(`<\d+\.\d+\.\d+>|<[a-z0-9@]+\.\d+\.\d+\.\d+>`)

func (r *Run) norm(s string) string {
	s = strings.ReplaceAll(s, r.prefix, "%")
	s = strings.ReplaceAll(s, "vhost '"+r.ep.VHost+"'", "vhost '$VH'")
	f := func(kind string) func(string) string {
		return func(m string) string {
			if v, ok := r.gen[m]; ok {
				return v
			}
			v := fmt.Sprintf("amq.%s-#%d", kind, len(r.gen)+1)
			r.gen[m] = v
			return v
		}
	}
	s = reReply.ReplaceAllStringFunc(s, f("rabbitmq.reply-to."))
	s = reGen.ReplaceAllStringFunc(s, func(m string) string { return f(m[4:8])(m) })
	s = reT.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseInt(m[1:], 10, 64)
		if d := time.Now().Unix() - n; d < 86400 && d > -86400 {
			return "T<now>"
		}
		return m
	})
	s = reTracer.ReplaceAllString(s, "<CONN>")
	s = reTraceNode.ReplaceAllString(s, `node:"<NODE>"`)
	s = rePid.ReplaceAllString(s, "<PID>")
	// a race inside the reference: either text comes
	s = reVhostDown.ReplaceAllString(s, "$1 is deleted")
	return s
}

func (r *Run) log(line, text string) { r.trace = append(r.trace, Ev{r.norm(line), r.norm(text)}) }
