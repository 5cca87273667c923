package conformance

import (
	"strconv"
	"strings"
)

func fieldVal(f field, v string) any {
	switch f.typ {
	case "bit":
		return v == "" || v == "true" || v == "1"
	case "octet", "short", "long", "longlong":
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			m, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				panic("bad number " + v)
			}
			return uint64(m)
		}
		return n
	case "table":
		return parseTable(v)
	}
	return str(v)
}

var aliases = map[string]string{
	"xd": "exchange.declare", "xx": "exchange.delete", "xb": "exchange.bind", "xu": "exchange.unbind",
	"qd": "queue.declare", "qx": "queue.delete", "qb": "queue.bind", "qu": "queue.unbind", "qp": "queue.purge",
	"get": "basic.get", "con": "basic.consume", "can": "basic.cancel", "ack": "basic.ack", "nack": "basic.nack",
	"rej": "basic.reject", "qos": "basic.qos", "recover": "basic.recover", "sel": "confirm.select",
	"tx": "tx.select", "commit": "tx.commit", "rollback": "tx.rollback",
}

// buildArgs turns tokens into method arguments (and message properties).
func buildArgs(m *methodSpec, ts []tok) (Args, Args, []string) {
	a, props := Args{}, Args{}
	var rest []string
	pos := m.pos
	for _, t := range ts {
		if t.k == "" {
			done := false
			for _, f := range m.fields {
				if f.typ == "bit" && f.name == t.v {
					a[f.name] = true
					done = true
				}
			}
			if done {
				continue
			}
			if len(pos) > 0 {
				for _, f := range m.fields {
					if f.name == pos[0] {
						a[f.name] = fieldVal(f, t.v)
					}
				}
				pos = pos[1:]
				continue
			}
			rest = append(rest, t.v)
			continue
		}
		found := false
		for _, f := range m.fields {
			if f.name == t.k {
				a[f.name] = fieldVal(f, t.v)
				found = true
			}
		}
		if !found && m.content {
			for _, f := range propFields {
				if f.name == t.k {
					props[f.name] = fieldVal(f, t.v)
					found = true
				}
			}
		}
		if !found {
			panic("unknown argument " + t.k + " of " + m.name)
		}
	}
	return a, props, rest
}

func bodyVal(s string) []byte {
	s = str(s)
	if n, ok := strings.CutPrefix(s, "size:"); ok {
		k, _ := strconv.Atoi(n)
		b := make([]byte, k)
		for i := range b {
			b[i] = byte('a' + i%26)
		}
		return b
	}
	return []byte(s)
}
