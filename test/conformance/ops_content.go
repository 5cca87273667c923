package conformance

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

func opPublish(r *Run, s *statement) {
	a, props, rest := buildArgs(specs["basic.publish"], s.args)
	bodies := []string{"-"}
	if len(rest) > 0 {
		bodies = rest[:1]
	}
	if s.op == "pubs" {
		bodies = strings.Split(rest[0], ",")
	}
	c := r.conn(s.conn)
	var out []byte
	for _, b := range bodies {
		out = append(out, methodFrame(s.ch, "basic.publish", a)...)
		if s.op == "basic.publish" {
			break // the bare method: scripts add hdr and body themselves
		}
		out = append(out, contentFrames(s.ch, 60, props, bodyVal(b), c.frameMax)...)
	}
	c.send(out)
}

// opReply publishes to the reply-to address of the last message got.
func opReply(r *Run, s *statement) {
	// the one positional argument is the body, not an exchange
	var body []byte
	var named []tok
	for _, t := range s.args {
		if t.k == "" && body == nil {
			body = bodyVal(t.v)
			continue
		}
		named = append(named, t)
	}
	a, props, _ := buildArgs(specs["basic.publish"], named)
	a["exchange"], a["routing-key"] = "", r.replyTo
	c := r.conn(s.conn)
	c.send(append(methodFrame(s.ch, "basic.publish", a), contentFrames(s.ch, 60, props, body, c.frameMax)...))
}

func opReplyQueue(r *Run, s *statement) {
	c := r.conn(s.conn)
	c.send(methodFrame(s.ch, "queue.declare", Args{"queue": r.replyTo, "passive": true}))
	r.await(c, s.ch, specs["queue.declare"])
}

// opFrame: frame type=1 ch=1 hex=... [zeros=N] [end=CE] [len=N]
func opFrame(r *Run, s *statement) {
	b, err := hex.DecodeString(s.opt("hex", ""))
	if err != nil {
		panic(err.Error())
	}
	if z := s.opt("zeros", ""); z != "" {
		n, _ := strconv.Atoi(z)
		b = append(b, make([]byte, n)...)
	}
	t, _ := strconv.Atoi(s.opt("type", "1"))
	n, _ := strconv.Atoi(s.opt("ch", fmt.Sprint(s.ch)))
	f := frameBytes(byte(t), uint16(n), b)
	if e := s.opt("end", ""); e != "" {
		x, _ := strconv.ParseUint(e, 16, 8)
		f[len(f)-1] = byte(x)
	}
	if l := s.opt("len", ""); l != "" {
		x, _ := strconv.ParseUint(l, 10, 32)
		f[3], f[4], f[5], f[6] = byte(x>>24), byte(x>>16), byte(x>>8), byte(x)
	}
	r.conn(s.conn).send(f)
}

// opHeader: hdr class= weight= size= and properties, or rawprops=hex
func opHeader(r *Run, s *statement) {
	props := Args{}
	class, weight, size := uint64(60), uint64(0), uint64(0)
	for _, t := range s.args {
		switch t.k {
		case "class":
			class, _ = strconv.ParseUint(t.v, 10, 16)
		case "weight":
			weight, _ = strconv.ParseUint(t.v, 10, 16)
		case "size":
			size, _ = strconv.ParseUint(t.v, 10, 64)
		case "rawprops":
		default:
			for _, f := range propFields {
				if f.name == t.k {
					props[f.name] = fieldVal(f, t.v)
				}
			}
		}
	}
	b := encodeFields([]field{{"c", "short"}, {"w", "short"}, {"s", "longlong"}}, Args{"c": class, "w": weight, "s": size})
	if rp := s.opt("rawprops", ""); rp != "" {
		x, _ := hex.DecodeString(rp)
		b = append(b, x...)
	} else {
		b = append(b, encodeProps(props)...)
	}
	r.conn(s.conn).send(frameBytes(2, s.ch, b))
}

func opBody(r *Run, s *statement) {
	r.conn(s.conn).send(frameBytes(3, s.ch, bodyVal(s.arg(0))))
}

func opRaw(r *Run, s *statement) { r.conn(s.conn).send([]byte(str(s.arg(0)))) }

func opRawHex(r *Run, s *statement) {
	b, err := hex.DecodeString(s.arg(0))
	if err != nil {
		panic(err.Error())
	}
	r.conn(s.conn).send(b)
}
