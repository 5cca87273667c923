package conformance

import (
	"strconv"
	"strings"
)

func defaultCaps() Table {
	tr := Value{T: 't', I: 1}
	return Table{{"product", Value{T: 'S', S: "diff"}}, {"capabilities", Value{T: 'F', M: Table{
		{"publisher_confirms", tr}, {"exchange_exchange_bindings", tr}, {"basic.nack", tr},
		{"consumer_cancel_notify", tr}, {"connection.blocked", tr}, {"authentication_failure_close", tr}}}}}
}

func (r *Run) conn(name string) *Conn {
	c := r.conns[name]
	if c == nil {
		panic("no connection " + name)
	}
	return c
}

func (r *Run) dial(name string) *Conn {
	c, err := dial(r.hub, name, r.ep.Addr)
	if err != nil {
		panic("dial: " + err.Error())
	}
	if r.conns[name] == nil {
		r.order = append(r.order, name)
	}
	r.conns[name] = c
	return c
}

// open performs a whole handshake; nothing is logged unless it fails.
func (r *Run) open(name string, ts []tok) {
	o := map[string]string{"user": r.ep.User, "pass": r.ep.Pass, "vhost": r.ep.VHost, "chmax": "", "frmax": "", "hb": "0"}
	for _, t := range ts {
		if t.k == "" {
			o[t.v] = "1"
		} else {
			o[t.k] = str(t.v)
		}
	}
	c := r.dial(name)
	logAll := o["log"] != ""
	step := func(want string) *Event {
		e := r.next(c, opTimeout)
		if e == nil {
			r.log("TIMEOUT in handshake, wanted "+want, "")
			return nil
		}
		if e.kind != evMethod || e.m.name != want {
			l, t := r.render(e)
			r.log("handshake: "+l, t)
			r.react(e)
			if e.kind == evMethod && e.m.name == "connection.close" {
				r.awaitEOF(c, opTimeout)
			}
			return nil
		}
		if logAll {
			l, t := r.render(e)
			r.log(l, t)
		}
		return e
	}
	c.send([]byte(protocolHeader))
	if step("connection.start") == nil {
		return
	}
	cp := defaultCaps()
	if o["caps"] == "none" {
		cp = Table{}
	} else if strings.HasPrefix(o["caps"], "{") {
		cp = Table{{"capabilities", Value{T: 'F', M: parseTable(o["caps"])}}}
	}
	c.send(methodFrame(0, "connection.start-ok", Args{"client-properties": cp, "mechanism": "PLAIN", "response": "\x00" + o["user"] + "\x00" + o["pass"], "locale": "en_US"}))
	e := step("connection.tune")
	if e == nil {
		return
	}
	cm, fm := num(e.args["channel-max"]), num(e.args["frame-max"])
	if o["chmax"] != "" {
		cm, _ = strconv.ParseUint(o["chmax"], 10, 64)
	}
	if o["frmax"] != "" {
		fm, _ = strconv.ParseUint(o["frmax"], 10, 64)
	}
	c.frameMax = int(fm)
	hb, _ := strconv.ParseUint(o["hb"], 10, 64)
	c.send(append(methodFrame(0, "connection.tune-ok", Args{"channel-max": cm, "frame-max": fm, "heartbeat": hb}),
		methodFrame(0, "connection.open", Args{"virtual-host": o["vhost"]})...))
	if step("connection.open-ok") == nil {
		return
	}
	if o["noch"] == "" {
		r.openCh(c, 1)
	}
}

func (r *Run) openCh(c *Conn, ch uint16) {
	c.send(methodFrame(ch, "channel.open", nil))
	ok := r.hub.waitUntil(func() bool {
		for _, e := range r.hub.evs {
			if e.conn == c && (e.ch == ch || e.ch == 0) {
				return true
			}
		}
		return false
	}, opTimeout)
	for _, e := range r.take(func(e *Event) bool { return e.conn == c && (e.ch == ch || e.ch == 0) }) {
		if e.kind == evMethod && e.m.name == "channel.open-ok" {
			continue
		}
		r.consume(e)
	}
	if !ok {
		r.log("TIMEOUT waiting for channel.open-ok", "")
	}
	r.cs(c.name, ch).open = true
}
