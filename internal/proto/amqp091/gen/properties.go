package main

// genProperties writes the content properties of the one class that has any.
func genProperties(f *Facts, w *writer) {
	for _, c := range f.Classes {
		if len(c.Properties) == 0 {
			continue
		}
		genPropertyFlags(f, w, c)
		genPropertyStruct(f, w, c)
		genPropertyCodec(f, w, c)
		genPropertyViews(f, w, c)
	}
}

func genPropertyFlags(f *Facts, w *writer, c Class) {
	w.p("// Flags of the %s properties, in wire order from the highest bit (section 4.2.6.1).", c.Name)
	w.p("const (")
	for i, x := range c.Properties {
		w.p("Flag%s PropertyFlags = 1 << %d", goName(x.Name), 15-i)
	}
	w.p(")")
	w.p("")
	w.p("const propertyCount = %d", len(c.Properties))
	w.p("")
	w.p("// Places of the properties in wire order.")
	w.p("const (")
	for i, x := range c.Properties {
		w.p("at%s = %d", goName(x.Name), i)
	}
	w.p(")")
	w.p("")
	w.p("// The properties by how they are laid out.")
	w.p("const (")
	all := ""
	for _, t := range []string{"shortstr", "octet", "timestamp", "table"} {
		set := ""
		for _, x := range c.Properties {
			if xt, _ := f.wireType(x.Domain); xt == t {
				set += " | Flag" + goName(x.Name)
			}
		}
		w.p("%sProperties = %s", t, set[3:])
		all += " | " + t + "Properties"
	}
	w.p("allProperties = %s", all[3:])
	w.p(")")
	w.p("")
}

func genPropertyStruct(f *Facts, w *writer, c Class) {
	w.p("// Properties are the %s properties, decoded.", c.Name)
	w.p("//")
	w.p("// A property is present when its flag is set, or when its field is not the zero value; so an empty string")
	w.p("// that was sent stays an empty string, and setting a field is enough to send it. Remove makes one absent.")
	w.p("type Properties struct {")
	w.p("Flags PropertyFlags")
	for _, x := range c.Properties {
		w.p("%s %s", goName(x.Name), f.goType(x))
	}
	w.p("}")
	w.p("")
	w.p("// Present is the set of properties that Append will write.")
	w.p("func (p *Properties) Present() PropertyFlags {")
	w.p("flags := p.Flags & allProperties")
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		z := "!= " + zeros[t]
		w.p("if p.%s %s { flags |= Flag%s }", goName(x.Name), z, goName(x.Name))
	}
	w.p("return flags")
	w.p("}")
	w.p("")
	w.p("// Remove makes the properties absent.")
	w.p("func (p *Properties) Remove(flags PropertyFlags) {")
	w.p("p.Flags &^= flags")
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		w.p("if flags&Flag%s != 0 { p.%s = %s }", goName(x.Name), goName(x.Name), zeros[t])
	}
	w.p("}")
	w.p("")
}

func genPropertyCodec(f *Facts, w *writer, c Class) {
	w.p("// Append adds the flag word and the property list to dst.")
	w.p("func (p *Properties) Append(dst []byte) []byte {")
	w.p("flags := p.Present()")
	w.p("dst = appendShort(dst, uint16(flags))")
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		w.p("if flags&Flag%s != 0 { dst = append%s(dst, p.%s) }", goName(x.Name), goName(t), goName(x.Name))
	}
	w.p("return dst")
	w.p("}")
	w.p("")
	w.p("// appendOne adds the value of one property to dst.")
	w.p("func (p *Properties) appendOne(dst []byte, flag PropertyFlags) []byte {")
	w.p("switch flag {")
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		w.p("case Flag%s: return append%s(dst, p.%s)", goName(x.Name), goName(t), goName(x.Name))
	}
	w.p("}")
	w.p("return dst")
	w.p("}")
	w.p("")
	w.p("func (p *Properties) parse(r *reader) {")
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		w.p("if p.Flags&Flag%s != 0 { p.%s = r.%s() }", goName(x.Name), goName(x.Name), localName(t))
	}
	w.p("}")
	w.p("")
}

func genPropertyViews(f *Facts, w *writer, c Class) {
	views := map[string][2]string{
		"shortstr":  {"[]byte", "shortstr"},
		"octet":     {"uint8", "octet"},
		"timestamp": {"Timestamp", "timestamp"},
		"table":     {"TableView", "table"},
	}
	for _, x := range c.Properties {
		t, _ := f.wireType(x.Domain)
		v := views[t]
		w.p("// %s is the %s property, and whether it is present. Bytes point into the content header.", goName(x.Name), x.Name)
		w.p("func (v *PropertiesView) %s() (%s, bool) {", goName(x.Name), v[0])
		w.p("if v.flags&Flag%s == 0 { return %s, false }", goName(x.Name), map[bool]string{true: "nil", false: "0"}[t == "shortstr" || t == "table"])
		w.p("return v.%s(at%s), true", v[1], goName(x.Name))
		w.p("}")
		w.p("")
	}
}
