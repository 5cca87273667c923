package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// statement is one script line, taken apart.
type statement struct {
	line   string // with the names filled in
	conn   string
	ch     uint16
	op     string
	args   []tok
	nowait bool // !op: do not wait for the reply
	ifOpen bool // ?op: only while the channel is open
}

func (s *statement) arg(i int) string {
	if i < len(s.args) {
		return s.args[i].v
	}
	return ""
}

func (s *statement) opt(k, d string) string {
	for _, t := range s.args {
		if t.k == k {
			return t.v
		}
	}
	return d
}

func (s *statement) number(i int) int { n, _ := strconv.Atoi(s.arg(i)); return n }

func (s *statement) ms(i int) time.Duration {
	return time.Duration(s.number(i)) * time.Millisecond
}

func (r *Run) parse(line string) *statement {
	line = strings.ReplaceAll(line, "%", r.prefix)
	line = strings.ReplaceAll(line, "$VH", r.ep.VHost)
	s := &statement{line: line, conn: "A", ch: 1}
	ts, err := tokens(line)
	if err != nil {
		panic(err.Error())
	}
	if len(ts) > 0 && strings.HasPrefix(ts[0].v, "@") {
		conn, ch, ok := strings.Cut(ts[0].v[1:], ".")
		s.conn = conn
		if ok {
			n, _ := strconv.Atoi(ch)
			s.ch = uint16(n)
		}
		ts = ts[1:]
	}
	s.op, s.args = ts[0].v, ts[1:]
	s.op, s.ifOpen = strings.CutPrefix(s.op, "?")
	s.op, s.nowait = strings.CutPrefix(s.op, "!")
	if a := aliases[s.op]; a != "" {
		s.op = a
	}
	return s
}

// exec runs one line. Mistakes in the script panic; steps reports them.
func (r *Run) exec(line string) {
	s := r.parse(line)
	if s.ifOpen {
		if c := r.conns[s.conn]; c == nil || c.closed || c.gotClose || !r.cs(s.conn, s.ch).open {
			return
		}
	}
	r.trace = append(r.trace, Ev{"> " + line, ""})
	if r.ep.Fault != "" && s.op == r.ep.Fault {
		return
	}
	if m := specs[s.op]; m != nil && s.op != "basic.publish" {
		r.method(s, m)
		return
	}
	do := operations[s.op]
	if do == nil {
		panic("unknown operation " + s.op)
	}
	do(r, s)
}

// method sends any method but basic.publish and waits for its reply.
func (r *Run) method(s *statement, m *methodSpec) {
	a, _, _ := buildArgs(m, s.args)
	c := r.conn(s.conn)
	if m.class == 10 {
		s.ch = 0
	}
	switch s.op {
	case "basic.nack", "basic.reject", "basic.recover", "basic.recover-async": // requeue is the default in scripts
		if s.opt("requeue", "") == "" {
			a["requeue"] = true
		}
	case "basic.consume":
		if x, _ := a["no-ack"].(bool); x {
			r.cs(s.conn, s.ch).noack[a["consumer-tag"].(string)] = true
		} else if t, ok := a["consumer-tag"].(string); ok {
			delete(r.cs(s.conn, s.ch).noack, t)
		}
	case "basic.get":
		r.cs(s.conn, s.ch).getNA, _ = a["no-ack"].(bool)
	}
	c.send(methodFrame(s.ch, s.op, a))
	if s.op == "channel.close" {
		delete(r.chans, fmt.Sprintf("%s.%d", s.conn, s.ch))
	}
	if nw, _ := a["nowait"].(bool); len(m.reply) > 0 && !nw && !s.nowait {
		r.await(c, s.ch, m)
	}
}

// operations are what a script can do besides sending a method. Never changed.
var operations = map[string]func(r *Run, s *statement){
	"basic.publish": opPublish, "pub": opPublish, "pubs": opPublish, "reply": opReply, "replyqd": opReplyQueue,
	"frame": opFrame, "hdr": opHeader, "body": opBody, "raw": opRaw, "rawhex": opRawHex,
	"tcp": opTCP, "start": opStart, "open": opOpen, "chan": opChannel, "close": opClose, "drop": opDrop,
	"manual": opManual, "keephb": opKeepHeartbeats,
	"wait": opWait, "quiet": opQuiet, "sleep": opSleep, "eof": opEOF, "take": opTake,
	"drain": opDrain, "qs": opStatus, "poll": opPoll, "gone": opGone,
	"ackk": opSettle, "nackk": opSettle, "rejk": opSettle,
	"ctl": opCtl, "http": opHTTP,
}
