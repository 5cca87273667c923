package main

import "strings"

// genConstants writes frame types, the frame limits and the reply codes.
func genConstants(f *Facts, w *writer) {
	w.p("// Protocol version and registered port.")
	w.p("const (")
	w.p("VersionMajor = %d", f.Major)
	w.p("VersionMinor = %d", f.Minor)
	w.p("VersionRevision = %d", f.Revision)
	w.p("Port = %d", f.Port)
	w.p(")")
	w.p("")
	w.p("// Frame types (specification section 4.2.3).")
	w.p("const (")
	for _, c := range f.Constants {
		if c.Name != "frame-min-size" && c.Name != "frame-end" && strings.HasPrefix(c.Name, "frame-") && c.Class == "" {
			w.p("%s FrameType = %d", goName(c.Name), c.Value)
		}
	}
	w.p(")")
	w.p("")
	w.p("const (")
	for _, c := range f.Constants {
		switch c.Name {
		case "frame-min-size":
			w.p("// FrameMinSize is the frame size that every peer must accept, before and after tuning.")
			w.p("FrameMinSize uint32 = %d", c.Value)
		case "frame-end":
			w.p("// FrameEnd is the octet after every frame's payload.")
			w.p("FrameEnd byte = %d", c.Value)
		}
	}
	w.p(")")
	w.p("")
	w.p("// Reply codes (specification section 1.8, and RabbitMQ's no-route).")
	w.p("const (")
	f.replies(func(c Constant) { w.p("%s ReplyCode = %d", goName(c.Name), c.Value) })
	w.p(")")
	w.p("")
	w.p("// String is the constant's name as RabbitMQ puts it before an error's text: NOT_FOUND.")
	w.p("func (c ReplyCode) String() string {")
	w.p("switch c {")
	f.replies(func(c Constant) { w.p("case %s: return %q", goName(c.Name), replyName(c.Name)) })
	w.p("}")
	w.p("return unknownReplyName(c)")
	w.p("}")
	w.p("")
	for _, kind := range []struct{ class, name, doc string }{
		{"hard-error", "Hard", "says whether the specification lets this error close the connection."},
		{"soft-error", "Soft", "says whether the specification lets this error close only the channel."},
	} {
		w.p("// %s %s", kind.name, kind.doc)
		w.p("func (c ReplyCode) %s() bool {", kind.name)
		w.p("switch c {")
		var names []string
		f.replies(func(c Constant) {
			if c.Class == kind.class {
				names = append(names, goName(c.Name))
			}
		})
		w.p("case %s:", strings.Join(names, ",\n"))
		w.p("return true")
		w.p("}")
		w.p("return false")
		w.p("}")
		w.p("")
	}
}

// replies calls do for every reply code, successes included.
func (f *Facts) replies(do func(Constant)) {
	for _, c := range f.Constants {
		if c.Class != "" || strings.HasPrefix(c.Name, "reply-") {
			do(c)
		}
	}
}
