package main

// genIDs writes the class and method numbers and what is known of each method.
func genIDs(f *Facts, w *writer) {
	w.p("// Classes (specification section 4.2.4).")
	w.p("const (")
	for _, c := range f.Classes {
		w.p("Class%s ClassID = %d", goName(c.Name), c.ID)
	}
	w.p(")")
	w.p("")
	w.p("// Methods. The number is the class in the upper 16 bits, the method in the lower.")
	w.p("const (")
	for _, c := range f.Classes {
		for _, m := range c.Methods {
			w.p("Method%s%s MethodID = %d<<16 | %d", goName(c.Name), goName(m.Name), c.ID, m.ID)
		}
	}
	w.p(")")
	w.p("")
	w.p("// String is the class's name as the specification writes it.")
	w.p("func (id ClassID) String() string {")
	w.p("switch id {")
	for _, c := range f.Classes {
		w.p("case Class%s: return %q", goName(c.Name), c.Name)
	}
	w.p("}")
	w.p("return unknownClassName(id)")
	w.p("}")
	w.p("")
	w.p("// String is the method's name as RabbitMQ's logs and errors write it: basic.publish.")
	w.p("func (id MethodID) String() string {")
	w.p("switch id {")
	for _, c := range f.Classes {
		for _, m := range c.Methods {
			w.p("case Method%s%s: return \"%s.%s\"", goName(c.Name), goName(m.Name), c.Name, m.Name)
		}
	}
	w.p("}")
	w.p("return unknownMethodName(id)")
	w.p("}")
	w.p("")
	set := func(doc, name string, has func(Method) bool) {
		w.p("// %s %s", name, doc)
		w.p("func (id MethodID) %s() bool {", name)
		w.p("switch id {")
		w.list("case ", f, has)
		w.p("return true")
		w.p("}")
		w.p("return false")
		w.p("}")
		w.p("")
	}
	set("says whether the method exists in this edition of the protocol.", "Known",
		func(Method) bool { return true })
	set("says whether the method is a request that is answered, or such an answer.", "Synchronous",
		func(m Method) bool { return m.Synchronous })
	set("says whether a content header and body frames follow the method.", "HasContent",
		func(m Method) bool { return m.Content })
	set("says whether a server may receive the method.", "ToServer",
		func(m Method) bool { return receives(m, "server") })
	set("says whether a client may receive the method.", "ToClient",
		func(m Method) bool { return receives(m, "client") })
}

func receives(m Method, peer string) bool {
	for _, p := range m.To {
		if p == peer {
			return true
		}
	}
	return false
}
