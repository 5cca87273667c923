package conformance

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

func bodyStr(b []byte) string {
	if len(b) > 200 {
		return fmt.Sprintf("<%d bytes %08x>", len(b), fnv32(string(b)))
	}
	return strconv.Quote(string(b))
}

func (r *Run) render(e *Event) (string, string) {
	p := fmt.Sprintf("< %s.%d ", e.conn.name, e.ch)
	switch e.kind {
	case evEOF:
		return fmt.Sprintf("< %s closed by peer", e.conn.name), ""
	case evHeader:
		return fmt.Sprintf("< %s protocol header AMQP %s", e.conn.name, e.raw), ""
	case evRaw, evHeartbeat:
		return p + e.raw, ""
	}
	text := ""
	var line string
	switch e.m.name {
	case "connection.start":
		sp, _ := e.args["server-properties"].(Table)
		var ks, rest []string
		caps := ""
		for _, kv := range sp {
			ks = append(ks, kv.K+":"+string(kv.V.T))
			switch kv.K {
			case "capabilities":
				caps = kv.V.String()
			case "cluster_name", "platform":
			default:
				rest = append(rest, kv.K+"="+kv.V.String())
			}
		}
		sort.Strings(ks)
		sort.Strings(rest)
		mechs := strings.Fields(e.args["mechanisms"].(string))
		sort.Strings(mechs)
		line = fmt.Sprintf("connection.start version=%v-%v keys=%v capabilities=%s mechanisms=%v locales=%v", e.args["version-major"], e.args["version-minor"], ks, caps, mechs, e.args["locales"])
		text = strings.Join(rest, " ")
	default:
		skip := ""
		if t, ok := e.args["reply-text"].(string); ok {
			skip = "reply-text"
			text = t
		}
		line = strings.TrimSpace(e.m.name + " " + fmtArgs(e.m.fields, e.args, skip))
	}
	if e.m.content {
		line += " | " + fmtArgs(propFields, e.props, "") + e.raw + " | " + bodyStr(e.body)
		if len(e.frames) > 1 {
			if len(e.frames) > 6 {
				line += fmt.Sprintf(" frames=%d first=%d last=%d", len(e.frames), e.frames[0], e.frames[len(e.frames)-1])
			} else {
				line += fmt.Sprintf(" frames=%v", e.frames)
			}
		}
	}
	return p + line, text
}
