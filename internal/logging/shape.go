package logging

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Pattern is how a line of plain text is made, as in "$time [$level] $msg".
type Pattern struct{ parts []patternPart }

type patternPart struct {
	text string // as it stands, or the name of a variable
	name bool
}

var patternVariable = regexp.MustCompile(`\$(\w+)`)

// ParsePattern reads a pattern. Variables are time, level, pid (the category in
// angle brackets, as in other lines), domain, msg (the text and its attributes),
// and the names of attributes.
func ParsePattern(s string) (*Pattern, error) {
	p := &Pattern{}
	at := 0
	for _, m := range patternVariable.FindAllStringSubmatchIndex(s, -1) {
		if m[0] > at {
			p.parts = append(p.parts, patternPart{text: s[at:m[0]]})
		}
		p.parts = append(p.parts, patternPart{text: s[m[2]:m[3]], name: true})
		at = m[1]
	}
	if at < len(s) {
		p.parts = append(p.parts, patternPart{text: s[at:]})
	}
	for _, part := range p.parts {
		if !part.name && (strings.Contains(part.text, "$") || strings.ContainsFunc(part.text, func(r rune) bool { return r < ' ' })) {
			return nil, fmt.Errorf("%q: behind $ stands the name of a variable, as in $time [$level] $msg", s)
		}
	}
	if len(p.parts) == 0 {
		return nil, fmt.Errorf("an empty pattern makes empty lines")
	}
	return p, nil
}

func (p *Pattern) append(b []byte, f Format, e *entry) []byte {
	begin := len(b)
	for _, part := range p.parts {
		if !part.name {
			b = append(b, part.text...)
			continue
		}
		switch part.text {
		case "time":
			b = f.appendTime(b, e.time)
		case "level":
			b = append(b, f.levelText(e.level)...)
		case "pid":
			b = append(append(append(b, '<'), e.category...), '>')
		case "domain":
			b = append(b, domain(e.category)...)
		case "msg":
			b = e.appendText(b)
		default:
			b = e.appendAttr(b, part.text)
		}
	}
	for len(b) > begin && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return append(b, '\n')
}

// appendAttr writes an attribute's value, or as RabbitMQ does that it is unknown.
func (e *entry) appendAttr(b []byte, name string) []byte {
	for _, a := range e.attrs {
		if a.Key == name {
			return appendClean(b, text(a.Value))
		}
	}
	return append(append(append(b, "<unknown "...), name...), '>')
}

// Fields say which fields a JSON object has, in which order, and what they are
// called.
type Fields struct {
	order []field
	drop  map[string]bool
	only  bool // no others
}

type field struct{ name, as string }

// ParseFields reads RabbitMQ's way of writing them: "time:ts level msg pid:- *:-".
func ParseFields(s string) (*Fields, error) {
	f := &Fields{drop: map[string]bool{}}
	used := map[string]bool{}
	for _, entry := range strings.Fields(s) {
		name, as, renamed := strings.Cut(entry, ":")
		switch {
		case !renamed:
			as = name
		case name == "*" && as == "-":
			f.only = true
			continue
		case as == "-":
			f.drop[name] = true
			continue
		}
		if name == "" || as == "" || name == "*" || used[as] {
			return nil, fmt.Errorf("%q: want NAME, NAME:NEW, NAME:- or *:-, each name once", entry)
		}
		used[as] = true
		f.order = append(f.order, field{name, as})
	}
	return f, nil
}

// ParseVerbosity reads numbers of levels: "debug:2 info:1 *:0".
func ParseVerbosity(s string) (map[string]int64, error) {
	given, rest := map[string]int64{}, int64(-1)
	for _, entry := range strings.Fields(s) {
		level, number, _ := strings.Cut(entry, ":")
		n, err := strconv.ParseInt(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q: want LEVEL:NUMBER or *:NUMBER", entry)
		}
		if level == "*" {
			rest = n
			continue
		}
		if _, err := ParseLevel(level); err != nil {
			return nil, err
		}
		given[level] = n
	}
	if rest < 0 {
		return given, nil
	}
	out := map[string]int64{}
	for _, l := range levels {
		out[l.name] = rest
	}
	maps.Copy(out, given)
	return out, nil
}

// jsonField is a field and its value, in JSON.
type jsonField struct {
	name  string
	value []byte
}

// jsonFields are all of an entry.
func (f Format) jsonFields(e *entry) []jsonField {
	at := f.appendTime(nil, e.time)
	if t := f.time(); t != "epoch_usecs" && t != "epoch_secs" {
		at = []byte(`"` + string(at) + `"`)
	}
	out := []jsonField{{"time", at}, {"level", appendString(nil, f.levelText(e.level))}}
	if n, ok := f.Verbosity[LevelName(e.level)]; ok {
		out = append(out, jsonField{"verbosity", strconv.AppendInt(nil, n, 10)})
	}
	out = append(out, jsonField{"msg", appendString(nil, e.text)}, jsonField{"domain", appendString(nil, domain(e.category))})
	for _, a := range e.attrs {
		out = append(out, jsonField{attrName(a.Key), appendJSONValue(nil, a.Value)})
	}
	return out
}

// appendShaped writes an entry as an object with fields that somebody has chosen.
func (f Format) appendShaped(b []byte, e *entry) []byte {
	all := f.jsonFields(e)
	n := 0
	put := func(name string, value []byte) {
		if n++; n > 1 {
			b = append(b, ',')
		}
		b = append(append(appendString(b, name), ':'), value...)
	}
	b = append(b, '{')
	choice := f.Fields
	if choice == nil {
		choice = &Fields{}
	}
	used := map[string]bool{}
	for _, want := range choice.order {
		i := slices.IndexFunc(all, func(have jsonField) bool { return have.name == want.name })
		if i >= 0 {
			put(want.as, all[i].value)
			used[want.as] = true
			all = slices.Delete(all, i, i+1)
		}
	}
	for _, have := range all {
		if choice.only || choice.drop[have.name] {
			continue
		}
		if used[have.name] {
			have.name = "attr." + have.name
		}
		put(have.name, have.value)
	}
	return append(b, "}\n"...)
}
