package main

// genMethods writes a struct per method with its encoder and decoder.
func genMethods(f *Facts, w *writer) {
	w.p("// newMethod is an empty struct for a method, nil when the protocol has no such method.")
	w.p("func newMethod(id MethodID) parsable {")
	w.p("switch id {")
	for _, c := range f.Classes {
		for _, m := range c.Methods {
			n := goName(c.Name) + goName(m.Name)
			w.p("case Method%s: return new(%s)", n, n)
		}
	}
	w.p("}")
	w.p("return nil")
	w.p("}")
	for _, c := range f.Classes {
		for _, m := range c.Methods {
			genMethod(f, w, c, m)
		}
	}
}

func genMethod(f *Facts, w *writer, c Class, m Method) {
	n := goName(c.Name) + goName(m.Name)
	w.p("")
	w.p("// %s is %s.%s (%d, %d)%s.", n, c.Name, m.Name, c.ID, m.ID, remark(m))
	w.p("type %s struct {", n)
	for _, x := range m.Fields {
		if !x.Reserved {
			w.p("%s %s", goName(x.Name), f.goType(x))
		}
	}
	w.p("}")
	w.p("")
	w.p("// ID is Method%s.", n)
	w.p("func (%s) ID() MethodID { return Method%s }", n, n)
	w.p("")
	w.p("// Append adds the method frame's payload to dst.")
	recv := "m " + n
	if len(m.Fields) == 0 || allReserved(m) {
		recv = n
	}
	w.p("func (%s) Append(dst []byte) []byte {", recv)
	w.p("dst = appendMethodID(dst, Method%s)", n)
	genAppendFields(f, w, m)
	w.p("return dst")
	w.p("}")
	w.p("")
	if len(m.Fields) == 0 {
		w.p("func (*%s) parse(*reader) {}", n)
		return
	}
	if allReserved(m) {
		w.p("func (*%s) parse(r *reader) {", n)
	} else {
		w.p("func (m *%s) parse(r *reader) {", n)
	}
	genParseFields(f, w, m)
	w.p("}")
}

func allReserved(m Method) bool {
	for _, x := range m.Fields {
		if !x.Reserved {
			return false
		}
	}
	return true
}

func remark(m Method) string {
	s := ""
	if m.Origin == "rabbitmq" {
		s += ", a RabbitMQ extension"
	}
	if m.Deprecated {
		s += ", deprecated"
	}
	return s
}

// bits calls do with the position of each field in the octet it shares with its neighbours: consecutive bits
// are packed into octets, the first in the lowest bit (section 4.2.5.2). -1 stands for any other type.
func bits(f *Facts, m Method, do func(x Field, typ string, bit int, last bool)) {
	bit := -1
	for i, x := range m.Fields {
		t, _ := f.wireType(x.Domain)
		if t != "bit" {
			bit = -1
			do(x, t, -1, false)
			continue
		}
		bit = (bit + 1) % 8
		last := bit == 7 || i == len(m.Fields)-1
		if !last {
			next, _ := f.wireType(m.Fields[i+1].Domain)
			last = next != "bit"
		}
		do(x, t, bit, last)
	}
}

func genAppendFields(f *Facts, w *writer, m Method) {
	expr := ""
	bits(f, m, func(x Field, typ string, bit int, last bool) {
		if bit < 0 {
			v := zeros[typ]
			if !x.Reserved {
				v = "m." + goName(x.Name)
				if _, named := domainTypes[x.Domain]; named {
					v = wireTypes[typ] + "(" + v + ")"
				}
			}
			w.p("dst = append%s(dst, %s)", goName(typ), v)
			return
		}
		if !x.Reserved {
			if expr != "" {
				expr += " | "
			}
			expr += w.f("bit(m.%s, %d)", goName(x.Name), bit)
		}
		if last {
			if expr == "" {
				expr = "0"
			}
			w.p("dst = append(dst, %s)", expr)
			expr = ""
		}
	})
}

func genParseFields(f *Facts, w *writer, m Method) {
	declared := false
	bits(f, m, func(x Field, typ string, bit int, last bool) {
		if bit < 0 {
			if x.Reserved {
				w.p("r.%s()", localName(typ))
				return
			}
			v := w.f("r.%s()", localName(typ))
			if t, named := domainTypes[x.Domain]; named {
				v = t + "(" + v + ")"
			}
			w.p("m.%s = %s", goName(x.Name), v)
			return
		}
		if bit == 0 {
			if last && x.Reserved {
				w.p("r.octet()")
				return
			}
			if declared {
				w.p("bits = r.octet()")
			} else {
				w.p("bits := r.octet()")
				declared = true
			}
		}
		if !x.Reserved {
			w.p("m.%s = bits&%d != 0", goName(x.Name), 1<<bit)
		}
	})
}
